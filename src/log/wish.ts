/**
 * What a log waits for.
 *
 * A log knows no wire: it keeps this list, and whoever can fulfil it (a `Replicator`) reads it. The log
 * alone adds, meets and removes wishes; a replicator only asks peers for what they name.
 *
 * Indices are block indices; `end` is exclusive, and `Infinity` when open.
 *
 * @see spec/10-log.md 3.12 and spec/20-wire.md 3.7
 * @module
 */

/** Somebody reads block `index`. */
export interface BlockWish {
  readonly type: 'block'
  readonly index: number
}

/** Somebody waits until the log has at least `minLength` blocks. */
export interface LengthWish {
  readonly type: 'length'
  readonly minLength: number
  /** The proof of a head is enough; otherwise its block is fetched too. */
  readonly hash: boolean
}

/** Somebody looks for the block that holds byte `byteOffset`; it lies in `[start, end)`. */
export interface SeekWish {
  readonly type: 'seek'
  readonly byteOffset: number
  /** Narrowed by the log as it learns more of the tree. */
  readonly start: number
  readonly end: number
  /** Hashes will do; otherwise peers answer with the block as well. */
  readonly hash: boolean
}

/** Blocks to hold, as a range. */
export interface RangeWish {
  readonly type: 'range'
  readonly start: number
  readonly end: number
  /** Ask in order; otherwise in any order, which spreads blocks over a swarm. */
  readonly linear: boolean
  /** Leaf hashes only. */
  readonly hash: boolean
}

/** Blocks to hold, as a list. */
export interface BlocksWish {
  readonly type: 'blocks'
  readonly blocks: readonly number[]
}

/** A reader stands still until it is met: served before any selection. */
export type WaitingWish = BlockWish | LengthWish | SeekWish
/** A download that nobody stands still for. */
export type Selection = RangeWish | BlocksWish
/** Anything a log waits for. Identity is the object's. */
export type Wish = WaitingWish | Selection

/** The live list, as a replicator sees it. Order is the order of asking. */
export interface Wishes {
  readonly waiting: ReadonlySet<WaitingWish>
  readonly selections: ReadonlySet<Selection>
  /** Milliseconds that the first of those who wait for `wish` has waited; null when nobody does. */
  waitedMs?(wish: WaitingWish): number | null
}
