/**
 * Blocks whose bytes follow from their index, so that any byte that is read can be judged.
 *
 * @module
 */
import { Chance } from './chance.ts'

/** Small ones, empty ones, and some that span sectors. */
const SIZES = [0, 1, 7, 30, 30, 64, 100, 100, 200, 600, 1500, 5000]

/** The blocks of one log. */
export class Blocks {
  readonly #pool: Uint8Array
  readonly #seed: number
  readonly #sizes: readonly number[]

  /** @param sizes - what a block's size is chosen from */
  constructor(seed: number, sizes: readonly number[] = SIZES) {
    this.#seed = seed
    this.#sizes = sizes
    this.#pool = new Chance(seed, 0xb10c).bytes(8192)
  }

  /** The bytes of block `index`. */
  at(index: number): Uint8Array {
    const mixed = Math.imul(index + 1, 0x9e3779b1) ^ this.#seed
    const size = this.#sizes[(mixed >>> 8) % this.#sizes.length] ?? 0
    const start = (mixed >>> 16) % (this.#pool.length - size)
    const block = this.#pool.slice(start, start + size)
    if (size >= 4) new DataView(block.buffer).setUint32(0, index)
    return block
  }

  /** Blocks `[start, start + count)`. */
  run(start: number, count: number): Uint8Array[] {
    return Array.from({ length: count }, (_, i) => this.at(start + i))
  }
}
