/**
 * What the stage and the victim's process tell each other, and the log that both know.
 *
 * @module
 */
import { fromUtf8 } from '../../../src/bytes.ts'
import { signingKeyPair } from '../../../src/crypto.ts'
import type { KeyPair } from '../../../src/crypto.ts'
import type { Limits } from '../../../src/wire/index.ts'

/** What the victim holds when the hostile peer comes. */
export type Role =
  /** The writer of `BLOCKS` small blocks. */
  | 'writer'
  /** The writer of `LARGE_BLOCKS` blocks of 1 MiB. */
  | 'large'
  /** An empty sparse replica of the writer that waits for block 2. */
  | 'reader'
  /** An empty replica that downloads everything. */
  | 'full'
  /** As the reader; it takes blocks that it did not ask for too. */
  | 'pushed'
  /** A sparse replica that knows every node and every block but number 2. */
  | 'replica'
  /** As the replica; it waits for block 2. */
  | 'waiting'

/** What the stage asks of the victim. */
export type Order =
  /** A new log, and a new server. */
  | {
      readonly type: 'reset'
      readonly role: Role
      /** Role of the victim in the handshake; null: it finds out. */
      readonly initiator: boolean | null
      readonly limits: Partial<Limits>
      readonly timeout: number
    }
  /** From now on, memory and CPU time count. */
  | { readonly type: 'begin' }
  /** What they came to. */
  | { readonly type: 'end' }
  /** Let an honest peer do its work: get everything, and look at it. */
  | { readonly type: 'verify'; readonly fetch: boolean }
  /** Are you there? */
  | { readonly type: 'ping' }

/** What one round cost, and how the connections of it ended. */
export interface Cost {
  /** Highest heap and buffers that were in use, above those at the beginning, in bytes. */
  readonly peakBytes: number
  /** What stays once all connections are gone. */
  readonly keptBytes: number
  /** CPU time of the whole process. */
  readonly cpuMs: number
  /** CPU time of a fixed piece of work, the mean of once before and once after the round: how fast the core was. */
  readonly paceMs: number
  readonly connections: number
  /** Code of the error of each connection, or `open` or `ended`. */
  readonly endings: readonly string[]
  /** Errors that came out of event handlers. */
  readonly uncaught: readonly string[]
}

/** The answer to each order. */
export interface Answers {
  reset: { readonly port: number }
  begin: null
  end: Cost
  /** What is wrong with the log; empty when nothing is. */
  verify: readonly string[]
  ping: null
}

/** Blocks of the log that is attacked. */
export const BLOCKS = 7
/** Blocks of the large one, 1 MiB each. */
export const LARGE_BLOCKS = 32
const LARGE_BYTES = 1_048_576

/** The keys of the log; everybody on this stage knows them. */
export const KEYS: KeyPair = signingKeyPair(new Uint8Array(32).fill(7))

/** The block at `index`. */
export function blockOf(index: number, large = false): Uint8Array {
  if (large) return new Uint8Array(LARGE_BYTES).fill(index)
  return fromUtf8(`block ${index} ${'.'.repeat(index * 3)}`)
}

/** All blocks. */
export function allBlocks(large = false): Uint8Array[] {
  return Array.from({ length: large ? LARGE_BLOCKS : BLOCKS }, (_, index) => blockOf(index, large))
}
