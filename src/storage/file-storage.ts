/**
 * A file on disk. The only place that, through `descriptor.ts`, touches `node:fs`.
 *
 * It is opened when first used, read-write where that is allowed, and created (with the folders above
 * it) by the first write. Its descriptor belongs to a pool, which may take it back while the file is
 * idle; the next operation opens it again.
 *
 * @see spec/10-log.md 4.6
 * @module
 */
import { constants } from 'node:fs'
import { dirname } from 'node:path'
import { allocUnsafe } from '../bytes.ts'
import * as descriptor from './descriptor.ts'
import { type FilePool, type PooledFile, sharedFilePool } from './file-pool.ts'
import { OperationQueue } from './operation-queue.ts'
import { punchHole } from './punch.ts'
import type { RandomAccess } from './random-access.ts'
import { LARGE_READ, assertRange } from './range.ts'
import { StorageError, closed, errorCode, ioError, shortRead } from './storage-error.ts'
import { synchronousTurns } from './synchronous-turns.ts'

/** How a file is kept. */
export interface FileOptions {
  /** Whose descriptors it counts among. Default: one pool for the process. */
  readonly pool?: FilePool
  /** Punch holes where the system can; otherwise `punch` only cuts the tail. Default `true`. */
  readonly holes?: boolean
}

/** Below this the allocator hands out parts of a shared slab, which the caller would pin. */
const POOLED = 4096

/** A file at a path, as {@link RandomAccess}. */
export class FileStorage implements RandomAccess, PooledFile {
  /** Where it lies. */
  readonly path: string
  readonly #pool: FilePool
  readonly #holes: boolean
  readonly #queue: OperationQueue

  #fd: number | null = null
  #opening: Promise<number> | null = null
  #readOnly = false
  /** Written since the last `sync`; at first by whoever had it before, for all that is known. */
  #unsynced = true
  /** Folders whose entries are new since the last `sync`. */
  #newEntries: string[] = []
  /** A descriptor that the pool took back failed to close: the next operation says so. */
  #closeError: StorageError | null = null
  #closing: Promise<void> | null = null

  /** Nothing is opened or created yet. */
  constructor(path: string, options: FileOptions = {}) {
    this.path = path
    this.#pool = options.pool ?? sharedFilePool
    this.#holes = options.holes ?? true
    this.#queue = new OperationQueue(() => this.#pool.rest(this))
  }

  async read(offset: number, length: number): Promise<Uint8Array> {
    this.#assertOpen()
    assertRange(offset, length)
    const fd = this.#fdForNow(length)
    if (fd !== null) return this.#readNow(fd, offset, length)
    return this.#queue.shared(() => this.#guarded(() => this.#read(offset, length)))
  }

