/**
 * A task that goes on in the background: awaited, watched or given up, as its caller likes.
 *
 *     await transfer                                to the end
 *     for await (const now of transfer) { … }       how far it is, each time that changes
 *     transfer.on('progress', (now) => { … })       the same
 *     transfer.destroy()                            no further
 *
 * v10 gives such a handle whether or not there is a callback; its `destroy` is the same.
 *
 * @see spec/40-drive.md 3.15
 * @module
 */
import { EventEmitter } from 'node:events'
import { type Progress, Tally } from './progress.ts'

/** What ends a transfer before its end. */
export interface TransferLimits {
  /** Makes it fail with the signal's reason. */
  readonly signal?: AbortSignal | undefined
  /** Milliseconds after which it fails; 0 is never. */
  readonly timeout?: number | undefined
  /** What it then fails with. */
  readonly timedOut?: (() => Error) | undefined
}

/** What a transfer emits. */
export interface TransferEvents {
  /** It is further. What changes in one turn is told once. */
  progress: [Progress]
  /** It has ended, one way or the other: `done` has settled. */
  end: []
}

/** A task in the background. */
export class Transfer<T = void>
  extends EventEmitter<TransferEvents>
  implements PromiseLike<T | undefined>, AsyncIterable<Progress>
{
  /** Settles at the end, when nothing of it is left. Resolves, with nothing, when it was destroyed. */
  readonly done: Promise<T | undefined>
  readonly #abort = new AbortController()
  readonly #tally: Tally
  #destroyed = false
  #ended = false
  #changes = 0
  #told = 0

  /**
   * @param run - does the work until its signal aborts, and counts it
   * @param limits - what ends it before
   */
  constructor(run: (stop: AbortSignal, tally: Tally) => Promise<T>, limits: TransferLimits = {}) {
    super()
    this.#tally = new Tally(
      () => performance.now(),
      () => this.#changed(),
    )
    this.done = this.#run(run, limits)
  }

  /** How far it is, now. */
  get progress(): Progress {
    return this.#tally.progress
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

  /**
   * How far it is: at once, then each time that changes, and at the end; fails as `done` does. Leaving the loop ends
   * nothing but the loop.
   *
   * @yields the progress
   */
  async *[Symbol.asyncIterator](): AsyncGenerator<Progress, void, undefined> {
    // Looked at in the end; until then a failure must not count as unhandled.
    this.done.catch(() => undefined)
    let seen = -1
    while (seen < this.#changes || !this.#ended) {
      if (seen < this.#changes) {
        seen = this.#changes
        yield this.progress
        continue
      }
      // oxlint-disable-next-line no-await-in-loop -- one change after the other
      await this.#next()
    }
    await this.done
  }

  /** Until the next change, or the end. */
  async #next(): Promise<void> {
    await new Promise<void>((resolve) => {
      const done = (): void => {
        this.off('progress', done)
        this.off('end', done)
        resolve()
      }
      this.on('progress', done)
      this.on('end', done)
    })
  }

  /** Tell those who listen, once a turn: blocks come many at a time. */
  #changed(): void {
    const isTold = this.#told === this.#changes
    this.#changes++
    if (!isTold) return
    queueMicrotask(() => {
      this.#told = this.#changes
      if (!this.#ended && this.listenerCount('progress') > 0) this.emit('progress', this.progress)
    })
  }

  async #run(
    run: (stop: AbortSignal, tally: Tally) => Promise<T>,
    limits: TransferLimits,
  ): Promise<T | undefined> {
    const { signal, timeout = 0, timedOut } = limits
    const stop = this.#abort
    const leave = (): void => stop.abort(signal?.reason)
    const timer = timeout > 0 ? setTimeout(() => stop.abort(timedOut?.()), timeout) : undefined
    signal?.addEventListener('abort', leave, { once: true })
    try {
      if (signal?.aborted) leave()
      const result = await run(stop.signal, this.#tally)
      // Work that was cut short may end as if it were done.
      if (!this.#destroyed) stop.signal.throwIfAborted()
      return this.#destroyed ? undefined : result
    } catch (error) {
      if (this.#destroyed) return undefined
      throw stop.signal.aborted ? stop.signal.reason : error
    } finally {
      clearTimeout(timer)
      signal?.removeEventListener('abort', leave)
      // After the last change was told, and `done` has settled.
      setImmediate(() => {
        this.#ended = true
        this.emit('end')
      })
    }
  }
}
