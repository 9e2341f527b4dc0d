/**
 * The 32-byte headers of the `bitfield`, `signatures` and `tree` files.
 *
 *     0   3   05 02 57
 *     3   1   type: 0 bitfield, 1 signatures, 2 tree
 *     4   1   version 0
 *     5   2   entry size, big-endian
 *     7   1   length of the algorithm's name, then the name; zeros to the end
 *
 * v10 checks nothing but the entry size of `bitfield`, so nothing else is demanded here either.
 *
 * @see spec/10-log.md 2.5
 * @module
 */
import { byteAt, fromUtf8 } from '../bytes.ts'
import { DATA_BYTES, TREE_BYTES } from './page-set.ts'

/** Bytes before the first entry of each of the three files. */
export const HEADER_BYTES = 32
/** Bytes of one page of the bitfield file as written today. */
export const PAGE_BYTES = 3584

/** The header of a file of `tree` nodes. */
export const TREE_HEADER: Uint8Array = header(2, 40, 'BLAKE2b')
/** The header of a file of signatures. */
export const SIGNATURES_HEADER: Uint8Array = header(1, 64, 'Ed25519')

/** The header of a bitfield file with pages of `pageBytes`. */
export function bitfieldHeader(pageBytes: number): Uint8Array {
  return header(0, pageBytes, '')
}

/**
 * Page size that a bitfield header states, or `null` when it is none that can be used: cut, zero, or
 * not `3072 + 2 ** k` (what is above the two bit areas must be a whole index).
 */
export function readPageBytes(bytes: Uint8Array): number | null {
  if (bytes.length < HEADER_BYTES) return null
  const pageBytes = byteAt(bytes, 5) * 256 + byteAt(bytes, 6)
  const indexBytes = pageBytes - DATA_BYTES - TREE_BYTES
  return indexBytes > 0 && Number.isInteger(Math.log2(indexBytes)) ? pageBytes : null
}

function header(type: number, entryBytes: number, algorithm: string): Uint8Array {
  const out = new Uint8Array(HEADER_BYTES)
  out.set([0x05, 0x02, 0x57, type, 0, entryBytes >> 8, entryBytes & 0xff, algorithm.length])
  out.set(fromUtf8(algorithm), 8)
  return out
}
