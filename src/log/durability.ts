/**
 * When writes reach the disk for good.
 *
 * A change of a log is written in two steps: data, tree and signatures, then the bitfield, which says
 * that they are there. So a crash of the process leaves at worst bytes that nobody refers to. Against a
 * power cut the steps have to be synced in that order at once (`sync`); or together some time later, and
 * then it is noted which bits can be relied on (`batch`, durable-bits.ts); or never (`none`).
 *
 * @see spec/10-log.md 3.15
 * @module
 */
import { StorageError, errorCode } from '../storage/storage-error.ts'
import type { Timers } from '../timers.ts'
import type { Bitfield } from './bitfield.ts'
import type { BitfieldFile } from './bitfield-file.ts'
import type { DurableBits } from './durable-bits.ts'
import type { LogFiles } from './files.ts'
import type { Durability } from './options.ts'

/** What the syncs of a log are about. */
export interface DurableParts {
  readonly files: LogFiles
  readonly bitfield: Bitfield
  readonly bitfieldFile: BitfieldFile
  readonly bits: DurableBits
  /** Keep a note of what is durable, in mode `batch`; without, what a power cut lost is found by reading. */
  readonly notes: boolean
}

/** Syncs the files of one log as its mode says. */
export class DurableWrites {
  readonly mode: Durability
  readonly #parts: DurableParts
  readonly #window: number
  readonly #notes: boolean
  readonly #timers: Timers
  #dirty = false
  #isEmpty = false
  /** The `key` file is not on disk for sure. */
  #keyIsNew = false
  /** Content may be written: nothing has to be made durable before. */
  #ready: boolean
  /** The session is noted as one that writes. */
  #begun = false
  /** Bits that were unset when the durable ones were noted last. */
  #unsetNoted = 0
  #beginning: Promise<void> | null = null
  #forget: (() => void) | null = null
  #running: Promise<void> = Promise.resolve()

  /** @param window - milliseconds of `timers` that mode `batch` may take */
  constructor(mode: Durability, parts: DurableParts, window: number, timers: Timers) {
    this.mode = mode
    this.#parts = parts
    this.#window = window
    this.#timers = timers
    this.#notes = mode === 'batch' && parts.notes
    this.#ready = !this.#notes
  }

  /** The log was made just now: its key is not on disk for sure. */
  created(): void {
    this.#keyIsNew = this.mode === 'batch' // `sync` has synced it already
    this.#dirty = this.#keyIsNew
  }

  /** The log has no block. */
  empty(): void {
    if (this.mode === 'none') return
    this.#isEmpty = true
    this.#ready = false
  }

  /**
   * Content will be written. Of an empty log the bitfield's header has to be there first: without it nobody
   * could tell an interrupted first append from a log that lost its bits. And blocks that were let go must
   * not be counted among the durable ones when others, or the same, come in their place.
   */
  contentComing(): void | Promise<void> {
    if (this.#ready && !this.#hasStaleNotes) return
    this.#beginning ??= this.#begin().finally(() => {
      this.#beginning = null
    })
    return this.#beginning
  }

  /** Data, tree and signatures were written: call before the bitfield speaks of them. */
  contentWritten(): void | Promise<void> {
    if (this.mode === 'sync') return this.#syncContent()
  }

  /** The bitfield was written. */
  bitfieldWritten(): void | Promise<void> {
    if (this.mode === 'sync') return this.#parts.files.bitfield.sync()
    if (this.mode === 'batch') this.#mark()
  }

  /** What was written to a file is there before anything that is written from here on. */
  async ordered(file: keyof LogFiles): Promise<void> {
    if (this.mode !== 'none') await this.#parts.files[file].sync()
  }

  /** The same, of the note. */
  async orderedNote(): Promise<void> {
    if (this.mode !== 'none') await this.#parts.bits.sync()
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

  /**
   * What an earlier session left in doubt was compared with what was signed: from here on it counts as
   * what a crash left. A folder that cannot be written stays in doubt, and is compared again next time.
   */
  async compared(): Promise<void> {
    if (this.mode === 'none') return
    const { files, bits } = this.#parts
    try {
      await this.#syncContent()
      await files.bitfield.sync()
      await bits.end()
    } catch (error) {
      if (!isReadOnly(error)) throw error
    }
  }

  /** Everything was flushed, and nothing will be written any more. */
  async end(): Promise<void> {
    if (this.#begun) await this.#parts.bits.end()
  }

  /** Something was written that the next flush has to sync. */
  changed(): void {
    this.#dirty = this.mode !== 'none'
  }

  /** Forget the timer. */
  stop(): void {
    this.#stop()
  }

  get #hasStaleNotes(): boolean {
    return this.#begun && this.#unsetNoted !== this.#parts.bitfield.unset
  }

  async #begin(): Promise<void> {
    if (this.#begun) {
      this.#dirty = true
      await this.flush()
    } else {
      const header = this.#isEmpty ? this.#parts.files.bitfield.sync() : null
      const session = this.#notes ? this.#beginSession() : null
      // Both have to end before anything is tried again.
      for (const outcome of await Promise.allSettled([header, session])) {
        if (outcome.status === 'rejected') throw outcome.reason
      }
    }
    this.#isEmpty = false
    this.#ready = true
  }

  async #beginSession(): Promise<void> {
    const { files, bitfield, bits } = this.#parts
    const { unset } = bitfield
    await bits.begin(async () => {
      await this.#syncContent()
      await files.bitfield.sync()
    })
    this.#unsetNoted = unset
    this.#begun = true
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
    const { files, bitfield, bitfieldFile, bits } = this.#parts
    // Bits that are set speak of content that was written, so the syncs below take it in.
    const changed = this.#begun ? bitfieldFile.takeWritten() : []
    const { unset } = bitfield
    const pages = bits.take(changed)
    try {
      if (this.#keyIsNew) await files.key.sync()
      this.#keyIsNew = false
      await this.#syncContent()
      await files.bitfield.sync()
      if (!this.#begun) return
      await bits.note(pages)
    } catch (error) {
      bitfieldFile.putBack(changed)
      throw error
    }
    this.#unsetNoted = unset
  }

  async #syncContent(): Promise<void> {
    const { data, tree, signatures } = this.#parts.files
    await Promise.all([data.sync(), tree.sync(), signatures.sync()])
  }
}

function isReadOnly(error: unknown): boolean {
  if (!(error instanceof StorageError)) return false
  return ['EACCES', 'EPERM', 'EROFS'].includes(errorCode(error.cause))
}
