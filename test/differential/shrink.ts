/**
 * The shortest part of a list that still shows what the whole shows: delta debugging.
 *
 * @module
 */

/**
 * Leave out ever smaller runs of `list` as long as `shows` holds for the rest.
 *
 * @param list - one for which `shows` holds
 * @returns a part from which no single element can be left out; `list` itself if `shows` does not hold for any less
 */
export async function shrink<T>(
  list: readonly T[],
  shows: (part: readonly T[]) => Promise<boolean>,
): Promise<readonly T[]> {
  let best = list
  let size = Math.ceil(best.length / 2)
  for (;;) {
    let shrunk = false
    for (let at = 0; at < best.length;) {
      const rest = [...best.slice(0, at), ...best.slice(at + size)]
      // oxlint-disable-next-line no-await-in-loop -- each goes on from the one before
      if (rest.length > 0 && (await shows(rest))) {
        best = rest
        shrunk = true
      } else {
        at += size
      }
    }
    if (size > 1) size = Math.ceil(size / 2)
    else if (!shrunk) return best
  }
}
