/**
 * What is being asked of anybody right now, so that several sources share the work: a block that one
 * peer was asked for is not asked of another, unless that one is late.
 *
 * Blocks and bare hashes are counted apart: an answer clears only requests of its kind (quirk Q-31).
 *
 * @see spec/20-wire.md 3.7
 * @module
 */
import type { SeekWish } from '../../log/wish.ts'

/** The reservations of one log, over all its peers. */
export class Reservations {
  readonly #blocks = new Map<number, number>()
  readonly #hashes = new Map<number, number>()
  readonly #seeks = new Set<SeekWish>()

  /** Blocks and hashes reserved. */
  get size(): number {
    return this.#blocks.size + this.#hashes.size + this.#seeks.size
  }

  /** Whether block `index` was asked for and has not been answered by everybody asked. */
  hasBlock(index: number): boolean {
    return this.#blocks.has(index)
  }

  /** Whether the hash of block `index` is on its way, alone or with its block. */
  hasHash(index: number): boolean {
    return this.#hashes.has(index) || this.#blocks.has(index)
  }

  /** Whether somebody was asked where a byte is. */
  hasSeek(wish: SeekWish): boolean {
    return this.#seeks.has(wish)
  }

  /** One more peer is asked. */
  reserve(index: number, hash: boolean): void {
    const map = hash ? this.#hashes : this.#blocks
    map.set(index, (map.get(index) ?? 0) + 1)
  }

  /** One peer less is asked. */
  release(index: number, hash: boolean): void {
    const map = hash ? this.#hashes : this.#blocks
    const count = map.get(index) ?? 0
    if (count > 1) map.set(index, count - 1)
    else map.delete(index)
  }

  /** Somebody is asked where a byte is. */
  reserveSeek(wish: SeekWish): void {
    this.#seeks.add(wish)
  }

  /** And has answered, or will not. */
  releaseSeek(wish: SeekWish): void {
    this.#seeks.delete(wish)
  }
}
