/**
 * A task that goes on in the background: awaited, watched or given up, as its caller likes.
 *
 * v10 gives such a handle whether or not there is a callback; ours can be awaited too.
 *
 * @see spec/40-drive.md 3.15
 * @module
 */

/** How far a transfer is. The totals grow while a directory is still being listed. */
export interface Progress {
  /** Blocks done, of those the files have. */
  readonly blocks: number
  readonly totalBlocks: number
  /** Bytes of the files that are done, and of all of them. */
  readonly bytes: number
  readonly totalBytes: number
}

/** What ends a transfer before its end. */
export interface TransferLimits {
  /** Makes it fail with the signal's reason. */
  readonly signal?: AbortSignal | undefined
  /** Milliseconds after which it fails; 0 is never. */
  readonly timeout?: number | undefined
  /** What it then fails with. */
  readonly timedOut?: (() => Error) | undefined
}

/** A task in the background. */
export class Transfer<T = void> implements PromiseLike<T | undefined> {
  /** Settles at the end. Resolves, with nothing, when it was destroyed. */
  readonly done: Promise<T | undefined>
  readonly #abort = new AbortController()
  readonly #progress: () => Progress
  #destroyed = false

  /**
   * @param run - does the work until its signal aborts
   * @param progress - how far it is
   * @param limits - what ends it before
   */
  constructor(
    run: (stop: AbortSignal) => Promise<T>,
    progress: () => Progress,
    limits: TransferLimits = {},
  ) {
    this.#progress = progress
    this.done = this.#run(run, limits)
  }

  /** How far it is, now. */
  get progress(): Progress {
    return this.#progress()
  }

  /** Give up: `done` resolves, and what was done stays. */
  destroy(): void {
    this.#destroyed = true
    this.#abort.abort()
  }

  // oxlint-disable-next-line unicorn/no-thenable -- a handle that can be awaited is what was asked for
  then<A = T | undefined, B = never>(
    onfulfilled?: ((value: T | undefined) => A | PromiseLike<A>) | null,
    onrejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.done.then(onfulfilled, onrejected)
  }

  async #run(
    run: (stop: AbortSignal) => Promise<T>,
    { signal, timeout = 0, timedOut }: TransferLimits,
  ): Promise<T | undefined> {
    const stop = this.#abort
    const leave = (): void => stop.abort(signal?.reason)
    const timer = timeout > 0 ? setTimeout(() => stop.abort(timedOut?.()), timeout) : undefined
    signal?.addEventListener('abort', leave, { once: true })
    try {
      if (signal?.aborted) leave()
      const result = await run(stop.signal)
      // Work that was cut short may end as if it were done.
      if (!this.#destroyed) stop.signal.throwIfAborted()
      return this.#destroyed ? undefined : result
    } catch (error) {
      if (this.#destroyed) return undefined
      throw stop.signal.aborted ? stop.signal.reason : error
    } finally {
      clearTimeout(timer)
      signal?.removeEventListener('abort', leave)
    }
  }
}
