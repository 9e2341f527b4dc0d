/**
 * Varve: a versioned, signed, peer-to-peer file system shared by one 32-byte key.
 *
 *     import varve from 'varve'
 *     const drive = varve('./my-first-drive')
 *     await drive.writeFile('/hello.txt', 'world')
 *
 * `require('varve')` gives the same callable.
 *
 * @module
 */
/// <reference types="node" preserve="true" />
import {
  Drive,
  type DriveOptions,
  type DriveStorage,
  constants,
  importBundle,
} from './drive/index.ts'
import { Store } from './store/index.ts'

/** Opens drives; called with or without `new`. */
export interface Varve {
  /**
   * Open the drive in `storage`: our own, or the one of `key`.
   *
   * @param storage - a folder, a function that gives each file, or a store
   * @param key - of the drive to read, as bytes or hexadecimal text; left out for one of our own
   * @param options - see {@link DriveOptions}; may stand in the place of the key
   */
  (
    storage: DriveStorage<Drive>,
    key?: Uint8Array | string | DriveOptions | null,
    options?: DriveOptions,
  ): Drive
  /** The same. */
  new (
    storage: DriveStorage<Drive>,
    key?: Uint8Array | string | DriveOptions | null,
    options?: DriveOptions,
  ): Drive
  readonly Drive: typeof Drive
  readonly Store: typeof Store
  readonly constants: typeof constants
  /** Takes in a snapshot that `drive.bundle()` made. */
  readonly importBundle: typeof importBundle
}

// A function declaration, so that `new` works on it too: what it returns is the drive either way.
function open(
  storage: DriveStorage<Drive>,
  key?: Uint8Array | string | DriveOptions | null,
  options?: DriveOptions,
): Drive {
  return new Drive(storage, key, options)
}

/** Opens drives: `varve(storage, key?, options?)`. */
// TypeScript does not see that a function declaration can be called with `new`.
// oxlint-disable-next-line typescript/no-unsafe-type-assertion
const varve: Varve = Object.assign(open, {
  Drive,
  Store,
  constants,
  importBundle,
}) as unknown as Varve

export * from './drive/index.ts'
export { Store, StoreError, type StoreOptions } from './store/index.ts'
export type { Callback, Callbacks } from './callback.ts'
export type { KeyPair } from './crypto.ts'
export type { Codec, Encoding, EncodingName } from './value-encoding.ts'
export default varve
export { varve as 'module.exports' }
