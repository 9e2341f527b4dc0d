/**
 * One mark a block, in memory, made page by page where blocks were marked.
 *
 * @module
 */
import { byteAt } from '../bytes.ts'

const PAGE_BLOCKS = 8192

/** A set of blocks. */
export class BlockMarks {
  readonly #pages = new Map<number, Uint8Array>()

  /** Whether the block is marked. */
  has(block: number): boolean {
    const page = Math.floor(block / PAGE_BLOCKS)
    const bit = block - page * PAGE_BLOCKS
    return ((this.#pages.get(page)?.[bit >>> 3] ?? 0) & (1 << (bit & 7))) !== 0
  }

  /** Mark a block. */
  set(block: number): void {
    const page = Math.floor(block / PAGE_BLOCKS)
    let bytes = this.#pages.get(page)
    if (!bytes) {
      bytes = new Uint8Array(PAGE_BLOCKS / 8)
      this.#pages.set(page, bytes)
    }
    const bit = block - page * PAGE_BLOCKS
    bytes[bit >>> 3] = byteAt(bytes, bit >>> 3) | (1 << (bit & 7))
  }

  /** Take the marks off blocks `[start, end)`. */
  unset(start: number, end: number): void {
    for (const [page, bytes] of this.#pages) {
      const from = Math.max(start - page * PAGE_BLOCKS, 0)
      const to = Math.min(end - page * PAGE_BLOCKS, PAGE_BLOCKS)
      for (let bit = from; bit < to; bit++) {
        bytes[bit >>> 3] = byteAt(bytes, bit >>> 3) & ~(1 << (bit & 7))
      }
    }
  }
}
