/**
 * Failures of the store.
 *
 * @see spec/40-drive.md 2.2, 3.1 and 4.6
 * @module
 */
import { CodedError } from '../errors.ts'
import type { LockHolder } from '../storage/index.ts'

/**
 * What a {@link StoreError} says went wrong.
 *
 * - `STORE_NOT_READY`: `get` was called before the master key was there.
 * - `STORE_BAD_KEY`: a key that is not 32 bytes, a master key or a key pair of wrong lengths.
 * - `STORE_OTHER_MASTER_KEY`: `master_key` is gone, and a new one would give the folder another identity.
 * - `STORE_CLOSED`: the store was closed.
 * - `ELOCKED`, spelled as v10 does: somebody else has the folder open; `holder` says who.
 */
export type StoreErrorCode =
  'STORE_NOT_READY' | 'STORE_BAD_KEY' | 'STORE_OTHER_MASTER_KEY' | 'STORE_CLOSED' | 'ELOCKED'

/** Thrown by everything under `store/`. */
export class StoreError extends CodedError<StoreErrorCode> {
  override readonly name: string = 'StoreError'
}

/** Somebody else has the folder open. */
export class StoreLockedError extends StoreError {
  override readonly name = 'StoreLockedError'
  /** Who, as far as it is known. */
  readonly holder: LockHolder

  /** @param folder - the folder; @param holder - who has it */
  constructor(folder: string, holder: LockHolder) {
    const { pid, host, since, isV10 } = holder
    const who = `${isV10 ? 'a Hyperdrive v10, ' : ''}process ${pid} on ${host}${since ? `, since ${since}` : ''}`
    super('ELOCKED', `${folder} is open elsewhere: ${who}`)
    this.holder = holder
  }
}
