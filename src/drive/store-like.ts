/**
 * The store a drive needs: ours, or any object that does the same.
 *
 * @see spec/40-drive.md 3.2
 * @module
 */
import type { Log } from '../log/index.ts'
import type { GetOptions, Store, StoreReplicateOptions } from '../store/index.ts'
import type { Connection } from '../wire/index.ts'

/** What a drive asks of its store. */
export interface StoreLike {
  ready(): Promise<void>
  /** The store's default log, unless the options say which. */
  default(options?: GetOptions): Log
  get(options?: GetOptions): Log
  replicate(
    isInitiator?: boolean | StoreReplicateOptions,
    options?: StoreReplicateOptions,
  ): Connection
  close(): Promise<void>
  /** A store object of its own that a drive may close. */
  session?(): StoreLike
  namespace?(name: string | Uint8Array): StoreLike
  on?(event: 'error', listener: (error: Error) => void): unknown
}

/** Whether `value` is a store rather than a folder or a function. */
export function isStore(value: unknown): value is Store | StoreLike {
  if (typeof value !== 'object' || value === null) return false
  return ['default', 'get', 'replicate', 'close'].every(
    (name) => typeof Reflect.get(value, name) === 'function',
  )
}
