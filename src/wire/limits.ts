/**
 * What a stranger may make us hold and do, per connection.
 *
 * Beyond a limit the connection ends with `WIRE_LIMIT` (or the code named below); the log, the other connections and
 * the process go on. Each is an option: `new Connection(role, { limits: { channels: 100 } })`, and the same for
 * `replicate` and `store.replicate`. Limits that are no option bound what one channel remembers of its remote:
 * remote-blocks.ts (2 MiB of claims), request-window.ts (1024 requests and 4 MiB in flight), serve-queue.ts (4096
 * unanswered Requests), wants.ts (16 unanswered Wants), uploader.ts (16 384 nodes of its tree).
 *
 * @see spec/20-wire.md 5 and 7
 * @module
 */

/** Most bytes of a frame's payload: 8 MiB, fixed by the protocol. */
export const MAX_PAYLOAD_BYTES = 8_388_608
/** Highest number of a channel, fixed by the protocol: 2 ** 27 - 1. */
export const MAX_CHANNEL_ID = 134_217_727
/** Longest name of an extension, in bytes of UTF-8. */
export const MAX_EXTENSION_NAME_BYTES = 255
/** Most nodes of a Data: a path of 52 and 52 roots are the most that there can be. */
export const MAX_DATA_NODES = 128

/** Limits of one connection; each may be given as an option. */
export interface Limits {
  /** Longest handshake message, in bytes (65 535; the length prefix is three bytes at most). */
  readonly handshakeBytes: number
  /** Milliseconds for the whole handshake, then `ETIMEDOUT` (0: the connection's timeout). */
  readonly handshakeMs: number
  /** Largest payload that is accepted (8 MiB; the protocol allows no more): `WIRE_FRAME_TOO_LARGE`. */
  readonly payloadBytes: number
  /** Largest payload of a message that carries no block and is no extension's (2 MiB). */
  readonly messageBytes: number
  /** Largest extension message (8 MiB, as v10). */
  readonly extensionBytes: number
  /** Channels that the remote may have open at once (65 536). */
  readonly channels: number
  /** Channels that the remote may have open of logs that we have not (8192). */
  readonly unknownChannels: number
  /** Extensions that one Options message may name (256). */
  readonly extensionNames: number
  /** Bytes of output queued before the connection calls itself congested (1 MiB). */
  readonly outgoingBytes: number
  /** Bytes of output queued before a remote that does not read is given up (16 MiB). */
  readonly queuedBytes: number
  /** How much of what no honest remote sends is borne at once; see allowance.ts (16 384). */
  readonly nuisance: number
  /** How much of it is forgiven a second (1024). */
  readonly nuisancePerSecond: number
  /** Bytes read a second; the transport waits for more (no limit). */
  readonly incomingBytesPerSecond: number
  /** Bytes written a second; what is more waits, and counts as congestion (no limit). */
  readonly outgoingBytesPerSecond: number
  /** Connections that may carry one log at once (4096). */
  readonly connectionsPerLog: number
}

/** The limits of a connection that is given none. */
export const DEFAULT_LIMITS: Limits = {
  handshakeBytes: 65_535,
  handshakeMs: 0,
  payloadBytes: MAX_PAYLOAD_BYTES,
  messageBytes: 2_097_152,
  extensionBytes: MAX_PAYLOAD_BYTES,
  channels: 65_536,
  unknownChannels: 8192,
  extensionNames: 256,
  outgoingBytes: 1_048_576,
  queuedBytes: 16_777_216,
  nuisance: 16_384,
  nuisancePerSecond: 1024,
  incomingBytesPerSecond: Infinity,
  outgoingBytesPerSecond: Infinity,
  connectionsPerLog: 4096,
}
