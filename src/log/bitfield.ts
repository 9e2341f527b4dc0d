/**
 * What a log holds: one bit a block (its data is here) and one bit a tree node (it is known), in the
 * pages of the `bitfield` file.
 *
 *     0     1024   data bits of blocks 8192 p …
 *     1024  2048   tree bits of nodes 16384 p …
 *     3072   512   index bytes (bitfield-index.ts); 256 in the files of older versions
 *
 * Bits are counted from the most significant of each byte. Memory only: files.ts reads and writes the
 * pages. A page is in memory once a bit of it was set; one that is not reads as zeros.
 *
 * @see spec/10-log.md 2.6, 3.1 and 3.11
 * @module
 */
import { byteAt } from '../bytes.ts'
import type { MutableNodeSet } from '../merkle/index.ts'
import { byteCode, updateIndex } from './bitfield-index.ts'
import { DATA_BYTES, PageSet, TREE_BYTES } from './page-set.ts'

/** Blocks that one page speaks of. */
export const PAGE_BLOCKS: number = DATA_BYTES * 8
const PAGE_NODES = TREE_BYTES * 8

/** The data bits and tree bits of one log. Indices may be any non-negative safe integer, but some
 * questions cost a little for every page below the highest: the log bounds its length. */
export class Bitfield {
  /** The tree bits as a set. */
  readonly nodes: MutableNodeSet = {
    has: (treeIndex) => this.hasNode(treeIndex),
    set: (treeIndex) => void this.setNode(treeIndex, true),
  }
  readonly #pages: PageSet
  #unset = 0

  /** @param pageBytes - 3584, or 3328 for files of older versions */
  constructor(pageBytes: number) {
    this.#pages = new PageSet(pageBytes)
  }

  /** Bytes of one page. */
  get pageBytes(): number {
    return this.#pages.pageBytes
  }

  /** Highest page in memory, plus one. */
  get pageCount(): number {
    return this.#pages.count
  }

  /** Blocks that the pages in memory can speak of. */
  get span(): number {
    return this.#pages.count * PAGE_BLOCKS
  }

  /** Grows whenever bits are unset. */
  get unset(): number {
    return this.#unset
  }

  /** Data and tree bits of a page, a view of live memory; `undefined` when it is not in memory. */
  bitsOfPage(page: number): Uint8Array | undefined {
    return this.#pages.find(page)?.subarray(0, DATA_BYTES + TREE_BYTES)
  }

  /** Take over a page read from the file: `bytes` is kept, and may be shorter than a page. */
  load(page: number, bytes: Uint8Array): void {
    this.#pages.load(page, bytes)
  }

  /** Pages to be written, in ascending order, as views of live memory; the marks are taken off. */
  takeDirty(): Array<{ readonly page: number; readonly bytes: Uint8Array }> {
    return this.#pages.takeDirty()
  }

  /** Put marks back, after a write that failed. */
  markDirty(page: number): void {
    this.#pages.touch(page)
  }

  /** Whether the data of `block` is held. */
  has(block: number): boolean {
    const page = Math.floor(block / PAGE_BLOCKS)
    const bytes = this.#pages.find(page)
    if (!bytes) return false
    const bit = block - page * PAGE_BLOCKS
    return (byteAt(bytes, bit >>> 3) & (0x80 >>> (bit & 7))) !== 0
  }

  /** Whether tree node `treeIndex` is known. */
  hasNode(treeIndex: number): boolean {
    const page = Math.floor(treeIndex / PAGE_NODES)
    const bytes = this.#pages.find(page)
    if (!bytes) return false
    const bit = treeIndex - page * PAGE_NODES
    return (byteAt(bytes, DATA_BYTES + (bit >>> 3)) & (0x80 >>> (bit & 7))) !== 0
  }

  /** Set or unset the data bits of `[start, end)`. Returns how many changed. */
  set(start: number, end: number, value: boolean): number {
    let changed = 0
    for (let byte = Math.floor(start / 8); byte * 8 < end; byte++) {
      const from = Math.max(start - byte * 8, 0)
      const to = Math.min(end - byte * 8, 8)
      changed += this.#setBits(byte, (0xff >>> from) & (0xff << (8 - to)) & 0xff, value)
    }
    return changed
  }

