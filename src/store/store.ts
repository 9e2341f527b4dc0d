/**
 * Many logs in one folder, on one connection.
 *
 * Keys of our own logs are derived from one master key and a name, so a folder needs no list of them. Every log is
 * opened once, whatever number of store objects asked for it; a store object gives back what it got when it closes.
 *
 * @see spec/40-drive.md 2.1, 2.2, 3.1, 3.14, 4.6
 * @module
 */
import { EventEmitter } from 'node:events'
import { resolve } from 'node:path'
import { toHex } from '../bytes.ts'
import { type Callback, settle } from '../callback.ts'
import { type KeyPair, discoveryKey as discoveryKeyOf, isKeyPair, randomBytes } from '../crypto.ts'
import { Guard, type Log } from '../log/index.ts'
import { Connection, type ReplicateOptions } from '../wire/index.ts'
import type { Wanted } from './identity.ts'
import { KEY_BYTES, deriveKeyPair, nameBytes, parseKey } from './keys.ts'
import { type StorageSource, openSource } from './storage-source.ts'
import { CACHE_SIZE, type Face, StoreCore, type StoredLogOptions } from './store-core.ts'
import { StoreError } from './store-error.ts'
import { StoreReplication } from './store-replication.ts'

/** How a store is opened; any option of a log is a default for the store's logs. */
export interface StoreOptions extends StoredLogOptions {
  /** 32 bytes, used instead of the folder's `master_key`. */
  readonly masterKey?: Uint8Array | undefined
  /** Most logs held open while unused ones can be closed (1000). */
  readonly cacheSize?: number | undefined
  /** `false`: do not take the folder for this process alone. Two that write it destroy it. */
  readonly lock?: boolean | undefined
}

/** Which log is asked for: the first that is given of pair, key, name, discovery key; else a new one of random name. */
export interface LogSelector {
  readonly keyPair?: KeyPair | null | undefined
  /** 32 bytes, or text that holds 64 hexadecimal digits. */
  readonly key?: Uint8Array | string | null | undefined
  /** Our own log of that name; names are not changed by namespaces. */
  readonly name?: string | Uint8Array | null | undefined
  /** A log that is in the folder; opening fails with `LOG_NOT_FOUND` when it is not. */
  readonly discoveryKey?: Uint8Array | string | null | undefined
}

/** A selector, and options for a log that is not open yet. */
export interface GetOptions extends LogSelector, Omit<StoredLogOptions, 'key'> {}

/** Options of a connection, and the connection to use instead of a new one. */
export interface StoreReplicateOptions extends ReplicateOptions {
  readonly initiator?: boolean | undefined
  readonly stream?: Connection | undefined
}

/** Arguments of each event. */
export interface StoreEvents {
  /** A log was opened, by whichever store object on the folder. */
  feed: [Log]
  /** The store did not open. */
  error: [Error]
  close: []
}

const DEFAULT_NAME = 'default'

