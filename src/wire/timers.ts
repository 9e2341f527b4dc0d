/**
 * Silence, measured with the timers that a connection was given.
 *
 * @module
 */
import type { Timers } from '../timers.ts'

export { systemTimers } from '../timers.ts'
export type { Timers } from '../timers.ts'

/**
 * Runs `expired` each time that nothing has happened for `ms`. Restarting costs one look at the clock: the timer
 * itself is only set again when it fires too early.
 */
export class IdleTimer {
  readonly #timers: Timers
  readonly #ms: number
  readonly #expired: () => void
  #since: number
  #forget: (() => void) | null = null

  /** Starts at once; `ms` of 0 never expires. */
  constructor(timers: Timers, ms: number, expired: () => void) {
    this.#timers = timers
    this.#ms = ms
    this.#expired = expired
    this.#since = timers.now()
    if (ms > 0) this.#arm(ms)
  }

  /** Something happened: count from now. */
  restart(): void {
    this.#since = this.#timers.now()
  }

  /** Never expire again. Idempotent. */
  stop(): void {
    this.#forget?.()
    this.#forget = null
  }

  #arm(ms: number): void {
    this.#forget = this.#timers.set(() => {
      this.#forget = null
      const left = this.#since + this.#ms - this.#timers.now()
      if (left > 0) {
        this.#arm(Math.ceil(left))
        return
      }
      this.restart()
      this.#arm(this.#ms)
      this.#expired()
    }, ms)
  }
}
