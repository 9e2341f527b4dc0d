/**
 * A file in memory, which behaves like one on disk: it does not exist before the first write, ends
 * where it ends, and fails in the same way.
 *
 * @see spec/10-log.md 4.6
 * @module
 */
import { copy } from '../bytes.ts'
import type { OpenStorage, RandomAccess } from './random-access.ts'
import { assertRange } from './range.ts'
import { closed, shortRead } from './storage-error.ts'

/** What all handles on one file share. */
interface Content {
  /** Grown by doubling; zero beyond `length`. */
  bytes: Uint8Array
  length: number
  exists: boolean
}

const NAME = 'file in memory'

/** Bytes in memory, as {@link RandomAccess}. Every operation takes effect when it is called. */
export class MemoryStorage implements RandomAccess {
  readonly #content: Content
  #closed = false

  /**
   * @param source - what the file holds (copied), or another handle on the file to open; without, the
   *   file does not exist yet
   */
  constructor(source?: Uint8Array | MemoryStorage) {
    this.#content =
      source instanceof MemoryStorage
        ? source.#content
        : {
            bytes: source ? copy(source) : new Uint8Array(0),
            length: source?.length ?? 0,
            exists: source !== undefined,
          }
  }

  /** A copy of what the file holds, or `null` when it does not exist. Works on a closed handle too. */
  snapshot(): Uint8Array | null {
    const { bytes, length, exists } = this.#content
    return exists ? copy(bytes, 0, length) : null
  }

  async read(offset: number, length: number): Promise<Uint8Array> {
    this.#assertOpen()
    assertRange(offset, length)
    const content = this.#content
    if (!content.exists || (length > 0 && offset + length > content.length)) {
      throw shortRead(NAME, offset, length)
    }
    return length === 0 ? new Uint8Array(0) : copy(content.bytes, offset, offset + length)
  }

  async write(offset: number, bytes: Uint8Array): Promise<void> {
    this.#assertOpen()
    assertRange(offset, bytes.length)
    this.#content.exists = true
    if (bytes.length === 0) return
    if (offset + bytes.length > this.#content.length) this.#resize(offset + bytes.length)
    this.#content.bytes.set(bytes, offset)
  }

  async truncate(length: number): Promise<void> {
    this.#assertOpen()
    assertRange(length, 0)
    this.#content.exists = true
    this.#resize(length)
  }

  async punch(offset: number, length: number): Promise<number> {
    this.#assertOpen()
    assertRange(offset, length)
    this.#content.exists = true
    const before = this.#content.length
    if (offset + length < before) return 0
    this.#resize(offset)
    return Math.max(0, before - offset)
  }

  async size(): Promise<number> {
    this.#assertOpen()
    return this.#content.length
  }

  /** Memory survives no power cut: there is nothing to wait for. */
  async sync(): Promise<void> {
    this.#assertOpen()
  }

  async close(): Promise<void> {
    this.#closed = true
  }

  async destroy(): Promise<void> {
    this.#closed = true
    Object.assign(this.#content, { bytes: new Uint8Array(0), length: 0, exists: false })
  }

  #assertOpen(): void {
    if (this.#closed) throw closed(NAME)
  }

  #resize(length: number): void {
    const content = this.#content
    if (length > content.bytes.length) {
      const larger = new Uint8Array(Math.max(length, 2 * content.bytes.length))
      larger.set(content.bytes.subarray(0, content.length))
      content.bytes = larger
    } else if (length < content.length) {
      content.bytes.fill(0, length, content.length)
    }
    content.length = length
  }
}

/** Files in memory by name: what a log or a store is given instead of a folder. */
export class MemoryFolder {
  readonly #files = new Map<string, MemoryStorage>()

  /** @param files - what is there to begin with, by name */
  constructor(files: Iterable<readonly [name: string, bytes: Uint8Array]> = []) {
    for (const [name, bytes] of files) this.#files.set(name, new MemoryStorage(bytes))
  }

  /** A new handle on the file `name`; whoever opened it before sees the same bytes. */
  readonly open: OpenStorage = (name) => {
    const file = this.#files.get(name) ?? new MemoryStorage()
    this.#files.set(name, file)
    return new MemoryStorage(file)
  }

  /** Copies of all files that exist, by name and in the order of names. */
  snapshot(): Map<string, Uint8Array> {
    const copies = new Map<string, Uint8Array>()
    for (const name of [...this.#files.keys()].toSorted()) {
      const bytes = this.#files.get(name)?.snapshot()
      if (bytes) copies.set(name, bytes)
    }
    return copies
  }
}
