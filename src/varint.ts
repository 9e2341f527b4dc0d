/**
 * Unsigned base-128 integers, least significant group first: the integers of every message, of the
 * run-length coding, of the trie's pointer table and of the `name` file.
 *
 * Values go up to 2 ** 53 - 1, so the upper groups are arithmetic, not shifts. The shortest form is
 * written; any form of up to ten bytes is read.
 *
 * @see spec/20-wire.md 2.5 and spec/30-trie.md 2.1
 * @module
 */
import { byteAt } from './bytes.ts'

/** Most bytes a varint may take. */
export const MAX_VARINT_BYTES = 10

/** A decoded varint and the offset just past it. */
export interface Varint {
  readonly value: number
  readonly end: number
}

/** Bytes that `value` takes: 1 to 8. */
export function varintLength(value: number): number {
  let length = 1
  while (value >= 128) {
    value = Math.floor(value / 128)
    length++
  }
  return length
}

/** Write `value` (a safe, non-negative integer) at `at`. Returns the offset just past it. */
export function encodeVarint(value: number, out: Uint8Array, at: number): number {
  while (value >= 0x80000000) {
    out[at++] = (value % 128) | 0x80
    value = Math.floor(value / 128)
  }
  while (value >= 0x80) {
    out[at++] = (value & 0x7f) | 0x80
    value >>>= 7
  }
  out[at] = value
  return at + 1
}

/**
 * Read the varint at `at`.
 *
 * @returns the value and its end, or `null` when `bytes[at, end)` ends inside it
 * @throws RangeError for more than ten bytes or a value above 2 ** 53 - 1
 */
export function decodeVarint(
  bytes: Uint8Array,
  at: number,
  end: number = bytes.length,
): Varint | null {
  let value = 0
  let factor = 1
  for (let i = at; i < end; i++) {
    if (i - at >= MAX_VARINT_BYTES) throw new RangeError('varint of more than ten bytes')
    const byte = byteAt(bytes, i)
    value += (byte & 0x7f) * factor
    if (value > Number.MAX_SAFE_INTEGER) throw new RangeError('varint above 2 ** 53 - 1')
    if (byte < 0x80) return { value, end: i + 1 }
    factor *= 128
  }
  if (end - at >= MAX_VARINT_BYTES) throw new RangeError('varint of more than ten bytes')
  return null
}
