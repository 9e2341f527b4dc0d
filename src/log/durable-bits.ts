/**
 * The `durable` file: which bits of a log speak of content that is on disk for good.
 *
 * Bits, data and tree reach a disk in any order when nobody syncs after each of them. After a power cut a
 * bit may be there, and what it speaks of not. So a copy of the bits is kept, written only after everything
 * they speak of was synced: what the bitfield says beyond it is in doubt after an end that was no `close`,
 * and is compared with what was signed (lost-writes.ts).
 *
 *     0    16  "varve durable 1\n"
 *     16   32  the log's key, or zeros: a static log that had none yet
 *     48    1  1: a session began to write, and did not close; 0: there is nothing in doubt
 *     49    1  1: the log is being cut
 *     50    8  from this length (uint64, as the next)
 *     58    8  to this one
 *     66    1  1: the writer holds only part of the log (part.ts)
 *     67    8  the first bytes of the hash of those before: only half of them may have been written
 *     128      of each 8192 blocks 1024 bytes of data bits, 2048 of tree bits, as in `bitfield`
 *
 * It need not be right, only never claim what is not so: bits that it lost are looked at again. v10 ignores
 * it. What v10 writes after a session that was closed is not in doubt: v10 promises nothing.
 *
 * @see docs/reliability.md, what survives a crash
 * @module
 */
import { byteAt, copy, equals, fromUtf8, isZero, readUint64, writeUint64 } from '../bytes.ts'
import { HASH_BYTES, hash } from '../crypto.ts'
import { blocksOf } from '../merkle/index.ts'
import type { NodeSet } from '../merkle/index.ts'
import type { RandomAccess } from '../storage/random-access.ts'
import type { Bitfield } from './bitfield.ts'
import { DATA_BYTES, TREE_BYTES } from './page-set.ts'

const HEADER_BYTES = 128
const MAGIC = fromUtf8('varve durable 1\n')
const KEY_AT = MAGIC.length
const STATE_AT = KEY_AT + HASH_BYTES
const CUT_AT = STATE_AT + 1
const PART_AT = CUT_AT + 17
const CHECK_AT = PART_AT + 1
const CHECK_BYTES = 8
const PAGE_BYTES = DATA_BYTES + TREE_BYTES
/** Pages read at once. */
const CHUNK_PAGES = 64
const NO_PAGE = new Uint8Array(PAGE_BYTES)

/** What bits say that may not be so, ascending. */
export interface Doubts {
  /** Blocks that are said to be held. */
  readonly blocks: readonly number[]
  /** Tree nodes that are said to be known. */
  readonly nodes: readonly number[]
  /** Blocks that were durable, if none of them was missing then. */
  readonly length: number
}

/** A log on its way to be shorter. */
export interface Cut {
  readonly from: number
  readonly to: number
}

/** A copy of the bits of a page. */
export interface DurablePage {
  readonly page: number
  readonly bytes: Uint8Array
}

/** The `durable` file of one bitfield. */
export class DurableBits {
  readonly #file: RandomAccess
  readonly #bitfield: Bitfield
  readonly #key: Uint8Array
  #isOpen = false
  #cut: Cut | null = null
  #isPart = false

  /** @param key - of the log; null while it has none */
  constructor(file: RandomAccess, bitfield: Bitfield, key: Uint8Array | null) {
    this.#file = file
    this.#bitfield = bitfield
    this.#key = key ?? new Uint8Array(HASH_BYTES)
  }

