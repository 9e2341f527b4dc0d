/**
 * The events of a log.
 *
 * @see spec/10-log.md 4.4
 * @module
 */
import type { LogPeer } from './replicator.ts'

/** A Have as a peer sent it. */
export interface HaveNotice {
  readonly start: number
  /** Blocks announced; with a bitfield, blocks that it speaks of. */
  readonly length: number
  readonly bitfield: Uint8Array | null
  readonly ack: boolean
}

/** Two signed histories of one key that contradict each other. */
export interface ForkEvidence {
  /** The tree node that both histories cover with different hashes. */
  readonly treeIndex: number
  /** Hash stored here, and hash that was proven by the other history. */
  readonly ours: Uint8Array
  readonly theirs: Uint8Array
  /** Length and signature of the other history. */
  readonly length: number
  readonly signature: Uint8Array | null
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
  /** The log is closed. */
  close: []
  /** The key signed two histories. */
  fork: [ForkEvidence]
  'peer-add': [LogPeer]
  'peer-open': [LogPeer]
  'peer-remove': [LogPeer]
  'peer-ack': [LogPeer, HaveNotice]
  'remote-update': [LogPeer]
  /** A connection began to carry this log. */
  replicating: [connection: unknown]
}
