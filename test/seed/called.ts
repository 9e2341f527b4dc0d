/** What a function hands to its callback, as a promise. */
export function called<T>(
  start: (done: (error: Error | null, result: T) => void) => unknown,
): Promise<T> {
  return new Promise((resolve, reject) => {
    start((error, result) => (error ? reject(error) : resolve(result)))
  })
}
