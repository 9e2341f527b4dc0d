/**
 * The clock and the timers of a connection, so that tests and the simulator can bring their own.
 *
 * @module
 */

/** A clock in milliseconds, and timers that run once. */
export interface Timers {
  /** Milliseconds from any fixed moment; never goes back. */
  now(): number
  /**
   * Call `run` once after `ms`. The result forgets the timer; after it ran it does nothing. With `awaited`
   * the process stays alive for it.
   */
  set(run: () => void, ms: number, awaited?: boolean): () => void
}

/** The system's. */
export const systemTimers: Timers = {
  now: () => performance.now(),
  set(run, ms, awaited = false) {
    const timer = setTimeout(run, ms)
    if (!awaited) timer.unref()
    return () => clearTimeout(timer)
  },
}

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
