/**
 * Opening a drive: its store, its metadata log, the trie on it, and the content log if it is known.
 *
 *     writable and empty    a new drive: the content log is derived from the metadata key and written in the header
 *     the header is here    the content log is opened
 *     the header is not     the drive is ready all the same; the header is fetched in the background
 *
 * @see spec/40-drive.md 3.2
 * @module
 */
import { EMPTY, asBuffer, toHex } from '../bytes.ts'
import type { KeyPair } from '../crypto.ts'
import type { Log, LogPeer } from '../log/index.ts'
import { type LogSelector, Store } from '../store/index.ts'
import { MountTrie } from '../trie/index.ts'
import type { DriveContext, DriveSettings, OpenDrive } from './context.ts'
import type { Contents } from './content/contents.ts'
import { DriveError } from './errors.ts'
import { type DriveOptions, type DriveStorage, storeOptionsOf } from './options.ts'
import type { Subscriptions } from './subscriptions.ts'
import { type StoreLike, isStore } from './store-like.ts'

/** A store for one drive, and what closes it. */
export interface DriveStore {
  readonly store: StoreLike
  /** Closes what was opened for the drive, and nothing else. */
  readonly close: () => Promise<void>
  /** The store of a folder that is meant for this drive alone. */
  readonly alone?: Store
}

/** What opening needs to know. */
export interface OpeningParts {
  readonly key: Uint8Array | null
  readonly keyPair: KeyPair | undefined
  readonly settings: DriveSettings
  readonly contents: Contents
  readonly subscriptions: Subscriptions
  readonly openLog: (key: Uint8Array) => Promise<Log>
  readonly emit: DriveContext['emit']
  /** Aborts when the drive is closed. */
  readonly signal: AbortSignal
  /** The store of a folder that is meant for this drive alone. */
  readonly alone: Store | undefined
}

/** The store that a drive's storage stands for. A store that is given is not the drive's to close. */
export function storeFor<D>(storage: DriveStorage<D>, options: DriveOptions, drive: D): DriveStore {
  const { namespace } = options
  if (isStore(storage)) {
    if (namespace === undefined) {
      const own = storage.session?.()
      return { store: own ?? storage, close: async () => own?.close() }
    }
    if (!storage.namespace) throw new TypeError('the store has no namespaces')
    const own = storage.namespace(namespace)
    return { store: own, close: () => own.close() }
  }
  const source =
    typeof storage === 'function'
      ? (path: string, owner: Parameters<typeof storage>[1]) => storage(path, owner, drive)
      : storage
  const store = new Store(source, storeOptionsOf(options))
  const close = (): Promise<void> => store.close()
  if (namespace !== undefined) return { store: store.namespace(namespace), close }
  return options.exact ? { store, close } : { store, close, alone: store }
}

/** Open a drive on its store. */
export async function openDrive(store: StoreLike, parts: OpeningParts): Promise<OpenDrive> {
  const metadata = await openMetadata(store, parts)
  await metadata.ready()
  passOn(metadata, parts)
  // Two drives on one log: the first makes it, the second finds it made.
  return inTurn(metadata, () => openOn(metadata, store, parts))
}

/** The drive's metadata log, which need not be open yet. */
async function openMetadata(
  store: StoreLike,
  { key, keyPair, settings, alone }: OpeningParts,
): Promise<Log> {
  // A peer that is connected already may ask for it while the folder is looked at.
  const opened = alone?.expectLog()
  try {
    await store.ready()
    const which = keyPair ? { keyPair } : key ? { key } : {}
    if (alone) await refuseOther(alone, which)
    return store.default({ ...which, sparse: settings.sparseMetadata })
  } finally {
    opened?.()
  }
}

/**
 * Make no new drive in a folder that holds another: that is a wrong key, a clone's folder without its key, or a
 * `master_key` that is not the one the folder was made with. (v10 makes one.)
 */
async function refuseOther(store: Store, which: LogSelector): Promise<void> {
  const wanted = which.key || which.keyPair ? which : { name: store.name }
  if ((await store.isStored(wanted)) || !(await store.holdsData())) return
  const reason = 'give its key; to keep several drives in one folder, open a Store on it'
  throw new DriveError('DRIVE_OTHER_DRIVE', { reason })
}

async function openOn(metadata: Log, store: StoreLike, parts: OpeningParts): Promise<OpenDrive> {
  const { settings, contents, openLog, emit, signal } = parts
  let content: Log | null = null
  if (metadata.writable && metadata.length === 0) {
    const name = `${toHex(metadata.key ?? EMPTY)}-content`
    content = store.get({ name, sparse: settings.sparse })
    await content.ready()
    contents.set(metadata, content)
  }
  const trie = new MountTrie(metadata, {
    ...(content ? { metadata: content.key } : {}),
    subtype: settings.subtype,
    extension: settings.extension,
    // A reader asks connected peers for news before every lookup, as v10 does.
    alwaysUpdate: true,
    openLog,
  })
  trie.on('mounted', (opened) => {
    emit('metadata-feed', opened.log)
    emit('mount', opened)
  })
  await trie.ready()
  if (!content && metadata.has(0)) await contents.of(trie, { wait: false, signal })
  emit('metadata-feed', metadata)
  emit('mount', trie)
  return { store, metadata, trie }
}

const openings = new WeakMap<Log, Promise<unknown>>()

/** Run `work` when every opening of a drive on `log` asked for before has ended, well or not. */
function inTurn<T>(log: Log, work: () => Promise<T>): Promise<T> {
  const before = openings.get(log) ?? Promise.resolve()
  const mine = before.then(work, work)
  openings.set(log, mine)
  return mine
}

/** Fetch the header of a drive that is not here yet, and open its content log. Failures come as `error`. */
export async function fetchHeader(
  { trie }: OpenDrive,
  contents: Contents,
  context: DriveContext,
): Promise<void> {
  if (contents.peek(trie.log)) return
  try {
    await contents.of(trie, context.reads({ wait: true, timeout: 0 }))
  } catch (error) {
    // Closing the drive ends the wait; nobody has to hear of that.
    if (!context.closed && error instanceof Error) context.emit('error', error)
  }
}

/** Give the metadata log's events as the drive's. */
function passOn(metadata: Log, { emit, settings, subscriptions }: OpeningParts): void {
  subscriptions.to(metadata, 'append', () => emit('update'))
  // A peer is added before the handshake that tells its key. The user's document prints the key at `peer-add`, so
  // that waits until the peer opens; v10's does not.
  const unknown = new Set<LogPeer>()
  subscriptions.to(metadata, 'peer-add', (peer) => {
    if (settings.exact || peer.remotePublicKey) emit('peer-add', peer)
    else unknown.add(peer)
  })
  subscriptions.to(metadata, 'peer-open', (peer) => {
    if (unknown.delete(peer)) emit('peer-add', peer)
    emit('peer-open', peer)
  })
  subscriptions.to(metadata, 'peer-remove', (peer) => {
    if (!unknown.delete(peer)) emit('peer-remove', peer)
  })
  subscriptions.to(metadata, 'download', (index, data) => {
    emit('metadata-download', index, asBuffer(data), metadata)
  })
  subscriptions.to(metadata, 'upload', (index, data) => {
    emit('metadata-upload', index, asBuffer(data), metadata)
  })
  subscriptions.to(metadata, 'error', (error) => emit('error', error))
}
