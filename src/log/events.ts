/**
 * The events of a log.
 *
 * @see spec/10-log.md 4.4
 * @module
 */
import type { SignedNode } from '../merkle/index.ts'
import type { LogPeer } from './replicator.ts'

/** A Have as a peer sent it. */
export interface HaveNotice {
  readonly start: number
  /** Blocks announced; with a bitfield, blocks that it speaks of. */
  readonly length: number
  readonly bitfield: Uint8Array | null
  readonly ack: boolean
}

/**
 * Two signed histories of one key that contradict each other. It proves itself: both nodes have one
 * index and different hashes, and each leads to roots that the key signed.
 */
export interface ForkEvidence {
  /** Blocks from the first on that both histories are proven to share; there may be more. */
  readonly commonLength: number
  /** The history that is stored here. */
  readonly ours: SignedNode
  /** The one that came from elsewhere. */
  readonly theirs: SignedNode
}

/** Arguments of each event. */
export interface LogEvents {
  /** The log is open. */
  ready: []
  /** Opening failed. Emitted only when somebody listens; `ready()` rejects in any case. */
  error: [Error]
  /** The log is longer: by an append here, or by a proof from a peer. */
  append: []
  /** A block was verified and stored. */
  download: [index: number, data: Uint8Array, peer: LogPeer | null]
  /** A block is about to be sent. */
  upload: [index: number, data: Uint8Array, peer: LogPeer]
  /** A replica now holds every block of its length. */
  sync: []
  /** Blocks `[start, end)` were cleared. */
  clear: [start: number, end: number]
  /** `eagerUpdate` failed, and has ended. */
  'update-error': [Error]
  /** The log is closed. */
  close: []
  /** The key signed two histories. Once a log: the first evidence is kept. */
  fork: [ForkEvidence]
  'peer-add': [LogPeer]
  'peer-open': [LogPeer]
  'peer-remove': [LogPeer]
  'peer-ack': [LogPeer, HaveNotice]
  'remote-update': [LogPeer]
  /** A connection began to carry this log. */
  replicating: [connection: unknown]
}
