/**
 * Which blocks a remote says it has. Bounded memory whatever it says.
 *
 * Pages of 8192 blocks: runs of full pages cost two numbers, a page of which only a part is there costs
 * 1 KiB of bits, other pages nothing.
 *
 *     full runs   [0, 3)          [7, 2 ** 30)        in pages, ascending, never touching
 *     bit pages          4: 1011…               …     at most `MAX_BIT_PAGES`
 *
 * What a remote claims beyond the limits is forgotten, never invented: at worst a block is not asked of
 * it. What we hold ourselves is kept apart (quirk Q-3), so a block cleared here can be asked for again.
 *
 * @see spec/20-wire.md 3.6, and 7
 * @module
 */
import { byteAt } from '../../bytes.ts'

/** Blocks of one page; Wants are aligned to it too. */
export const PAGE_BLOCKS = 8192
const PAGE_BYTES = PAGE_BLOCKS / 8
/** Partly filled pages remembered of one remote: 2 MiB, or 16.7 million blocks of patchwork. */
export const MAX_BIT_PAGES = 2048
/** Runs of full pages remembered of one remote. */
export const MAX_RUNS = 4096

/** A set of block indices, as wide as 2 ** 53. */
export class RemoteBlocks {
  /** `start, end, start, end, …` of the full runs, in pages. */
  readonly #runs: number[] = []
  /** Numbers of the pages that have bits, ascending; their bits stand at the same place in `#bits`. */
  readonly #pages: number[] = []
  readonly #bits: Uint8Array[] = []

  /** Whether block `index` is in the set. */
  has(index: number): boolean {
    const page = Math.floor(index / PAGE_BLOCKS)
    const bits = this.#bitsOf(page)
    if (bits === undefined) return this.#isFull(page)
    const bit = index - page * PAGE_BLOCKS
    return (byteAt(bits, bit >> 3) & (0x80 >> (bit & 7))) !== 0
  }

