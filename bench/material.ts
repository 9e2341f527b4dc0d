/** What is written: bytes, names and orders that every side gets alike, and that can be checked afterwards. */
import { strict as assert } from 'node:assert'
import type { NewFile } from './sides/side.ts'

const POOL = pool(2 * 1_048_576)

/** `size` bytes that differ from those of any other seed nearby. A view: never write to it. */
export function bytesOf(seed: number, size: number): Uint8Array {
  if (size > POOL.length / 2) throw new RangeError(`at most ${POOL.length / 2} bytes`)
  return POOL.subarray((seed * 7919) % (POOL.length / 2)).subarray(0, size)
}

/** Fail unless `bytes` are those of a seed. */
export function check(bytes: Uint8Array, seed: number, size: number): void {
  assert(Buffer.compare(bytes, bytesOf(seed, size)) === 0, `other bytes than were written: ${seed}`)
}

/** `count` blocks from block `start` on. */
export function blocks(start: number, count: number, size: number): Uint8Array[] {
  return Array.from({ length: count }, (_, i) => bytesOf(start + i, size))
}

/** The numbers below `count` in a scattered order that is the same every time. */
export function scattered(count: number): number[] {
  const random = xorshift(99)
  const order = Array.from({ length: count }, (_, i) => i)
  for (let i = count - 1; i > 0; i--) {
    const j = random() % (i + 1)
    const [a = 0, b = 0] = [order[i], order[j]]
    order[i] = b
    order[j] = a
  }
  return order
}

/** Name of file `i` of `count`, which lie in 100 folders. */
export function nameOf(i: number, count: number): string {
  return `/folder-${Math.floor((i * 100) / count)}/file-${i}`
}

/**
 * `count` files of `size` bytes in 100 folders.
 *
 * @yields each file
 */
export function* files(count: number, size: number): Generator<NewFile> {
  for (let i = 0; i < count; i++) yield { path: nameOf(i, count), bytes: bytesOf(i, size) }
}

function pool(size: number): Buffer {
  const words = new Uint32Array(size / 4)
  const random = xorshift(1)
  for (let i = 0; i < words.length; i++) words[i] = random()
  return Buffer.from(words.buffer)
}

/** Numbers that look random and come again. */
function xorshift(seed: number): () => number {
  let state = seed
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    state >>>= 0
    return state
  }
}
