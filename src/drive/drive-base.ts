/**
 * A drive without its operations: what it is made from, how it opens and closes, its properties, its connections.
 *
 * @see spec/40-drive.md 3.2, 3.14, 3.16, 4.2
 * @module
 */
import { asError } from '../errors.ts'
import { EventEmitter } from 'node:events'
import { asBuffer } from '../bytes.ts'
import { type Callback, optional, settle } from '../callback.ts'
import type { KeyPair } from '../crypto.ts'
import type { Extension, ExtensionHandlers, Log, LogPeer } from '../log/index.ts'
import type { Connection } from '../wire/index.ts'
import type { StoreReplicateOptions } from '../store/index.ts'
import { Contents } from './content/contents.ts'
import {
  DriveContext,
  type DriveSettings,
  type DriveTrie,
  type OpenDrive,
  type ReadOptions,
} from './context.ts'
import { DescriptorTable } from './open/descriptor-table.ts'
import { DriveError, inWords } from './errors.ts'
import type { DriveEvents } from './events.ts'
import { Mirror } from './transfer/mirror.ts'
import { type DriveStore, fetchHeader, openDrive, storeFor } from './opening.ts'
import {
  type DriveOptions,
  type DriveStorage,
  argumentsOf,
  checkoutSettings,
  settingsOf,
} from './options.ts'
import type { CheckoutOptions } from './options.ts'
import type { StoreLike } from './store-like.ts'
import { Subscriptions } from './subscriptions.ts'

/** Options of `replicate`. */
export type DriveReplicateOptions = StoreReplicateOptions

/** What a checkout is made from. */
export class CheckoutSource {
  readonly parent: DriveContext
  readonly driveStore: DriveStore
  readonly version: number
  readonly options: CheckoutOptions

  /** @param parent - the drive's context; @param version - blocks of the metadata log it is fixed at */
  constructor(
    parent: DriveContext,
    driveStore: DriveStore,
    version: number,
    options: CheckoutOptions,
  ) {
    this.parent = parent
    this.driveStore = driveStore
    this.version = version
    this.options = options
  }
}

/** The life of a drive. */
export class DriveBase extends EventEmitter<DriveEvents> {
  /** @internal What its operations work on. */
  protected readonly context: DriveContext
  /** @internal Its open files. */
  protected readonly descriptors: DescriptorTable
  #mirror: Mirror | null = null
  readonly #driveStore: DriveStore
  readonly #key: Buffer | null
  readonly #subscriptions = new Subscriptions()
  readonly #extensions: readonly string[]
  #closing: Promise<void> | null = null

