/**
 * What can go wrong below a log.
 *
 * @module
 */
import { CodedError } from '../errors.ts'

/**
 * - `STORAGE_SHORT`: the file ends before the range asked for, or does not exist
 * - `STORAGE_CLOSED`: called after `close` or `destroy`
 * - `STORAGE_IO`: the system refused; `cause` is its error, with its own `code`
 */
export type StorageErrorCode = 'STORAGE_SHORT' | 'STORAGE_CLOSED' | 'STORAGE_IO'

/** Thrown by everything under `storage/`. */
export class StorageError extends CodedError<StorageErrorCode> {
  override readonly name = 'StorageError'
}

/** The failure of a read that the file is too short for. */
export function shortRead(file: string, offset: number, length: number): StorageError {
  return new StorageError('STORAGE_SHORT', `${file}: no ${length} bytes at ${offset}`)
}

/** The failure of any call on a file that was closed. */
export function closed(file: string): StorageError {
  return new StorageError('STORAGE_CLOSED', `${file}: closed`)
}

/** The `code` of a system error, or `''`. */
export function errorCode(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : ''
}

/** What the system refused. */
export function ioError(file: string, cause: unknown): StorageError {
  return new StorageError('STORAGE_IO', `${file}: ${String(cause)}`, { cause })
}
