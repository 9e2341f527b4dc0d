/**
 * How small writes through a descriptor become content blocks: pieces are joined until they would fill a block.
 *
 *     pieces   10  20  65500  10  65536  70000  5  65531  1
 *     blocks   65530          10  65536  70000  65536     1
 *
 * A piece that would push the pending ones past 65536 bytes first sends them out; pending pieces of 65536 bytes or
 * more go out at once, so a single larger piece leaves whole. An empty piece counts as one byte. When to give up
 * waiting (100 ms, or close) is the caller's: no timers here.
 *
 * @see spec/40-drive.md 3.7, write
 * @module
 */
import { concat } from '../../bytes.ts'

/** Bytes that pending pieces are joined up to. */
export const COALESCE_BYTES = 65536

/** Joins pieces into chunks. Pieces are kept until their chunk leaves, and are not copied before. */
export class Coalescer {
  #pieces: Uint8Array[] = []
  /** Bytes pending, where an empty piece counts as one. */
  #weight = 0

  /** Whether `flush` would give something. */
  get pending(): boolean {
    return this.#pieces.length > 0
  }

  /** Add a piece. Returns the chunks that leave now: none, one or two. */
  push(piece: Uint8Array): Uint8Array[] {
    const out: Uint8Array[] = []
    const weight = Math.max(piece.length, 1)
    if (this.#weight > 0 && this.#weight + weight > COALESCE_BYTES) out.push(...this.flush())
    this.#pieces.push(piece)
    this.#weight += weight
    if (this.#weight >= COALESCE_BYTES) out.push(...this.flush())
    return out
  }

  /** What is pending, as one chunk (a piece alone is not copied); empty when nothing is. */
  flush(): Uint8Array[] {
    const pieces = this.#pieces
    this.#pieces = []
    this.#weight = 0
    const [only] = pieces
    if (only === undefined) return []
    return [pieces.length === 1 ? only : concat(pieces)]
  }
}
