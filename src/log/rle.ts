/**
 * Run-length coding of bitfields, as they travel in Have messages.
 *
 *     varint t, even        t / 2 literal bytes follow
 *     varint t, odd         floor(t / 4) bytes of 0xff (bit 1 set) or 0x00
 *
 * Bytes only: no I/O, no state. The encoder decides exactly as v10's does, so that the bytes are equal.
 *
 * @see spec/10-log.md 2.7
 * @module
 */
import { EMPTY, byteAt } from '../bytes.ts'
import { decodeVarint, encodeVarint, varintLength } from '../varint.ts'
import type { Varint } from '../varint.ts'
import { LogError } from './errors.ts'

/** A run of one byte value, or of literal bytes, inside the input. */
interface Piece {
  readonly start: number
  readonly end: number
  /** 0x00 or 0xff for a run; -1 for literal bytes. */
  readonly byte: number
}

/** The shortest coding this scheme finds: trailing zero bytes vanish. Copies. */
export function encodeRle(bytes: Uint8Array): Uint8Array {
  const pieces = split(bytes)
  const out = new Uint8Array(pieces.reduce((sum, piece) => sum + pieceLength(piece), 0))
  let at = 0
  for (const piece of pieces) {
    at = encodeVarint(token(piece), out, at)
    if (piece.byte >= 0) continue
    out.set(bytes.subarray(piece.start, piece.end), at)
    at += piece.end - piece.start
  }
  return out
}

/** Bytes that `encodeRle(bytes)` takes. */
export function encodedRleLength(bytes: Uint8Array): number {
  return split(bytes).reduce((sum, piece) => sum + pieceLength(piece), 0)
}

/**
 * The bytes behind a coding. Nothing is allocated before the whole of `bytes` was found sound.
 *
 * @param maxBytes - most bytes the result may have
 * @throws {@link LogError} `LOG_BAD_BITFIELD` for a cut varint or literal, or a result above `maxBytes`
 */
export function decodeRle(bytes: Uint8Array, maxBytes: number): Uint8Array {
  const length = decodedRleLength(bytes, maxBytes)
  if (length === 0) return EMPTY
  const out = new Uint8Array(length)
  let at = 0
  for (let from = 0; from < bytes.length;) {
    const { value, end } = readToken(bytes, from)
    const count = runLength(value)
    if (value % 2 === 0) out.set(bytes.subarray(end, end + count), at)
    else if (value % 4 === 3) out.fill(0xff, at, at + count)
    from = value % 2 === 0 ? end + count : end
    at += count
  }
  return out
}

/** Bytes that `decodeRle` would give, found without allocating. Throws as it does. */
export function decodedRleLength(bytes: Uint8Array, maxBytes: number): number {
  let length = 0
  for (let from = 0; from < bytes.length;) {
    const { value, end } = readToken(bytes, from)
    const count = runLength(value)
    length += count
    if (length > maxBytes) throw bad(`more than ${maxBytes} bytes`)
    from = value % 2 === 0 ? end + count : end
    if (from > bytes.length) throw bad('a literal runs past the end')
  }
  return length
}

function runLength(value: number): number {
  return value % 2 === 0 ? value / 2 : Math.floor(value / 4)
}

function readToken(bytes: Uint8Array, at: number): Varint {
  let read: Varint | null
  try {
    read = decodeVarint(bytes, at)
  } catch (cause) {
    throw bad('a token is no varint', cause)
  }
  if (!read) throw bad('the last token is cut')
  return read
}

function bad(what: string, cause?: unknown): LogError {
  return new LogError('LOG_BAD_BITFIELD', `run-length coded bitfield: ${what}`, { cause })
}

function token(piece: Piece): number {
  const length = piece.end - piece.start
  return piece.byte < 0 ? 2 * length : 4 * length + (piece.byte ? 2 : 0) + 1
}

function pieceLength(piece: Piece): number {
  const head = varintLength(token(piece))
  return piece.byte < 0 ? head + piece.end - piece.start : head
}

/** Where v10's encoder cuts: a run is taken alone only when that is shorter than leaving it literal. */
function split(bytes: Uint8Array): Piece[] {
  let length = bytes.length
  while (length > 0 && bytes[length - 1] === 0) length--
  const pieces: Piece[] = []
  let from = 0
  let byte = 0
  let run = 0
  const flush = (end: number): void => {
    const head = { start: from, end: end - run, byte: -1 }
    const tail = { start: end - run, end, byte }
    const whole = { start: from, end, byte: -1 }
    const cost = (head.end > head.start ? pieceLength(head) : 0) + pieceLength(tail)
    if (cost >= pieceLength(whole)) return
    if (head.end > head.start) pieces.push(head)
    pieces.push(tail)
    from = end
  }
  for (let i = 0; i < length; i++) {
    const next = byteAt(bytes, i)
    if (next === byte) {
      run++
      continue
    }
    if (run > 0) flush(i)
    const starts = next === 0 || next === 0xff
    // A byte that is neither starts no run; `byte` stays, as in v10, and may be met again.
    if (starts) byte = next
    run = starts ? 1 : 0
  }
  if (run > 0) flush(length)
  if (from < length) pieces.push({ start: from, end: length, byte: -1 })
  return pieces
}
