/**
 * Writing many entries with one append of the content log and one of the metadata log.
 *
 * An entry says where its content lies, which is not known before the content is appended. It is taken to be the end of
 * the log as it is now; when others have appended by then, the entries are corrected before they are stored.
 *
 * @module
 */
import { EMPTY, allocUnsafe, copy } from '../../bytes.ts'
import type { Log } from '../../log/index.ts'
import type { BatchOperation } from '../../trie/index.ts'
import { STAGED_BYTES, appendAlone } from '../content/content.ts'
import type { DriveTrie } from '../context.ts'
import { type ContentIndex, type Place, contentKey, hashesOf } from '../content/content-index.ts'
import { decodeStat, encodeStat } from '../entries/stat-codec.ts'

/** Bytes of memory for copies, until more are needed. */
const FIRST_ROOM = 65536

/** Where the content of a new entry lies, as far as is known. */
export interface NewPlace extends Place {
  readonly size: number
  readonly blocks: number
}

/** What is to be done for the content of a new file. */
export interface Shared {
  readonly place: NewPlace
  /** What has to be appended. */
  readonly blocks: readonly Uint8Array[]
  /** Whether it is among what waits. */
  readonly waits: boolean
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
  /** Where copies are made, and how far it is full. */
  #room: Uint8Array = EMPTY
  #roomAt = 0
  /** Where what waits is taken to begin. */
  #expected: Place = { offset: 0, byteOffset: 0 }
  readonly #index: ContentIndex | null
  /** Content that waits, by its hashes: where it is taken to lie. */
  readonly #hashed = new Map<string, NewPlace>()
  /** Of each such content the hash of its first block. */
  #firsts: [hash: Uint8Array, place: Place][] = []

  /** @param content - of the trie; @param index - of the content, when files share it */
  constructor(trie: DriveTrie, content: Log, index: ContentIndex | null = null) {
    this.#trie = trie
    this.content = content
    this.#index = index
  }

  /** Whether files share content, and `share` has to be asked. */
  get shares(): boolean {
    return this.#index !== null
  }

  /**
   * Where the content of a new file will lie, and what of it has to be appended: nothing when it is there already. `put`
   * has to follow before anything else is asked.
   */
  async share(blocks: readonly Uint8Array[]): Promise<Shared> {
    const index = this.#index
    const hashes = index && hashesOf(blocks)
    const [first] = hashes ?? []
    if (!hashes || !first) return { place: this.place(blocks), blocks, waits: blocks.length > 0 }
    const key = contentKey(hashes)
    const waiting = this.#hashed.get(key)
    if (waiting) return { place: waiting, blocks: [], waits: true }
    const found = await index.find(hashes)
    const place = this.place(blocks)
    if (found) return { place: { ...place, ...found }, blocks: [], waits: false }
    this.#hashed.set(key, place)
    this.#firsts.push([first, place])
    return { place, blocks, waits: true }
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

  /**
   * A copy of bytes whose owner may reuse them, behind the one before: what lies in one piece is appended as it is, and
   * the memory is used anew once it is. (Memory of its own for each file costs 200 bytes and a finalizer more.)
   */
  copy(bytes: Uint8Array): Uint8Array {
    if (bytes.length > STAGED_BYTES) return copy(bytes)
    if (this.#roomAt + bytes.length > this.#room.length) {
      // Pages that are never touched cost nothing.
      const isFirst = this.#room.length === 0 && bytes.length < FIRST_ROOM
      this.#room = allocUnsafe(isFirst ? FIRST_ROOM : STAGED_BYTES)
      this.#roomAt = 0
    }
    const start = this.#roomAt
    this.#roomAt += bytes.length
    this.#room.set(bytes, start)
    return this.#room.subarray(start, this.#roomAt)
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
   * @param waits - whether its content is among what waits
   */
  put(
    key: string,
    value: Uint8Array,
    blocks: readonly Uint8Array[] = [],
    waits: boolean = blocks.length > 0,
  ): void {
    this.#changes.set(key, value)
    if (waits) this.#unplaced.add(key)
    else this.#unplaced.delete(key)
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
    for (const [hash, taken] of this.#firsts) {
      this.#index?.add(hash, this.#moved(taken, place))
    }
    this.#shift(place)
    this.#forgetContent()
    this.#roomAt = 0
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
    this.#forgetContent()
  }

  /**
   * Give the content that waits away: from now on entries that need it say that it begins at `place`.
   *
   * @returns the blocks
   */
  moveContent(place: Place): readonly Uint8Array[] {
    const waiting = this.#waiting
    if (waiting.length > 0) this.#shift(place)
    this.#forgetContent()
    this.#room = EMPTY
    return waiting
  }

  #forgetContent(): void {
    this.#waiting = []
    this.#waitingBytes = 0
    this.#unplaced.clear()
    this.#hashed.clear()
    this.#firsts = []
  }

  /** A place among what waits, once that begins elsewhere. */
  #moved({ offset, byteOffset }: Place, begin: Place): Place {
    return {
      offset: offset - this.#expected.offset + begin.offset,
      byteOffset: byteOffset - this.#expected.byteOffset + begin.byteOffset,
    }
  }

  /** What waits begins elsewhere than it was taken to. */
  #shift(begin: Place): void {
    const { offset, byteOffset } = this.#expected
    if (begin.offset === offset && begin.byteOffset === byteOffset) return
    for (const key of this.#unplaced) {
      const value = this.#changes.get(key)
      if (!value) continue
      const stat = decodeStat(value, 0)
      this.#changes.set(key, encodeStat({ ...stat, ...this.#moved(stat, begin) }))
    }
    this.#expected = begin
  }
}
