/**
 * One end of a connection as bytes in, frames out, and the other way: handshake, then cipher, then frames.
 *
 *     receive(bytes)  ->  handshake  ->  keystream  ->  frame parser  ->  hooks.frame
 *     send, ping      ->  outbox     ->  keystream  ->  take()
 *
 * Pure: no streams, no timers, no channels. What is sent before the handshake is over waits, in order, and
 * an Open gets its capability only when it leaves. Every method may throw a {@link WireError}: the session
 * is then over.
 *
 * @see spec/20-wire.md 2.3 and 3.1
 * @module
 */
import { concat, copy } from '../bytes.ts'
import { StreamCipher } from '../crypto.ts'
import type { KeyPair } from '../crypto.ts'
import { ownCapability, provesKey } from './capability.ts'
import type { OutgoingMessages } from './channel.ts'
import { FrameParser } from './frame.ts'
import { Handshake } from './handshake.ts'
import type { Limits } from './limits.ts'
import type { Split } from './noise.ts'
import { Outbox } from './outbox.ts'

/** How both ends agreed to talk; it is not negotiated. */
export interface SessionMode {
  /** Encipher what follows the handshake. */
  readonly encrypted: boolean
  /** Have a handshake. */
  readonly handshake: boolean
}

/** Whom a session tells. */
export interface SessionHooks {
  /** Bytes are waiting to be taken. Called often: the shell takes them once a turn. */
  queued(): void
  /** Decide about this static key: call `accept`, or destroy the connection. */
  authenticate(remotePublicKey: Uint8Array): void
  /** The handshake is over. Returns whether to go on. */
  handshake(): boolean
  /** A frame came in; see `FrameSink`. */
  frame(channel: number, type: number, bytes: Uint8Array, start: number, end: number): boolean
}

/** Keys and secrets of a session that has a handshake. */
export interface SessionKeys {
  readonly initiator: boolean | null
  readonly keyPair: KeyPair
  readonly ephemeral: KeyPair
  /** 24 bytes. */
  readonly nonce: Uint8Array
}

/** The session. */
export class Session {
  /** The transport's keys once the handshake is over. */
  split: Split | null = null
  /** 64 bytes once the handshake is over. */
  handshakeHash: Uint8Array | null = null
  /** The remote's static key once the handshake is over. */
  remotePublicKey: Uint8Array | null = null
  /** Known once the handshake is over, or from the start. */
  initiator: boolean | null = null
  readonly #mode: SessionMode
  readonly #hooks: SessionHooks
  readonly #parser: FrameParser
  readonly #outbox = new Outbox()
  readonly #handshakeBytes: number
  #handshake: Handshake | null = null
  /** Sends that wait for the handshake; null once they left. */
  #pending: (() => void)[] | null = null
  #nonce: Uint8Array | null = null
  /** Handshake messages to send, kept beyond the end of the handshake. */
  readonly #written: Uint8Array[] = []
  #sender: StreamCipher | null = null
  #receiver: StreamCipher | null = null
  #asked = false
  #over = false

  /** A session with a handshake does nothing before `start`. */
  constructor(mode: SessionMode, hooks: SessionHooks, limits: Limits) {
    this.#mode = mode
    this.#hooks = hooks
    this.#handshakeBytes = limits.handshakeBytes
    this.#parser = new FrameParser(hooks.frame.bind(hooks), limits)
    if (mode.handshake) this.#pending = []
  }

  /** Whether this end has a role, if only for now. */
  get hasRole(): boolean {
    return !this.#mode.handshake || (this.#handshake?.decided ?? this.split !== null)
  }

  /** Bytes queued and free to leave. */
  get length(): number {
    return this.#pending ? 0 : this.#outbox.length
  }

  /** Give the keys of the handshake. An initiator begins; without a role, wait for `speak` or for bytes. */
  start(keys: SessionKeys): void {
    this.#nonce = keys.nonce
    this.initiator = keys.initiator
    this.#handshake = new Handshake({ ...keys, maxBytes: this.#handshakeBytes })
    if (keys.initiator === true) this.speak()
  }

