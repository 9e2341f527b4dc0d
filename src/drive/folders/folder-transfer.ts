/**
 * An import or export that goes on: awaited, watched or given up.
 *
 *     const done = await drive.importDirectory('./photos', '/photos')
 *
 *     const transfer = drive.exportDirectory('/photos', './photos')
 *     transfer.on('progress', ({ files, totalFiles }) => …)
 *     transfer.destroy()
 *
 * @module
 */
import { EventEmitter } from 'node:events'

/** How far an import or export is. Totals are those of the source, and exact: it is listed first. */
export interface FolderProgress {
  /** Files that are done, changed or not. */
  readonly files: number
  readonly totalFiles: number
  /** Their bytes. */
  readonly bytes: number
  readonly totalBytes: number
}

/** Something that was left out, and why. */
export interface SkippedEntry {
  /** Below the folder or directory, with `/` between names. */
  readonly path: string
  readonly reason: string
}

/** What an import or export did. */
export interface FolderReport extends FolderProgress {
  /** Entries of any kind that were made or changed, content or attributes. */
  readonly changed: number
  /** Entries that were as they should be. */
  readonly unchanged: number
  /** Entries removed, with `delete`; of the folder only the outermost are counted. */
  readonly removed: number
  /** Bytes of content that were written. */
  readonly writtenBytes: number
  /** What cannot be where it should: the first 1000. */
  readonly skipped: readonly SkippedEntry[]
  /** How many there were. */
  readonly skippedCount: number
}

/** Limits of an import or export. */
export interface FolderLimits {
  /** Ends it; it rejects with the signal's reason. What was done stays, and the next run goes on from there. */
  readonly signal?: AbortSignal | undefined
}

/** Skipped entries that are named. */
const MOST_NAMED = 1000
/** Milliseconds of work after which the event loop has its turn. */
const SLICE = 4

/** Counts what is done, and lets the rest of the program live meanwhile. */
export class FolderCount {
  files = 0
  totalFiles = 0
  bytes = 0
  totalBytes = 0
  changed = 0
  unchanged = 0
  removed = 0
  writtenBytes = 0
  skippedCount = 0
  readonly #skipped: SkippedEntry[] = []
  readonly #stop: AbortSignal
  readonly #tell: () => void
  #since = performance.now()

  /** @param stop - ends the work; @param tell - called now and then */
  constructor(stop: AbortSignal, tell: () => void) {
    this.#stop = stop
    this.#tell = tell
  }

  /** Something cannot be where it should. */
  skip(path: string, reason: string): void {
    this.skippedCount++
    if (this.#skipped.length < MOST_NAMED) this.#skipped.push({ path, reason })
  }

  /** Whether it is time for `pause`. */
  get isDue(): boolean {
    return performance.now() - this.#since > SLICE
  }

  /** Tell how far it is, and let others work. @throws the signal's reason */
  async pause(): Promise<void> {
    this.#stop.throwIfAborted()
    this.#tell()
    await new Promise((resolve) => setImmediate(resolve))
    this.#stop.throwIfAborted()
    this.#since = performance.now()
  }

  /** How far it is. */
  get progress(): FolderProgress {
    const { files, totalFiles, bytes, totalBytes } = this
    return { files, totalFiles, bytes, totalBytes }
  }

  /** All of it. */
  get report(): FolderReport {
    const { changed, unchanged, removed, writtenBytes, skippedCount } = this
    const skipped = this.#skipped
    const { progress } = this
    return { ...progress, changed, unchanged, removed, writtenBytes, skipped, skippedCount }
  }
}

/** An import or export under way. */
export class FolderTransfer
  extends EventEmitter<{ progress: [FolderProgress] }>
  implements PromiseLike<FolderReport>
{
  /** Settles at the end. Rejects with `ECANCELED` when it was destroyed. */
  readonly done: Promise<FolderReport>
  readonly #stop = new AbortController()
  readonly #count: FolderCount
  readonly #canceled: () => Error

  /**
   * @param run - does the work until the signal aborts
   * @param canceled - what it rejects with when it is destroyed
   */
  constructor(
    run: (count: FolderCount, stop: AbortSignal) => Promise<void>,
    { signal }: FolderLimits,
    canceled: () => Error,
  ) {
    super()
    this.#canceled = canceled
    const stop = signal ? AbortSignal.any([signal, this.#stop.signal]) : this.#stop.signal
    this.#count = new FolderCount(stop, () => this.#tell())
    this.done = this.#run(run, stop)
    // Whoever awaits it hears of a failure; whoever only listens is told by no progress.
    this.done.catch(() => undefined)
  }

  /** How far it is, now. */
  get progress(): FolderProgress {
    return this.#count.progress
  }

  /** Give up. What was done stays. */
  destroy(): void {
    this.#stop.abort(this.#canceled())
  }

  // oxlint-disable-next-line unicorn/no-thenable -- a handle that can be awaited, as of `download`
  then<A = FolderReport, B = never>(
    onfulfilled?: ((value: FolderReport) => A | PromiseLike<A>) | null,
    onrejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.done.then(onfulfilled, onrejected)
  }

  async #run(
    run: (count: FolderCount, stop: AbortSignal) => Promise<void>,
    stop: AbortSignal,
  ): Promise<FolderReport> {
    const count = this.#count
    // Listeners are added after the call that began it.
    await count.pause()
    await run(count, stop)
    this.#tell()
    return count.report
  }

  #tell(): void {
    this.emit('progress', this.progress)
  }
}