  async write(offset: number, bytes: Uint8Array): Promise<void> {
    this.#assertOpen()
    assertRange(offset, bytes.length)
    const fd = this.#readOnly ? null : this.#fdForNow(bytes.length)
    if (fd !== null && this.#writeNow(fd, offset, bytes)) return
    return this.#change(async (fd) => {
      if (bytes.length > 0) await descriptor.writeFully(fd, bytes, offset)
    })
  }

  async truncate(length: number): Promise<void> {
    this.#assertOpen()
    assertRange(length, 0)
    return this.#change((fd) => descriptor.truncate(fd, length))
  }

  async punch(offset: number, length: number): Promise<number> {
    this.#assertOpen()
    assertRange(offset, length)
    return this.#change(async (fd) => {
      const before = await descriptor.measure(fd)
      if (offset + length >= before.length) {
        await descriptor.truncate(fd, offset)
        return Math.max(0, before.length - offset)
      }
      if (!this.#holes || length === 0 || !(await punchHole(this.path, offset, length))) return 0
      const after = await descriptor.measure(fd)
      return Math.max(0, before.allocated - after.allocated)
    })
  }

  async size(): Promise<number> {
    this.#assertOpen()
    return this.#queue.shared(() =>
      this.#guarded(async () => {
        if (this.#fd !== null) return (await descriptor.measure(this.#fd)).length
        try {
          return await descriptor.lengthOf(this.path)
        } catch (error) {
          if (errorCode(error) === 'ENOENT') return 0
          throw error
        }
      }),
    )
  }

  async sync(): Promise<void> {
    this.#assertOpen()
    return this.#queue.exclusive(() =>
      this.#guarded(async () => {
        if (!this.#unsynced) return
        const fd = this.#fd ?? (await this.#openIfThere())
        if (fd !== null) await descriptor.sync(fd)
        for (const folder of this.#newEntries) {
          // Lower folders first; few, and only once in the life of a file.
          // oxlint-disable-next-line no-await-in-loop
          await descriptor.syncFolder(folder)
        }
        this.#newEntries = []
        this.#unsynced = false
      }),
    )
  }

  async close(): Promise<void> {
    this.#closing ??= this.#queue.exclusive(() => this.#guarded(() => this.#closeDescriptor()))
    return this.#closing
  }

  async destroy(): Promise<void> {
    await this.close()
    try {
      await descriptor.unlink(this.path)
    } catch (error) {
      if (errorCode(error) !== 'ENOENT') throw ioError(this.path, error)
    }
  }

  #assertOpen(): void {
    if (this.#closing) throw closed(this.path)
  }

  /** The descriptor, when `length` bytes may be moved at once: nothing else is going on with the file. */
  #fdForNow(length: number): number | null {
    if (this.#fd === null || length === 0 || !this.#queue.idle) return null
    return synchronousTurns.take(length) ? this.#fd : null
  }

  #readNow(fd: number, offset: number, length: number): Uint8Array {
    const out = length < POOLED ? new Uint8Array(length) : allocUnsafe(length)
    const count = this.#now(() => descriptor.readNow(fd, out, offset))
    if (count < length) throw shortRead(this.path, offset, length)
    return out
  }

  /** Whether all was written. If not, it is to be written again from the start. */
  #writeNow(fd: number, offset: number, bytes: Uint8Array): boolean {
    this.#unsynced = true
    return this.#now(() => descriptor.writeNow(fd, bytes, offset)) === bytes.length
  }

  #now(work: () => number): number {
    try {
      return work()
    } catch (error) {
      throw ioError(this.path, error)
    } finally {
      this.#pool.rest(this)
    }
  }

  async #read(offset: number, length: number): Promise<Uint8Array> {
    const fd = this.#fd ?? (await this.#open())
    if (length === 0) return new Uint8Array(0)
    if (length >= LARGE_READ && (await descriptor.measure(fd)).length < offset + length) {
      throw shortRead(this.path, offset, length)
    }
    const out = length < POOLED ? new Uint8Array(length) : allocUnsafe(length)
    if ((await descriptor.readFully(fd, out, offset)) < length) {
      throw shortRead(this.path, offset, length)
    }
    return out
  }

  /** Run `work` alone on the file, which is created when there is none. */
  #change<T>(work: (fd: number) => Promise<T>): Promise<T> {
    return this.#queue.exclusive(() =>
      this.#guarded(async () => {
        const fd = this.#fd !== null && !this.#readOnly ? this.#fd : await this.#openToWrite()
        this.#unsynced = true
        return work(fd)
      }),
    )
  }

  /** Every failure leaves as a StorageError, the one of an earlier close first. */
  async #guarded<T>(work: () => Promise<T>): Promise<T> {
    try {
      if (this.#closeError !== null) {
        const error = this.#closeError
        this.#closeError = null
        throw error
      }
      return await work()
    } catch (error) {
      throw error instanceof StorageError ? error : ioError(this.path, error)
    }
  }

  /** The descriptor for reading; concurrent reads share one opening. */
  #open(): Promise<number> {
    this.#opening ??= this.#openExisting().finally(() => {
      this.#opening = null
    })
    return this.#opening
  }

  async #openIfThere(): Promise<number | null> {
    try {
      return await this.#open()
    } catch (error) {
      if (error instanceof StorageError && error.code === 'STORAGE_SHORT') return null
      throw error
    }
  }

  async #openExisting(): Promise<number> {
    try {
      return await this.#openAs(constants.O_RDWR)
    } catch (error) {
      const code = errorCode(error)
      if (code === 'ENOENT') throw shortRead(this.path, 0, 0)
      if (code !== 'EACCES' && code !== 'EPERM' && code !== 'EROFS') throw error
    }
    const fd = await this.#openAs(constants.O_RDONLY)
    this.#readOnly = true
    return fd
  }

  async #openToWrite(): Promise<number> {
    if (this.#fd !== null) await this.#closeDescriptor()
    try {
      return await this.#openAs(constants.O_RDWR)
    } catch (error) {
      if (errorCode(error) !== 'ENOENT') throw error
    }
    const folder = dirname(this.path)
    const made = await descriptor.makeFolder(folder)
    const fd = await this.#openAs(constants.O_RDWR | constants.O_CREAT)
    this.#newEntries.push(folder)
    if (made !== null) {
      for (let at = folder; at.length >= made.length; at = dirname(at)) {
        this.#newEntries.push(dirname(at))
      }
    }
    return fd
  }

  async #openAs(flags: number): Promise<number> {
    await this.#pool.enter(this)
    for (;;) {
      try {
        // oxlint-disable-next-line no-await-in-loop -- again only after a failure
        this.#fd = await descriptor.open(this.path, flags)
        this.#readOnly = false
        return this.#fd
      } catch (error) {
        // The rest of the program may hold so many that the pool cannot have all of its own.
        const exhausted = errorCode(error) === 'EMFILE'
        // oxlint-disable-next-line no-await-in-loop
        if (exhausted && (await this.#pool.shrink())) continue
        this.#pool.leave(this)
        throw error
      }
    }
  }

  async #closeDescriptor(): Promise<void> {
    const fd = this.#fd
    if (fd === null) return
    this.#fd = null
    try {
      await descriptor.close(fd)
    } finally {
      this.#pool.leave(this)
    }
  }

  /** @internal For the pool. */
  get idle(): boolean {
    return this.#queue.idle
  }

  /** @internal For the pool. */
  async letGo(): Promise<void> {
    const fd = this.#fd
    this.#fd = null
    try {
      if (fd !== null) await descriptor.close(fd)
    } catch (error) {
      this.#closeError = ioError(this.path, error)
    }
  }
}
