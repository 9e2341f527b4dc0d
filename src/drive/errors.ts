/**
 * Failures of the file system, shaped like Node's: `code`, `errno`, `syscall`, `path`.
 *
 * Codes of POSIX carry v10's positive `errno` (Node's are negative). What POSIX has no word for has a code that
 * begins with `DRIVE_`. Messages say what was wanted of which path and may change at any time.
 *
 * @see spec/40-drive.md 5
 * @module
 */
import { CodedError } from '../errors.ts'

/** Error numbers, as on Linux, positive as v10 gives them. */
const ERRNO: Readonly<Record<PosixCode, number>> = {
  EPERM: 1,
  ENOENT: 2,
  EIO: 5,
  EBADF: 9,
  EACCES: 13,
  EBUSY: 16,
  EEXIST: 17,
  EXDEV: 18,
  ENOTDIR: 20,
  EISDIR: 21,
  EINVAL: 22,
  EROFS: 30,
  ENOTEMPTY: 39,
  ELOOP: 40,
  ETIMEDOUT: 110,
  ECANCELED: 125,
}

const TEXT: Readonly<Record<DriveErrorCode, string>> = {
  EPERM: 'operation not permitted',
  ENOENT: 'no such file or directory',
  EIO: 'input/output error',
  EBADF: 'bad file descriptor',
  EACCES: 'permission denied',
  EBUSY: 'a mount point',
  EEXIST: 'file already exists',
  EXDEV: 'cross-mount operation',
  ENOTDIR: 'not a directory',
  EISDIR: 'is a directory',
  EINVAL: 'invalid argument',
  EROFS: 'read-only drive',
  ENOTEMPTY: 'directory not empty',
  ELOOP: 'too many symbolic links',
  ETIMEDOUT: 'timed out',
  ECANCELED: 'canceled',
  EUNAVAILABLE: 'the data is not here',
  DRIVE_CLOSED: 'the drive is closed',
  DRIVE_BAD_KEY: 'no 32-byte key',
  DRIVE_OTHER_DRIVE: 'the folder holds another drive',
  DRIVE_BAD_HEADER: 'the first metadata block names no content log',
  DRIVE_BAD_STAT: 'the entry does not decode',
  DRIVE_LOCKED: 'the content log is being written',
  DRIVE_BAD_BUNDLE: 'the bundle is cut off, damaged or not whole',
  DRIVE_BATCH_ENDED: 'the batch was flushed or discarded',
}

/** A code that POSIX knows. */
export type PosixCode =
  | 'EPERM'
  | 'ENOENT'
  | 'EIO'
  | 'EBADF'
  | 'EACCES'
  | 'EBUSY'
  | 'EEXIST'
  | 'EXDEV'
  | 'ENOTDIR'
  | 'EISDIR'
  | 'EINVAL'
  | 'EROFS'
  | 'ENOTEMPTY'
  | 'ELOOP'
  | 'ETIMEDOUT'
  | 'ECANCELED'

/**
 * What a {@link DriveError} says went wrong.
 *
 * - `EUNAVAILABLE`: the data is not here and could not be got now; `peersAsked` and `waitedMs` say what was tried.
 * - `EROFS`: the drive (or the one mounted there) is not ours to write. `EPERM`: a checkout is never written.
 * - `DRIVE_OTHER_DRIVE`: the folder was made for a drive of another key, or lost its `master_key`.
 * - `DRIVE_BAD_HEADER`, `DRIVE_BAD_STAT`: the drive's author published what is no drive.
 * - `DRIVE_BAD_BUNDLE`: what was imported is no whole bundle of that drive.
 */
export type DriveErrorCode =
  | PosixCode
  | 'EUNAVAILABLE'
  | 'DRIVE_CLOSED'
  | 'DRIVE_BAD_KEY'
  | 'DRIVE_OTHER_DRIVE'
  | 'DRIVE_BAD_HEADER'
  | 'DRIVE_BAD_STAT'
  | 'DRIVE_LOCKED'
  | 'DRIVE_BAD_BUNDLE'
  | 'DRIVE_BATCH_ENDED'

