/**
 * One encrypted stream between two peers, with any number of logs on it.
 *
 * @see spec/20-wire.md 3.1 to 3.3 and 4.1
 * @module
 */
import { Duplex } from 'node:stream'
import type { KeyPair } from '../crypto.ts'
import type { Channel, ChannelHandlers } from './channel.ts'
import type { Limits } from './limits.ts'
import type { Timers } from './timers.ts'

/** How a connection is set up. */
export interface ConnectionOptions {
  /** Encrypt what follows the handshake (true). Both ends must agree; it is not negotiated. */
  readonly encrypted?: boolean | undefined
  /** Have a handshake (true); `false` only counts together with `encrypted: false`. */
  readonly noise?: boolean | undefined
  /** Our static X25519 pair; a function is asked once, and may answer later. Random when left out. */
  readonly keyPair?:
    KeyPair | ((done: (error: Error | null, keyPair?: KeyPair) => void) => void) | null | undefined
  /** Milliseconds of silence, and for the whole handshake, before `ETIMEDOUT` (20 000); 0 or false: never. */
  readonly timeout?: number | false | null | undefined
  /** Stay open when the last channel closes (false). */
  readonly live?: boolean | undefined
  /** Decide whether to talk to the holder of this static key; an error refuses. */
  readonly onauthenticate?:
    ((remotePublicKey: Uint8Array, done: (error?: Error | null) => void) => void) | null | undefined
  /** As the event `handshake`. */
  readonly onhandshake?: (() => void) | null | undefined
  /** As the event `discovery-key`. */
  readonly ondiscoverykey?: ((discoveryKey: Uint8Array) => void) | null | undefined
  /** As the event `remote-open`. */
  readonly onremoteopen?: ((discoveryKey: Uint8Array) => void) | null | undefined
  /** The remote closed a channel, or the connection ended; the key is null when we had not opened it. */
  readonly onchannelclose?:
    ((discoveryKey: Uint8Array, key: Uint8Array | null) => void) | null | undefined
  /** As the event `extensions`. */
  readonly onextensions?: ((names: readonly string[]) => void) | null | undefined
  /** Other limits than the defaults. */
  readonly limits?: Partial<Limits> | undefined
  /** A clock and timers of one's own. */
  readonly timers?: Timers | undefined
  /** For tests and vectors: the secret of the ephemeral pair instead of a random one. */
  readonly ephemeralSecret?: Uint8Array | undefined
  /** For tests and vectors: our 24 bytes of nonce instead of random ones. */
  readonly nonce?: Uint8Array | undefined
  /** A number in [0, 1), for the jitter of a role that is found out. */
  readonly random?: (() => number) | undefined
}

/** Holds the connection open while somebody may still add logs to it. */
export interface Prefinalize {
  /** Hold; the result lets go, once. */
  hold(): () => void
}

/** The connection: pipe a transport into it and it into the transport. */
export declare class Connection extends Duplex {
  /**
   * @param initiator - who begins the handshake; `null` or left out: found out (see role.ts)
   * @throws TypeError for anything else than a boolean, null or undefined
   */
  constructor(initiator?: boolean | null, options?: ConnectionOptions)
  /** `null` while it is being found out. */
  get initiator(): boolean | null
  /** Whether bytes after the handshake are enciphered. */
  readonly encrypted: boolean
  /** Whether there is a handshake, and with it capabilities. */
  readonly hasHandshake: boolean
  /** Whether the connection stays when its last channel closes. */
  readonly live: boolean
  /** Milliseconds; 0 is never. Request timers use it too. */
  readonly timeout: number
  /** The clock and timers in use. */
  readonly timers: Timers
  /** Our static key, or null without a handshake, or while `keyPair` has not answered. */
  get publicKey(): Uint8Array | null
  /** The remote's static key, once the handshake is over. */
  get remotePublicKey(): Uint8Array | null
  /** 64 bytes, equal on both ends and on no other connection. */
  get handshakeHash(): Uint8Array | null
  /** Whether the handshake is over (always so without one). */
  get handshaken(): boolean
  /** Holds the connection open while it has no channels. */
  readonly prefinalize: Prefinalize
  /** Channels open on either side. */
  get channels(): readonly Channel[]
  /** Their number. */
  get channelCount(): number
  /** Bytes given to the transport. */
  get bytesSent(): number
  /** Bytes taken from the transport. */
  get bytesReceived(): number
  /** Of the socket piped to, or null. */
  get remoteAddress(): string | null
  /** `tcp`, `utp` or `unknown`. */
  get remoteType(): string
  /** Whether more output is queued than `limits.outgoingBytes`: hold back Data until `ondrain`. */
  get congested(): boolean
  /** Let the transport wait (its write is answered later). The result lets go, once. Frames of the current chunk still come. */
  holdIncoming(): () => void
  /** Open a log's channel and tell the remote; the channel that is there when it is open already. */
  open(key: Uint8Array, handlers?: ChannelHandlers): Channel
  /** Close a log's channel, or tell the remote that we shall not open it. */
  close(discoveryKey: Uint8Array): void
  /** Whether we have the log with this key open. */
  opened(key: Uint8Array): boolean
  /** Whether the remote has. */
  remoteOpened(key: Uint8Array): boolean
  /** Whether the remote has, and proved that it knows the key. */
  remoteVerified(key: Uint8Array): boolean
  /** Send one keepalive byte. */
  ping(): void
  /** End our half once what is queued is out. */
  finalize(): void
}
