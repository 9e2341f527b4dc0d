/**
 * What goes wrong on a connection.
 *
 * Every one of these destroys the connection it happened on, and nothing else: the process goes on.
 *
 * @see spec/20-wire.md 4.4 and 5
 * @module
 */
import { CodedError, asError } from '../errors.ts'

/** What went wrong; stable within a major version. */
export type WireErrorCode =
  /** The Noise handshake failed: wrong role, altered or foreign bytes, refused by `onauthenticate`. */
  | 'WIRE_HANDSHAKE'
  /** The handshake was right, but what it carried is missing or is not 24 bytes of nonce. */
  | 'WIRE_HANDSHAKE_PAYLOAD'
  /** Both ends chose no role and have the same ephemeral key: a connection to oneself. */
  | 'WIRE_ROLE'
  /** A frame with an endless varint, a length below its header, or a channel number too high. */
  | 'WIRE_BAD_FRAME'
  /** A frame above the limit, sent or received. */
  | 'WIRE_FRAME_TOO_LARGE'
  /** A message that does not decode, or whose values make no sense. */
  | 'WIRE_BAD_MESSAGE'
  /** The remote opened a log that we opened first, and did not prove that it knows the key. */
  | 'WIRE_BAD_CAPABILITY'
  /** An Open on a channel in use, of a log already open, or on channel 0. */
  | 'WIRE_BAD_OPEN'
  /** More channels or extension names than the limits allow. */
  | 'WIRE_LIMIT'
  /** More unanswered Requests on one channel than the limits allow. */
  | 'WIRE_TOO_MANY_REQUESTS'
  /** A Have or Unhave whose span or bitfield is none. */
  | 'WIRE_BAD_HAVE'
  /** A Request that cannot be answered: out of range, or not provable. */
  | 'WIRE_BAD_REQUEST'
  /** A Data that does not verify. */
  | 'WIRE_BAD_DATA'
  /** The log behind a channel failed: storage, for example. */
  | 'WIRE_LOG_FAILED'
  /** `onfeedauthenticate` refused the remote. */
  | 'WIRE_NOT_AUTHENTICATED'
  /** A Request was not answered in time. */
  | 'WIRE_REQUEST_TIMEOUT'
  /** Nothing was heard for the connection's timeout, or the handshake was not over by then. */
  | 'ETIMEDOUT'
  /** The transport failed; `cause` is its error, which is thereby handled. */
  | 'WIRE_TRANSPORT'
  /** A handler or listener of the program threw; `cause` is what it threw. */
  | 'WIRE_HANDLER'
  /** The connection is destroyed. */
  | 'WIRE_CLOSED'

/** Thrown by, and given to `error` by, everything under `wire/`. */
export class WireError extends CodedError<WireErrorCode> {
  override readonly name = 'WireError'
}

/** `error` itself when it is one of ours, else a `WIRE_HANDLER` that has it as its cause. */
export function asWireError(error: unknown): WireError {
  if (error instanceof WireError) return error
  const message = asError(error).message
  return new WireError('WIRE_HANDLER', `a handler failed: ${message}`, { cause: error })
}
