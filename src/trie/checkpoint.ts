/**
 * Where an iterator or a diff stands: its stack, bottom to top, as varints.
 *
 *     iterator   index, seq               a frame
 *     diff       index, left, right       a frame; 0 for a side without a node
 *
 * @see spec/30-trie.md 2.10
 * @module
 */
import { allocUnsafe } from '../bytes.ts'
import { decodeVarint, encodeVarint, varintLength } from '../varint.ts'
import { TrieError } from './errors.ts'

/** Frames a checkpoint may hold: more than any walk needs, since each row adds a few at most. */
export const MAX_FRAMES = 16384

/** The bytes of `numbers`. */
export function encodeCheckpoint(numbers: readonly number[]): Uint8Array {
  let length = 0
  for (const number of numbers) length += varintLength(number)
  const out = allocUnsafe(length)
  let at = 0
  for (const number of numbers) at = encodeVarint(number, out, at)
  return out
}

/**
 * The frames in a checkpoint, each as `width` numbers.
 *
 * @throws {@link TrieError} `TRIE_BAD_CHECKPOINT` for cut bytes, a cut frame, or too many frames
 */
export function decodeCheckpoint(bytes: Uint8Array, width: 2 | 3): number[][] {
  const frames: number[][] = []
  let frame: number[] = []
  let at = 0
  while (at < bytes.length) {
    const varint = read(bytes, at)
    at = varint.end
    frame.push(varint.value)
    if (frame.length < width) continue
    frames.push(frame)
    frame = []
    if (frames.length > MAX_FRAMES) throw bad(`more than ${MAX_FRAMES} frames`)
  }
  if (frame.length > 0) throw bad('a cut frame')
  return frames
}

function read(bytes: Uint8Array, at: number): { value: number; end: number } {
  let varint: { value: number; end: number } | null
  try {
    varint = decodeVarint(bytes, at)
  } catch (error) {
    throw bad('an integer that cannot be', error)
  }
  if (!varint) throw bad('a cut integer')
  return varint
}

function bad(what: string, cause?: unknown): TrieError {
  return new TrieError('TRIE_BAD_CHECKPOINT', `a checkpoint with ${what}`, { cause })
}