  /** Mark tree node `treeIndex` as known or not; parents are not implied. Returns whether it changed. */
  setNode(treeIndex: number, value: boolean): boolean {
    if (this.hasNode(treeIndex) === value) return false
    if (!value) this.#unset++
    const page = Math.floor(treeIndex / PAGE_NODES)
    const bit = treeIndex - page * PAGE_NODES
    const bytes = this.#pages.touch(page)
    const at = DATA_BYTES + (bit >>> 3)
    bytes[at] = byteAt(bytes, at) ^ (0x80 >>> (bit & 7))
    return true
  }

  /** How many blocks of `[start, end)` are held. */
  count(start: number, end: number): number {
    const last = Math.min(end, this.span)
    let total = 0
    for (let block = start; block < last;) {
      const page = Math.floor(block / PAGE_BLOCKS)
      const pageEnd = Math.min((page + 1) * PAGE_BLOCKS, last)
      const bytes = this.#pages.find(page)
      if (bytes) total += countBits(bytes, block - page * PAGE_BLOCKS, pageEnd - page * PAGE_BLOCKS)
      block = pageEnd
    }
    return total
  }

  /** First block of `[start, end)` that is not held, or -1. */
  nextMissing(start: number, end: number): number {
    for (let block = start; block < end;) {
      const page = Math.floor(block / PAGE_BLOCKS)
      const bytes = this.#pages.find(page)
      if (!bytes) return block
      const base = page * PAGE_BLOCKS
      const found = findBit(bytes, block - base, Math.min(end - base, PAGE_BLOCKS), 0xff)
      if (found >= 0) return base + found
      block = base + PAGE_BLOCKS
    }
    return -1
  }

  /** First block of `[start, end)` that is held, or -1. */
  nextHeld(start: number, end: number): number {
    const last = Math.min(end, this.span)
    for (let block = start; block < last;) {
      const page = Math.floor(block / PAGE_BLOCKS)
      const bytes = this.#pages.find(page)
      const base = page * PAGE_BLOCKS
      const found = bytes
        ? findBit(bytes, block - base, Math.min(last - base, PAGE_BLOCKS), 0x00)
        : -1
      if (found >= 0) return base + found
      block = base + PAGE_BLOCKS
    }
    return -1
  }

  /** Data bits of `length` blocks from `start` (a multiple of 8), as bytes, cut at the last page. Copies. */
  bits(start: number, length: number): Uint8Array {
    const end = Math.min(start + length, this.span)
    if (end <= start) return new Uint8Array(0)
    const out = new Uint8Array(Math.ceil((end - start) / 8))
    const first = start / 8
    for (let at = 0; at < out.length;) {
      const page = Math.floor((first + at) / DATA_BYTES)
      const from = first + at - page * DATA_BYTES
      const count = Math.min(DATA_BYTES - from, out.length - at)
      const bytes = this.#pages.find(page)
      if (bytes) out.set(bytes.subarray(from, from + count), at)
      at += count
    }
    return out
  }

  /** Highest held block, or -1. */
  lastHeld(): number {
    const { pages, page, bit } = this.#last(0, DATA_BYTES)
    return pages < 0 ? -1 : page * PAGE_BLOCKS + bit
  }

  /** Highest known tree node, or -1. */
  lastNode(): number {
    const { pages, page, bit } = this.#last(DATA_BYTES, TREE_BYTES)
    return pages < 0 ? -1 : page * PAGE_NODES + bit
  }

  /** First block below `length` whose leaf node is not known, or -1. */
  firstUnknownLeaf(length: number): number {
    for (let block = 0; block < length;) {
      const page = Math.floor(block / PAGE_BLOCKS)
      const bytes = this.#pages.find(page)
      if (!bytes) return block
      const base = page * PAGE_BLOCKS
      const end = Math.min(length - base, PAGE_BLOCKS)
      for (let at = 0; at * 4 < end; at++) {
        // Leaves are the even nodes: the high bit of each pair.
        if ((byteAt(bytes, DATA_BYTES + at) & 0xaa) === 0xaa) continue
        for (let i = at * 4; i < Math.min(at * 4 + 4, end); i++) {
          if (!this.hasNode(2 * (base + i))) return base + i
        }
      }
      block = base + PAGE_BLOCKS
    }
    return -1
  }

