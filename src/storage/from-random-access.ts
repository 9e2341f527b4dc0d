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
import type { RandomAccess } from './random-access.ts'
import { StorageError, assertRange, closed, ioError, shortRead } from './storage-error.ts'

type Done<T = unknown> = (error: Error | null, result?: T) => void

/** What is needed of a random-access-storage object of either generation. */
export interface RandomAccessObject {
  read(offset: number, size: number, done: Done<Uint8Array>): void
  write(offset: number, data: Uint8Array, done: Done): void
  del(offset: number, size: number, done: Done): void
  stat?(done: Done<{ readonly size: number }>): void
  truncate?(length: number, done: Done): void
  close(done: Done): void
  unlink?(done: Done): void
  destroy?(done: Done): void
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
  #closing: Promise<void> | null = null

  constructor(object: RandomAccessObject) {
    this.#object = object
  }

  async read(offset: number, length: number): Promise<Uint8Array> {
    this.#assertOpen()
    assertRange(offset, length)
    try {
      const bytes = await call<Uint8Array>((done) => this.#object.read(offset, length, done))
      if (bytes?.length === length) return bytes
    } catch (error) {
      if (!isShort(error)) throw translated(error)
    }
    throw shortRead(NAME, offset, length)
  }

  async write(offset: number, bytes: Uint8Array): Promise<void> {
    this.#assertOpen()
    assertRange(offset, bytes.length)
    await this.#call((done) => this.#object.write(offset, bytes, done))
  }

  async truncate(length: number): Promise<void> {
    this.#assertOpen()
    assertRange(length, 0)
    if (this.#object.truncate) {
      await this.#call((done) => this.#object.truncate?.(length, done))
      return
    }
    const size = await this.size()
    if (length < size) await this.#call((done) => this.#object.del(length, size - length, done))
    else if (length > size) await this.write(length - 1, new Uint8Array(1))
  }

  async punch(offset: number, length: number): Promise<number> {
    this.#assertOpen()
    assertRange(offset, length)
    const before = await this.size()
    await this.#call((done) => this.#object.del(offset, length, done))
    return Math.max(0, before - Math.max(offset, await this.size()))
  }

  async size(): Promise<number> {
    this.#assertOpen()
    if (!this.#object.stat) return this.#probeSize()
    try {
      return (await call<{ size: number }>((done) => this.#object.stat?.(done)))?.size ?? 0
    } catch (error) {
      if (isShort(error)) return 0
      throw translated(error)
    }
  }

  async sync(): Promise<void> {
    this.#assertOpen()
  }

  async close(): Promise<void> {
    this.#closing ??= this.#call((done) => this.#object.close(done))
    return this.#closing
  }

  async destroy(): Promise<void> {
    await this.close()
    try {
      await call((done) => {
        if (this.#object.unlink) this.#object.unlink(done)
        else if (this.#object.destroy) this.#object.destroy(done)
        else done(null)
      })
    } catch (error) {
      if (!isShort(error)) throw translated(error)
    }
  }

  #assertOpen(): void {
    if (this.#closing) throw closed(NAME)
  }

  async #call(start: (done: Done) => void): Promise<void> {
    try {
      await call(start)
    } catch (error) {
      throw translated(error)
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
      await this.read(offset, 1)
      return true
    } catch (error) {
      if (error instanceof StorageError && error.code === 'STORAGE_SHORT') return false
      throw error
    }
  }
}

function call<T>(start: (done: Done<T>) => void): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    start((error, result) => (error ? reject(error) : resolve(result)))
  })
}

/** Whether an error says that the file ends before, or is not there. */
function isShort(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  const code = 'code' in error ? error.code : ''
  return (
    code === 'ENOENT' || code === 'EPARTIALREAD' || error.message.startsWith('Could not satisfy')
  )
}

function translated(error: unknown): StorageError {
  const isClosed = error instanceof Error && error.message === 'Closed'
  return isClosed ? closed(NAME) : ioError(NAME, error)
}
