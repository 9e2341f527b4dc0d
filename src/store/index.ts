/**
 * Many logs in one folder, on one connection.
 *
 * @module
 */
/// <reference types="node" preserve="true" />
export { deriveKeyPair, deriveSeed, folderOf, parseKey } from './keys.ts'
export type { StorageFunction, StorageSource } from './storage-source.ts'
export { StoreError, type StoreErrorCode, StoreLockedError } from './store-error.ts'
export type { FileOwner, StoredLogOptions } from './store-core.ts'
export {
  type GetOptions,
  type LogSelector,
  Store,
  type StoreEvents,
  type StoreOptions,
  type StoreReplicateOptions,
} from './store.ts'
