/**
 * The seam between a log and whoever can fulfil its wishes (the wire, a simulator, a test).
 *
 * The log calls a `Replicator`; the replicator calls the log's public methods (`wishes`, `has`,
 * `digest`, `proof`, `receive`, `compressBitfield`, `seekLocal`, `extensions`, …). One replicator a
 * log; it looks after all peers of that log.
 *
 * @see docs/architecture.md, the two data walks
 * @module
 */
import type { TreeNode } from '../merkle/tree-node.ts'
import type { Wish } from './wish.ts'

/** Blocks and bytes that went to and came from a peer, or all peers. */
export interface TransferStats {
  uploadedBlocks: number
  uploadedBytes: number
  downloadedBlocks: number
  downloadedBytes: number
}

/** The remote end of one channel, as events and extensions hand it to users. */
export interface LogPeer {
  /** 32 bytes of the remote's static handshake key, or `null` without a handshake. */
  readonly remotePublicKey: Uint8Array | null
  readonly remoteAddress: string | null
  readonly remoteType: string
  /** Whether the remote has opened this log on its side too. */
  readonly remoteOpened: boolean
  /** Blocks the remote's log has, as far as it told. */
  readonly remoteLength: number
  readonly stats: TransferStats
  /** Send an encoded message of the local extension numbered `id` to this peer. */
  extension(id: number, message: Uint8Array): void
}

/** A block (or, with `value: null`, a bare leaf hash) with its proof, as it came from a peer. */
export interface ReceivedBlock {
  readonly index: number
  readonly value: Uint8Array | null
  readonly nodes: readonly TreeNode[]
  readonly signature: Uint8Array | null
}

/** What the log asks of, and tells, whoever fulfils its wishes. Nothing here may throw or wait. */
export interface Replicator {
  readonly peers: readonly LogPeer[]
  /** A wish was added or removed: look again. */
  wishesChanged(): void
  /** Blocks `[start, start + length)` were appended here and may be announced. */
  appended(start: number, length: number): void
  /** These blocks are now held, verified and stored; `source` sent them (`null`: put by hand). */
  stored(indices: readonly number[], source: LogPeer | null): void
  /** Blocks `[start, start + length)` are no longer held. */
  cleared(start: number, length: number): void
  /** The same, found to be damaged: downloads that are on want them again. */
  lost(start: number, length: number): void
  /** `downloading` or `uploading` of the log changed. */
  switched(): void
  /** An extension was registered or removed: advertise the new list. */
  extensionsChanged(): void
  /** Whether some connected peer is known to be able to meet `wish` now. Asked while no answer is due. */
  canMeet(wish: Wish): boolean
  /** The log closes: end every channel of it. */
  closed(): void
}