  /**
   * @param storage - a folder, a function that gives each file, a store; or what a checkout is of
   * @param key - of the drive to read; left out for one of our own
   * @param options - see {@link DriveOptions}
   */
  constructor(
    storage: DriveStorage<DriveBase> | CheckoutSource,
    key?: Uint8Array | string | DriveOptions | null,
    options?: DriveOptions,
  ) {
    super()
    const isCheckout = storage instanceof CheckoutSource
    const given = argumentsOf(isCheckout ? null : key, options)
    const keyPair = given.options.keyPair
    this.#key = given.key ?? (keyPair ? asBuffer(keyPair.publicKey) : null)
    this.#extensions = isCheckout ? [] : (given.options.extensions ?? [])
    const emit: DriveContext['emit'] = (name, ...args) => this.#emit(name, args)
    if (isCheckout) {
      this.#driveStore = { store: storage.driveStore.store, close: async () => undefined }
      this.context = checkoutContext(storage, emit)
    } else {
      this.#driveStore = storeFor(storage, given.options, this)
      this.context = this.#liveContext(settingsOf(given.options), keyPair, emit)
    }
    this.descriptors = new DescriptorTable(this.context)
    queueMicrotask(() => void this.#open())
  }

  /** The public key; before the drive is open, the one that was given. */
  get key(): Buffer | null {
    const key = this.context.opened?.metadata.key
    return key ? asBuffer(key) : this.#key
  }

  /** What peers look the drive up by; null before it is open. */
  get discoveryKey(): Buffer | null {
    const discoveryKey = this.context.opened?.metadata.discoveryKey
    return discoveryKey ? asBuffer(discoveryKey) : null
  }

  /** Blocks of the metadata log: 1 for a new drive, 0 for a clone that knows nothing. Of a checkout: its own. */
  get version(): number {
    return this.context.version
  }

  /** Whether the drive can be written; a checkout never is. */
  get writable(): boolean {
    return !this.isCheckout && (this.context.opened?.metadata.writable ?? false)
  }

  /** Whether file content can be written; false while the content log is not known. */
  get contentWritable(): boolean {
    return this.content?.writable ?? false
  }

  /** Who replicates the metadata log now. */
  get peers(): readonly LogPeer[] {
    return this.context.opened?.metadata.peers ?? []
  }

  /** The metadata log; null before the drive is open. */
  get metadata(): Log | null {
    return this.context.opened?.metadata ?? null
  }

  /** The content log; null while it is not known. */
  get content(): Log | null {
    const { opened } = this.context
    return opened && this.context.contents.peek(opened.metadata)
  }

  /** The trie of the files; null before the drive is open. */
  get db(): DriveTrie | null {
    return this.context.opened?.trie ?? null
  }

  /** The store. */
  get corestore(): StoreLike {
    return this.#driveStore.store
  }

  /** Whether it is a checkout. */
  get isCheckout(): boolean {
    return this.context.checkout !== null
  }

  /** Whether file content is fetched only when it is read. */
  get sparse(): boolean {
    return this.context.settings.sparse
  }

  /** Whether metadata is fetched only when it is read. */
  get sparseMetadata(): boolean {
    return this.context.settings.sparseMetadata
  }

  /** Whether `close` was called. */
  get closed(): boolean {
    return this.context.closed
  }

  /** Resolves once the drive is open. No other call needs it. */
  ready(): Promise<void>
  ready(done: Callback): void
  ready(done?: Callback): Promise<void> {
    return settle(this.context.ready(), done)
  }

  /**
   * A stream that replicates the drive, with what is mounted in it, over whatever it is piped through.
   *
   * @param isInitiator - the role, or the options; left out, it is found out (both ends must be Varve's)
   * @param options - `live` keeps the stream open (false); `encrypt`, `noise`, `keyPair`, …
   * @throws TypeError for another kind of role
   */
  replicate(
    isInitiator?: boolean | DriveReplicateOptions,
    options?: DriveReplicateOptions,
  ): Connection {
    const isRole = isInitiator === undefined || typeof isInitiator === 'boolean'
    if (!isRole && (typeof isInitiator !== 'object' || (isInitiator as unknown) === null)) {
      throw new TypeError('replicate: want the role as a boolean, options, or nothing')
    }
    const connection = this.#driveStore.store.replicate(isInitiator, options)
    const letGo = connection.prefinalize.hold()
    this.context
      .ready()
      .catch((error: unknown) => {
        connection.destroy(asError(error))
      })
      .finally(letGo)
    return connection
  }

  /**
   * Exchange messages of one's own with the peers of the metadata log. The drive must be open.
   *
   * @throws {@link DriveError} `DRIVE_CLOSED` when it is not
   */
  registerExtension<M = unknown>(name: string, handlers: ExtensionHandlers<M> = {}): Extension<M> {
    return this.context.metadata.registerExtension(name, handlers)
  }

  /** The drive's own content log; waits for the header of a clone. */
  getContent(options?: ReadOptions): Promise<Log>
  getContent(done: Callback<Log>): void
  getContent(options: ReadOptions | undefined, done: Callback<Log>): void
  getContent(options?: ReadOptions | Callback<Log>, done?: Callback<Log>): Promise<Log> {
    const [given, callback] = optional(options, done)
    const content = async (): Promise<Log> => {
      await this.context.ready()
      return this.context.contents.of(this.context.trie, this.context.reads(given))
    }
    return settle(inWords('getContent', undefined, content), callback)
  }

  /** Fetch everything, now and from now on, of the drive and of what is mounted in it. Returns what stops it. */
  mirror(): () => void {
    if (!this.#mirror) {
      const mirror = new Mirror(this.context)
      this.#mirror = mirror
      this.on('metadata-feed', (log) => mirror.add(log))
      this.on('content-feed', (log) => mirror.add(log))
    }
    return this.#mirror.start()
  }

  /**
   * Delete what is stored of the drive's own metadata and content, and close. Mounted drives stay. The key stays
   * too: written again, it would contradict what peers have.
   */
  destroyStorage(): Promise<void>
  destroyStorage(done: Callback): void
  destroyStorage(done?: Callback): Promise<void> {
    return settle(
      inWords('destroyStorage', undefined, () => this.#destroyStorage()),
      done,
    )
  }

  /** @internal Close what the drive opened. Idempotent; ends every wait. */
  protected closeDrive(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  /** @internal A drive of an older version takes this. */
  protected checkoutSource(
    version: number | null | undefined,
    options: CheckoutOptions,
  ): CheckoutSource {
    return new CheckoutSource(this.context, this.#driveStore, version || 1, options)
  }

  /** Never rejects: `ready` does, and a failure is emitted too. */
  async #open(): Promise<void> {
    try {
      await this.context.ready()
      for (const name of this.#extensions) this.#passOn(name)
      const { opened } = this.context
      if (opened && !this.isCheckout) void fetchHeader(opened, this.context.contents, this.context)
      this.emit('ready')
    } catch (error) {
      if (!this.closed && error instanceof Error) this.#emit('error', [error])
    }
  }

  #passOn(name: string): void {
    this.registerExtension<Uint8Array>(name, {
      encoding: 'binary',
      onmessage: (message, peer) => {
        this.emit('extension', name, asBuffer(message), peer)
      },
    })
  }

  #emit<Name extends keyof DriveEvents>(name: Name, args: DriveEvents[Name]): void {
    if (this.closed && name !== 'close') return
    // Without a listener an error has nobody to tell but the promise of whoever waits.
    if (name === 'error' && this.listenerCount('error') === 0) return
    // The types of node's emitter do not follow a name that is a type parameter.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    this.emit(name, ...(args as never))
  }

  #liveContext(
    settings: DriveSettings,
    keyPair: KeyPair | undefined,
    emit: DriveContext['emit'],
  ): DriveContext {
    const { store } = this.#driveStore
    const openLog = async (key: Uint8Array, sparse: boolean): Promise<Log> => {
      const log = store.get({ key, sparse })
      await log.ready()
      return log
    }
    const subscriptions = this.#subscriptions
    const contents = new Contents((key) => openLog(key, settings.sparse), emit, subscriptions)
    const open = (): Promise<OpenDrive> =>
      openDrive(store, {
        key: this.#key,
        keyPair,
        settings,
        contents,
        subscriptions,
        emit,
        openLog: (key) => openLog(key, settings.sparseMetadata),
        signal: this.context.signal,
        alone: this.#driveStore.alone,
      })
    return new DriveContext({
      settings,
      checkout: null,
      contents,
      open,
      emit,
      openLog: (key) => openLog(key, settings.sparse),
    })
  }

  async #close(): Promise<void> {
    // What is still opening must not be left open behind us; whether it worked does not matter any more.
    const opening = this.context.opened ? null : this.context.settled()
    try {
      await this.descriptors.closeAll()
    } finally {
      this.#mirror?.stop()
      this.context.markClosed()
      this.#subscriptions.end()
      await opening
      await this.#driveStore.close()
      this.emit('close')
    }
  }

  async #destroyStorage(): Promise<void> {
    await this.context.ready()
    this.context.assertWritable('destroyStorage')
    const { metadata, contents } = this.context
    const content = contents.peek(metadata)
    await metadata.destroy()
    await content?.destroy()
    await this.closeDrive()
  }
}

function checkoutContext(
  { parent, version, options }: CheckoutSource,
  emit: DriveContext['emit'],
): DriveContext {
  if (!Number.isSafeInteger(version) || version < 0) {
    throw new RangeError(`checkout: want a version from 0 to 2 ** 53 - 1, got ${version}`)
  }
  const open = async (): Promise<OpenDrive> => {
    await parent.ready()
    const { opened } = parent
    if (!opened) throw new DriveError('DRIVE_CLOSED')
    return { ...opened, trie: opened.trie.checkout(version) }
  }
  const settings = checkoutSettings(parent.settings, options)
  const { contents, openLog } = parent
  return new DriveContext({ settings, checkout: version, contents, openLog, open, emit })
}
