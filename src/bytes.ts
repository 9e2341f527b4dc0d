/**
 * Byte strings: the few operations that every layer needs on `Uint8Array`.
 *
 * The one place, beside the v10-compatible edge, that knows `Buffer`; through b4a, so that it also
 * runs where there is none. The word `slice` is avoided: on a `Uint8Array` it copies, on a `Buffer` it
 * shares. `copy` copies, `subarray` shares.
 *
 * @module
 */
/// <reference types="node" preserve="true" />
import b4a from 'b4a'

/** No bytes at all. */
export const EMPTY: Uint8Array = new Uint8Array(0)

/** Memory with undefined content, for what is overwritten at once. Never pooled when it is kept. */
export function allocUnsafe(length: number): Uint8Array {
  return b4a.allocUnsafe(length)
}

/** A copy of `bytes[start, end)` that shares no memory, so that it does not pin a read buffer. */
export function copy(bytes: Uint8Array, start = 0, end: number = bytes.length): Uint8Array {
  const out = new Uint8Array(end - start)
  out.set(start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end))
  return out
}

/** One byte string out of many; always a copy. */
export function concat(parts: readonly Uint8Array[]): Uint8Array {
  let length = 0
  for (const part of parts) length += part.length
  const out = b4a.allocUnsafe(length)
  let at = 0
  for (const part of parts) {
    out.set(part, at)
    at += part.length
  }
  return out
}

/** As `concat`, but without a copy when the parts lie behind each other in one buffer already. */
export function joined(parts: readonly Uint8Array[]): Uint8Array {
  const [first] = parts
  if (!first) return EMPTY
  let end = first.byteOffset
  for (const part of parts) {
    if (part.buffer !== first.buffer || part.byteOffset !== end) return concat(parts)
    end += part.length
  }
  return new Uint8Array(first.buffer, first.byteOffset, end - first.byteOffset)
}

/** Same length and content. Not constant in time: use it on public data alone. */
export function equals(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && b4a.equals(a, b)
}

/** Byte-wise order: negative, zero or positive. */
export function compare(a: Uint8Array, b: Uint8Array): number {
  return b4a.compare(a, b)
}

/** Whether every byte of `bytes[start, end)` is zero. */
export function isZero(bytes: Uint8Array, start = 0, end: number = bytes.length): boolean {
  for (let i = start; i < end; i++) if (bytes[i] !== 0) return false
  return true
}

/** The byte at `at`; 0 past the end, as if zeros went on for ever. */
export function byteAt(bytes: Uint8Array, at: number): number {
  return bytes[at] ?? 0
}

/** Lower-case hexadecimal text. */
export function toHex(bytes: Uint8Array): string {
  return b4a.toString(bytes, 'hex')
}

/**
 * The bytes that hexadecimal text stands for, in either case.
 *
 * @throws RangeError when `text` has an odd length or a character that is no hexadecimal digit
 */
export function fromHex(text: string): Uint8Array {
  const bytes = b4a.from(text, 'hex')
  if (bytes.length * 2 !== text.length) throw new RangeError('want hexadecimal text')
  return bytes
}

/** UTF-8 bytes of `text`; a lone surrogate becomes `ef bf bd`. */
export function fromUtf8(text: string): Uint8Array {
  return b4a.from(text, 'utf8')
}

/** Text of UTF-8 bytes; what is invalid reads as U+FFFD, and a byte order mark is kept. */
export function toUtf8(bytes: Uint8Array): string {
  return b4a.toString(bytes, 'utf8')
}

/** Write `value` (an integer from 0 to 2 ** 53 - 1) big-endian into 8 bytes. Returns `at + 8`. */
export function writeUint64(value: number, out: Uint8Array, at: number): number {
  const high = Math.floor(value / 0x100000000)
  const low = value >>> 0
  out[at] = high >>> 24
  out[at + 1] = high >>> 16
  out[at + 2] = high >>> 8
  out[at + 3] = high
  out[at + 4] = low >>> 24
  out[at + 5] = low >>> 16
  out[at + 6] = low >>> 8
  out[at + 7] = low
  return at + 8
}

/**
 * Read 8 big-endian bytes. Above 2 ** 53 the result is not exact: check it with
 * `Number.isSafeInteger` where the bytes come from outside.
 */
export function readUint64(bytes: Uint8Array, at: number): number {
  return readUint32(bytes, at) * 0x100000000 + readUint32(bytes, at + 4)
}

function readUint32(bytes: Uint8Array, at: number): number {
  const [a = 0, b = 0, c = 0, d = 0] = [bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]
  return ((a << 24) | (b << 16) | (c << 8) | d) >>> 0
}

/** The same memory as a `Buffer`: what the v10-compatible edge hands to its users. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes)
    ? bytes
    : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/** `text` in one of Node's encodings, as a `Buffer`. @throws TypeError for an encoding that Node does not know */
export function encodeText(text: string, encoding: BufferEncoding): Buffer {
  return Buffer.from(text, encoding)
}

/** Bytes as text in one of Node's encodings. @throws TypeError for an encoding that Node does not know */
export function decodeText(bytes: Uint8Array, encoding: BufferEncoding): string {
  return asBuffer(bytes).toString(encoding)
}
