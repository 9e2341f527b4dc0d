/**
 * What all store objects on one folder share: storage, master key, opened logs, and the connections they go out on.
 *
 * @see spec/40-drive.md 3.1, 3.14
 * @module
 */
import { join } from 'node:path'
import { Log, type LogOptions } from '../log/index.ts'
import {
  type FolderLock,
  type OpenStorage,
  type RandomAccess,
  holdsFile,
  isFolder,
  isFolderLock,
  takeFolder,
} from '../storage/index.ts'
import { type Wanted, identify } from './identity.ts'
import { folderOf } from './keys.ts'
import { LogPool } from './log-pool.ts'
import { loadMasterKey } from './master-key.ts'
import { StoreError, StoreLockedError } from './store-error.ts'

/** The keys of the log that a file belongs to, as far as they are known. */
export interface FileOwner {
  readonly key: Uint8Array | null
  readonly discoveryKey: Uint8Array | null
}

/** Gives the file at a path of the store (such as `ab/cd/abcd…/tree`), and is told whose it is. */
export type OpenFile = (path: string, owner: FileOwner) => RandomAccess

/** Options of a log, as the store passes them on. */
export type StoredLogOptions = Omit<LogOptions, 'identify' | 'secretKey' | 'storeSecretKey'>

/** Default of the store's `cacheSize`. */
export const CACHE_SIZE = 1000

/** The folder of a store that has one. */
export interface StoreFolder {
  readonly path: string
  /** Nobody else may have it open meanwhile. */
  readonly lock: boolean
  /** A lost master key is replaced, whatever was derived from it, as v10 does. */
  readonly exact: boolean
}

/** Logs lie this many folders below a store's. */
const LOG_DEPTH = 3

/** A store object on it. */
export interface Face {
  /** A log was opened, by whichever of them. */
  opened(log: Log): void
  /** Every log is about to be closed. */
  closing(): void
}

/** One store, whatever number of faces it has. */
export class StoreCore {
  /** The store objects that are open. A set: with thousands, a list of listeners would be searched for each that goes. */
  readonly faces: Set<Face> = new Set()
  readonly pool: LogPool
  readonly #openFile: OpenFile
  readonly #logOptions: StoredLogOptions
  #masterKey: Uint8Array | null
  #masterFile: RandomAccess | null = null
  readonly #folder: StoreFolder | null
  #lock: FolderLock | null = null
  #opening: Promise<void> | null = null
  #closing: Promise<void> | null = null

  /**
   * @param openFile - where its files are
   * @param masterKey - used instead of the stored one, which is then neither read nor written
   * @param logOptions - defaults for every log
   * @param cacheSize - see `LogPool`
   * @param folder - where that is a folder
   */
  constructor(
    openFile: OpenFile,
    masterKey: Uint8Array | null,
    logOptions: StoredLogOptions,
    cacheSize: number,
    folder: StoreFolder | null,
  ) {
    this.#openFile = openFile
    this.#folder = folder
    this.#masterKey = masterKey
    this.#logOptions = logOptions
    this.pool = new LogPool(cacheSize)
  }

  /** Whether `close` was called. */
  get closed(): boolean {
    return this.#closing !== null
  }

  /**
   * The master key.
   *
   * @throws {@link StoreError} `STORE_NOT_READY`, `STORE_CLOSED`
   */
  get masterKey(): Uint8Array {
    if (this.closed) throw new StoreError('STORE_CLOSED', 'the store is closed')
    if (!this.#masterKey) {
      throw new StoreError('STORE_NOT_READY', 'wait for store.ready() before asking for a log')
    }
    return this.#masterKey
  }

  /** Load or make the master key. A failure may be tried again. */
  ready(): Promise<void> {
    if (this.closed) return Promise.reject(new StoreError('STORE_CLOSED', 'the store is closed'))
    this.#opening ??= this.#open().catch((error: unknown) => {
      this.#opening = null
      throw error
    })
    return this.#opening
  }

  /** The opened log with that discovery key, or a new one on its folder. */
  open(discoveryKey: Uint8Array, wanted: Wanted, options: StoredLogOptions): Log {
    const { masterKey } = this
    const opened = this.pool.get(discoveryKey)
    if (opened) return opened
    const files = this.#files(discoveryKey, wanted.publicKey)
    const logOptions = { ...this.#logOptions, ...options }
    const isDurable = logOptions.durability !== 'none'
    const log = new Log(files.open, wanted.publicKey, {
      ...logOptions,
      createIfMissing: wanted.publicKey !== null,
      identify: () => identify(files.open, wanted, masterKey, isDurable),
    })
    // Tries, watchers and drives listen to one log: their number is the user's.
    log.setMaxListeners(0)
    log.once('close', () => files.closeName())
    this.pool.add(discoveryKey, log)
    void this.#announce(log, files)
    return log
  }

  /** Whether that log has a place in the folder; false where the storage is no folder. */
  async isStored(discoveryKey: Uint8Array): Promise<boolean> {
    return this.#folder !== null && isFolder(join(this.#folder.path, folderOf(discoveryKey)))
  }

  /** Whether any log of the folder has data; false where the storage is no folder. */
  async holdsData(): Promise<boolean> {
    return this.#folder !== null && holdsFile(this.#folder.path, 'data', LOG_DEPTH)
  }

  /** Close every log. Idempotent. */
  close(): Promise<void> {
    if (!this.#closing) {
      this.#closing = this.#close()
      for (const face of this.faces) face.closing()
    }
    return this.#closing
  }

  /** Never rejects: whoever asked for the log hears of a failure. */
  async #announce(log: Log, files: LogFiles): Promise<void> {
    try {
      await log.ready()
      if (!log.closed) for (const face of this.faces) face.opened(log)
    } catch {
      files.closeName()
    }
  }

  async #open(): Promise<void> {
    await this.#takeFolder()
    if (this.#masterKey) return
    this.#masterFile = this.#openFile('master_key', { key: null, discoveryKey: null })
    this.#masterKey = await loadMasterKey(this.#masterFile, () => this.#holdsNames())
  }

  async #close(): Promise<void> {
    // An opening under way must not leave a file open behind us; whether it worked is its caller's to know.
    await this.#opening?.catch(() => undefined)
    await this.pool.close()
    await this.#masterFile?.close()
    await this.#lock?.release()
  }

  async #takeFolder(): Promise<void> {
    if (!this.#folder?.lock || this.#lock) return
    const answer = await takeFolder(this.#folder.path)
    if (!isFolderLock(answer)) throw new StoreLockedError(this.#folder.path, answer)
    this.#lock = answer
  }

  /** Whether a log of the folder was derived from a master key: such a one has a `name`. */
  async #holdsNames(): Promise<boolean> {
    if (this.#folder === null || this.#folder.exact) return false
    return holdsFile(this.#folder.path, 'name', LOG_DEPTH)
  }

  /** The files of one log, each asked for once however often it is used. */
  #files(discoveryKey: Uint8Array, key: Uint8Array | null): LogFiles {
    const folder = folderOf(discoveryKey)
    const opened = new Map<string, RandomAccess>()
    const open: OpenStorage = (name) => {
      let file = opened.get(name)
      if (!file) {
        file = this.#openFile(`${folder}/${name}`, { key, discoveryKey })
        opened.set(name, file)
      }
      return file
    }
    // The log closes what it uses; `name` is the store's.
    const closeName = (): void =>
      void opened
        .get('name')
        ?.close()
        .catch(() => undefined)
    return { open, closeName }
  }
}

interface LogFiles {
  readonly open: OpenStorage
  readonly closeName: () => void
}
