/**
 * How content that is written anew becomes blocks: small pieces are joined, large ones stay as they are.
 *
 *     pieces   10  100000  700000                  5
 *     blocks   65536  65536  524288  144650        5
 *
 * A piece of 65536 bytes or more is a block by itself, cut at 524288; smaller ones, and what is left of cutting, wait
 * until they are 65536 together. So a few bytes changed in a file of large blocks leave no trail of small ones behind,
 * however often that happens.
 *
 * @module
 */
import { concat } from '../../bytes.ts'
import { MAX_BLOCK_BYTES } from '../open/constants.ts'

/** Bytes that small pieces are joined up to. */
export const JOIN_BYTES = 65536

/** Joins and cuts pieces into blocks. Pieces are kept until their block leaves, and copied only to be joined. */
export class Chunker {
  #pieces: Uint8Array[] = []
  #pending = 0

  /** Add a piece. Returns the blocks that leave now. */
  push(piece: Uint8Array): Uint8Array[] {
    const out: Uint8Array[] = []
    let rest = piece
    if (this.#pending > 0) {
      rest = piece.subarray(this.#take(piece, JOIN_BYTES - this.#pending))
      if (this.#pending === JOIN_BYTES) out.push(...this.flush())
    }
    while (rest.length >= JOIN_BYTES) {
      out.push(rest.subarray(0, MAX_BLOCK_BYTES))
      rest = rest.subarray(MAX_BLOCK_BYTES)
    }
    this.#take(rest, rest.length)
    return out
  }

  /** What waits, as one block; nothing when nothing does. */
  flush(): Uint8Array[] {
    const [first, ...others] = this.#pieces
    this.#pieces = []
    this.#pending = 0
    if (!first) return []
    return [others.length === 0 ? first : concat([first, ...others])]
  }

  /** Let up to `length` bytes of `piece` wait. Returns how many. */
  #take(piece: Uint8Array, length: number): number {
    const taken = piece.subarray(0, length)
    if (taken.length > 0) this.#pieces.push(taken)
    this.#pending += taken.length
    return taken.length
  }
}
