/**
 * Any random-access-storage object as {@link RandomAccess}.
 *
 * Two generations are in use. The older has `read write del stat close destroy`, the newer also
 * `truncate` and `unlink`; all take Node-style callbacks, and do their operations in order. Their
 * errors have no common code, so what tells a short read is what is left: the text and a few codes.
 *
 * @see spec/10-log.md 4.6
 * @module
 */
import { OperationQueue } from './operation-queue.ts'
import type { RandomAccess } from './random-access.ts'
import { LARGE_READ, assertRange } from './range.ts'
import { StorageError, closed, ioError, shortRead } from './storage-error.ts'

/** A callback of such an object. */
export type RandomAccessDone<T = unknown> = (error: Error | null, result?: T) => void

/** What is needed of a random-access-storage object of either generation. */
export interface RandomAccessObject {
  /** Exactly `size` bytes, or an error. */
  read(offset: number, size: number, done: RandomAccessDone<Uint8Array>): void
  /** Write all of `data`; a gap before it becomes zeros. */
  write(offset: number, data: Uint8Array, done: RandomAccessDone): void
  /** Give a range back; where it reaches the end, older objects cut the file there. */
  del(offset: number, size: number, done: RandomAccessDone): void
  /** How long it is. Without, that is found out by reading. */
  stat?(done: RandomAccessDone<{ readonly size: number }>): void
  /** Cut or extend. */
  truncate?(length: number, done: RandomAccessDone): void
  /** Let go of what is held open. */
  close(done: RandomAccessDone): void
  /** Delete what is closed; newer objects. */
  unlink?(done: RandomAccessDone): void
  /** Delete what is closed; older objects. */
  destroy?(done: RandomAccessDone): void
}

/**
 * Wrap a random-access-storage object. It has no `sync`: what is written is as durable as the object
 * makes it, and `punch` cannot tell what was freed in the middle.
 */
export function fromRandomAccess(object: RandomAccessObject): RandomAccess {
  return new ForeignStorage(object)
}

const NAME = 'random-access-storage object'

class ForeignStorage implements RandomAccess {
  readonly #object: RandomAccessObject
  /** Some objects let a read see a write that was called after it. */
  readonly #queue = new OperationQueue()
  /** Why the object could not be opened, which it tells but once. */
  #openError: StorageError | null = null
  #closing: Promise<void> | null = null

  constructor(object: RandomAccessObject) {
    this.#object = object
  }

  async read(offset: number, length: number): Promise<Uint8Array> {
    this.#assertOpen()
    assertRange(offset, length)
    return this.#queue.shared(async () => {
      if (length >= LARGE_READ && (await this.#size()) < offset + length) {
        throw shortRead(NAME, offset, length)
      }
      return this.#read(offset, length)
    })
  }

  async write(offset: number, bytes: Uint8Array): Promise<void> {
    this.#assertOpen()
    assertRange(offset, bytes.length)
    return this.#queue.exclusive(() => this.#write(offset, bytes))
  }

  async truncate(length: number): Promise<void> {
    this.#assertOpen()
    assertRange(length, 0)
    return this.#queue.exclusive(() => this.#truncate(length))
  }

  async punch(offset: number, length: number): Promise<number> {
    this.#assertOpen()
    assertRange(offset, length)
    return this.#queue.exclusive(async () => {
      const before = await this.#size()
      if (offset + length >= before) {
        await this.#truncate(offset)
        return Math.max(0, before - offset)
      }
      await this.#call((done) => this.#object.del(offset, length, done))
      return 0
    })
  }

  async size(): Promise<number> {
    this.#assertOpen()
    return this.#queue.shared(() => this.#size())
  }

  async sync(): Promise<void> {
    this.#assertOpen()
  }

  async close(): Promise<void> {
    this.#closing ??= this.#queue.exclusive(async () => {
      await this.#call((done) => this.#object.close(done))
    })
    return this.#closing
  }

  async destroy(): Promise<void> {
    await this.close()
    try {
      await this.#call((done) => {
        if (this.#object.unlink) this.#object.unlink(done)
        else if (this.#object.destroy) this.#object.destroy(done)
        else done(null)
      })
    } catch (error) {
      if (!isShort(error)) throw error
    }
  }

  #assertOpen(): void {
    if (this.#closing) throw closed(NAME)
  }

  async #read(offset: number, length: number): Promise<Uint8Array> {
    // No bytes are asked for at the start: past its end, some count them as too many.
    const at = length === 0 ? 0 : offset
    const bytes = await this.#call<Uint8Array>((done) => this.#object.read(at, length, done))
    if (bytes?.length === length) return bytes
    throw shortRead(NAME, offset, length)
  }

  async #write(offset: number, bytes: Uint8Array): Promise<void> {
    // No bytes are written at the start: they create the file, and would make some extend it.
    const at = bytes.length === 0 ? 0 : offset
    await this.#call((done) => this.#object.write(at, bytes, done))
  }

  async #truncate(length: number): Promise<void> {
    if (this.#object.truncate) {
      await this.#call((done) => this.#object.truncate?.(length, done))
      return
    }
    const size = await this.#size()
    if (length < size) await this.#call((done) => this.#object.del(length, size - length, done))
    else if (length > size) await this.#write(length - 1, new Uint8Array(1))
  }

  async #size(): Promise<number> {
    if (!this.#object.stat) return this.#probeSize()
    try {
      return (await this.#call<{ size: number }>((done) => this.#object.stat?.(done)))?.size ?? 0
    } catch (error) {
      if (isShort(error)) return 0
      throw error
    }
  }

  /** The size of an object without `stat`: doubled until a byte is missing, then halved. */
  async #probeSize(): Promise<number> {
    let present = 0
    let missing = 1
    /* oxlint-disable no-await-in-loop -- each answer decides the next question */
    while (await this.#holds(missing - 1)) {
      present = missing
      missing *= 2
    }
    while (missing - present > 1) {
      const middle = Math.floor((present + missing) / 2)
      if (await this.#holds(middle - 1)) present = middle
      else missing = middle
    }
    /* oxlint-enable no-await-in-loop */
    return present
  }

  async #holds(offset: number): Promise<boolean> {
    try {
      await this.#read(offset, 1)
      return true
    } catch (error) {
      if (isShort(error)) return false
      throw error
    }
  }

  /** One operation of the object; its failure as one of ours. */
  #call<T>(start: (done: RandomAccessDone<T>) => void): Promise<T | undefined> {
    return new Promise((resolve, reject) => {
      try {
        start((error, result) => (error ? reject(this.#translated(error)) : resolve(result)))
      } catch (error) {
        reject(ioError(NAME, error)) // what an object throws instead of calling back
      }
    })
  }

  #translated(error: Error): StorageError {
    if (error.message === 'Closed') return closed(NAME)
    if (error.message === 'Not opened' && this.#openError) return this.#openError
    const code = 'code' in error ? error.code : ''
    const short =
      code === 'ENOENT' || code === 'EPARTIALREAD' || error.message.startsWith('Could not satisfy')
    const translated = short
      ? new StorageError('STORAGE_SHORT', `${NAME}: ${error.message}`, { cause: error })
      : ioError(NAME, error)
    this.#openError = translated
    return translated
  }
}

function isShort(error: unknown): boolean {
  return error instanceof StorageError && error.code === 'STORAGE_SHORT'
}