/** A store, or a namespace of one. */
export class Store extends EventEmitter<StoreEvents> {
  /** The name of its default log. */
  readonly name: string
  readonly #core: StoreCore
  /** Whether closing this object closes the folder. */
  readonly #isRoot: boolean
  readonly #isNamespace: boolean
  readonly #replicateOptions: ReplicateOptions
  readonly #replication: StoreReplication
  readonly #expected = new Guard()
  readonly #face: Face = {
    opened: (log) => void this.emit('feed', log),
    // Without its logs a connection would stay open for nothing.
    closing: () => this.#replication.close(),
  }
  #closing: Promise<void> | null = null

  /**
   * @param storage - a folder, or a function that gives each file
   * @param options - master key, cache, and defaults for logs and connections
   * @throws TypeError for another kind of storage
   * @throws {@link StoreError} `STORE_BAD_KEY` for a master key that is not 32 bytes
   */
  constructor(storage: StorageSource, options?: StoreOptions)
  /** @internal */
  constructor(storage: Parent)
  constructor(storage: StorageSource | Parent, options: StoreOptions = {}) {
    super()
    if (storage instanceof Parent) {
      this.name = storage.name
      this.#core = storage.core
      this.#replicateOptions = storage.replicateOptions
      this.#isRoot = false
      this.#isNamespace = storage.isNamespace
    } else {
      const { masterKey, cacheSize = CACHE_SIZE, lock = true, ...logOptions } = options
      if (masterKey && masterKey.length !== KEY_BYTES) {
        throw new StoreError(
          'STORE_BAD_KEY',
          `want a master key of 32 bytes, got ${masterKey.length}`,
        )
      }
      this.name = DEFAULT_NAME
      const { exact = false } = logOptions
      const folder = typeof storage === 'string' ? { path: resolve(storage), lock, exact } : null
      const openFile = openSource(storage, exact)
      this.#core = new StoreCore(openFile, masterKey ?? null, logOptions, cacheSize, folder)
      this.#replicateOptions = {}
      this.#isRoot = true
      this.#isNamespace = false
    }
    this.#replication = new StoreReplication({
      ready: () => this.ready(),
      logs: () => this.#offered(),
      settled: () => this.#expected.idle(),
      find: (discoveryKey) => this.#core.open(discoveryKey, NOTHING, {}),
    })
    this.#core.faces.add(this.#face)
  }

  /** Whether `close` was called on this object or on the one that holds the folder. */
  get closed(): boolean {
    return this.#closing !== null || this.#core.closed
  }

  /** Load the master key, or make one. */
  ready(done?: Callback): Promise<void> {
    return settle(this.closed ? Promise.reject(closedError()) : this.#core.ready(), done)
  }

  /**
   * This object's default log: of its name, unless the options say which.
   *
   * @throws {@link StoreError} as `get`
   */
  default(options: GetOptions = {}): Log {
    return this.get({ ...options, name: this.name })
  }

  /**
   * The log that is asked for, opening. The store must be ready. For a log that is already open, options count
   * for nothing.
   *
   * @throws {@link StoreError} `STORE_NOT_READY`, `STORE_CLOSED`, `STORE_BAD_KEY`
   */
  get(which: GetOptions | Uint8Array | string = {}): Log {
    if (this.closed) throw closedError()
    const { keyPair, key, name, discoveryKey, ...options } = selectorOf(which)
    const found = this.#find({ keyPair, key, name, discoveryKey })
    const isNew = !this.#core.pool.isUsedBy(found.discoveryKey, this)
    const log = this.#core.open(found.discoveryKey, found.wanted, options)
    this.#core.pool.reference(found.discoveryKey, this)
    if (isNew) this.#replication.offer(log)
    return log
  }

  /**
   * A store object on the same folder with a default log of its own, whose logs are replicated apart. A namespace of
   * a namespace is named `parent:child`; without a name it is a random one.
   */
  namespace(name?: string | Uint8Array): Store {
    const text = typeof name === 'string' ? name : toHex(name ?? randomBytes(KEY_BYTES))
    const full = this.#isNamespace ? `${this.name}:${text}` : text
    return new Store(new Parent(this.#core, full, this.#replicateOptions, true))
  }

  /** Another store object with the same default log, to be closed on its own. */
  session(): Store {
    return new Store(new Parent(this.#core, this.name, this.#replicateOptions, this.#isNamespace))
  }

  /**
   * Replicate this object's logs, and whatever of the folder the peer asks for.
   *
   * @param isInitiator - the role; left out, it is found out once the stream is piped
   * @param options - of the connection; `stream` takes one that is there
   */
  replicate(
    isInitiator?: boolean | StoreReplicateOptions,
    options?: StoreReplicateOptions,
  ): Connection {
    const given = typeof isInitiator === 'object' ? { ...isInitiator, ...options } : (options ?? {})
    const {
      initiator = typeof isInitiator === 'boolean' ? isInitiator : undefined,
      stream,
      encrypt,
      encrypted = encrypt,
      ...rest
    } = given
    const merged = {
      ...this.#replicateOptions,
      ...rest,
      ...(encrypted === undefined ? {} : { encrypted }),
    }
    const connection = stream ?? new Connection(initiator ?? null, merged)
    this.#replication.add(connection, merged)
    return connection
  }

  /**
   * @internal Until the function that is returned is called, a peer that asks for a log which is not here waits for
   * the answer: the caller is about to open one.
   */
  expectLog(): () => void {
    return this.#expected.hold()
  }

  /** The logs got through this object, by discovery key in hexadecimal. */
  list(): Map<string, Log> {
    return new Map(this.#core.pool.of(this))
  }

  /** Whether that log is open. */
  isLoaded(which: LogSelector | Uint8Array | string): boolean {
    return this.#core.pool.get(this.#find(selectorOf(which)).discoveryKey) !== null
  }

  /** Whether that log has a place in the folder; false where the storage is no folder. The store must be ready. */
  isStored(which: LogSelector | Uint8Array | string): Promise<boolean> {
    return this.#core.isStored(this.#find(selectorOf(which)).discoveryKey)
  }

  /** Whether any log of the folder has data; false where the storage is no folder. */
  holdsData(): Promise<boolean> {
    return this.#core.holdsData()
  }

  /** Whether some store object uses that log. */
  isExternal(which: LogSelector | Uint8Array | string): boolean {
    return this.#core.pool.isReferenced(this.#find(selectorOf(which)).discoveryKey)
  }

  /**
   * End this object's connections and give back its logs; those that nobody else uses are closed. On the object that
   * holds the folder: end all connections, and close every log. Idempotent.
   */
  close(done?: Callback): Promise<void> {
    this.#closing ??= this.#close()
    return settle(this.#closing, done)
  }

  async #close(): Promise<void> {
    this.#replication.close()
    if (this.#isRoot) await this.#core.close()
    else await this.#core.pool.release(this)
    this.#core.faces.delete(this.#face)
    this.emit('close')
  }

  /** @yields what a plain store offers: what anybody uses; a namespace or session: what was got through it */
  *#offered(): Generator<Log> {
    if (this.#isRoot) yield* this.#core.pool.referenced()
    else for (const [, log] of this.#core.pool.of(this)) yield log
  }

  #find({ keyPair, key, name, discoveryKey }: LogSelector): Found {
    if (keyPair) {
      const { publicKey, secretKey } = keyPair
      if (!isKeyPair(publicKey, secretKey)) {
        throw new StoreError('STORE_BAD_KEY', 'the two keys of the pair do not belong together')
      }
      return found({ publicKey, secretKey, name: null })
    }
    if (key !== undefined && key !== null) {
      return found({ publicKey: parseKey(key), secretKey: null, name: null })
    }
    if (discoveryKey && !isName(name)) {
      return { discoveryKey: parseKey(discoveryKey), wanted: NOTHING }
    }
    const bytes = nameBytes(isName(name) ? name : randomBytes(KEY_BYTES))
    return found({ ...deriveKeyPair(this.#core.masterKey, bytes), name: bytes })
  }
}

/** What a store object of an open folder is made from. */
class Parent {
  constructor(
    core: StoreCore,
    name: string,
    replicateOptions: ReplicateOptions,
    isNamespace: boolean,
  ) {
    this.core = core
    this.name = name
    this.replicateOptions = replicateOptions
    this.isNamespace = isNamespace
  }

  readonly core: StoreCore
  readonly name: string
  readonly replicateOptions: ReplicateOptions
  readonly isNamespace: boolean
}

interface Found {
  readonly discoveryKey: Uint8Array
  readonly wanted: Wanted
}

const NOTHING: Wanted = { publicKey: null, secretKey: null, name: null }

function found(wanted: Wanted & { readonly publicKey: Uint8Array }): Found {
  return { discoveryKey: discoveryKeyOf(wanted.publicKey), wanted }
}

/** An empty name counts as none. */
function isName(name: string | Uint8Array | null | undefined): name is string | Uint8Array {
  return name !== undefined && name !== null && name.length > 0
}

function selectorOf(which: GetOptions | Uint8Array | string): GetOptions {
  return typeof which === 'string' || which instanceof Uint8Array ? { key: which } : which
}

function closedError(): StoreError {
  return new StoreError('STORE_CLOSED', 'the store is closed')
}
