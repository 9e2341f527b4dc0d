/**
 * What the exchange needs of a log: its replication face, as an interface, so that the state machines
 * can be tested against a stand-in. `Log` is one.
 *
 * @see docs/architecture.md, the two data walks
 * @module
 */
import type { Log } from '../../log/log.ts'
import type { LogPeer, ReceivedBlock, Replicator, TransferStats } from '../../log/replicator.ts'
import type { Wishes } from '../../log/wish.ts'
import type { SparseNodeSet } from '../../merkle/node-set.ts'
import type { Proof } from '../../merkle/tree-node.ts'

/** What of the requester's knowledge a proof takes into account. */
export interface ProofOptions {
  /** Digest of the nodes that the requester has. */
  readonly digest?: number
  /** The proof is for the leaf's hash alone. */
  readonly hash?: boolean
  /** Nodes that the requester is known to have; the digest's are added. */
  readonly remoteTree?: SparseNodeSet
}

/** Counts answers that are due; whoever must fail fast waits until there is none. */
export interface AnswerGuard {
  /** One more answer is due; the result says, once, that it came or will not. */
  hold(): () => void
}

/** A log, as its replicator sees it. */
export interface ReplicatedLog {
  readonly key: Uint8Array | null
  readonly discoveryKey: Uint8Array | null
  readonly length: number
  readonly byteLength: number
  readonly opened: boolean
  readonly closed: boolean
  readonly sparse: boolean
  readonly downloading: boolean
  readonly uploading: boolean
  readonly allowPush: boolean
  readonly maxRequests: number
  readonly wishes: Wishes
  readonly guard: AnswerGuard
  readonly replicator: Replicator | null
  /** Counters over all peers; `null` when the log keeps none. */
  readonly stats: { readonly totals: TransferStats } | null
  readonly extensions: {
    readonly names: readonly string[]
    receive(id: number, remoteNames: readonly string[], bytes: Uint8Array, peer: LogPeer): void
  }
  ready(): Promise<void>
  attach(replicator: Replicator): void
  has(index: number): boolean
  hasNode(treeIndex: number): boolean
  /** The first block in `[start, end)` that is not held, or -1. */
  nextMissing(start: number, end: number): number
  digest(index: number): number
  /** Run-length coded bits of the blocks held from `start` on. */
  compressBitfield(start: number, length: number): Uint8Array
  proof(index: number, options: ProofOptions): Proof | Promise<Proof>
  /** Blocks from `start` on, all of them held; may stop before `end` once `maxBytes` is passed. */
  readBlocks(
    start: number,
    end: number,
    maxBytes?: number,
  ): readonly Uint8Array[] | Promise<readonly Uint8Array[]>
  seekLocal(byteOffset: number): Promise<{ readonly index: number; readonly offset: number } | null>
  receive(
    blocks: readonly ReceivedBlock[],
    source: LogPeer | null,
  ): Promise<readonly (Error | null)[]>
  /** Peers came, went, or have other blocks: whoever waits only while somebody may answer looks again. */
  peersChanged(): void
  /** Emits the log's `peer-*`, `remote-update`, `replicating` and `upload`. */
  readonly emit: Log['emit']
}