  /**
   * Whether the index counts the byte of a block's bit as what it is. Always true where the index of a
   * byte lies in another page (older page sizes).
   */
  agreesWithIndex(block: number): boolean {
    const bytes = this.#pages.find(Math.floor(block / PAGE_BLOCKS))
    if (!bytes || this.#pages.indexBytes < DATA_BYTES / 2) return true
    const at = Math.floor((block % PAGE_BLOCKS) / 8)
    const codes = bytes[DATA_BYTES + TREE_BYTES + 2 * Math.floor(at / 4)] ?? 0
    return ((codes >> (6 - 2 * (at % 4))) & 3) === byteCode(bytes[at] ?? 0)
  }

  /** First held block whose leaf node is not known, or -1: a page of which only a part was written. */
  firstHeldWithoutLeaf(): number {
    for (let page = 0; page < this.#pages.count; page++) {
      const bytes = this.#pages.find(page)
      if (!bytes) continue
      for (let at = 0; at < DATA_BYTES; at++) {
        const held = byteAt(bytes, at)
        if (held === 0) continue
        const high = evenBits(byteAt(bytes, DATA_BYTES + 2 * at))
        const missing = held & ~((high << 4) | evenBits(byteAt(bytes, DATA_BYTES + 2 * at + 1)))
        if (missing) return page * PAGE_BLOCKS + at * 8 + Math.clz32(missing) - 24
      }
    }
    return -1
  }

  #last(from: number, length: number): { pages: number; page: number; bit: number } {
    for (let page = this.#pages.count - 1; page >= 0; page--) {
      const bytes = this.#pages.find(page)
      if (!bytes) continue
      for (let at = length - 1; at >= 0; at--) {
        const byte = byteAt(bytes, from + at)
        // The lowest set bit of a byte is its last.
        if (byte) return { pages: page, page, bit: at * 8 + 7 - Math.log2(byte & -byte) }
      }
    }
    return { pages: -1, page: 0, bit: 0 }
  }

  /**
   * Bits are handled one at a time, lowest block first. Of all steps in one byte only the first and
   * the last can change its code in the index, so those two update it.
   */
  #setBits(dataByte: number, mask: number, value: boolean): number {
    const page = Math.floor(dataByte / DATA_BYTES)
    const at = dataByte - page * DATA_BYTES
    // Unsetting a bit of an absent page brings the page into memory, unmarked: it then counts.
    const before = byteAt(this.#pages.make(page), at)
    const after = value ? before | mask : before & ~mask
    let changes = before ^ after
    if (changes === 0) return 0
    if (!value) this.#unset++
    const bytes = this.#pages.touch(page)
    const first = before ^ (0x80 >>> (Math.clz32(changes) - 24))
    bytes[at] = first
    updateIndex(this.#pages, dataByte, first)
    if (after !== first) {
      bytes[at] = after
      updateIndex(this.#pages, dataByte, after)
    }
    let changed = 0
    for (; changes; changes &= changes - 1) changed++
    return changed
  }
}

/** First bit of `[start, end)` in a byte that is not all `skip`, of the other value; or -1. */
function findBit(bytes: Uint8Array, start: number, end: number, skip: number): number {
  for (let bit = start; bit < end;) {
    const byte = byteAt(bytes, bit >>> 3) ^ skip
    if (byte === 0) {
      bit = (bit | 7) + 1
      continue
    }
    if (byte & (0x80 >>> (bit & 7))) return bit
    bit++
  }
  return -1
}

/** The first, third, fifth and seventh bit of a byte, as a nibble: the leaves among its nodes. */
function evenBits(byte: number): number {
  return ((byte >> 4) & 8) | ((byte >> 3) & 4) | ((byte >> 2) & 2) | ((byte >> 1) & 1)
}

function countBits(bytes: Uint8Array, start: number, end: number): number {
  let total = 0
  for (let bit = start; bit < end;) {
    const byte = byteAt(bytes, bit >>> 3)
    if ((bit & 7) === 0 && bit + 8 <= end) {
      let rest = byte
      for (; rest; rest &= rest - 1) total++
      bit += 8
      continue
    }
    if (byte & (0x80 >>> (bit & 7))) total++
    bit++
  }
  return total
}
