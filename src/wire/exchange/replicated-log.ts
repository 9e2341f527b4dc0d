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

/** The extensions of a log, as far as peers are concerned. */
export interface ExtensionTable {
  /** Names in the order that numbers them. */
  readonly names: readonly string[]
  /** A peer sent a message of the extension that it numbers `id` among its own names. Returns whether it was taken. */
  receive(id: number, remoteNames: readonly string[], bytes: Uint8Array, peer: LogPeer): boolean
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
  readonly writable: boolean
  readonly allowPush: boolean
  readonly maxRequests: number
  readonly wishes: Wishes
  readonly guard: AnswerGuard
  readonly replicator: Replicator | null
  /** Counters over all peers; `null` when the log keeps none. */
  readonly stats: { readonly totals: TransferStats } | null
  readonly extensions: ExtensionTable
  /** Resolves once the log is open. */
  ready(): Promise<void>
  /** From now on this replicator is told of wishes and blocks. */
  attach(replicator: Replicator): void
  /** Whether block `index` is held. */
  has(index: number): boolean
  /** Whether a tree node is known. */
  hasNode(treeIndex: number): boolean
  /** The first block in `[start, end)` that is not held, or -1. */
  nextMissing(start: number, end: number): number
  /** What is known of the way up from a block, as a Request tells it. */
  digest(index: number): number
  /** Run-length coded bits of the blocks held from `start` on. */
  compressBitfield(start: number, length: number): Uint8Array
  /** The proof of a block, planned at once; throws or rejects when there is none. */
  proof(index: number, options: ProofOptions): Proof | Promise<Proof>
  /** Blocks from `start` on, all of them held; may stop before `end` once `maxBytes` is passed. */
  readBlocks(
    start: number,
    end: number,
    maxBytes?: number,
  ): readonly Uint8Array[] | Promise<readonly Uint8Array[]>
  /** A held block turned out to be damaged: it is fetched anew, where the log downloads. */
  damaged(index: number): Promise<void>
  /** Where a byte is, as far as the stored tree tells. */
  seekLocal(byteOffset: number): Promise<{ readonly index: number; readonly offset: number } | null>
  /** Verify blocks in order and store those that are right; one result each. Rejects only when storage fails. */
  receive(
    blocks: readonly ReceivedBlock[],
    source: LogPeer | null,
  ): Promise<readonly (Error | null)[]>
  /** Peers came, went, or have other blocks: whoever waits only while somebody may answer looks again. */
  peersChanged(): void
  /** Emits the log's `peer-*`, `remote-update`, `replicating` and `upload`. */
  readonly emit: Log['emit']
}
