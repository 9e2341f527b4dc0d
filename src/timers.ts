/**
 * A clock and timers that can be brought along, so that tests and simulations decide how time passes.
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