  /** What the last session left in doubt; `null` when it was closed, or there was none. */
  async doubts(): Promise<Doubts | null> {
    const size = await this.#file.size()
    if (!(await this.#readHeader(size)) || !this.#isOpen) return null
    const blocks: number[] = []
    const nodes: number[] = []
    const copies = new Map<number, Uint8Array>()
    for await (const { page, live, stored } of this.#pages(size)) {
      addDoubts(blocks, page * DATA_BYTES, live, stored, 0, DATA_BYTES)
      addDoubts(nodes, page * TREE_BYTES, live, stored, DATA_BYTES, PAGE_BYTES)
      if (!isZero(stored)) copies.set(page, stored)
    }
    return { blocks, nodes, length: blocksOf(nodesIn(copies)) }
  }

  /** What was begun and not ended: cutting the log. */
  async cut(): Promise<Cut | null> {
    return (await this.#readHeader(await this.#file.size())) ? this.#cut : null
  }

  /** The log is to be cut, and will be if this comes to an end; `null`: it was. Synced by the caller. */
  async noteCut(cut: Cut | null): Promise<void> {
    this.#cut = cut
    await this.#file.write(0, this.#header())
  }

  /** Whether the writer of the log holds only part of it, as far as the header was read. */
  get isPart(): boolean {
    return this.#isPart
  }

  /** The writer holds only part of the log, or all of it again. Synced by the caller. */
  async notePart(isPart: boolean): Promise<void> {
    this.#isPart = isPart
    await this.#file.write(0, this.#header())
  }

  /** What was written is on disk before anything that is written from here on. */
  sync(): Promise<void> {
    return this.#file.sync()
  }

  /**
   * A session begins to write: from here on what the bits say beyond the copy is in doubt.
   *
   * @param sync - makes all that the bits speak of now durable; called when the copy is not up to date
   */
  async begin(sync: () => Promise<void>): Promise<void> {
    let size = await this.#file.size()
    if (size > 0 && !(await this.#readHeader(size))) {
      await this.#file.truncate(0)
      size = 0
    }
    const differing: DurablePage[] = []
    for await (const { page, live, stored } of this.#pages(size)) {
      if (!equals(live, stored)) differing.push({ page, bytes: copy(live) })
    }
    if (differing.length > 0) {
      await sync()
      await this.#write(differing)
    }
    this.#isOpen = true
    await this.#file.write(0, this.#header())
    await this.#file.sync()
  }

  /** Copies of the bits of pages as they are now. */
  take(pages: Iterable<number>): DurablePage[] {
    return Array.from(pages, (page) => ({ page, bytes: copy(this.#live(page)) }))
  }

  /** What these copies speak of is on disk for good. */
  async note(pages: readonly DurablePage[]): Promise<void> {
    await this.#write(pages)
    await this.#file.sync()
  }

  /** Nothing is in doubt: all that the bits speak of was synced, or compared and then synced. */
  async end(): Promise<void> {
    this.#isOpen = false
    await this.#file.write(0, this.#header())
  }

  async #write(pages: readonly DurablePage[]): Promise<void> {
    await Promise.all(
      pages.map(({ page, bytes }) => this.#file.write(HEADER_BYTES + page * PAGE_BYTES, bytes)),
    )
  }

  /** Whether the file is this log's. */
  async #readHeader(size: number): Promise<boolean> {
    if (size < HEADER_BYTES) return false
    const header = await this.#file.read(0, HEADER_BYTES)
    const key = header.subarray(KEY_AT, STATE_AT)
    if (!equals(header.subarray(0, KEY_AT), MAGIC)) return false
    if (!isZero(key) && !equals(key, this.#key)) return false
    this.#isPart = byteAt(header, PART_AT) === 1
    if (!equals(header.subarray(CHECK_AT, CHECK_AT + CHECK_BYTES), checkOf(header))) {
      // A write of it failed half way, or a bit flipped: what is not relied on does no harm.
      this.#isOpen = true
      this.#cut = null
      return true
    }
    this.#isOpen = byteAt(header, STATE_AT) === 1
    const [from, to] = [readUint64(header, CUT_AT + 1), readUint64(header, CUT_AT + 9)]
    this.#cut = byteAt(header, CUT_AT) === 1 && to < from ? { from, to } : null
    return true
  }

  #header(): Uint8Array {
    const header = new Uint8Array(HEADER_BYTES)
    header.set(MAGIC)
    header.set(this.#key, KEY_AT)
    header[STATE_AT] = this.#isOpen ? 1 : 0
    if (this.#cut) {
      header[CUT_AT] = 1
      writeUint64(this.#cut.from, header, CUT_AT + 1)
      writeUint64(this.#cut.to, header, CUT_AT + 9)
    }
    header[PART_AT] = this.#isPart ? 1 : 0
    header.set(checkOf(header), CHECK_AT)
    return header
  }

  /** @yields every page that is in memory or in the file, with the bits of both */
  async *#pages(size: number): AsyncGenerator<{
    readonly page: number
    readonly live: Uint8Array
    readonly stored: Uint8Array
  }> {
    const inFile = Math.ceil(Math.max(0, size - HEADER_BYTES) / PAGE_BYTES)
    const count = Math.max(inFile, this.#bitfield.pageCount)
    let chunk = new Uint8Array(0)
    for (let page = 0; page < count; page++) {
      const at = (page % CHUNK_PAGES) * PAGE_BYTES
      if (at === 0) {
        const from = HEADER_BYTES + page * PAGE_BYTES
        const length = Math.min(CHUNK_PAGES * PAGE_BYTES, Math.max(0, size - from))
        chunk = new Uint8Array(CHUNK_PAGES * PAGE_BYTES)
        // oxlint-disable-next-line no-await-in-loop
        if (length > 0) chunk.set(await this.#file.read(from, length))
      }
      yield { page, live: this.#live(page), stored: chunk.subarray(at, at + PAGE_BYTES) }
    }
  }

  #live(page: number): Uint8Array {
    return this.#bitfield.bitsOfPage(page) ?? NO_PAGE
  }
}

/** What tells that a header was written whole. */
function checkOf(header: Uint8Array): Uint8Array {
  return hash(header.subarray(0, CHECK_AT)).subarray(0, CHECK_BYTES)
}

/** The tree nodes that the bits of pages speak of. */
function nodesIn(pages: ReadonlyMap<number, Uint8Array>): NodeSet {
  return {
    has: (treeIndex) => {
      const at = Math.floor(treeIndex / 8)
      const bits = pages.get(Math.floor(at / TREE_BYTES))
      return (
        !!bits && (byteAt(bits, DATA_BYTES + (at % TREE_BYTES)) & (0x80 >>> (treeIndex % 8))) > 0
      )
    },
  }
}

/** Add the number of each bit of `[from, to)` that is set in `live` and not in `stored`. */
function addDoubts(
  out: number[],
  firstByte: number,
  live: Uint8Array,
  stored: Uint8Array,
  from: number,
  to: number,
): void {
  for (let at = from; at < to; at++) {
    const doubted = byteAt(live, at) & ~byteAt(stored, at)
    if (doubted === 0) continue
    for (let bit = 0; bit < 8; bit++) {
      if (doubted & (0x80 >>> bit)) out.push((firstByte + at - from) * 8 + bit)
    }
  }
}
