/**
 * When writes reach the disk for good.
 *
 * A change of a log is written in two steps: data, tree and signatures, then the bitfield, which says
 * that they are there. So a crash of the process leaves at worst bytes that nobody refers to. Against a
 * power cut the steps have to be synced in that order: at once (`sync`), together some time later
 * (`batch`), or never (`none`).
 *
 * @see spec/10-log.md 3.15
 * @module
 */
import type { LogFiles } from './files.ts'
import type { Timers } from '../timers.ts'
import type { Durability } from './options.ts'

/** Syncs the files of one log as its mode says. */
export class DurableWrites {
  readonly mode: Durability
  readonly #files: LogFiles
  readonly #window: number
  readonly #timers: Timers
  #dirty = false
  #isNew = false
  /** The `key` file is not on disk for sure. */
  #keyIsNew = false
  #forget: (() => void) | null = null
  #running: Promise<void> = Promise.resolve()

  /** @param window - milliseconds of `timers` that mode `batch` may take */
  constructor(mode: Durability, files: LogFiles, window: number, timers: Timers) {
    this.mode = mode
    this.#files = files
    this.#window = window
    this.#timers = timers
  }

  /** The log was made just now: neither its key nor its header is on disk for sure. */
  created(): void {
    this.#isNew = this.mode !== 'none'
    this.#keyIsNew = this.mode === 'batch' // `sync` has synced it already
    this.#dirty = this.#keyIsNew
  }

  /**
   * Content will be written. Of a new log the bitfield's header has to be there first: without it nobody
   * could tell an interrupted first append from a log that lost its bits.
   */
  async contentComing(): Promise<void> {
    if (!this.#isNew) return
    await this.#files.bitfield.sync()
    this.#isNew = false
  }

  /** Data, tree and signatures were written: call before the bitfield speaks of them. */
  async contentWritten(): Promise<void> {
    if (this.mode === 'sync') await this.#syncContent()
  }

  /** The bitfield was written. */
  async bitfieldWritten(): Promise<void> {
    if (this.mode === 'sync') await this.#files.bitfield.sync()
    else if (this.mode === 'batch') this.#mark()
  }

  /** Make all that was written so far survive a power cut, in any mode but `none`. */
  async flush(): Promise<void> {
    if (this.mode === 'none') return
    this.#stop()
    this.#running = this.#running.then(() => this.#sync())
    const work = this.#running
    this.#running = work.catch(() => {
      this.#dirty = true // told to whoever awaits `work`; tried again with the next flush
    })
    await work
  }

  /** Forget the timer. */
  stop(): void {
    this.#stop()
  }

  #mark(): void {
    this.#dirty = true
    if (this.#forget) return
    // A failure shows again at the next flush or close, which somebody awaits.
    this.#forget = this.#timers.set(() => void this.flush().catch(() => this.#mark()), this.#window)
  }

  #stop(): void {
    this.#forget?.()
    this.#forget = null
  }

  async #sync(): Promise<void> {
    if (!this.#dirty) return
    this.#dirty = false
    if (this.#keyIsNew) await this.#files.key.sync()
    this.#keyIsNew = false
    await this.#syncContent()
    await this.#files.bitfield.sync()
  }

  async #syncContent(): Promise<void> {
    const { data, tree, signatures } = this.#files
    await Promise.all([data.sync(), tree.sync(), signatures.sync()])
  }
}
