/**
 * One encrypted stream between two peers, with any number of logs on it: the shell around the line
 * (bytes) and the channels (logs), which own no stream and no socket.
 *
 *     socket.pipe(connection).pipe(socket)
 *
 * Everything written in one turn of the event loop leaves as one buffer. Whatever goes wrong in here, be it
 * a peer's bytes or a program's handler, destroys the connection with a {@link WireError} and nothing else; without
 * a listener for `error` it is only kept in `errored`, because a stranger must not be able to end the process.
 *
 * Events beside those of a stream: `handshake`, `discovery-key` (bytes), `remote-open` (bytes), `duplex-channel`
 * (channel), `extensions` (names), `ack` (Have), `prefinalize`, `timeout`.
 *
 * @see spec/20-wire.md 3.1 to 3.3 and 4.1
 * @module
 */
import { Duplex } from 'node:stream'
import { discoveryKey as discoveryKeyOf } from '../crypto.ts'
import { Guard } from '../log/guard.ts'
import { Allowance } from './allowance.ts'
import { Channels } from './channels.ts'
import type { Channel, ChannelHandlers } from './channel.ts'
import { listenersOf, settingsOf } from './connection-options.ts'
import type { ConnectionOptions, Settings } from './connection-options.ts'
import { asWireError, WireError } from './errors.ts'
import type { Limits } from './limits.ts'
import { Line } from './line.ts'
import { hintOf } from './role.ts'
import { StreamExtensions } from './stream-extension.ts'
import type { StreamExtension, StreamExtensionHandlers } from './stream-extension.ts'
import type { Timers } from './timers.ts'
import { Transport } from './transport.ts'
import { Turns } from './turns.ts'

/** Bytes that the transport may have waiting in front of us. */
const INCOMING_BYTES = 65_536

/** The connection: pipe a transport into it, and it into the transport. */
export class Connection extends Duplex {
  /** Holds the connection open while it has no channels and somebody may still open one. */
  readonly prefinalize: Guard = new Guard()
  /** Milliseconds of silence that end the connection; 0 is never. Request timers use it too. */
  readonly timeout: number
  /** The clock and the timers in use. */
  readonly timers: Timers
  /** What the remote may make us hold and do. */
  readonly limits: Limits
  /** What the remote may still say that means nothing. */
  readonly allowance: Allowance
  /** Who reads blocks for this connection. */
  readonly turns: Turns = new Turns()
  readonly #settings: Settings
  readonly #line: Line
  readonly #channels: Channels
  readonly #extensions: StreamExtensions
  readonly #transport = new Transport()

