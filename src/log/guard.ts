/**
 * "Some answer is still due": what a read that asks only peers at hand waits for before it gives up.
 *
 * The wire holds the guard for each peer that is opening and for each unanswered Want; a store, while
 * it opens. When nobody holds it, what the peers have told is all there is to know for now.
 *
 * @see spec/10-log.md 3.14 and spec/20-wire.md 3.6
 * @module
 */

/** Counts the answers that are still due. */
export class Guard {
  #held = 0
  #idle: Array<() => void> = []

  /** Whether an answer is due. */
  get isHeld(): boolean {
    return this.#held > 0
  }

  /** Hold it until the returned function is called; calling that again does nothing. */
  hold(): () => void {
    this.#held++
    let released = false
    return () => {
      if (released) return
      released = true
      this.#held--
      if (this.#held === 0) this.#wake()
    }
  }

  /** Resolves once nobody holds it; in a later microtask at the earliest. */
  async idle(): Promise<void> {
    await Promise.resolve()
    // Whoever was woken before us may hold it again.
    while (this.#held > 0) {
      // oxlint-disable-next-line no-await-in-loop
      await new Promise<void>((resolve) => this.#idle.push(resolve))
    }
  }

  #wake(): void {
    const waiters = this.#idle
    this.#idle = []
    for (const wake of waiters) wake()
  }
}
