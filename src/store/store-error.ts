/**
 * Failures of the store.
 *
 * @see spec/40-drive.md 2.2, 3.1 and 4.6
 * @module
 */
import { CodedError } from '../errors.ts'

/**
 * What a {@link StoreError} says went wrong.
 *
 * - `STORE_NOT_READY`: `get` was called before the master key was there.
 * - `STORE_BAD_KEY`: a key that is not 32 bytes, a master key or a key pair of wrong lengths.
 * - `STORE_OTHER_MASTER_KEY`: the folder's log was derived under another master key (or its `name` is damaged).
 * - `STORE_CLOSED`: the store was closed.
 * - `STORE_LOCKED`: another process holds the folder.
 */
export type StoreErrorCode =
  'STORE_NOT_READY' | 'STORE_BAD_KEY' | 'STORE_OTHER_MASTER_KEY' | 'STORE_CLOSED' | 'STORE_LOCKED'

/** Thrown by everything under `store/`. */
export class StoreError extends CodedError<StoreErrorCode> {
  override readonly name = 'StoreError'
}
