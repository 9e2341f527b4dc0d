/**
 * Why a read still waits.
 *
 *     explain(log, { type: 'block', index: 7 }).text
 *     // block 7 was asked of 10.0.0.5 1204 ms ago
 *
 * @module
 */
import type { Wish } from '../log/wish.ts'
import type { Peer } from './exchange/peer.ts'
import type { ReplicatedLog } from './exchange/replicated-log.ts'
import { Replication } from './replication.ts'

/** What stands between a wish and its peer. */
export type PeerReason =
  /** It has not opened the log on its side. */
  | 'opening'
  /** It answers no requests, or we send it none: switched off. */
  | 'uploading-off'
  /** It has not told yet what it has there. */
  | 'asked-what-it-has'
  /** It does not have it, as far as it told. */
  | 'without'
  /** It was asked and has not answered. */
  | 'requested'
  /** It has it, and will be asked as soon as it answers something else. */
  | 'busy'

/** The same of the wish as a whole: the best that any peer gives. */
export type WaitReason =
  PeerReason | 'met' | 'closed' | 'log-opening' | 'downloading-off' | 'no-peers'

/** What one peer has to do with it. */
export interface PeerExplanation {
  readonly remoteAddress: string | null
  readonly reason: PeerReason
  /** With `requested`: milliseconds since then. */
  readonly sinceMs: number | null
}

/** Why a wish is not met. */
export interface Explanation {
  readonly reason: WaitReason
  /** The same in words, for people. */
  readonly text: string
  /** Milliseconds that somebody has waited; null when nobody does. */
  readonly waitedMs: number | null
  readonly peers: readonly PeerExplanation[]
}

/** From what is nearest to an answer to what is farthest. */
const ORDER: readonly PeerReason[] = [
  'requested',
  'busy',
  'asked-what-it-has',
  'opening',
  'uploading-off',
  'without',
]

/**
 * Why `wish` is not met. One like it will do: `{ type: 'block', index: 7 }` explains a `get(7)`.
 *
 * @param wish - one of `log.wishes`, or one like it
 */
export function explain(log: ReplicatedLog, wish: Wish): Explanation {
  const { replicator } = log
  const replication = replicator instanceof Replication ? replicator : null
  const own = [...log.wishes.waiting, ...log.wishes.selections].find((each) => isLike(each, wish))
  const wanted = own ?? wish
  const peers = replication?.peers.map((peer) => explainPeer(replication, peer, wanted)) ?? []
  const best = ORDER.map((reason) => peers.find((peer) => peer.reason === reason)).find(Boolean)
  const reason = stateOf(log, wanted) ?? best?.reason ?? 'no-peers'
  const waits = wanted.type === 'range' || wanted.type === 'blocks' ? null : wanted
  const waitedMs = (waits && log.wishes.waitedMs?.(waits)) ?? null
  return { reason, text: textOf(wanted, reason, best, peers.length), waitedMs, peers }
}

/** What has nothing to do with peers; null when only they are waited for. */
function stateOf(log: ReplicatedLog, wish: Wish): WaitReason | null {
  if (log.closed) return 'closed'
  if (!log.opened) return 'log-opening'
  if (isMet(log, wish)) return 'met'
  return log.downloading ? null : 'downloading-off'
}

function isMet(log: ReplicatedLog, wish: Wish): boolean {
  switch (wish.type) {
    case 'block':
      return log.has(wish.index)
    case 'length':
      return log.length >= wish.minLength
    case 'range':
      return wish.end !== Infinity && log.nextMissing(wish.start, wish.end) < 0
    case 'blocks':
      return wish.blocks.every((index) => log.has(index))
    case 'seek':
      return false
  }
}

function explainPeer(replication: Replication, peer: Peer, wish: Wish): PeerExplanation {
  const { remoteAddress, connection, remote, downloader } = peer
  const plain = (reason: PeerReason): PeerExplanation => ({ remoteAddress, reason, sinceMs: null })
  if (!peer.isOpen) return plain('opening')
  if (!remote.uploading || !peer.downloading) return plain('uploading-off')
  for (const request of peer.window) {
    const { index, hash, seek, sentAt } = request
    if (!answers(wish, index, hash, seek)) continue
    return { remoteAddress, reason: 'requested', sinceMs: connection.timers.now() - sentAt }
  }
  if (replication.scheduler.couldMeet(peer, wish)) return plain('busy')
  return plain(downloader.wants.unanswered > 0 ? 'asked-what-it-has' : 'without')
}

/** Whether the answer to this request is, or leads to, what is wished for. */
function answers(wish: Wish, index: number, hash: boolean, seek: Wish | null): boolean {
  switch (wish.type) {
    case 'block':
      return !hash && index === wish.index
    case 'length':
      return seek === null && index >= wish.minLength - 1
    case 'seek':
      return seek !== null && isLike(seek, wish)
    case 'range':
      return index >= wish.start && index < wish.end && hash === wish.hash
    case 'blocks':
      return !hash && wish.blocks.includes(index)
  }
}

function isLike(one: Wish, other: Wish): boolean {
  if (one === other) return true
  if (one.type === 'block') return other.type === 'block' && one.index === other.index
  if (one.type === 'length') return other.type === 'length' && one.minLength === other.minLength
  return one.type === 'seek' && other.type === 'seek' && one.byteOffset === other.byteOffset
}

function textOf(
  wish: Wish,
  reason: WaitReason,
  best: PeerExplanation | undefined,
  peers: number,
): string {
  const what = nameOf(wish)
  const who = best?.remoteAddress ?? 'a peer'
  switch (reason) {
    case 'met':
      return `${what}: here`
    case 'closed':
      return 'the log is closed'
    case 'log-opening':
      return 'the log is opening'
    case 'downloading-off':
      return 'downloading is switched off here'
    case 'no-peers':
      return `${what}: no peer is connected`
    case 'opening':
      return `${what}: ${who} has not opened the log yet`
    case 'uploading-off':
      return `${what}: none of ${peers} peers uploads`
    case 'asked-what-it-has':
      return `${what}: ${who} was asked what it has`
    case 'without':
      return `${what}: none of ${peers} peers has it`
    case 'requested':
      return `${what}: asked of ${who} ${Math.round(best?.sinceMs ?? 0)} ms ago`
    case 'busy':
      return `${what}: ${who} has it, and has other requests to answer first`
  }
}

function nameOf(wish: Wish): string {
  switch (wish.type) {
    case 'block':
      return `block ${wish.index}`
    case 'length':
      return `a log of ${wish.minLength} blocks`
    case 'seek':
      return `byte ${wish.byteOffset}`
    case 'range':
      return `blocks ${wish.start} to ${wish.end}`
    case 'blocks':
      return `${wish.blocks.length} blocks`
  }
}
