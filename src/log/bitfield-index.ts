/**
 * The index part of the bitfield file: one flat tree of *bytes* that summarises the data bits.
 *
 * Leaf byte `2m` holds four 2-bit codes for data bytes `4m … 4m+3`: 11 full, 00 empty, 01 neither. A
 * parent byte holds the codes of its children's nibbles. Nobody here reads it; it is kept because v10
 * does, and exactly as v10 keeps it, stale ancestors included, so that the files are equal.
 *
 * @see spec/10-log.md 2.6.1
 * @module
 */
import { DATA_BYTES, TREE_BYTES } from './page-set.ts'

/** The pages, as the index needs them. */
export interface IndexPages {
  /** Index bytes in one page. */
  readonly indexBytes: number
  /** Highest page in memory, plus one. */
  readonly count: number
  /** Bytes of a page, or `undefined` when it is not in memory. */
  find(page: number): Uint8Array | undefined
  /** Bytes of a page, made when it is not in memory, and marked for writing. */
  touch(page: number): Uint8Array
}

const INDEX_AT = DATA_BYTES + TREE_BYTES

/** Bring the index up to date after data byte `dataByte` (counted over all pages) became `value`. */
export function updateIndex(pages: IndexPages, dataByte: number, value: number): void {
  const { indexBytes } = pages
  const limit = pages.count * indexBytes
  const shift = 6 - 2 * (dataByte % 4)
  let at = 2 * Math.floor(dataByte / 4)
  let depth = 0
  let offset = at / 2
  let byte = (readByte(pages, at) & ~(3 << shift)) | (byteCode(value) << shift)
  while (at < limit && readByte(pages, at) !== byte) {
    const page = Math.floor(at / indexBytes)
    pages.touch(page)[INDEX_AT + (at - page * indexBytes)] = byte
    const isLeft = offset % 2 === 0
    const span = 2 ** (depth + 1)
    const other = summary(readByte(pages, isLeft ? at + span : at - span))
    byte = isLeft ? (summary(byte) << 4) | other : (other << 4) | summary(byte)
    offset = Math.floor(offset / 2)
    depth++
    at = (2 * offset + 1) * 2 ** depth - 1
  }
}

function readByte(pages: IndexPages, at: number): number {
  const page = Math.floor(at / pages.indexBytes)
  return pages.find(page)?.[INDEX_AT + (at - page * pages.indexBytes)] ?? 0
}

/** What the index keeps of a data byte: 3 for full, 0 for empty, 1 for neither. */
export function byteCode(byte: number): number {
  return byte === 0xff ? 3 : byte === 0 ? 0 : 1
}

function nibbleCode(nibble: number): number {
  return nibble === 15 ? 3 : nibble === 0 ? 0 : 1
}

function summary(byte: number): number {
  return (nibbleCode(byte >> 4) << 2) | nibbleCode(byte & 15)
}
