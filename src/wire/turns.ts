/**
 * One after the other: the channels of a connection read blocks in turn, so that what is read and not sent yet is one
 * run of one channel, however many channels there are.
 *
 * @module
 */

/** Turns, given in order of asking. */
export class Turns {
  #taken = false
  readonly #waiting: (() => void)[] = []

  /** Resolves when it is the caller's turn, at once (null) when nobody has it. Call `pass` afterwards. */
  take(): Promise<void> | null {
    if (this.#taken) return new Promise((resolve) => this.#waiting.push(resolve))
    this.#taken = true
    return null
  }

  /** The caller's turn is over. */
  pass(): void {
    const next = this.#waiting.shift()
    if (next) next()
    else this.#taken = false
  }
}
