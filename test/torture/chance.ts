/**
 * Choices that depend on nothing but a seed.
 *
 * @module
 */
import { seeded } from '../simulation/link.ts'

/** A stream of choices. */
export class Chance {
  readonly #next: () => number

  /** @param seeds - together name the stream: a run's seed, then what it is used for */
  constructor(...seeds: readonly number[]) {
    let mixed = 0x9e3779b9
    for (const seed of seeds) {
      mixed = Math.imul(mixed ^ (seed >>> 0), 0x85ebca6b)
      mixed = Math.imul(mixed ^ (mixed >>> 15) ^ Math.floor(seed / 2 ** 32), 0xc2b2ae35)
      mixed ^= mixed >>> 13
    }
    this.#next = seeded(mixed >>> 0)
  }

  /** An integer in [0, end). */
  below(end: number): number {
    return Math.floor(this.#next() * end)
  }

  /** True with this probability. */
  coin(probability = 0.5): boolean {
    return this.#next() < probability
  }

  /** One of a list. */
  pick<T>(list: readonly T[]): T {
    const chosen = list[this.below(list.length)]
    if (chosen === undefined) throw new RangeError('nothing to pick from')
    return chosen
  }

  /** The list in another order. */
  shuffle<T>(list: readonly T[]): T[] {
    const out = [...list]
    for (let i = out.length - 1; i > 0; i--) {
      const j = this.below(i + 1)
      const [a, b] = [out[i], out[j]]
      if (a !== undefined && b !== undefined) {
        out[i] = b
        out[j] = a
      }
    }
    return out
  }

  /** Bytes. */
  bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.below(256))
  }
}
