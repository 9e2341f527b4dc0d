/**
 * Figures of a log and its peers, as a plain object.
 *
 *     const figures = metrics(log)
 *     figures.peers[0].connection.bytesReceived
 *
 * Reading them costs a walk over peers and waiting wishes, and nothing is counted for them that is not counted
 * anyway. Whoever wants to know at once listens: `upload` and `download` (a block), `peer-add`, `peer-open`,
 * `peer-remove`, `remote-update` of the log, `error` of a connection (its code is the reason).
 *
 * @see open-metrics.ts for the same as text, watch-metrics.ts for changes as events, explain.ts for why a read waits
 * @module
 */
import { toHex } from '../bytes.ts'
import type { TransferStats } from '../log/replicator.ts'
import type { Nuisance } from './allowance.ts'
import type { Connection } from './connection.ts'
import type { Peer } from './exchange/peer.ts'
import type { ReplicatedLog } from './exchange/replicated-log.ts'
import { failureOf, Replication } from './replication.ts'

/** Figures of one connection. */
export interface ConnectionMetrics {
  readonly bytesSent: number
  readonly bytesReceived: number
  /** Channels open on either side. */
  readonly channels: number
  /** Output waits for the transport. */
  readonly congested: boolean
  /** Messages that were charged to its allowance (allowance.ts), by reason: most of them meant nothing. */
  readonly charged: Readonly<Partial<Record<Nuisance, number>>>
  /** Code of the error that ended it; null while there is none. */
  readonly failure: string | null
}

/** Figures of one peer: one log on one connection. */
export interface PeerMetrics extends Readonly<TransferStats> {
  /** Hex of its static key; null without a handshake. */
  readonly remotePublicKey: string | null
  readonly remoteAddress: string | null
  /** Both sides have the log open. */
  readonly open: boolean
  readonly remoteLength: number
  readonly requestsSent: number
  readonly requestsReceived: number
  /** Our Requests that are not answered. */
  readonly requestsInFlight: number
  /** Milliseconds since the oldest of them was sent; null when there is none. */
  readonly oldestRequestMs: number | null
  /** Its Requests that wait for their answer. */
  readonly requestsQueued: number
  /** Our Wants that are not answered. */
  readonly wantsInFlight: number
  readonly connection: ConnectionMetrics
}

/** A reader that stands still. */
export interface WaitMetrics {
  readonly type: 'block' | 'length' | 'seek'
  /** The block, the length, or the byte. */
  readonly wanted: number
  /** Milliseconds since the first reader waits for it; null when the log does not say. */
  readonly waitedMs: number | null
}

/** Figures of one log. */
export interface LogMetrics extends Readonly<TransferStats> {
  /** Hex: what the log is called here, since its key is a secret. Empty before it is known. */
  readonly discoveryKey: string
  readonly length: number
  readonly byteLength: number
  /** The longest length that a connected peer told. */
  readonly remoteLength: number
  readonly requestsSent: number
  readonly requestsReceived: number
  /** Readers that stand still. */
  readonly waiting: readonly WaitMetrics[]
  /** Downloads that are on. */
  readonly selections: number
  /** How peers that are gone ended: by code of the error, `none` without one. */
  readonly endings: Readonly<Record<string, number>>
  readonly peers: readonly PeerMetrics[]
}

/** What there is to tell of `log` now. Counters begin when the log is opened. */
export function metrics(log: ReplicatedLog): LogMetrics {
  const { replicator } = log
  const replication = replicator instanceof Replication ? replicator : null
  const peers = (replication?.peers ?? []).map(peerMetrics)
  const sum = (of: (peer: PeerMetrics) => number): number =>
    peers.reduce((total, peer) => total + of(peer), 0)
  const past = replication?.past ?? { requestsSent: 0, requestsReceived: 0 }
  return {
    discoveryKey: log.discoveryKey ? toHex(log.discoveryKey) : '',
    length: log.length,
    byteLength: log.byteLength,
    remoteLength: peers.reduce((longest, peer) => Math.max(longest, peer.remoteLength), 0),
    ...(log.stats?.totals ?? NO_STATS),
    requestsSent: past.requestsSent + sum((peer) => peer.requestsSent),
    requestsReceived: past.requestsReceived + sum((peer) => peer.requestsReceived),
    waiting: waitsOf(log),
    selections: log.wishes.selections.size,
    endings: Object.fromEntries(replication?.endings ?? []),
    peers,
  }
}

/** What there is to tell of a connection now, also after its end. */
export function connectionMetrics(connection: Connection): ConnectionMetrics {
  return {
    bytesSent: connection.bytesSent,
    bytesReceived: connection.bytesReceived,
    channels: connection.channelCount,
    congested: connection.congested,
    charged: Object.fromEntries(connection.allowance.counts),
    failure: failureOf(connection),
  }
}

const NO_STATS: TransferStats = {
  uploadedBlocks: 0,
  uploadedBytes: 0,
  downloadedBlocks: 0,
  downloadedBytes: 0,
}

function peerMetrics(peer: Peer): PeerMetrics {
  const { connection, downloader, uploader, window } = peer
  const { oldest } = window
  return {
    ...peer.stats,
    remotePublicKey: peer.remotePublicKey && toHex(peer.remotePublicKey),
    remoteAddress: peer.remoteAddress,
    open: peer.isOpen,
    remoteLength: peer.remoteLength,
    requestsSent: downloader.asked,
    requestsReceived: uploader.asked,
    requestsInFlight: window.size,
    oldestRequestMs: oldest && connection.timers.now() - oldest.sentAt,
    requestsQueued: uploader.queued,
    wantsInFlight: downloader.wants.unanswered,
    connection: connectionMetrics(connection),
  }
}

function waitsOf({ wishes }: ReplicatedLog): WaitMetrics[] {
  return Array.from(wishes.waiting, (wish) => {
    const waitedMs = wishes.waitedMs?.(wish) ?? null
    switch (wish.type) {
      case 'block':
        return { type: wish.type, wanted: wish.index, waitedMs }
      case 'length':
        return { type: wish.type, wanted: wish.minLength, waitedMs }
      case 'seek':
        return { type: wish.type, wanted: wish.byteOffset, waitedMs }
    }
  })
}
