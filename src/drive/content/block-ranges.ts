/**
 * A set of block numbers kept as ranges.
 *
 * Ranges come in any order and may overlap; they are sorted and joined when somebody first asks.
 *
 * @module
 */

/** Blocks `[start, end)`. */
export type BlockRange = readonly [start: number, end: number]

/** Blocks, as ranges. */
export class BlockRanges {
  #ranges: BlockRange[] = []
  #isJoined = true

  /** Put blocks `[start, end)` in. */
  add(start: number, end: number): void {
    if (start >= end) return
    const last = this.#ranges.at(-1)
    if (last && this.#isJoined && last[1] === start) {
      // Files written one after the other lie so.
      this.#ranges[this.#ranges.length - 1] = [last[0], end]
      return
    }
    if (last && start <= last[1]) this.#isJoined = false
    this.#ranges.push([start, end])
  }

  /** All ranges in order, none touching the next. */
  get ranges(): readonly BlockRange[] {
    if (!this.#isJoined) this.#join()
    return this.#ranges
  }

  /** The parts of `[start, end)` that are not in the set, in order. */
  gaps(start: number, end: number): BlockRange[] {
    const gaps: BlockRange[] = []
    const { ranges } = this
    let at = start
    for (let i = this.#firstEndingAfter(start); at < end; i++) {
      const next = ranges[i]
      const upTo = Math.min(end, next?.[0] ?? end)
      if (at < upTo) gaps.push([at, upTo])
      if (!next) break
      at = next[1]
    }
    return gaps
  }

  #firstEndingAfter(block: number): number {
    const { ranges } = this
    let [low, high] = [0, ranges.length]
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((ranges[middle]?.[1] ?? Infinity) > block) high = middle
      else low = middle + 1
    }
    return low
  }

  #join(): void {
    const joined: [number, number][] = []
    for (const [start, end] of this.#ranges.toSorted((a, b) => a[0] - b[0])) {
      const last = joined.at(-1)
      if (last && start <= last[1]) last[1] = Math.max(last[1], end)
      else joined.push([start, end])
    }
    this.#ranges = joined
    this.#isJoined = true
  }
}