/** What a {@link DriveError} may say besides its code. */
export interface DriveErrorDetails {
  /** The operation, as `fs` names it: `open`, `mkdir`, … */
  readonly syscall?: string | undefined
  /** The absolute path in question; for a link, the one finally looked up. */
  readonly path?: string | undefined
  /** More than the code says. */
  readonly reason?: string | undefined
  readonly cause?: unknown
  readonly peersAsked?: number | undefined
  readonly waitedMs?: number | undefined
}

/** Thrown by everything under `drive/`, except for a caller's mistake, which is a `TypeError` or `RangeError`. */
export class DriveError extends CodedError<DriveErrorCode> {
  override readonly name = 'DriveError'
  /** The positive error number of a POSIX code, as v10's. */
  declare readonly errno?: number
  /** The operation, as `fs` names it. */
  declare readonly syscall?: string
  /** The absolute path in question. */
  declare readonly path?: string
  /** With `EUNAVAILABLE`: how many peers could have been asked. */
  declare readonly peersAsked?: number
  /** With `EUNAVAILABLE`: how long was waited, in milliseconds. */
  declare readonly waitedMs?: number

  /** @param code - the stable code @param details - operation, path, and more */
  constructor(code: DriveErrorCode, details: DriveErrorDetails = {}) {
    super(code, messageOf(code, details), 'cause' in details ? { cause: details.cause } : undefined)
    const errno = errnoOf(code)
    // Absent rather than undefined, as in Node's own errors.
    if (errno !== undefined) this.errno = errno
    if (details.syscall !== undefined) this.syscall = details.syscall
    if (details.path !== undefined) this.path = details.path
    if (details.peersAsked !== undefined) this.peersAsked = details.peersAsked
    if (details.waitedMs !== undefined) this.waitedMs = details.waitedMs
  }
}

/**
 * A failure of a lower layer in the drive's words, with operation and path added: not held, unavailable and timed
 * out, read-only, closed. Anything else is given back as it came.
 */
export function asDriveError(error: unknown, syscall: string, path?: string): unknown {
  if (!(error instanceof CodedError) || error instanceof DriveError) return error
  const details = { syscall, path, cause: error }
  switch (error.code) {
    case 'LOG_NOT_HELD':
      return new DriveError('EUNAVAILABLE', { ...details, peersAsked: 0, waitedMs: 0 })
    case 'LOG_UNAVAILABLE':
      return new DriveError('EUNAVAILABLE', {
        ...details,
        peersAsked: numberIn(error, 'peersAsked'),
        waitedMs: numberIn(error, 'waitedMs'),
      })
    case 'ETIMEDOUT':
      return new DriveError('ETIMEDOUT', details)
    case 'ECANCELED':
    case 'LOG_CANCELED':
      return new DriveError('ECANCELED', details)
    case 'LOG_NOT_WRITABLE':
      return new DriveError('EROFS', details)
    case 'TRIE_READ_ONLY_CHECKOUT':
      return new DriveError('EROFS', details)
    case 'TRIE_BAD_KEY':
      return new DriveError('EINVAL', details)
    case 'TRIE_BAD_NODE':
    case 'LOG_CORRUPT':
    case 'LOG_STORAGE':
    case 'STORAGE_IO':
    case 'STORAGE_SHORT':
      return new DriveError('EIO', details)
    case 'LOG_CLOSED':
    case 'STORAGE_CLOSED':
    case 'STORE_CLOSED':
      return new DriveError('DRIVE_CLOSED', details)
    default:
      return error
  }
}

/** The outcome of `work`, with failures put in the drive's words. */
export async function inWords<T>(
  syscall: string,
  path: string | undefined,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw asDriveError(error, syscall, path)
  }
}

const NUMBERS = new Map<string, number>(Object.entries(ERRNO))

function errnoOf(code: DriveErrorCode): number | undefined {
  return NUMBERS.get(code)
}

function messageOf(code: DriveErrorCode, { syscall, path, reason }: DriveErrorDetails): string {
  const where = [syscall, path === undefined ? undefined : `'${path}'`]
    .filter((part) => part)
    .join(' ')
  return `${code}: ${TEXT[code]}${where ? `, ${where}` : ''}${reason ? `: ${reason}` : ''}`
}

function numberIn(error: object, name: string): number | undefined {
  const value: unknown = Reflect.get(error, name)
  return typeof value === 'number' ? value : undefined
}
