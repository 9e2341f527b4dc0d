/**
 * What a drive is made from: storage, key, options.
 *
 * @see spec/40-drive.md 3.2, 4.2
 * @module
 */
import { asBuffer } from '../bytes.ts'
import type { KeyPair } from '../crypto.ts'
import type { Wait } from '../log/index.ts'
import type { RandomAccess, RandomAccessObject } from '../storage/index.ts'
import {
  type FileOwner,
  type Store,
  StoreError,
  type StoreOptions,
  parseKey,
} from '../store/index.ts'
import type { DriveSettings } from './context.ts'
import { DriveError } from './errors.ts'
import type { StoreLike } from './store-like.ts'

/**
 * Gives the file of a path such as `ab/cd/abcd…/tree`: any random-access-storage object. Is also told the keys of
 * the log it belongs to, and the drive.
 */
export type DriveStorageFunction<D> = (
  path: string,
  owner: FileOwner,
  drive: D,
) => RandomAccess | RandomAccessObject

/** Where a drive is stored: a folder, a function that gives each file, or a store. */
export type DriveStorage<D> = string | DriveStorageFunction<D> | Store | StoreLike

/** Options of a drive; any option of a store or a log is passed on to the store that the drive makes. */
export interface DriveOptions extends Omit<StoreOptions, 'sparse' | 'wait' | 'timeout'> {
  /** Fetch file content only when it is read (true). */
  readonly sparse?: boolean | undefined
  /** Fetch metadata only when it is read (true). */
  readonly sparseMetadata?: boolean | undefined
  /** Third field of a new drive's header: `hyperdrive`. Readers do not look at it. */
  readonly subtype?: string | undefined
  /** Use a store's namespace, so that several drives fit in one folder. */
  readonly namespace?: string | Uint8Array | undefined
  /** Keys of the metadata log, instead of derived ones. */
  readonly keyPair?: KeyPair | undefined
  /** `false`: neither use nor answer the trie's extension, which shortens remote lookups. */
  readonly extension?: boolean | undefined
  /** Names of extensions whose messages come as the event `extension`. */
  readonly extensions?: readonly string[] | undefined
  /** v10's bytes and outcomes, also where Varve does better. Default false. */
  readonly exact?: boolean | undefined
  /** Whether reads wait for what is not here: true, as v10. */
  readonly wait?: Wait | undefined
  /** Milliseconds after which a waiting read fails; 0 is never. */
  readonly timeout?: number | undefined
  /** Milliseconds after which an open file writes what it holds (100). */
  readonly descriptorFlushMs?: number | undefined
  /** Store a file whose bytes are in the drive's content already by its entry alone. Default false; never with `exact`. */
  readonly deduplicate?: boolean | undefined
  /** The clock of entries, in milliseconds since 1970. */
  readonly now?: (() => number) | undefined
}

/** Options of a checkout: what is left out is as in the drive it is of. */
export type CheckoutOptions = Pick<
  DriveOptions,
  'exact' | 'wait' | 'timeout' | 'now' | 'descriptorFlushMs'
>

/** The settings that options ask for. */
export function settingsOf(options: DriveOptions): DriveSettings {
  return {
    exact: options.exact ?? false,
    sparse: options.sparse ?? true,
    sparseMetadata: options.sparseMetadata ?? true,
    subtype: options.subtype ?? 'hyperdrive',
    extension: options.extension ?? true,
    wait: options.wait ?? true,
    timeout: options.timeout ?? 0,
    descriptorFlushMs: options.descriptorFlushMs ?? 100,
    deduplicate: options.deduplicate ?? false,
    now: options.now ?? Date.now,
  }
}

/** The settings of a checkout: those of its drive, with options laid over them. */
export function checkoutSettings(parent: DriveSettings, options: CheckoutOptions): DriveSettings {
  const { exact, wait, timeout, now, descriptorFlushMs } = options
  return {
    ...parent,
    exact: exact ?? parent.exact,
    wait: wait ?? parent.wait,
    timeout: timeout ?? parent.timeout,
    now: now ?? parent.now,
    descriptorFlushMs: descriptorFlushMs ?? parent.descriptorFlushMs,
  }
}

/** What the drive minds itself: as a log's default `wait: false` would keep a clone from asking for news at all. */
const OWN_OPTIONS = new Set([
  'wait',
  'timeout',
  'sparse',
  'sparseMetadata',
  'subtype',
  'namespace',
  'keyPair',
  'extension',
  'extensions',
  'descriptorFlushMs',
  'deduplicate',
  'now',
])

/** The options that a store made by the drive takes. */
export function storeOptionsOf(options: DriveOptions): StoreOptions {
  return Object.fromEntries(Object.entries(options).filter(([name]) => !OWN_OPTIONS.has(name)))
}

/**
 * The key and the options among a constructor's arguments: the second may be either.
 *
 * @throws {@link DriveError} `DRIVE_BAD_KEY` for a key that is no 32 bytes
 */
export function argumentsOf(
  key: Uint8Array | string | DriveOptions | null | undefined,
  options: DriveOptions | undefined,
): { readonly key: Buffer | null; readonly options: DriveOptions } {
  if (key === null || key === undefined) return { key: null, options: options ?? {} }
  if (typeof key === 'object' && !(key instanceof Uint8Array)) {
    return { key: null, options: { ...key, ...options } }
  }
  try {
    return { key: asBuffer(parseKey(key)), options: options ?? {} }
  } catch (cause) {
    const reason = cause instanceof StoreError ? cause.message : String(cause)
    throw new DriveError('DRIVE_BAD_KEY', { reason, cause })
  }
}