  /** Begin the handshake, unless it was decided that this end responds. */
  speak(): void {
    this.#handshake?.begin()
    this.#hooks.queued()
  }

  /** The remote's static key is welcome. */
  accept(): void {
    this.#handshake?.accept()
    this.#advance()
  }

  /** Nothing more is read. */
  stop(): void {
    this.#over = true
  }

  /** Read what the transport brought. `bytes` is neither changed nor kept. */
  receive(bytes: Uint8Array): void {
    if (this.#over) return
    if (this.#handshake) {
      this.#handshake.receive(bytes)
      this.#advance()
    } else {
      this.#transport(bytes)
    }
  }

  /** Queue a message. */
  send<Type extends keyof OutgoingMessages>(
    channel: number,
    type: Type,
    message: OutgoingMessages[Type],
  ): void {
    if (this.#pending) {
      this.#pending.push(() => this.#outbox.message(channel, type, message))
      return
    }
    this.#outbox.message(channel, type, message)
    this.#hooks.queued()
  }

  /** Queue an Open with the capability for `key`, when there are capabilities. */
  sendOpen(channel: number, discoveryKey: Uint8Array, key: Uint8Array): void {
    if (this.#pending) {
      this.#pending.push(() => this.sendOpen(channel, discoveryKey, key))
      return
    }
    const capability = this.split && ownCapability(this.split, key)
    this.send(channel, 'Open', { discoveryKey, capability })
  }

  /** Queue an extension message. */
  sendExtension(channel: number, id: number, message: Uint8Array): void {
    if (this.#pending) {
      const kept = copy(message)
      this.#pending.push(() => this.#outbox.extension(channel, id, kept))
      return
    }
    this.#outbox.extension(channel, id, message)
    this.#hooks.queued()
  }

  /** Queue a keepalive; nothing while the handshake is not over. */
  ping(): void {
    if (this.#pending) return
    this.#outbox.ping()
    this.#hooks.queued()
  }

  /** Whether the remote proved that it knows `key`; always so without a handshake. */
  verifies(key: Uint8Array, capability: Uint8Array | null): boolean {
    if (!this.#mode.handshake) return true
    return this.split !== null && provesKey(this.split, key, capability)
  }

  /** Everything that may leave, as one buffer; null when there is nothing. */
  take(): Uint8Array | null {
    const handshake = this.#greeting()
    if (this.length === 0) return handshake.length > 0 ? concat(handshake) : null
    const frames = this.#outbox.take(this.#sender)
    return handshake.length > 0 ? concat([...handshake, frames]) : frames
  }

  #greeting(): readonly Uint8Array[] {
    if (this.#handshake) this.#written.push(...this.#handshake.take())
    return this.#written.splice(0)
  }

  #advance(): void {
    const handshake = this.#handshake
    if (!handshake) return
    this.#hooks.queued()
    if (handshake.asking) {
      if (this.#asked) return
      this.#asked = true
      this.#hooks.authenticate(handshake.asking)
      return
    }
    const result = handshake.result()
    if (!result) return
    this.#written.push(...handshake.take())
    this.#handshake = null
    this.split = result.split
    this.handshakeHash = result.handshakeHash
    this.remotePublicKey = result.remotePublicKey
    this.initiator = result.initiator
    if (this.#mode.encrypted && this.#nonce) {
      this.#sender = new StreamCipher(this.#nonce, result.split.tx)
      this.#receiver = new StreamCipher(result.remoteNonce, result.split.rx)
    }
    if (!this.#hooks.handshake()) return
    if (result.rest.length > 0) this.#transport(result.rest)
    if (!this.#over) this.#flushPending()
  }

  #flushPending(): void {
    const pending = this.#pending ?? []
    this.#pending = null
    for (const send of pending) send()
    this.#hooks.queued()
  }

  /** Frames are views into new memory; the transport's buffer stays as it was. */
  #transport(bytes: Uint8Array): void {
    const receiver = this.#receiver
    this.#parser.receiveThrough(bytes, (from, to) => {
      if (receiver) receiver.update(from, to)
      else to.set(from)
    })
  }
}
