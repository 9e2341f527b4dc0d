/**
 * The pointer table of a node: for each row (an index of the node's path) the nodes through which keys
 * are reached that agree with it up to there and then go another way.
 *
 *     bytes   varint L                       rows, 0 for an empty table
 *             per row that is not empty, ascending:
 *               varint row
 *               varint bits                  bit k: slot k holds a pointer
 *               varint pointer, …            one a set bit, ascending k
 *
 * Slot k is for symbol k mod 5: slots 0 to 4 are the ordinary ones, 5 and up continue a *chain* of
 * nodes whose components collide. Pointers are indices of blocks.
 *
 * In memory it is one flat list of numbers in the same order, without L: a node has ten rows of two
 * pointers or so, and an object for each would weigh four times as much. Pure.
 *
 * @see spec/30-trie.md 2.7
 * @module
 */
import { decodeVarint, encodeVarint, varintLength } from '../varint.ts'
import { TrieError } from './errors.ts'

/** Symbols a path can have, the end included: slots of one symbol lie this far apart. */
export const SYMBOLS = 5
/** Slots of a row that readers of the original understand. */
export const MAX_SLOTS = 32
/** Bytes of a table that readers of the original understand. */
const MAX_TABLE_BYTES = 65536

/** What a table is held against when it comes from a block. */
export interface TableLimits {
  /** Greatest number of rows. */
  readonly rows: number
  /** Pointers of this and above are left out: a node points only at earlier ones. */
  readonly before: number
}

const NO_LIMITS: TableLimits = { rows: 2 ** 32 - 1, before: Infinity }

/** Rows of slots; immutable but for what its `TableBuilder` adds. */
export class PointerTable {
  /** `row, bits, pointer…` for each row that is not empty, ascending. */
  readonly cells: readonly number[]
  /** Number of rows, empty ones at the end included where the bytes counted them. */
  readonly length: number

  /** `cells` is kept. */
  constructor(cells: readonly number[], length: number) {
    this.cells = cells
    this.length = length
  }

  /** Where the first listed row of at least `row` begins in `cells`, or the end of `cells`. */
  seek(row: number): number {
    let at = 0
    while (this.rowAt(at) < row) at = this.next(at)
    return at
  }

  /** The row listed at `at`, or `Infinity` behind the last. */
  rowAt(at: number): number {
    return this.cells[at] ?? Infinity
  }

  /** Where the row behind the one at `at` begins. */
  next(at: number): number {
    return at + 2 + countBits(this.bitsAt(at))
  }

  /** Bit k says that slot k of the row at `at` holds a pointer; none does behind the last row. */
  bitsAt(at: number): number {
    return this.cells[at + 1] ?? 0
  }

  /** The pointer number `nth` of the row at `at`. */
  pointerAt(at: number, nth: number): number {
    return this.cells[at + 2 + nth] ?? 0
  }

  /** The pointer in `slot` of `row`, or 0. */
  get(row: number, slot: number): number {
    const at = this.seek(row)
    return this.rowAt(at) === row ? this.slotAt(at, slot) : 0
  }

  /** The pointer in `slot` of the row at `at`, or 0. */
  slotAt(at: number, slot: number): number {
    const bits = this.bitsAt(at)
    if (slot >= MAX_SLOTS || ((bits >>> slot) & 1) === 0) return 0
    return this.pointerAt(at, countBits(slot === 0 ? 0 : bits & (0xffffffff >>> (32 - slot))))
  }

  /** Every pointer of `symbol` in the row at `at`, gaps in the chain or not. */
  symbolAt(at: number, symbol: number): number[] {
    const pointers: number[] = []
    for (let slot = symbol; slot < MAX_SLOTS; slot += SYMBOLS) {
      const pointer = this.slotAt(at, slot)
      if (pointer !== 0) pointers.push(pointer)
    }
    return pointers
  }

  /** The pointers of `symbol` in `row`: its slot and its chain, up to the first empty slot. */
  chain(row: number, symbol: number): number[] {
    const at = this.seek(row)
    const pointers: number[] = []
    if (this.rowAt(at) !== row) return pointers
    for (let slot = symbol; slot < MAX_SLOTS; slot += SYMBOLS) {
      const pointer = this.slotAt(at, slot)
      if (pointer === 0) break
      pointers.push(pointer)
    }
    return pointers
  }
}

/** The table without a pointer. */
export const EMPTY_TABLE: PointerTable = new PointerTable([], 0)

/** Fills a table, row by row, ascending. */
export class TableBuilder {
  readonly #cells: number[] = []
  /** Where the row in hand begins. */
  #at = 0
  #row = -1
  /** Slots taken in it. */
  #bits = 0

