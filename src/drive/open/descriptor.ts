/**
 * One open file by v10's rules: of a drive of others or a checkout, to read; under `exact`, of any drive.
 *
 * Writing is in order only: from the beginning (new content takes the place of the old) or, when appending, from the
 * end. The entry is stored at `close`; until then readers see the old content. A descriptor reads the content that
 * was there when it was opened.
 *
 * @see spec/40-drive.md 3.7
 * @module
 */
import { constants } from './constants.ts'
import type { DriveContext, ReadOptions } from '../context.ts'
import { DescriptorWriter } from './descriptor-writer.ts'
import { DriveError, asDriveError } from '../errors.ts'
import { type Place, placeOf, stat } from '../entries/lookup.ts'
import { update } from '../entries/metadata.ts'
import type { OpenDescriptor } from './open-descriptor.ts'
import { RunReader } from '../content/run-reader.ts'
import type { Run } from '../content/run.ts'
import type { Stat } from '../entries/stat.ts'

const { O_ACCMODE, O_APPEND, O_RDWR } = constants

/** What a descriptor is opened on. */
export interface OpenFile {
  /** Absolute, links resolved. */
  readonly path: string
  readonly stat: Stat
  /** Where its bytes lie; null when it has none. */
  readonly run: Run | null
  /** Open flags, as numbers. */
  readonly flags: number
}

/** The state of one descriptor. */
export class Descriptor implements OpenDescriptor {
  /** Absolute, links resolved. */
  readonly path: string
  readonly #context: DriveContext
  readonly #readable: boolean
  readonly #writable: boolean
  readonly #append: boolean
  readonly #reader: RunReader
  readonly #writer: DescriptorWriter
  readonly #closing = new AbortController()
  /** Aborts when the descriptor or the drive is closed; made once, since reads may be many and small. */
  readonly #ended: AbortSignal
  /** Where the next call without a position goes on; null before the first. */
  #position: number | null = null
  /** Bytes that the file is going to have. */
  #size = 0
  /** Reads without a position wait for each other. */
  #reads: Promise<unknown> = Promise.resolve()

  /** @param context - the drive; @param file - what is opened, and how */
  constructor(context: DriveContext, { path, stat, run, flags }: OpenFile) {
    const access = flags & O_ACCMODE
    this.path = path
    this.#context = context
    this.#readable = access === 0 || (access & O_RDWR) !== 0
    this.#writable = access !== 0
    this.#append = (flags & O_APPEND) !== 0
    if (this.#append) this.#position = stat.size
    // v10 counts the old bytes even where new ones take their place.
    if (this.#append || context.exact) this.#size = stat.size
    this.#ended = AbortSignal.any([this.#closing.signal, context.reads().signal])
    this.#reader = new RunReader(run)
    this.#writer = new DescriptorWriter(context, path, { stat, run }, this.#append)
  }

  /**
   * Fill `out` from `position`, or from where the last call ended.
   *
   * @returns how many bytes; 0 at the end and past it
   */
  read(out: Uint8Array, position: number | null, options: ReadOptions): Promise<number> {
    if (!this.#readable) throw this.#bad('read', 'not open for reading')
    if (position !== null) return this.#readAt(out, position, options)
    const read = this.#reads.then(() => this.#readAt(out, this.#position ?? 0, options))
    this.#reads = read.catch(() => {}) // told to its own caller
    return read
  }

  /** Write `bytes` at `position`, which must be where the last call ended. Settles when they may be reused. */
  async write(bytes: Uint8Array, position: number | null): Promise<void> {
    if (!this.#writable) throw this.#bad('write', 'not open for writing')
    const at = position ?? this.#position ?? 0
    const inOrder = this.#position === null ? at === 0 : at === this.#position
    if (!inOrder) throw this.#bad('write', `random-access write at ${at}`)
    // v10 begins a file anew at its start only, also where a read has moved on.
    if (this.#context.exact && !this.#append && !this.#writer.started && at !== 0) {
      throw this.#bad('write', `random-access write at ${at}`)
    }
    // Behind a read: v10 has one place for reading and writing, and does not leave it to append.
    if (this.#append && this.#context.exact && at < this.#size) {
      throw this.#bad('write', `appending at ${at} of ${this.#size}`)
    }
    this.#position = at + bytes.length
    this.#size += bytes.length
    this.#context.growing.set(this.path, () => this.#size)
    await this.#guarded('write', () => this.#writer.write(bytes))
  }

  /** Make the file empty, which is all that v10 can do. */
  async truncate(size: number): Promise<void> {
    if (!this.#writable) throw this.#bad('ftruncate', 'not writable')
    if (size !== 0) {
      const reason = 'only to size 0'
      throw new DriveError('EINVAL', { syscall: 'ftruncate', path: this.path, reason })
    }
    const empty = { size: 0, blocks: 0 }
    // From here on the descriptor goes by that entry; what it appends to is still what it was opened on.
    this.#writer.adopt(await update(this.#context, this.path, empty, 'ftruncate'))
    this.#size = 0
  }

  /** Nothing: what is written is stored at `close`. */
  store(): Promise<void> {
    return Promise.resolve()
  }

  /** What is stored survives a power cut. */
  async sync(): Promise<void> {
    const { path } = this
    await this.#guarded('fsync', async () => {
      const { trie } = await placeOf(this.#context, path, { syscall: 'fsync' })
      const content = this.#context.contents.peek(trie.log)
      if (content?.writable) await content.flush()
      if (trie.log.writable) await trie.log.flush()
    })
  }

  /** What is known of what is at the path now. */
  stat(): Promise<Stat> {
    return stat(this.#context, this.path, { syscall: 'fstat' })
  }

  /** The place of the path. */
  place(): Promise<Place> {
    return placeOf(this.#context, this.path, { syscall: 'open' })
  }

  /** End: reads that wait fail, and what was written becomes the file. */
  async close(): Promise<void> {
    this.#closing.abort(this.#bad('read', 'closed'))
    this.#reader.close()
    try {
      await this.#guarded('close', () => this.#writer.close())
    } finally {
      if (this.#writer.started) this.#context.growing.delete(this.path)
    }
  }

  async #readAt(out: Uint8Array, position: number, options: ReadOptions): Promise<number> {
    const { signal: given } = options
    const signal = given ? AbortSignal.any([this.#ended, given]) : this.#ended
    const reads = { ...this.#context.reads(options), signal }
    return this.#guarded('read', async () => {
      const length = await this.#reader.read(position, out, reads)
      this.#position = position + length
      return length
    })
  }

  async #guarded<T>(syscall: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      throw asDriveError(error, syscall, this.path)
    }
  }

  #bad(syscall: string, reason: string): DriveError {
    return new DriveError('EBADF', { syscall, path: this.path, reason })
  }
}