  /**
   * @param initiator - who begins the handshake; null or left out: found out (see role.ts)
   * @throws TypeError or RangeError for arguments that make no sense
   */
  constructor(initiator?: boolean | null, options: ConnectionOptions = {}) {
    if (initiator !== null && initiator !== undefined && typeof initiator !== 'boolean') {
      throw new TypeError('initiator: want a boolean, or nothing')
    }
    const settings = settingsOf(options)
    super({
      readableHighWaterMark: settings.limits.outgoingBytes,
      writableHighWaterMark: INCOMING_BYTES,
    })
    this.#settings = settings
    const { limits, timers, timeout } = settings
    this.timeout = timeout
    this.timers = timers
    this.limits = limits
    this.allowance = new Allowance(limits, () => timers.now())
    this.#line = new Line(settings, {
      onauthenticate: options.onauthenticate,
      guarded: (work) => this.#guarded(work),
      handshaken: () => {
        this.emit('handshake')
        return !this.destroyed
      },
      frame: (id, type, bytes, start, end) => {
        this.#channels.receive(id, type, bytes, start, end)
        return !this.destroyed
      },
      batchEnd: () => {
        if (!this.destroyed) this.#channels.batchEnd()
      },
      waiting: () => this.readableLength,
      push: (bytes) => void this.push(bytes),
      drained: () => this.#guarded(() => this.#channels.drained()),
      timedOut: () => this.#timedOut(),
      fail: (error) => void this.destroy(error),
    })
    const { session } = this.#line
    this.#channels = new Channels({
      connection: this,
      session,
      limits,
      discoveryKey: (discoveryKey) => void this.emit('discovery-key', discoveryKey),
      duplexChannel: (channel) => void this.emit('duplex-channel', channel),
      remoteOpen: (discoveryKey) => void this.emit('remote-open', discoveryKey),
      channelClosed: (discoveryKey, key) => options.onchannelclose?.(discoveryKey, key),
      channelGone: () => this.#prefinalize(),
      streamNames: (names) => {
        this.#extensions.receiveNames(names)
        this.emit('extensions', names)
      },
      streamMessage: (id, bytes) => this.#extensions.receive(id, bytes),
    })
    this.#extensions = new StreamExtensions({
      sendNames: (extensions) => session.send(0, 'Options', { extensions }),
      send: (id, message) => session.sendExtension(0, id, message),
    })
    this.on('error', () => {}) // see the header
    this.on('pipe', (source: unknown) => {
      this.#transport.attach(source, this)
      this.#line.hint(hintOf(source))
    })
    for (const [event, listener] of listenersOf(options)) this.on(event, listener)
    this.#line.start(initiator ?? null)
  }

  /** Whether we began the handshake; null while that is being found out. */
  get initiator(): boolean | null {
    return this.#line.session.initiator
  }

  /** Whether bytes after the handshake are enciphered. */
  get encrypted(): boolean {
    return this.#settings.encrypted
  }

  /** Whether there is a handshake, and with it capabilities. */
  get hasHandshake(): boolean {
    return this.#settings.handshake
  }

  /** Whether the handshake is over; always so where there is none. */
  get handshaken(): boolean {
    return !this.hasHandshake || this.#line.session.split !== null
  }

  /** Whether the connection stays when its last channel closes. */
  get live(): boolean {
    return this.#settings.live
  }

  /** Our static key, 32 bytes; null without a handshake, or until `keyPair` answered. */
  get publicKey(): Uint8Array | null {
    return this.#line.greeting.keyPair?.publicKey ?? null
  }

  /** The remote's static key, 32 bytes, once the handshake is over. */
  get remotePublicKey(): Uint8Array | null {
    return this.#line.session.remotePublicKey
  }

  /** 64 bytes, equal on both ends and on no other connection, once the handshake is over. */
  get handshakeHash(): Uint8Array | null {
    return this.#line.session.handshakeHash
  }

  /** Channels that are open on either side. */
  get channels(): readonly Channel[] {
    return this.#channels.all
  }

  /** Their number. */
  get channelCount(): number {
    return this.#channels.count
  }

  /** Bytes given to the transport. */
  get bytesSent(): number {
    return this.#line.outgoing.bytesSent
  }

  /** Bytes taken from the transport. */
  get bytesReceived(): number {
    return this.#line.bytesReceived
  }

  /** Address of the socket piped to, or null; also after it closed. */
  get remoteAddress(): string | null {
    return this.#transport.address
  }

  /** Kind of the socket piped to: `tcp`, `utp` or `unknown`. */
  get remoteType(): string {
    return this.#transport.type
  }

  /** Names of the remote's stream extensions, as it last sent them. */
  get remoteExtensions(): readonly string[] {
    return this.#extensions.remoteNames
  }

  /** Whether more output waits than `limits.outgoingBytes`. Hold back Data then: `ondrain` says when it is over. */
  get congested(): boolean {
    return this.#line.outgoing.congested
  }

  /** Open a log's channel and tell the remote. The one that is there when it is open already. */
  open(key: Uint8Array, handlers?: ChannelHandlers): Channel {
    if (key.length !== 32) throw new RangeError(`key: want 32 bytes, got ${key.length}`)
    if (this.destroyed) throw new WireError('WIRE_CLOSED', 'the connection is destroyed')
    return this.#channels.open(key, handlers)
  }

  /** Close a log's channel; if it is not open here, tell the remote that it will not be. */
  close(discoveryKey: Uint8Array): void {
    if (!this.destroyed) this.#channels.close(discoveryKey)
  }

  /** Whether we have the log with this key open. */
  opened(key: Uint8Array): boolean {
    return this.#channels.get(discoveryKeyOf(key))?.opened ?? false
  }

  /** Whether the remote has the log with this key open. */
  remoteOpened(key: Uint8Array): boolean {
    return this.#channels.get(discoveryKeyOf(key))?.remoteOpened ?? false
  }

  /** Whether the remote has it open and proved that it knows the key. May be asked before we open it. */
  remoteVerified(key: Uint8Array): boolean {
    const channel = this.#channels.get(discoveryKeyOf(key))
    return (
      channel?.remoteOpened === true && this.#line.session.verifies(key, channel.remoteCapability)
    )
  }

  /** Add an extension of the stream itself. @throws TypeError when the name is taken */
  registerExtension(
    name: string,
    handlers?: StreamExtensionHandlers | ((message: unknown) => void),
  ): StreamExtension {
    return this.#extensions.register(name, handlers)
  }

  /** Send one keepalive byte; nothing while the handshake is not over. */
  ping(): void {
    this.#line.session.ping()
  }

  /** End the connection after `ms` of silence from now on; 0 never. The handshake's deadline stays. */
  setTimeout(ms: number, ontimeout?: () => void): void {
    if (ontimeout) this.once('timeout', ontimeout)
    this.#line.liveness.setTimeout(ms)
  }

  /** Send a keepalive after `ms` of sending nothing; 0 never. */
  setKeepAlive(ms: number): void {
    this.#line.liveness.setKeepAlive(ms)
  }

  /** Let the transport wait until the result is called: no timeout meanwhile. Frames here already still come. */
  holdIncoming(): () => void {
    return this.#line.hold()
  }

  /** End our half; what is queued still leaves. The connection closes once the remote ends its half too. */
  finalize(): void {
    if (!this.destroyed) this.#line.outgoing.end()
  }

  /** Pipe to a transport; see `remoteAddress`. */
  override pipe<T extends NodeJS.WritableStream>(target: T, options?: { end?: boolean }): T {
    this.#transport.attach(target, this)
    return super.pipe(target, options)
  }

  /** End everything at once; the remote is told nothing. `error` becomes the event `error`, as it is. */
  override destroy(error?: Error): this {
    // With this, Node's `pipeline` lets go of what it is done with.
    const isDone = error && 'code' in error && error.code === 'ERR_STREAM_DESTROYED'
    return super.destroy(isDone ? undefined : error)
  }

  /** @internal */
  override _read(): void {
    this.#line.read()
  }

  /** @internal */
  override _write(chunk: Uint8Array, _encoding: string, done: () => void): void {
    if (this.bytesReceived === 0) this.#transport.look()
    this.#line.take(chunk, done)
  }

  /** @internal */
  override _final(done: () => void): void {
    this.finalize()
    done()
  }

  /** @internal */
  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#line.stop()
    let failure = error
    this.#channels.destroy((thrown) => (failure ??= asWireError(thrown)))
    this.#line.close()
    // After a clean end on both sides the transport ends by itself.
    if (!this.readableEnded || !this.writableFinished) this.#transport.destroy()
    done(failure)
  }

  #timedOut(): void {
    this.#guarded(() => this.emit('timeout'))
    this.destroy(new WireError('ETIMEDOUT', 'nothing heard in time'))
  }

  #prefinalize(): void {
    if (this.destroyed) return
    this.emit('prefinalize')
    void this.#finalizeWhenIdle()
  }

  async #finalizeWhenIdle(): Promise<void> {
    await this.prefinalize.idle()
    if (this.channelCount === 0 && !this.live) this.finalize()
  }

  /** Do `work`, unless all is over; what it throws ends the connection. */
  #guarded(work: () => void): void {
    if (this.destroyed) return
    try {
      work()
    } catch (error) {
      this.destroy(asWireError(error))
    }
  }
}
