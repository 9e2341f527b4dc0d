/**
 * Something that goes on for a while and has to end with its caller's signal, with the drive, or by itself: one signal
 * for all three, of which nothing is left once it has ended.
 *
 * (`AbortSignal.any` leaves a trace in each of its sources, in Node 20 for as long as these live.)
 *
 * @module
 */

/** The tasks under way of one drive. */
export class Tasks {
  readonly #running = new Set<Task>()
  readonly #signals = new WeakSet<AbortSignal>()

  /** Begin one. */
  begin(given?: AbortSignal): Task {
    const task = new Task(given, () => this.#running.delete(task))
    this.#signals.add(task.signal)
    this.#running.add(task)
    return task
  }

  /** Whether a signal is that of a task: then it aborts with the drive. */
  owns(signal: AbortSignal): boolean {
    return this.#signals.has(signal)
  }

  /** Abort all. */
  abort(reason: unknown): void {
    for (const task of this.#running) task.abort(reason)
  }
}

/** One of them. */
export class Task {
  readonly #own = new AbortController()
  readonly #given: AbortSignal | undefined
  readonly #ended: () => void
  readonly #leave = (): void => this.abort(this.#given?.reason)

  /** @param given - the caller's signal; @param ended - called at the end */
  constructor(given: AbortSignal | undefined, ended: () => void) {
    this.#given = given
    this.#ended = ended
    if (given?.aborted) this.#own.abort(given.reason)
    else given?.addEventListener('abort', this.#leave, { once: true })
  }

  /** Aborts when the caller's does, when the drive closes, and by `abort`. */
  get signal(): AbortSignal {
    return this.#own.signal
  }

  /** End it, and what waits for it. */
  abort(reason: unknown): void {
    this.#own.abort(reason)
    this.end()
  }

  /** It is over. Idempotent. */
  end(): void {
    this.#given?.removeEventListener('abort', this.#leave)
    this.#ended()
  }
}
