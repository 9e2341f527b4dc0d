/** A clock that a test turns by hand. */
import type { Timers } from '../../src/wire/timers.ts'

/** Timers that run when `advance` passes them. */
export class ManualTimers implements Timers {
  #now = 0
  readonly #waiting = new Set<{ readonly at: number; readonly run: () => void }>()

  /** Timers that have not run. */
  get count(): number {
    return this.#waiting.size
  }

  now(): number {
    return this.#now
  }

  set(run: () => void, ms: number): () => void {
    const timer = { at: this.#now + ms, run }
    this.#waiting.add(timer)
    return () => void this.#waiting.delete(timer)
  }

  /** Let `ms` pass, and run what is due, in order. */
  advance(ms: number): void {
    const end = this.#now + ms
    for (;;) {
      const [next] = [...this.#waiting].toSorted((a, b) => a.at - b.at)
      if (!next || next.at > end) break
      this.#now = next.at
      this.#waiting.delete(next)
      next.run()
    }
    this.#now = end
  }
}
