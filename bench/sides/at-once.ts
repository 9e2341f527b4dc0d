/** Run `work` on every item, `limit` of them at a time. */
export async function atOnce<T>(
  items: Iterable<T>,
  limit: number,
  work: (item: T) => Promise<unknown>,
): Promise<void> {
  const iterator = items[Symbol.iterator]()
  const worker = async (): Promise<void> => {
    for (let next = iterator.next(); !next.done; next = iterator.next()) {
      // oxlint-disable-next-line no-await-in-loop -- one of `limit` workers
      await work(next.value)
    }
  }
  await Promise.all(Array.from({ length: limit }, worker))
}
