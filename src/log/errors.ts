/**
 * The one error class of `log/`.
 *
 * @module
 */
import { CodedError } from '../errors.ts'

/** What may go wrong with a log. `ETIMEDOUT` and `ECANCELED` are spelled as v10 spells them. */
export type LogErrorCode =
  | 'LOG_BAD_KEY' // a key or secret key of the wrong length
  | 'LOG_BAD_KEY_PAIR' // the secret key belongs to another key
  | 'LOG_OTHER_KEY' // another log is stored here
  | 'LOG_NOT_FOUND' // no log is stored here, and none may be made
  | 'LOG_CLOSED'
  | 'LOG_NOT_WRITABLE'
  | 'LOG_BLOCK_TOO_LARGE'
  | 'LOG_TOO_LONG' // more blocks or bytes than an index can name
  | 'LOG_NOT_HELD' // the block is not here, and waiting was not asked for
  | 'LOG_UNAVAILABLE' // not here, and no peer could give it
  | 'LOG_OUT_OF_BOUNDS' // a byte or block past the end
  | 'LOG_NOT_PROVABLE' // the tree nodes or the signature for it are not here
  | 'LOG_EMPTY'
  | 'LOG_CORRUPT' // what is stored contradicts what was signed
  | 'LOG_BAD_PROOF' // what a peer or caller gave does not verify; `cause` says why
  | 'LOG_CONTRADICTION' // a proof that leans on what is stored does not go with it; one that stands alone may tell
  | 'LOG_BAD_SIGNATURE'
  | 'LOG_FORK' // two signed histories of one key
  | 'LOG_BEHIND' // the key signed a longer log elsewhere: appending here would make it a fork
  | 'LOG_BAD_BITFIELD' // a run-length coded bitfield that does not decode
  | 'LOG_BAD_EXTENSION' // the name is taken, or no name at all
  | 'LOG_STORAGE' // a read or write failed; `cause` is the storage's error
  | 'ETIMEDOUT'
  | 'ECANCELED'

/** Thrown by everything under `log/`. */
export class LogError extends CodedError<LogErrorCode> {
  override readonly name: string = 'LogError'
}

/** A read that nobody can meet: `LOG_UNAVAILABLE`, and how hard was tried. */
export class LogUnavailableError extends LogError {
  override readonly name = 'LogUnavailableError'
  /** Peers that were connected when the read was given up. */
  readonly peersAsked: number
  /** Milliseconds from the call to the answer. */
  readonly waitedMs: number

  /** @param what - what was read, such as `block 7` */
  constructor(what: string, peersAsked: number, waitedMs: number) {
    super('LOG_UNAVAILABLE', `${what} is not here and none of ${peersAsked} peers could give it`)
    this.peersAsked = peersAsked
    this.waitedMs = waitedMs
  }
}

/** What every call on a closed log is answered with. */
export function closedError(): LogError {
  return new LogError('LOG_CLOSED', 'the log is closed')
}