  /**
   * Place `pointer` for `symbol` in `row`: in the symbol's slot, or in the first free one of its
   * chain. Nothing happens when it is in the row already.
   *
   * @param row - not below the row of the call before
   * @throws {@link TrieError} `TRIE_TOO_LARGE` for a chain longer than a row can hold
   */
  place(row: number, symbol: number, pointer: number): void {
    const cells = this.#cells
    if (row !== this.#row) {
      this.#row = row
      this.#at = cells.length
      this.#bits = 1 << symbol
      cells.push(row, this.#bits, pointer)
      return
    }
    const at = this.#at
    for (let i = at + 2; i < cells.length; i++) if (cells[i] === pointer) return
    const bits = this.#bits
    let slot = symbol
    while (slot < MAX_SLOTS && (bits >>> slot) & 1) slot += SYMBOLS
    if (slot >= MAX_SLOTS) {
      throw new TrieError('TRIE_TOO_LARGE', `row ${row} has no slot left for symbol ${symbol}`)
    }
    const below = slot === 0 ? 0 : countBits(bits & (0xffffffff >>> (32 - slot)))
    this.#bits = (bits | (1 << slot)) >>> 0
    cells[at + 1] = this.#bits
    cells.splice(at + 2 + below, 0, pointer)
  }

  /** The table as filled. Do not place afterwards. */
  finish(): PointerTable {
    return this.#cells.length === 0 ? EMPTY_TABLE : new PointerTable(this.#cells, this.#row + 1)
  }
}

/**
 * Bytes of `table` in a block.
 *
 * @throws {@link TrieError} `TRIE_TOO_LARGE` above 65536 bytes, which readers of the original cut
 */
export function tableLength(table: PointerTable): number {
  let length = varintLength(table.length)
  for (const cell of table.cells) length += varintLength(cell)
  if (length > MAX_TABLE_BYTES) {
    throw new TrieError('TRIE_TOO_LARGE', `a pointer table of ${length} bytes`)
  }
  return length
}

/** Write `table` at `at`. Returns the offset just past it. */
export function encodeTable(table: PointerTable, out: Uint8Array, at: number): number {
  at = encodeVarint(table.length, out, at)
  for (const cell of table.cells) at = encodeVarint(cell, out, at)
  return at
}

/**
 * Read the table that is all of `bytes`. Rows must ascend; pointers that cannot lead anywhere (0, and
 * those not below `limits.before`) are left out.
 *
 * @throws {@link TrieError} `TRIE_BAD_NODE` for anything cut, out of order or beyond `limits`
 */
export function decodeTable(bytes: Uint8Array, limits: TableLimits = NO_LIMITS): PointerTable {
  let at = 0
  const read = (): number => {
    const varint = decodeVarint(bytes, at)
    if (!varint) throw new TrieError('TRIE_BAD_NODE', 'a pointer table that ends too early')
    at = varint.end
    return varint.value
  }
  try {
    if (bytes.length > MAX_TABLE_BYTES) throw new RangeError(`${bytes.length} bytes`)
    let length = read()
    if (length > limits.rows) throw new RangeError(`${length} rows`)
    if (at === bytes.length && length === 0) return EMPTY_TABLE
    const cells: number[] = []
    let last = -1
    while (at < bytes.length) {
      const row = read()
      if (row <= last || row >= limits.rows) throw new RangeError(`row ${row} after ${last}`)
      last = row
      readRow(cells, row, read, limits.before)
    }
    length = Math.max(length, last + 1)
    return new PointerTable(cells, length)
  } catch (error) {
    if (error instanceof TrieError) throw error
    throw new TrieError('TRIE_BAD_NODE', 'a pointer table that cannot be', { cause: error })
  }
}

function readRow(cells: number[], row: number, read: () => number, before: number): void {
  const bits = read()
  if (bits > 0xffffffff) throw new RangeError(`more than ${MAX_SLOTS} slots in row ${row}`)
  const start = cells.length
  cells.push(row, 0)
  let kept = 0
  for (let slot = 0, rest = bits; rest !== 0; slot++, rest >>>= 1) {
    if ((rest & 1) === 0) continue
    const pointer = read()
    if (pointer === 0 || pointer >= before) continue
    kept |= 1 << slot
    cells.push(pointer)
  }
  if (kept === 0) cells.length = start
  else cells[start + 1] = kept >>> 0
}

function countBits(bits: number): number {
  bits -= (bits >>> 1) & 0x55555555
  bits = (bits & 0x33333333) + ((bits >>> 2) & 0x33333333)
  return (((bits + (bits >>> 4)) & 0x0f0f0f0f) * 0x01010101) >>> 24
}
