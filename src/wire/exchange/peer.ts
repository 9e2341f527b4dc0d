/**
 * One log on one connection: takes the messages of a channel and hands them to the small machines that
 * know what to do (remote state, downloader, uploader, ending).
 *
 * @see spec/20-wire.md 3.5 to 3.11
 * @module
 */
import type { LogPeer, TransferStats } from '../../log/replicator.ts'
import type { SeekWish } from '../../log/wish.ts'
import type { Channel, ChannelHandlers } from '../channel.ts'
import type { Connection } from '../connection.ts'
import type { WireError } from '../errors.ts'
import type { Data, Have, Options, Request, Status, Unhave, Want } from '../messages.ts'
import { Downloader } from './downloader.ts'
import type { DownloadOwner } from './downloader.ts'
import { endsOnStatus, endStep, isDone } from './ending.ts'
import type { EndState } from './ending.ts'
import { Overdue } from './overdue.ts'
import type { Debtor } from './overdue.ts'
import { RemoteState } from './remote-state.ts'
import type { ReplicatedLog } from './replicated-log.ts'
import type { RequestWindow } from './request-window.ts'
import type { Reservations } from './reservations.ts'
import type { Scheduler, Source } from './scheduler.ts'
import { Uploader } from './uploader.ts'
import type { UploadOwner } from './uploader.ts'

/** What a peer takes from the call that made it. */
export interface PeerOptions {
  readonly live: boolean
  readonly ack: boolean
  readonly download: boolean
  readonly upload: boolean
  /** A fixed window, or `null` for one that grows. */
  readonly maxRequests: number | null
}

/** What all peers of one log share. */
export interface Exchange {
  readonly log: ReplicatedLog
  readonly reserved: Reservations
  readonly scheduler: Scheduler
  /** Everything is held, as far as the log and all its peers go. */
  readonly complete: boolean
  /** Look at every peer again. */
  update(): void
  /** The channel is over. */
  removed(peer: Peer): void
}

/** Bytes that are as much work to ignore as a message. */
const BYTES_A_POINT = 4096
/** Haves of one chunk that are acted on at once; the others wait for its end. */
const HAVES_AT_ONCE = 8

/** The remote end of one channel. */
export class Peer implements LogPeer, DownloadOwner, UploadOwner, Debtor, Source {
  readonly remote: RemoteState = new RemoteState()
  readonly stats: TransferStats = {
    uploadedBlocks: 0,
    uploadedBytes: 0,
    downloadedBlocks: 0,
    downloadedBytes: 0,
  }
  downloading: boolean
  uploading: boolean
  remoteAck = false
  readonly channel: Channel
  readonly log: ReplicatedLog
  readonly downloader: Downloader
  readonly uploader: Uploader
  readonly #exchange: Exchange
  readonly #options: PeerOptions
  readonly #overdue: Overdue
  #remoteExtensions: readonly string[] | null = null
  #opened = false
  /** Haves of this chunk; beyond `HAVES_AT_ONCE` when there is something to look at after it. */
  #havesOfBatch = 0
  #probing: 'not-yet' | 'wanted' | 'asked' = 'not-yet'
  readonly #releaseOpening: () => void

