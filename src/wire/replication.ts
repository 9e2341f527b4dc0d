/**
 * One log and all its peers: who shares the work, who is told of what, and when everything is here.
 *
 * @see spec/20-wire.md 3.4 to 3.10
 * @module
 */
import type { Replicator } from '../log/replicator.ts'
import type { LogPeer } from '../log/replicator.ts'
import type { Wish } from '../log/wish.ts'
import type { Connection } from './connection.ts'
import { WireError } from './errors.ts'
import { LATE_MS } from './exchange/overdue.ts'
import { Peer } from './exchange/peer.ts'
import type { Exchange, PeerOptions } from './exchange/peer.ts'
import type { ReplicatedLog } from './exchange/replicated-log.ts'
import { DEFAULT_WINDOW } from './exchange/request-window.ts'
import type { Outstanding } from './exchange/request-window.ts'
import { Reservations } from './exchange/reservations.ts'
import { Scheduler } from './exchange/scheduler.ts'

/**
 * At the end of a download its slowest source would be waited for. A peer with nothing to do is asked for what another
 * owes and will not give for so many times its own best answer, and so many milliseconds more.
 */
const FAR_TIMES = 4
const FAR_MS = 50

/** How one log is replicated on one connection. */
export interface LogOptions {
  /** Stay when both sides have everything (false). */
  readonly live?: boolean | undefined
  /** Ask the remote to acknowledge every block: event `ack` of the connection (false). */
  readonly ack?: boolean | undefined
  /** Ask for blocks (the log's setting). */
  readonly download?: boolean | undefined
  /** Answer requests (the log's setting). */
  readonly upload?: boolean | undefined
  /** Requests in flight at once; left out: 16 and more as answers come. */
  readonly maxRequests?: number | undefined
  /** Decide whether the holder of this static key gets the log; an error refuses, the connection stays. */
  readonly onfeedauthenticate?:
    | ((
        log: ReplicatedLog,
        remotePublicKey: Uint8Array,
        done: (error?: Error | null) => void,
      ) => void)
    | null
    | undefined
  /** For tests and vectors: a number in [0, 1), for the order of blocks. */
  readonly random?: (() => number) | undefined
}

/** All peers of one log; attached to it as its replicator. */
export class Replication implements Replicator, Exchange {
  readonly log: ReplicatedLog
  readonly reserved: Reservations = new Reservations()
  readonly scheduler: Scheduler
  /** How connections of peers that are gone had ended: codes of errors, or `none`. */
  readonly endings: Map<string, number> = new Map()
  /** Requests sent to and taken from peers that are gone. */
  readonly past: { requestsSent: number; requestsReceived: number } = {
    requestsSent: 0,
    requestsReceived: 0,
  }
  /** Replaced when it changes, so that it can be walked while peers leave. */
  #peers: readonly Peer[] = []
  #downloading: boolean
  #uploading: boolean

  /** The replication of `log`: the one that is attached, or a new one. */
  static of(log: ReplicatedLog, random: () => number = Math.random): Replication {
    if (log.replicator instanceof Replication) return log.replicator
    const replication = new Replication(log, random)
    log.attach(replication)
    return replication
  }

  private constructor(log: ReplicatedLog, random: () => number) {
    this.log = log
    this.scheduler = new Scheduler(log, this.reserved, random)
    this.#downloading = log.downloading
    this.#uploading = log.uploading
  }

  get peers(): readonly Peer[] {
    return this.#peers
  }