  /** The first block of the set in `[start, end)`, or -1. */
  next(start: number, end: number): number {
    let at = start
    while (at < end) {
      const page = Math.floor(at / PAGE_BLOCKS)
      const place = lowerBound(this.#pages, page)
      const bits = this.#pages[place] === page ? this.#bits[place] : undefined
      if (bits !== undefined) {
        const bit = nextBit(bits, at - page * PAGE_BLOCKS)
        if (bit >= 0) return page * PAGE_BLOCKS + bit < end ? page * PAGE_BLOCKS + bit : -1
        at = (page + 1) * PAGE_BLOCKS
        continue
      }
      const run = this.#runAfter(page)
      const runStart = numberAt(this.#runs, run)
      if (runStart <= page) return at
      at = Math.min(numberAt(this.#pages, place), runStart) * PAGE_BLOCKS
    }
    return -1
  }

  /** The first block of `[start, end)` that is not in the set, or -1. */
  nextAbsent(start: number, end: number): number {
    let at = start
    while (at < end) {
      const page = Math.floor(at / PAGE_BLOCKS)
      const bits = this.#bitsOf(page)
      if (bits !== undefined) {
        const bit = nextBit(bits, at - page * PAGE_BLOCKS, 0xff)
        if (bit >= 0) return page * PAGE_BLOCKS + bit < end ? page * PAGE_BLOCKS + bit : -1
        at = (page + 1) * PAGE_BLOCKS
        continue
      }
      const run = this.#runAfter(page)
      if (numberAt(this.#runs, run) > page) return at
      at = numberAt(this.#runs, run + 1) * PAGE_BLOCKS
    }
    return -1
  }

  /** Put `[start, end)` into the set. Time depends on what is known already, not on the span. */
  add(start: number, end: number): void {
    this.#span(start, end, true)
  }

  /** Take `[start, end)` out of the set. */
  remove(start: number, end: number): void {
    this.#span(start, end, false)
  }

  /** Replace the blocks from `start` (a multiple of 8192) on by `bits`, first block in the highest bit. */
  replace(start: number, bits: Uint8Array): void {
    let page = start / PAGE_BLOCKS
    for (let at = 0; at < bits.length; at += PAGE_BYTES, page++) {
      const part = bits.subarray(at, at + PAGE_BYTES)
      const whole = part.length === PAGE_BYTES
      if (whole && isFilled(part, 0)) this.#clearPages(page, page + 1)
      else if (whole && isFilled(part, 0xff)) this.#fillPages(page, page + 1)
      else if (whole || !isFilled(part, 0) || this.#knows(page)) {
        this.#writable(page)?.set(part)
        this.#settle(page)
      }
    }
  }

  /** Forget everything. */
  clear(): void {
    this.#runs.length = 0
    this.#pages.length = 0
    this.#bits.length = 0
  }

  #span(start: number, end: number, value: boolean): void {
    if (end <= start) return
    let first = Math.floor(start / PAGE_BLOCKS)
    let last = Math.floor(end / PAGE_BLOCKS)
    const head = start - first * PAGE_BLOCKS
    const tail = end - last * PAGE_BLOCKS
    if (first === last) return this.#part(first, head, tail, value)
    if (head > 0) this.#part(first++, head, PAGE_BLOCKS, value)
    if (tail > 0) this.#part(last, 0, tail, value)
    if (first >= last) return
    if (value) this.#fillPages(first, last)
    else this.#clearPages(first, last)
  }

  /** Bits `[from, to)` of one page. */
  #part(page: number, from: number, to: number, value: boolean): void {
    if (value ? this.#isFull(page) : !this.#knows(page)) return
    const bits = this.#writable(page)
    if (bits === undefined) return
    for (let bit = from; bit < to;) {
      const at = bit >> 3
      if ((bit & 7) === 0 && to - bit >= 8) {
        bits[at] = value ? 0xff : 0
        bit += 8
        continue
      }
      const mask = 0x80 >> (bit & 7)
      bits[at] = value ? byteAt(bits, at) | mask : byteAt(bits, at) & ~mask
      bit++
    }
    if (!value || to === PAGE_BLOCKS || from === 0) this.#settle(page)
  }

  /** Bits of `page` to write to, made if need be; `undefined` when there are too many. */
  #writable(page: number): Uint8Array | undefined {
    const place = lowerBound(this.#pages, page)
    if (this.#pages[place] === page) return this.#bits[place]
    const full = this.#isFull(page)
    if (full) this.#clearPages(page, page + 1)
    if (this.#pages.length >= MAX_BIT_PAGES) return undefined
    const bits = new Uint8Array(PAGE_BYTES)
    if (full) bits.fill(0xff)
    this.#pages.splice(place, 0, page)
    this.#bits.splice(place, 0, bits)
    return bits
  }

  /** Let go of the bits of a page that has become all or nothing. */
  #settle(page: number): void {
    const bits = this.#bitsOf(page)
    if (bits === undefined) return
    if (isFilled(bits, 0xff)) this.#fillPages(page, page + 1)
    else if (isFilled(bits, 0)) this.#clearPages(page, page + 1)
  }

  #fillPages(start: number, end: number): void {
    this.#dropBits(start, end)
    // Runs that touch [start, end) melt into one.
    const from = this.#runAfter(start - 1)
    let to = from
    let runStart = start
    let runEnd = end
    while (numberAt(this.#runs, to) <= end) {
      runStart = Math.min(runStart, numberAt(this.#runs, to))
      runEnd = Math.max(runEnd, numberAt(this.#runs, to + 1))
      to += 2
    }
    if (to === from && this.#runs.length >= 2 * MAX_RUNS) return
    this.#runs.splice(from, to - from, runStart, runEnd)
  }

  #clearPages(start: number, end: number): void {
    this.#dropBits(start, end)
    const from = this.#runAfter(start)
    const kept: number[] = []
    let to = from
    while (numberAt(this.#runs, to) < end) {
      const runStart = numberAt(this.#runs, to)
      const runEnd = numberAt(this.#runs, to + 1)
      if (runStart < start) kept.push(runStart, start)
      if (runEnd > end) kept.push(end, runEnd)
      to += 2
    }
    this.#runs.splice(from, to - from, ...kept)
    if (this.#runs.length > 2 * MAX_RUNS) this.#runs.length = 2 * MAX_RUNS
  }

  #dropBits(start: number, end: number): void {
    const from = lowerBound(this.#pages, start)
    const to = lowerBound(this.#pages, end)
    if (from === to) return
    this.#pages.splice(from, to - from)
    this.#bits.splice(from, to - from)
  }

  #bitsOf(page: number): Uint8Array | undefined {
    const place = lowerBound(this.#pages, page)
    return this.#pages[place] === page ? this.#bits[place] : undefined
  }

  #isFull(page: number): boolean {
    return numberAt(this.#runs, this.#runAfter(page)) <= page
  }

  #knows(page: number): boolean {
    return this.#bitsOf(page) !== undefined || this.#isFull(page)
  }

  /** Place in `#runs` of the first run that ends after `page`. */
  #runAfter(page: number): number {
    let low = 0
    let high = this.#runs.length / 2
    while (low < high) {
      const middle = (low + high) >>> 1
      if (numberAt(this.#runs, 2 * middle + 1) > page) high = middle
      else low = middle + 1
    }
    return 2 * low
  }
}

/** One more than the highest bit that is set, counted from the first bit; 0 when none is. */
export function bitLength(bits: Uint8Array): number {
  for (let at = bits.length - 1; at >= 0; at--) {
    const byte = byteAt(bits, at)
    if (byte !== 0) return 8 * at + 8 - trailingZeros(byte)
  }
  return 0
}

function trailingZeros(byte: number): number {
  return 31 - Math.clz32(byte & -byte)
}

/** The first set bit at or after `from` (with `flip` of 0xff, the first that is not), or -1. */
function nextBit(bits: Uint8Array, from: number, flip = 0): number {
  let at = from >> 3
  let byte = (byteAt(bits, at) ^ flip) & (0xff >> (from & 7))
  while (byte === 0) {
    if (++at >= bits.length) return -1
    byte = byteAt(bits, at) ^ flip
  }
  return 8 * at + Math.clz32(byte) - 24
}

function isFilled(bits: Uint8Array, byte: number): boolean {
  for (let at = 0; at < bits.length; at++) if (bits[at] !== byte) return false
  return true
}

/** The number at `at`; `Infinity`, which is no page, behind the last. */
function numberAt(sorted: readonly number[], at: number): number {
  return sorted[at] ?? Infinity
}

/** Place of the first number that is not below `value`. */
function lowerBound(sorted: readonly number[], value: number): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (numberAt(sorted, middle) < value) low = middle + 1
    else high = middle
  }
  return low
}