  /** Opens the log of `exchange` on `connection`. */
  constructor(exchange: Exchange, connection: Connection, key: Uint8Array, options: PeerOptions) {
    this.#exchange = exchange
    this.#options = options
    this.log = exchange.log
    this.downloading = options.download
    this.uploading = options.upload
    this.#releaseOpening = this.log.guard.hold()
    this.downloader = new Downloader(this, this.log, exchange.reserved, options.maxRequests)
    this.uploader = new Uploader(this, this.log)
    this.channel = connection.open(key, this.#handlers())
    this.#overdue = new Overdue(this)
  }

  get connection(): Connection {
    return this.channel.connection
  }

  get isOpen(): boolean {
    return this.#opened
  }

  get remotePublicKey(): Uint8Array | null {
    return this.connection.remotePublicKey
  }

  get remoteAddress(): string | null {
    return this.connection.remoteAddress
  }

  get remoteType(): string {
    return this.connection.remoteType
  }

  get remoteOpened(): boolean {
    return this.channel.remoteOpened
  }

  get remoteLength(): number {
    return this.remote.length
  }

  get window(): RequestWindow {
    return this.downloader.window
  }

  get canAsk(): boolean {
    return this.#opened && this.downloading && this.remote.uploading && !this.channel.closed
  }

  extension(id: number, message: Uint8Array): void {
    if (!this.channel.closed) this.channel.extension(id, message)
  }

  /** The open step: both sides are open. Idempotent (quirk Q-9). */
  open(): void {
    if (this.#opened || this.channel.closed) return
    this.#opened = true
    const { names } = this.log.extensions
    if (this.#options.ack || names.length > 0) this.advertise()
    if (!this.uploading || !this.downloading) this.#sendStatus(this.uploading)
    if (this.canAsk) this.#sendWants()
    this.#releaseOpening()
    this.log.emit('peer-open', this)
    this.log.peersChanged()
    this.#probe()
    this.update()
  }

  /** Ask for what is due, and end when there is nothing left. */
  update(): void {
    if (!this.#opened || this.channel.closed) return
    this.#schedule()
    if (this.#isDone()) this.#end()
  }

  ask(index: number, hash: boolean, seek: SeekWish | null): void {
    this.downloader.ask(index, hash, seek)
    this.#overdue.arm()
  }

  /** Ask although another peer was asked already, because that one is late. */
  askAgain(index: number): void {
    this.downloader.ask(index, false, null, true)
    this.#overdue.arm()
  }

  /** Send the names of our extensions. */
  advertise(): void {
    if (!this.#opened) return
    this.channel.options({ extensions: this.log.extensions.names, ack: this.#options.ack })
  }

  /** The log's switches were turned; they override the peer's own. */
  switched(downloading: boolean, uploading: boolean): void {
    if (this.downloading === downloading && this.uploading === uploading) return
    if (!uploading) this.uploader.stop()
    this.downloading = downloading
    this.uploading = uploading
    if (!this.#opened) return
    this.#sendStatus(uploading)
    this.#exchange.scheduler.sourceChanged(this)
    this.update()
  }

  fail(error: WireError): void {
    this.connection.destroy(error)
  }

  giveUpOpening(): void {
    this.#releaseOpening()
  }

  refuse(index: number): void {
    this.uploader.refuse(index)
  }

  served(): void {
    this.update()
  }

  advanced(changed: boolean): void {
    if (changed) this.#exchange.scheduler.changed()
    this.#exchange.update()
  }

  #handlers(): ChannelHandlers {
    return {
      onopen: () => this.open(),
      onclose: () => this.#onclose(),
      onoptions: (message) => this.#onoptions(message),
      onstatus: (message) => this.#onstatus(message),
      onhave: (message) => this.#onhave(message),
      onunhave: (message) => this.#onunhave(message),
      onwant: (message: Want) => this.uploader.want(message),
      onrequest: (message: Request) => this.uploader.request(message),
      oncancel: (message) => this.uploader.cancel(message),
      onunwant: () => this.connection.allowance.spend('cancel'),
      ondata: (message: Data) => this.downloader.data(message),
      onextension: (id, message) => this.#onextension(id, message),
      onbatchend: () => this.#onbatchend(),
      ondrain: () => this.uploader.pump(),
    }
  }

  #onclose(): void {
    this.#releaseOpening()
    this.downloader.stop()
    this.uploader.stop()
    this.#overdue.stop()
    this.#exchange.removed(this)
  }

  #onoptions(message: Options): void {
    this.#remoteExtensions = message.extensions
    this.remoteAck = message.ack
  }

  #onstatus(message: Status): void {
    this.connection.allowance.spend('status', 8)
    const couldAsk = this.canAsk
    const { farewell } = this.remote.status(message)
    this.#exchange.scheduler.sourceChanged(this)
    if (!this.remote.uploading && couldAsk) {
      this.downloader.dropAll()
      this.downloader.wants.reset()
      this.#exchange.scheduler.changed()
      this.#exchange.update()
    }
    this.log.peersChanged()
    this.update()
    // It has all that it wanted and gives nothing: there is nothing left to wait for.
    if (farewell && !this.remote.uploading && this.downloading && !this.#isLasting()) this.#end()
    this.#probe()
    if (endsOnStatus(this.#endState())) this.#end()
  }

  #onhave(message: Have): void {
    this.log.emit('peer-ack', this, message)
    const { start, ack, bitfield } = message
    if (this.#options.ack && ack && bitfield === null && this.log.has(start)) {
      this.connection.emit('ack', message)
      return
    }
    const news = this.downloader.have(message)
    this.#exchange.scheduler.sourceChanged(this)
    if (news) this.log.emit('remote-update', this)
    this.log.peersChanged()
    this.#probe()
    if (++this.#havesOfBatch <= HAVES_AT_ONCE) this.update()
  }

  /**
   * A writer does not download, so two copies of one would meet and never compare. Where neither side downloads,
   * a writer asks for the remote's head, once, and the log sees whether it is its own.
   */
  #probe(): void {
    const { log, remote, downloader, uploader } = this
    if (!this.#opened || this.channel.closed) return
    if (this.#probing === 'not-yet') {
      if (!log.writable || log.length === 0 || this.downloading) return
      // Without `live` it is over at once, as in v10; and a remote that asked for blocks is a reader.
      if (!this.#options.live || uploader.remoteWant) return
      if (remote.downloading || !remote.uploading) return
      this.#probing = 'wanted'
      this.#sendWants()
    } else if (this.#probing === 'wanted' && downloader.wants.unanswered === 0) {
      this.#probing = 'asked'
      if (downloader.probe()) this.#overdue.arm()
    }
  }

  #onextension(id: number, message: Uint8Array): void {
    const names = this.#remoteExtensions
    if (names !== null && this.log.extensions.receive(id, names, message, this)) return
    this.connection.allowance.spend('extension', 1 + Math.floor(message.length / BYTES_A_POINT))
  }

  #onunhave(message: Unhave): void {
    this.#exchange.scheduler.sourceChanged(this)
    this.downloader.unhave(message)
    this.log.peersChanged()
    this.#havesOfBatch += HAVES_AT_ONCE + 1
  }

  #onbatchend(): void {
    const later = this.#havesOfBatch > HAVES_AT_ONCE
    this.#havesOfBatch = 0
    // The next requests leave before what came is on disk.
    if (this.downloader.flush()) this.#schedule()
    if (later) this.update()
    this.uploader.pump()
  }

  #schedule(): void {
    const { scheduler } = this.#exchange
    if (!this.canAsk) return
    const dry = scheduler.schedule(this)
    if (this.channel.closed || this.window.size >= this.window.urgentLimit) return
    if (!dry || this.downloader.wants.unanswered === 0) this.#sendWants()
  }

  #sendWants(): void {
    this.downloader.sendWants()
    if (this.downloader.wants.unanswered > 0) this.#overdue.arm()
  }

  #isDone(): boolean {
    if (this.#options.live || this.log.sparse || !this.downloading) return false
    return isDone({
      ...this.#endState(),
      wantsAnswered: this.downloader.wants.unanswered === 0,
      idle: this.window.size === 0 && !this.downloader.storing,
      dry: this.#exchange.scheduler.isDry(this),
      complete: () => this.#exchange.complete,
    })
  }

  #isLasting(): boolean {
    return this.#options.live || this.log.sparse
  }

  #endState(): EndState {
    return {
      live: this.#options.live,
      sparse: this.log.sparse,
      downloading: this.downloading,
      remoteDownloading: this.remote.downloading,
      remoteUploading: this.remote.uploading,
      hasSelections: this.log.wishes.selections.size > 0,
    }
  }

  #end(): void {
    if (this.channel.closed) return
    const step = endStep(this.#endState(), this.#options.download)
    if (step === 'say-done') {
      this.downloading = false
      // "Uploading" whatever the truth is (quirk Q-5).
      return this.#sendStatus(true)
    }
    if (step === 'say-nothing-and-close')
      this.channel.status({ uploading: false, downloading: false })
    this.channel.close()
  }

  #sendStatus(uploading: boolean): void {
    this.channel.status({ uploading, downloading: this.downloading })
  }
}