  get complete(): boolean {
    let length = this.log.length
    for (const peer of this.#peers) length = Math.max(length, peer.remoteLength)
    for (const selection of this.log.wishes.selections) {
      if (!this.scheduler.isMet(selection, length)) return false
    }
    return true
  }

  /**
   * Put the log on a connection. Attaching it twice does nothing. What fails ends the connection; a remote that
   * may not have the log is told so, and the connection stays.
   */
  add(connection: Connection, options: LogOptions): void {
    const releases = [this.log.guard.hold(), connection.prefinalize.hold()]
    const done = (): void => {
      for (const release of releases) release()
    }
    if (this.log.opened) this.#attach(connection, options, done)
    else {
      this.log.ready().then(
        () => this.#attach(connection, options, done),
        (cause: unknown) => {
          done()
          connection.destroy(new WireError('WIRE_LOG_FAILED', 'the log did not open', { cause }))
        },
      )
    }
  }

  update(): void {
    // Readers who stand still are served by whoever has answered fastest, if it has what they want.
    const first =
      this.#peers.length > 1 && this.log.wishes.waiting.size > 0 ? this.#fastest() : null
    first?.update()
    for (const peer of this.#peers) if (peer !== first) peer.update()
    this.#relieve()
  }

  removed(peer: Peer): void {
    if (!this.#peers.includes(peer)) return
    this.#peers = this.#peers.filter((other) => other !== peer)
    const ending = failureOf(peer.connection) ?? 'none'
    this.endings.set(ending, (this.endings.get(ending) ?? 0) + 1)
    this.past.requestsSent += peer.downloader.asked
    this.past.requestsReceived += peer.uploader.asked
    this.scheduler.changed()
    this.log.emit('peer-remove', peer)
    this.log.peersChanged()
    this.update()
  }

  wishesChanged(): void {
    this.scheduler.changed()
    this.update()
  }

  appended(start: number, length: number): void {
    if (length === 0) return
    for (const peer of this.#peers) peer.uploader.announce(start, length)
    this.update()
  }

  stored(indices: readonly number[], source: LogPeer | null): void {
    if (this.#peers.length === 0) return
    for (const [start, length] of runsOf(indices)) {
      for (const peer of this.#peers) if (peer !== source) peer.uploader.announce(start, length)
    }
    // A batch from a peer is followed by its `advanced`.
    if (source === null) this.update()
  }

  cleared(start: number, length: number): void {
    for (const peer of this.#peers) peer.uploader.withdraw(start, length)
    this.scheduler.cleared(start, start + length)
    this.update()
  }

  lost(start: number, length: number): void {
    for (const peer of this.#peers) peer.uploader.withdraw(start, length)
    this.wishesChanged()
  }

  switched(): void {
    const { downloading, uploading } = this.log
    const turned = downloading !== this.#downloading
    const opened = uploading !== this.#uploading
    this.#downloading = downloading
    this.#uploading = uploading
    for (const peer of this.#peers) {
      peer.switched(turned ? downloading : peer.downloading, opened ? uploading : peer.uploading)
    }
    this.log.peersChanged()
  }

  extensionsChanged(): void {
    for (const peer of this.#peers) peer.advertise()
  }

  canMeet(wish: Wish): boolean {
    if (wish.type === 'length' && this.log.length >= wish.minLength) return true
    return this.#peers.some((peer) => this.scheduler.couldMeet(peer, wish))
  }

  closed(): void {
    for (const peer of this.#peers) peer.channel.close()
  }

  #attach(connection: Connection, options: LogOptions, done: () => void): void {
    const { key, discoveryKey } = this.log
    if (
      connection.destroyed ||
      this.log.closed ||
      !key ||
      !discoveryKey ||
      connection.opened(key)
    ) {
      return done()
    }
    const { onfeedauthenticate } = options
    if (!onfeedauthenticate || !connection.hasHandshake) {
      this.#open(connection, key, discoveryKey, options)
      return done()
    }
    const ask = (): void => {
      const { remotePublicKey } = connection
      if (remotePublicKey === null) return done()
      onfeedauthenticate(this.log, remotePublicKey, (error) => {
        if (!connection.destroyed && !connection.opened(key)) {
          if (error || this.log.closed) connection.close(discoveryKey)
          else this.#open(connection, key, discoveryKey, options)
        }
        done()
      })
    }
    if (connection.handshaken) return ask()
    connection.once('handshake', ask)
    connection.once('close', done)
  }

  #open(
    connection: Connection,
    key: Uint8Array,
    discoveryKey: Uint8Array,
    options: LogOptions,
  ): void {
    if (connection.remoteOpened(key) && !connection.remoteVerified(key)) {
      return connection.close(discoveryKey)
    }
    if (this.#peers.length >= connection.limits.connectionsPerLog) {
      // Where it is about this log alone, the connection has no more use.
      if (connection.channels.some((channel) => channel.opened)) connection.close(discoveryKey)
      else connection.destroy(new WireError('WIRE_LIMIT', 'too many connections of one log'))
      return
    }
    const peer = new Peer(this, connection, key, this.#peerOptions(options))
    this.#peers = [...this.#peers, peer]
    this.log.emit('peer-add', peer)
    if (peer.remoteOpened) peer.open()
    this.log.emit('replicating', connection)
  }

  #peerOptions(options: LogOptions): PeerOptions {
    const { maxRequests } = this.log
    return {
      live: options.live === true,
      ack: options.ack === true,
      download: options.download ?? this.log.downloading,
      upload: options.upload ?? this.log.uploading,
      maxRequests: options.maxRequests ?? (maxRequests === DEFAULT_WINDOW ? null : maxRequests),
    }
  }

  /** The peer that answers soonest at best. One that was never asked comes first, or nobody would ever know. */
  #fastest(): Peer | null {
    let fastest: Peer | null = null
    let least = Infinity
    for (const peer of this.#peers) {
      const { bestMs, size } = peer.window
      const ms = bestMs === Infinity && size === 0 ? 0 : bestMs
      if (ms >= least) continue
      least = ms
      fastest = peer
    }
    return fastest
  }

  /** Blocks that a late peer owes are asked of peers that have nothing else to do. */
  #relieve(): void {
    if (this.#peers.length < 2) return
    const idle = this.#peers.filter((peer) => this.scheduler.isDry(peer))
    if (idle.length === 0) return
    for (const late of this.#peers) {
      const { window } = late
      const now = late.channel.connection.timers.now()
      for (const request of window.blocks()) {
        if (request.late || this.log.has(request.index)) continue
        const other = idle.find((peer) => peer !== late && mayRelieve(peer, late, request, now))
        if (other === undefined) continue
        request.late = true
        other.askAgain(request.index)
      }
    }
  }
}

/** Whether `peer` should be asked for what `late` owes: it is overdue, or not to be expected nearly as soon. */
function mayRelieve(peer: Peer, late: Peer, request: Outstanding, now: number): boolean {
  const age = now - request.sentAt
  const left = late.window.usualMs - age
  const isFar = left < Infinity && left > FAR_TIMES * peer.window.bestMs + FAR_MS
  return (isFar || age >= LATE_MS) && mayTake(peer, request.index)
}

/** The code of the error that a connection ended with; null while it has not, or without one. */
export function failureOf(connection: Connection): string | null {
  const error: unknown = connection.errored
  if (!(error instanceof Error)) return null
  return 'code' in error ? String(error.code) : error.name
}

function mayTake(peer: Peer, index: number): boolean {
  const { window } = peer
  if (!peer.canAsk || window.size >= window.limit || window.has(index, false)) return false
  return peer.remote.blocks.has(index)
}

/** `[start, length]` of each run of neighbours. */
function runsOf(indices: readonly number[]): [number, number][] {
  const runs: [number, number][] = []
  let run: [number, number] | null = null
  for (const index of indices.toSorted((a, b) => a - b)) {
    if (run !== null && run[0] + run[1] === index) run[1]++
    else runs.push((run = [index, 1]))
  }
  return runs
}
