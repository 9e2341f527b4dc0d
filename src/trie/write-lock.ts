/**
 * One writer at a time, in the order of asking.
 *
 * @module
 */

/** A lock that is handed on first come, first served. */
export class WriteLock {
  #tail: Promise<void> | null = null

  /** Run `work` when everything asked for before has ended, well or not. */
  async run<Result>(work: () => Promise<Result>): Promise<Result> {
    const before = this.#tail
    const { promise, resolve } = released()
    this.#tail = promise
    try {
      if (before) await before
      return await work()
    } finally {
      if (this.#tail === promise) this.#tail = null
      resolve()
    }
  }
}

function released(): { promise: Promise<void>; resolve: () => void } {
  let resolve = (): void => {}
  const promise = new Promise<void>((done) => {
    resolve = done
  })
  return { promise, resolve }
}
