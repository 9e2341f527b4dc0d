/**
 * What a stranger may make us hold, per connection.
 *
 * @see spec/20-wire.md 5
 * @module
 */

/** Most bytes of a frame's payload: 8 MiB, fixed by the protocol. */
export const MAX_PAYLOAD_BYTES = 8_388_608
/** Highest number of a channel, fixed by the protocol: 2 ** 27 - 1. */
export const MAX_CHANNEL_ID = 134_217_727
/** Longest name of an extension, in bytes of UTF-8. */
export const MAX_EXTENSION_NAME_BYTES = 255

/** Limits of one connection; each may be given as an option. */
export interface Limits {
  /** Longest handshake message, in bytes (65 535; the length prefix is three bytes at most). */
  readonly handshakeBytes: number
  /** Largest payload that is accepted (8 MiB; the protocol allows no more). */
  readonly payloadBytes: number
  /** Channels that the remote may have open at once (65 536). */
  readonly channels: number
  /** Extensions that one Options message may name (256). */
  readonly extensionNames: number
  /** Bytes of output queued before the connection calls itself congested (1 MiB). */
  readonly outgoingBytes: number
  /** Bytes of output queued before a remote that does not read is given up (64 MiB). */
  readonly queuedBytes: number
}

/** The limits of a connection that is given none. */
export const DEFAULT_LIMITS: Limits = {
  handshakeBytes: 65_535,
  payloadBytes: MAX_PAYLOAD_BYTES,
  channels: 65_536,
  extensionNames: 256,
  outgoingBytes: 1_048_576,
  queuedBytes: 67_108_864,
}
