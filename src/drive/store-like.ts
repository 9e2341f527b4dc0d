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
  /** Resolves once logs can be asked for. */
  ready(): Promise<void>
  /** The store's default log, unless the options say which. */
  default(options?: GetOptions): Log
  /** The log that is asked for, opening. */
  get(options?: GetOptions): Log
  /** A connection with the store's logs on it. */
  replicate(
    isInitiator?: boolean | StoreReplicateOptions,
    options?: StoreReplicateOptions,
  ): Connection
  /** Close it. A drive calls this only on a session or namespace that it made. */
  close(): Promise<void>
  /** A store object of its own that a drive may close. */
  session?(): StoreLike
  /** A store object with a default log of its own. */
  namespace?(name: string | Uint8Array): StoreLike
  /** Later failures. */
  on?(event: 'error', listener: (error: Error) => void): unknown
}

/** Whether `value` is a store rather than a folder or a function. */
export function isStore(value: unknown): value is Store | StoreLike {
  if (typeof value !== 'object' || value === null) return false
  return ['default', 'get', 'replicate', 'close'].every(
    (name) => typeof Reflect.get(value, name) === 'function',
  )
}
