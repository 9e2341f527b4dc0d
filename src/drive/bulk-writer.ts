/**
 * Writing many entries with one append of the content log and one of the metadata log.
 *
 * An entry says where its content lies, which is not known before the content is appended. It is taken to be the end of
 * the log as it is now; when others have appended by then, the entries are corrected before they are stored.
 *
 * @module
 */
import type { Log } from '../log/index.ts'
import type { BatchOperation } from '../trie/index.ts'
import { STAGED_BYTES, appendAlone } from './content.ts'
import type { DriveTrie } from './context.ts'
import { decodeStat, encodeStat } from './stat-codec.ts'

/** Where content lies. */
export interface Place {
  readonly offset: number
  readonly byteOffset: number
}

/** Where the content of a new entry lies, as far as is known. */
export interface NewPlace extends Place {
  readonly size: number
  readonly blocks: number
}

/** Entries and content that are not stored yet. */
export class BulkWriter {
  readonly content: Log
  readonly #trie: DriveTrie
  /** By key; null for one that goes. */
  readonly #changes = new Map<string, Uint8Array | null>()
  /** Keys whose content waits. */
  #unplaced = new Set<string>()
  #waiting: Uint8Array[] = []
  #waitingBytes = 0
  /** Where what waits is taken to begin. */
  #expected: Place = { offset: 0, byteOffset: 0 }

  /** @param content - of the trie */
  constructor(trie: DriveTrie, content: Log) {
    this.#trie = trie
    this.content = content
  }

  /** Entries that are not stored. */
  get count(): number {
    return this.#changes.size
  }

  /** Bytes of content that wait. */
  get waitingBytes(): number {
    return this.#waitingBytes
  }

  /** Whether more content has to wait until what waits is appended. */
  get isFull(): boolean {
    return this.#waitingBytes >= STAGED_BYTES
  }

  /** Whether there is a change at `key`. */
  has(key: string): boolean {
    return this.#changes.has(key)
  }

  /** Where the next content will be taken to lie. */
  place(blocks: readonly Uint8Array[]): NewPlace {
    if (this.#waiting.length === 0) {
      const { length: offset, byteLength: byteOffset } = this.content
      this.#expected = { offset, byteOffset }
    }
    let size = 0
    for (const block of blocks) size += block.length
    const offset = this.#expected.offset + this.#waiting.length
    const byteOffset = this.#expected.byteOffset + this.#waitingBytes
    return { offset, byteOffset, size, blocks: blocks.length }
  }

  /**
   * Put an entry. Nothing is copied.
   *
   * @param value - its bytes, with the place that `place(blocks)` gave when it has blocks
   */
  put(key: string, value: Uint8Array, blocks: readonly Uint8Array[] = []): void {
    this.#changes.set(key, value)
    if (blocks.length === 0) {
      this.#unplaced.delete(key)
      return
    }
    this.#unplaced.add(key)
    for (const block of blocks) {
      this.#waiting.push(block)
      this.#waitingBytes += block.length
    }
  }

  /** Remove an entry; none there is no error. */
  del(key: string): void {
    this.#changes.set(key, null)
    this.#unplaced.delete(key)
  }

  /** Append the content that waits. After a failure it still waits. */
  async appendContent(): Promise<void> {
    if (this.#waiting.length === 0) return
    const place = await appendAlone(this.content, this.#waiting)
    this.#shift(place)
    this.#waiting = []
    this.#waitingBytes = 0
    this.#unplaced.clear()
  }

  /** Store everything. After a failure no entry is stored, and everything is still here. */
  async flush(): Promise<void> {
    await this.appendContent()
    if (this.#changes.size > 0) await this.#trie.trie.batch(this.changes())
    this.clear()
  }

  /** The changes, those that remove last: see `rename.ts`. */
  changes(): BatchOperation<Uint8Array>[] {
    const puts: BatchOperation<Uint8Array>[] = []
    const dels: BatchOperation<Uint8Array>[] = []
    for (const [key, value] of this.#changes) {
      if (value) puts.push({ key, value })
      else dels.push({ type: 'del', key })
    }
    return dels.length > 0 ? puts.concat(dels) : puts
  }

  /** Forget everything. */
  clear(): void {
    this.#changes.clear()
    this.#unplaced.clear()
    this.#waiting = []
    this.#waitingBytes = 0
  }

  /**
   * Give the content that waits away: from now on entries that need it say that it begins at `place`.
   *
   * @returns the blocks
   */
  moveContent(place: Place): readonly Uint8Array[] {
    const waiting = this.#waiting
    if (waiting.length > 0) this.#shift(place)
    this.#waiting = []
    this.#waitingBytes = 0
    this.#unplaced.clear()
    return waiting
  }

  /** What waits begins elsewhere than it was taken to. */
  #shift({ offset, byteOffset }: Place): void {
    const expected = this.#expected
    if (offset === expected.offset && byteOffset === expected.byteOffset) return
    for (const key of this.#unplaced) {
      const value = this.#changes.get(key)
      if (!value) continue
      const stat = decodeStat(value, 0)
      const moved = {
        ...stat,
        offset: stat.offset - expected.offset + offset,
        byteOffset: stat.byteOffset - expected.byteOffset + byteOffset,
      }
      this.#changes.set(key, encodeStat(moved))
    }
    this.#expected = { offset, byteOffset }
  }
}
