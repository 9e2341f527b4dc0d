/**
 * What a log and its calls can be told.
 *
 * @see spec/10-log.md 4.1 and 4.3
 * @module
 */
import type { Timers } from '../timers.ts'
import type { Encoding } from '../value-encoding.ts'

/**
 * When a write survives a power cut; a crash of the process alone never loses an acknowledged one.
 *
 * - `sync`: before the call that wrote it resolves
 * - `batch`: at the next `flush()` or `close()`, and `syncWindow` milliseconds after the write at the latest
 * - `none`: when the system likes
 */
export type Durability = 'sync' | 'batch' | 'none'

/**
 * Whether a read of something that is not here waits.
 *
 * - `true`: until a peer gives it, for ever if need be
 * - `false`: not at all (`LOG_NOT_HELD`)
 * - `'peers'`: as long as some peer may have it (then `LOG_UNAVAILABLE`)
 */
export type Wait = boolean | 'peers'

/** Options of every call that may wait. */
export interface WaitOptions {
  /** Default: the log's `wait`, which is `true`. */
  readonly wait?: Wait | undefined
  /** Milliseconds until `ETIMEDOUT`; 0 is none. Default: the log's `timeout`. */
  readonly timeout?: number | undefined
  /** Leaves the wait with the signal's reason. */
  readonly signal?: AbortSignal | undefined
  /** Ask the peers that are connected now, once; then `LOG_UNAVAILABLE`. Default: the log's `ifAvailable`. */
  readonly ifAvailable?: boolean | undefined
}

/** Options of `get` and the like. */
export interface GetOptions extends WaitOptions {
  /** How the block is decoded; default: the log's. */
  readonly valueEncoding?: Encoding
  /** Called once when the block is not here and is waited for. */
  readonly onwait?: ((index: number) => void) | undefined
}

/** Options of `update`. */
export interface UpdateOptions extends WaitOptions {
  /** Blocks to wait for; default one more than now. */
  readonly minLength?: number | undefined
  /** `false` fetches the head's block too, not just its proof. */
  readonly hash?: boolean | undefined
  /** Ask peers even though the log is writable here. */
  readonly force?: boolean | undefined
}

/** Options of `seek`. */
export interface SeekOptions extends WaitOptions {
  /** The block lies in `[start, end)`. */
  readonly start?: number | undefined
  readonly end?: number | undefined
  /** Ask peers for hashes alone (default); with `false` the block comes with the answer, one round trip less for a reader. */
  readonly hash?: boolean | undefined
}

/** What `download` should fetch. */
export interface DownloadRange {
  readonly start?: number | undefined
  /** Exclusive; left out, 0 or negative: open. */
  readonly end?: number | undefined
  /** In order; otherwise in any order. */
  readonly linear?: boolean | undefined
  /** Leaf hashes only. */
  readonly hash?: boolean | undefined
  /** These blocks instead of a range. */
  readonly blocks?: readonly number[] | undefined
}

/** Options of `clear`. */
export interface ClearOptions {
  /** `false` only forgets the blocks, and leaves their bytes. */
  readonly delete?: boolean | undefined
  /** Known place of the blocks in the data, when the tree nodes to find it are not here. */
  readonly byteOffset?: number | undefined
  readonly byteLength?: number | undefined
}

/** Called with a verified block before it is stored; throwing refuses it. */
export type WriteHook = (index: number, value: Uint8Array, peer: unknown) => void | Promise<void>

/** What `identify` answers. */
export interface IdentityAnswer {
  readonly key?: Uint8Array | null | undefined
  readonly secretKey?: Uint8Array | null | undefined
  readonly storeSecretKey?: boolean | undefined
}

/** Options of the constructor. */
export interface LogOptions extends WaitOptions {
  /** 64 bytes or their hex: makes the log writable. */
  readonly secretKey?: Uint8Array | string | null | undefined
  /** `false`: fail with `LOG_NOT_FOUND` when no log is stored and no key given. Default `true`. */
  readonly createIfMissing?: boolean | undefined
  /** Discard what is stored. Default `false`. */
  readonly overwrite?: boolean | undefined
  /** Discard what is stored if it is another log. Default `false`. */
  readonly force?: boolean | undefined
  /** Write the secret key beside the log. Default `true`. */
  readonly storeSecretKey?: boolean | undefined
  /** Fail to open unless the log can be written. Default `false`. */
  readonly writable?: boolean | undefined
  /** How blocks are coded. Default binary. */
  readonly valueEncoding?: Encoding
  /** `false`: a static log, whose key will be the hash of its tree. Default `true`. */
  readonly live?: boolean | undefined
  /** Fetch only what is asked for. Default `false`: everything. */
  readonly sparse?: boolean | undefined
  /**
   * A sparse log asks for longer versions for as long as it is open. A failure is event `update-error`, and
   * ends it. Default `false`.
   */
  readonly eagerUpdate?: boolean | undefined
  /** Requests in flight per peer. Default 16. */
  readonly maxRequests?: number | undefined
  /** Fetch from peers. Default: unless writable. */
  readonly downloading?: boolean | undefined
  /** Serve peers. Default `true`. */
  readonly uploading?: boolean | undefined
  /** Take blocks that were not asked for. Default `false`. */
  readonly allowPush?: boolean | undefined
  /** `false` keeps no counters. Default `true`. */
  readonly stats?: boolean | undefined
  /** Block bytes live elsewhere at the right place in `data`, and are not written. Default `false`. */
  readonly indexing?: boolean | undefined
  readonly onwrite?: WriteHook | undefined
  /**
   * Asked first when the log opens; what it answers takes the place of `key`, `secretKey` and
   * `storeSecretKey`. Its failure is the failure of opening. For a store that derives keys.
   */
  readonly identify?: (() => Promise<IdentityAnswer>) | undefined
  /** Default `'batch'`. */
  readonly durability?: Durability | undefined
  /** Milliseconds that `batch` may take. Default 1000. */
  readonly syncWindow?: number | undefined
  /** A clock and timers of one's own, for `timeout` and `syncWindow`. */
  readonly timers?: Timers | undefined
  /** Bytes of tree nodes kept in memory. Default 2 MiB, at least 256 KiB. */
  readonly nodeCacheBytes?: number | undefined
  /**
   * Longest log that is taken from others, in blocks. Default 2 ** 32. The files have a place for every
   * block there could be, so whoever holds a key could otherwise make its readers look through holes
   * for hours.
   */
  readonly maxLength?: number | undefined
  /**
   * Exactly v10's files and bytes: `clear` frees only the tail of `data`, and no note is kept of what is
   * durable, so that in mode `batch` a power cut may leave blocks that are damaged. Default `false`.
   */
  readonly exact?: boolean | undefined
}

/** Longest log that is taken from others, unless an option says otherwise. */
export const DEFAULT_MAX_LENGTH: number = 2 ** 32
/** Largest block that may be appended. */
export const MAX_BLOCK_BYTES = 8_388_608
