/**
 * The state of one open log, shared by the parts that act on it (appender, receiver, reader, …).
 *
 * @module
 */
import type { MutableNodeSet, TreeNode } from '../merkle/index.ts'
import type { Timers } from '../timers.ts'
import type { Codec } from '../value-encoding.ts'
import type { Bitfield } from './bitfield.ts'
import type { BitfieldFile } from './bitfield-file.ts'
import type { DurableWrites } from './durability.ts'
import type { DurableBits } from './durable-bits.ts'
import { LogError } from './errors.ts'
import type { ForkEvidence, LogEvents } from './events.ts'
import type { LogFiles } from './files.ts'
import type { Mutex } from './mutex.ts'
import type { WriteHook } from './options.ts'
import type { RandomAccess } from '../storage/random-access.ts'
import type { Replicator } from './replicator.ts'
import type { SignatureFile } from './signature-file.ts'
import type { TreeFile } from './tree-file.ts'

/** What a log tells its listeners. */
export type Emit = <K extends keyof LogEvents>(event: K, ...args: LogEvents[K]) => void

/** What stays the same for every open log, and what its parts change. */
export interface Core {
  readonly files: LogFiles
  readonly tree: TreeFile
  readonly signatures: SignatureFile
  readonly bitfield: Bitfield
  readonly bitfieldFile: BitfieldFile
  readonly durable: DurableWrites
  readonly durableBits: DurableBits
  /** Held by whoever changes stored blocks other than by appending. */
  readonly content: Mutex
  readonly timers: Timers
  readonly codec: Codec
  readonly indexing: boolean
  /** Longest log that is taken from others. */
  readonly maxLength: number
  readonly onwrite: WriteHook | null
  readonly emit: Emit
  /** Null for a static log that is not finalized. */
  key: Uint8Array | null
  readonly secretKey: Uint8Array | null
  /** Heads are signed. */
  live: boolean
  length: number
  byteLength: number
  /** Roots of `length`, left to right; their hashes are copies. */
  roots: readonly TreeNode[]
  replicator: Replicator | null
  /** Why the log may be read but not appended to, or `null`. */
  refusesAppend: LogError | null
  /** What a failure may have left beyond the length (leftovers.ts). */
  leftovers: 'signatures' | 'cut' | null
  /** Whether the log grows by its own appends only: a writer that does not download. */
  ownGrowth: boolean
  /** Proof that the key signed two histories, or `null`. */
  fork: ForkEvidence | null
  /** Where that proof is kept. */
  readonly forkFile: RandomAccess
  closed: boolean
}

/** The nodes that a log knows, as a set. */
export function nodesOf(core: Core): MutableNodeSet {
  return core.bitfield.nodes
}

/** @throws RangeError unless `index` is a safe, non-negative integer */
export function assertIndex(index: number): void {
  if (!Number.isSafeInteger(index) || index < 0 || index > MAX_LENGTH) {
    throw new RangeError(`want a block index, got ${index}`)
  }
}

/** Most blocks: so that every tree node has a safe index. */
export const MAX_LENGTH: number = 2 ** 52 - 1

/** @throws RangeError unless `[start, end)` is a range of blocks */
export function assertRange(start: number, end: number): void {
  assertIndex(start)
  if (end === Infinity) return
  assertIndex(end)
  if (end < start) throw new RangeError(`want a range of blocks, got [${start}, ${end})`)
}

/**
 * Beyond the last common block of two histories nothing is fetched any more.
 *
 * @throws {@link LogError} `LOG_FORK` when a forked log cannot get block `index`
 */
export function assertUnforked(core: Core, index: number): void {
  if (core.fork && index >= core.fork.commonLength) throw forkError(core.fork)
}

/** What ends a call that would go on beyond a fork. */
export function forkError({ commonLength }: ForkEvidence): LogError {
  return new LogError(
    'LOG_FORK',
    `the key signed two histories, which part at ${commonLength} blocks`,
  )
}

/** @throws {@link LogError} `LOG_CLOSED` */
export function assertOpen(core: Core): void {
  if (core.closed) throw new LogError('LOG_CLOSED', 'the log is closed')
}
