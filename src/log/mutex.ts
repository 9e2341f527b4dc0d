/**
 * One at a time: changes of the same stored content.
 *
 * @module
 */

/** Runs work in the order it was given, never two at once. */
export class Mutex {
  #last: Promise<unknown> = Promise.resolve()

  /** Run `work` once everything given before has ended. Its outcome is the result. */
  run<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work)
    // The next one starts whatever became of this one; its failure goes to its own caller.
    this.#last = result.catch(() => undefined)
    return result
  }

  /** Resolves once everything given so far has ended. */
  async idle(): Promise<void> {
    await this.#last
  }
}
