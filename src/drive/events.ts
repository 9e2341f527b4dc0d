/**
 * The events of a drive.
 *
 * @see spec/40-drive.md 4.5
 * @module
 */
import type { Log, LogPeer } from '../log/index.ts'
import type { DriveTrie } from './context.ts'

/** Arguments of each event. */
export interface DriveEvents {
  /** The drive is open. */
  ready: []
  /** It did not open; or later, a log or the store failed. */
  error: [Error]
  /** The metadata log grew: something was written here, or is known to have been elsewhere. */
  update: []
  /** A metadata log is open: the drive's own, then that of each mounted drive. */
  'metadata-feed': [Log]
  /** Follows each `metadata-feed`. */
  mount: [DriveTrie]
  /** A content log, or a mounted plain log, is open. */
  'content-feed': [Log]
  /** The content of a file begins to be written. */
  appending: [path: string, options: object]
  /** A file was written. */
  append: [path: string, options: object]
  'peer-add': [LogPeer]
  'peer-open': [LogPeer]
  'peer-remove': [LogPeer]
  'metadata-download': [index: number, data: Buffer, log: Log]
  'metadata-upload': [index: number, data: Buffer, log: Log]
  'content-download': [index: number, data: Buffer, log: Log]
  'content-upload': [index: number, data: Buffer, log: Log]
  /** A message of one of the option `extensions`. */
  extension: [name: string, message: Buffer, peer: LogPeer]
  close: []
}
