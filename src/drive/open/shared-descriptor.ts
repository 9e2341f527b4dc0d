/**
 * One open file of ours, with the rules of POSIX: reads and writes anywhere, `O_APPEND` at the end, positions of its
 * own, content shared with every other descriptor of the file.
 *
 * What was written becomes a version at `sync` and at `close`; with `O_SYNC` at each write.
 *
 * @module
 */
import { Mutex } from '../../log/mutex.ts'
import { constants } from './constants.ts'
import type { DriveContext, ReadOptions } from '../context.ts'
import { DriveError, asDriveError } from '../errors.ts'
import type { OpenFile, Worker } from './open-file.ts'
import type { OpenDescriptor } from './open-descriptor.ts'
import type { Place } from '../entries/lookup.ts'
import type { Stat } from '../entries/stat.ts'

const { O_ACCMODE, O_APPEND, O_DSYNC, O_RDONLY, O_WRONLY } = constants

/** A descriptor of a file that other descriptors may share. */
export class SharedDescriptor implements OpenDescriptor {
  readonly path: string
  readonly #worker: Worker
  readonly #file: OpenFile
  readonly #flags: number
  /** Where the next call without a position goes on. */
  #position = 0
  /** Number of its last change of the file. */
  #changed = 0
  readonly #closing = new AbortController()
  /** Aborts when the descriptor or the drive is closed; made once, since reads may be many and small. */
  readonly #ended: AbortSignal
  /** Calls without a position wait for each other. */
  readonly #turns = new Mutex()
  /** Changes that were asked for and are not made yet. */
  readonly #pending = new Set<Promise<unknown>>()

  /** @param path - absolute, links resolved @param file - left when the descriptor is closed @param flags - numbers */
  constructor(context: DriveContext, path: string, file: OpenFile, flags: number) {
    this.path = path
    this.#worker = { context, path }
    this.#file = file
    this.#flags = flags
    this.#ended = AbortSignal.any([this.#closing.signal, context.reads().signal])
  }

  async read(out: Uint8Array, position: number | null, options: ReadOptions): Promise<number> {
    if ((this.#flags & O_ACCMODE) === O_WRONLY) throw this.#bad('read', 'not open for reading')
    if (position !== null) return this.#readAt(out, position, options)
    return this.#turns.run(async () => {
      const length = await this.#readAt(out, this.#position, options)
      this.#position += length
      return length
    })
  }

  async write(bytes: Uint8Array, position: number | null): Promise<void> {
    this.#assertWritable('write')
    // As on Linux, a descriptor for appending appends whatever the position.
    const appends = (this.#flags & O_APPEND) !== 0
    if (position !== null) {
      await this.#noted(this.#writeAt(bytes, appends ? null : position))
      return
    }
    const work = this.#turns.run(async () => {
      this.#position = await this.#writeAt(bytes, appends ? null : this.#position)
    })
    await this.#noted(work)
  }

  async truncate(size: number): Promise<void> {
    this.#assertWritable('ftruncate')
    if (!Number.isSafeInteger(size) || size < 0) {
      const { path } = this
      throw new DriveError('EINVAL', { syscall: 'ftruncate', path, reason: `size ${size}` })
    }
    await this.#noted(this.#guarded('ftruncate', () => this.resize(size)))
  }

  /** Make the file `size` bytes long, whatever the descriptor is open for. */
  async resize(size: number): Promise<void> {
    await this.#file.resize(this.#worker, size)
    await this.#noteChange()
  }

  async sync(): Promise<void> {
    await this.#guarded('fsync', () => this.#sync())
  }

  async store(): Promise<void> {
    await this.#file.store(this.#worker, this.#file.changes)
  }

  async stat(): Promise<Stat> {
    return this.#guarded('fstat', () => this.#file.stat(this.#worker))
  }

  place(): Promise<Place | null> {
    return Promise.resolve(this.#file.placeOf(this.#worker))
  }

  async close(): Promise<void> {
    this.#closing.abort(this.#bad('read', 'closed'))
    try {
      // What was asked for before comes first; how it ends was told to whoever asked.
      await Promise.allSettled(this.#pending)
      if (this.#changed > 0) {
        await this.#guarded('close', () => this.#file.store(this.#worker, this.#changed))
      }
    } finally {
      this.#file.leave()
    }
  }

  async #readAt(out: Uint8Array, position: number, options: ReadOptions): Promise<number> {
    const { signal: given } = options
    const signal = given ? AbortSignal.any([this.#ended, given]) : this.#ended
    const reads = { ...this.#worker.context.reads(options), signal }
    return this.#guarded('read', () => this.#file.read(this.#worker, position, out, reads))
  }

  async #writeAt(bytes: Uint8Array, position: number | null): Promise<number> {
    return this.#guarded('write', async () => {
      const end = await this.#file.write(this.#worker, position, bytes)
      await this.#noteChange()
      return end
    })
  }

  async #noted<T>(work: Promise<T>): Promise<T> {
    this.#pending.add(work)
    try {
      return await work
    } finally {
      this.#pending.delete(work)
    }
  }

  async #noteChange(): Promise<void> {
    this.#changed = this.#file.changes
    if ((this.#flags & O_DSYNC) !== 0) await this.#sync()
  }

  async #sync(): Promise<void> {
    await this.store()
    // Content first: an entry must not outlive the blocks that it names.
    await this.#file.content.flush()
    await this.#file.trie.log.flush()
  }

  #assertWritable(syscall: string): void {
    if ((this.#flags & O_ACCMODE) === O_RDONLY) throw this.#bad(syscall, 'not open for writing')
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
