/**
 * Bytes a second, held on average: how long to wait after so many went through.
 *
 * @module
 */

/** Milliseconds of bytes that may go through at once. */
const BURST_MS = 250
/** Shorter waits are saved up. */
const LEAST_MS = 5

/** The pace of one direction. Pure: the clock is given. */
export class Pace {
  readonly #bytesPerMs: number
  readonly #now: () => number
  /** When everything that went through would be over, at the pace. */
  #due = -Infinity

  /**
   * @param bytesPerSecond - `Infinity` for no limit
   * @param now - milliseconds
   */
  constructor(bytesPerSecond: number, now: () => number) {
    this.#bytesPerMs = bytesPerSecond / 1000
    this.#now = now
  }

  /** `bytes` go through now. Returns the milliseconds to wait before more do; mostly 0. */
  took(bytes: number): number {
    if (this.#bytesPerMs === Infinity) return 0
    const now = this.#now()
    this.#due = Math.max(this.#due, now - BURST_MS) + bytes / this.#bytesPerMs
    return this.#due - now < LEAST_MS ? 0 : this.#due - now
  }
}
