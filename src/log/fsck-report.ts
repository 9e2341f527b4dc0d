/**
 * What `fsck` finds.
 *
 * @module
 */
import type { FileName } from './files.ts'

/**
 * - `key`: the stored key is not the one that signed; `secret-key`: it does not belong to the key
 * - `header`: the first 32 bytes of a file
 * - `node`: a tree node that is not the one that was signed, or is missing
 * - `signature`: one that the key did not make over this tree
 * - `block`: data that is not the block's
 * - `bits`: the bitfield says other than what is there
 */
export type FaultType = 'key' | 'secret-key' | 'header' | 'node' | 'signature' | 'block' | 'bits'

/** One thing that is wrong in the files of a log. */
export interface Fault {
  readonly type: FaultType
  readonly file: FileName
  /** Where in the file. */
  readonly byteOffset: number
  readonly byteLength: number
  /** What it is, for people. */
  readonly message: string
  /**
   * What `repair` makes of it: `restored` from the rest, `dropped` so that peers give it again, or
   * `left` since nobody here can.
   */
  readonly remedy: 'restored' | 'dropped' | 'left'
}

/** What `fsck` can be told. */
export interface FsckOptions {
  /** The log's key, where the stored one may be damaged. */
  readonly key?: Uint8Array | string | null
  /** Write what can be restored, and forget what cannot be proven. Default `false`: nothing is written. */
  readonly repair?: boolean
}

/** What `fsck` read, and found. */
export interface FsckReport {
  /** Null when nothing says which log it is. */
  readonly key: Uint8Array | null
  /** Blocks that the key vouches for. */
  readonly length: number
  /** Tree nodes, signatures and held blocks that are what was signed. */
  readonly nodes: number
  readonly signatures: number
  readonly blocks: number
  readonly faults: readonly Fault[]
  /** Whether the files were changed. */
  readonly repaired: boolean
}
