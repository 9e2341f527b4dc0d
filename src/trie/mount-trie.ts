/**
 * One name space over several tries: a trie that shows other tries below some of its paths.
 *
 * A mount is a hidden record (`mounts/<path>`, the other log's key) and a visible entry at the path. The
 * records alone decide: the trie for a path is that of the longest mountpoint above it, and so on inside.
 * Other logs come from an injected `openLog`; this layer knows no store.
 *
 * @see spec/30-trie.md 3.13 to 3.18, with the corrections of its section 6
 * @module
 */
import { EventEmitter } from 'node:events'
import type { TrieEntry } from './entry.ts'
import { TrieError } from './errors.ts'
import {
  listMounts,
  mountedEntries,
  type MountedEntry,
  type MountListing,
} from './mount-iterator.ts'
import { MAX_MOUNT_DEPTH, MountFamily } from './mount-family.ts'
import { type RecordOptions, recordAt, recordOf } from './mount-lookup.ts'
import { joinPath, normalizePath, rebase } from './mount-path.ts'
import {
  downPath,
  outerKey,
  outward,
  type MountedGet,
  type MountInfo,
  type MountIteratorOptions,
  type MountOptions,
  type MountTrieOptions,
  type Owner,
} from './mount-place.ts'
import { mountAt, renameIn, type MountRenameOptions } from './mount-changes.ts'
import { RECORDS, type MountRecord } from './mount-record.ts'
import { mountDiff, mountHistory, type MountDiffRow, type MountHistoryRow } from './mount-views.ts'
import { MountWatcher } from './mount-watch.ts'
import type {
  BatchOperation,
  ChangeOptions,
  DiffOptions,
  GetOptions,
  HeadOptions,
  HistoryOptions,
  PutOptions,
} from './options.ts'
import type { Pull } from './pull.ts'
import { Trie } from './trie.ts'
import type { TrieLog, WaitOptions } from './trie-log.ts'
import type { WatchOptions } from './watch.ts'

/** Events of a mount trie. */
export interface MountTrieEvents<L extends TrieLog> {
  ready: []
  /** The own log has grown. */
  append: []
  /** A mounted trie, at any depth, was opened for the first time. Only on the root. */
  mounted: [trie: MountTrie<L>]
}

/** A trie with other tries below its mountpoints. Values are bytes. */
export class MountTrie<L extends TrieLog = TrieLog> extends EventEmitter<MountTrieEvents<L>> {
  /** The trie itself, without mounts. Writes to it at a path already resolved are right. */
  readonly trie: Trie
  /** Its log. */
  readonly log: L
  readonly #options: MountTrieOptions<L>
  /** A version that is known to have no mounts. */
  #mountless = -1
  /** Mounted tries: those of the root, for all below it. */
  #family: MountFamily<L, MountTrie<L>>

  /** @param log - holds the blocks of the trie itself */
  constructor(log: L, options: MountTrieOptions<L>) {
    super()
    const { openLog, subtype = 'mountable-hypertrie', ...rest } = options
    this.log = log
    this.#options = options
    this.trie = new Trie(log, { ...rest, subtype })
    this.#family = new MountFamily(openLog, async (inner) => {
      const member = new MountTrie<L>(inner, { ...options, metadata: null, checkout: null })
      member.#family = this.#family
      await member.ready()
      this.emit('mounted', member)
      return member
    })
    this.trie.on('ready', () => {
      if (log.key && !this.isCheckout) this.#family.add(log.key, this)
      this.emit('ready')
    })
    this.trie.on('append', () => this.emit('append'))
  }

  /** Blocks of the version shown. */
  get version(): number {
    return this.trie.version
  }

  /** Whether this shows one version for ever. */
  get isCheckout(): boolean {
    return this.trie.isCheckout
  }

  /** Own place. */
  get info(): MountInfo {
    const version = this.trie.isCheckout ? this.trie.version : null
    return { key: this.log.key, localPath: '', remotePath: '', version }
  }

  /** Open the log. Everything else waits for this by itself. */
  ready(): Promise<void> {
    return this.trie.ready()
  }

  /** Metadata in block 0, or null. */
  getMetadata(options: WaitOptions = {}): Promise<Uint8Array | null> {
    return this.trie.getMetadata(options)
  }

  /** As {@link Trie.setMetadata}. */
  setMetadata(metadata: Uint8Array): void {
    this.trie.setMetadata(metadata)
  }

  /** The entry at `path`, in whichever trie it is. Hidden keys are those of this trie alone. */
  async get(path: string, options: GetOptions = {}): Promise<MountedGet<L>> {
    return this.#get(normalizePath(path), options, 0)
  }

  /**
   * As `get`, from memory alone, and where nothing is mounted: undefined when `get` has to be asked. A third of
   * its cost: the rest is promises.
   */
  peek(path: string): MountedGet<L> | undefined {
    const { version } = this.trie
    if (version !== this.#mountless) {
      if (this.trie.peek(RECORDS, { hidden: true, prefix: true }) !== null) return undefined
      this.#mountless = version
    }
    const innerPath = normalizePath(path)
    const node = this.trie.peek(innerPath)
    if (node === undefined) return undefined
    return { trie: this, info: this.info, innerPath, node: node?.key === innerPath ? node : null }
  }

  async #get(path: string, options: GetOptions, depth: number): Promise<MountedGet<L>> {
    const head = await this.trie.headSeq(options)
    // Both lookups at once: a remote trie without mounts answers in the round trips of one.
    const visible = this.trie.getAt(head, path, options)
    visible.catch(() => null) // inside a mount nobody asks what became of it
    const record = options.hidden ? null : await recordOf(this.trie, head, path, options)
    if (record && record.localPath !== path) {
      const inner = await this.#enter(record, depth)
      const found = await inner.#get(downPath(path, record), options, depth + 1)
      return { ...found, node: found.node && outward(found.node, record) }
    }
    const node = await visible
    const wanted = node && (node.key === path || options.closest || options.prefix)
    return { trie: this, info: this.info, innerPath: path, node: wanted ? node : null }
  }

  /** The innermost trie for `path`; a mountpoint itself belongs to the trie that holds the mount. */
  async owner(path: string, options: WaitOptions = {}): Promise<Owner<L>> {
    return this.#owner(normalizePath(path), options, false)
  }

  /** The innermost trie for what is below `path`: at a mountpoint the mounted trie. */
  async ownerBelow(path: string, options: RecordOptions = {}): Promise<Owner<L>> {
    return this.#owner(normalizePath(path), options, true)
  }

  async #owner(path: string, options: RecordOptions, enter: boolean): Promise<Owner<L>> {
    // A loop, not recursion: the depth is the writer's choice.
    let trie = this.#self()
    let innerPath = path
    let [mountPath, remotePath] = ['', '']
    for (let depth = 0; ; depth++) {
      // oxlint-disable-next-line no-await-in-loop -- one mount after the other
      const head = await trie.trie.headSeq(options)
      // oxlint-disable-next-line no-await-in-loop
      const record = await recordOf(trie.trie, head, innerPath, options)
      if (!record || (!enter && record.localPath === innerPath)) {
        return { trie, info: trie.info, innerPath, mountPath, remotePath }
      }
      const rest = rebase(innerPath, record.localPath, '')
      mountPath = rest === '' ? path : path.slice(0, -rest.length - 1)
      remotePath = record.remotePath
      innerPath = joinPath(remotePath, rest)
      // oxlint-disable-next-line no-await-in-loop
      trie = await trie.#enter(record, depth)
    }
  }

  #self(): MountTrie<L> {
    return this
  }

  /**
   * The trie for `path`, one mount down: the one mounted at the longest mountpoint that is the path or
   * above it, with what its record says, or this one, with its own place.
   */
  async resolve(
    path: string,
    options: WaitOptions = {},
  ): Promise<{ trie: MountTrie<L>; info: MountInfo }> {
    const head = await this.trie.headSeq(options)
    const record = await recordOf(this.trie, head, normalizePath(path), options)
    if (!record) return { trie: this, info: this.info }
    return { trie: await this.#enter(record, 0), info: record }
  }

  /** @internal The trie that a record of this one mounts. */
  async mounted(record: MountRecord): Promise<MountTrie<L>> {
    const member = await this.#family.open(record.key)
    return record.version === 0 ? member : member.checkout(record.version)
  }

  /** @internal The trie that a record mounts, when it is open already. */
  alreadyMounted(record: MountRecord): MountTrie<L> | null {
    const member = this.#family.opened(record.key)
    return member && record.version !== 0 ? member.checkout(record.version) : member
  }

  async #enter(record: MountRecord, depth: number): Promise<MountTrie<L>> {
    if (depth >= MAX_MOUNT_DEPTH) {
      throw new TrieError('TRIE_MOUNT_DEPTH', `more than ${MAX_MOUNT_DEPTH} mounts on a path`)
    }
    return this.mounted(record)
  }

  /** Put at `path`, in whichever trie it is. At a mountpoint: keep flags 1, by which v10 knows it. */
  async put(
    path: string,
    value: Uint8Array | string | null = null,
    options: PutOptions<Uint8Array> = {},
  ): Promise<TrieEntry | null> {
    const normal = normalizePath(path)
    const owner = options.hidden ? this.#here(normal) : await this.#owner(normal, {}, false)
    const entry = await owner.trie.trie.put(owner.innerPath, value, options)
    return entry && { ...entry, key: outerKey(entry.key, owner) }
  }

  /** Delete `path`, in whichever trie it is; a mountpoint is unmounted. Gives what was appended, or null. */
  async del(path: string, options: ChangeOptions<Uint8Array> = {}): Promise<TrieEntry | null> {
    const normal = normalizePath(path)
    const owner = options.hidden ? this.#here(normal) : await this.#owner(normal, {}, false)
    const { trie } = owner.trie
    const point = options.hidden
      ? null
      : await recordAt(trie, await trie.headSeq(), owner.innerPath, {})
    if (point) {
      const { condition } = options
      if (condition && !(await condition(await trie.get(owner.innerPath), null))) return null
      const last = (await this.unmount(`/${normal}`)).at(-1)
      return last ? { ...last, key: outerKey(last.key, owner) } : null
    }
    const closest = options.condition !== undefined || options.closest === true
    const entry = await trie.del(owner.innerPath, { ...options, closest })
    return entry && { ...entry, key: outerKey(entry.key, owner) }
  }

  /**
   * Make all changes, with one append for each trie that they touch: at once within a trie, one trie after
   * the other. Gives what was appended, with keys of the tries themselves.
   */
  async batch(operations: Iterable<BatchOperation<Uint8Array>>): Promise<readonly TrieEntry[]> {
    const groups = new Map<Trie, BatchOperation<Uint8Array>[]>()
    for (const operation of operations) {
      const path = normalizePath(operation.key)
      // oxlint-disable-next-line no-await-in-loop -- from memory, all but the first
      const owner = operation.hidden ? this.#here(path) : await this.#owner(path, {}, false)
      const group = groups.get(owner.trie.trie) ?? []
      group.push({ ...operation, key: owner.innerPath })
      groups.set(owner.trie.trie, group)
    }
    const appended: TrieEntry[] = []
    for (const [trie, group] of groups) {
      // oxlint-disable-next-line no-await-in-loop
      appended.push(...(await trie.batch(group)))
    }
    return appended
  }

  #here(innerPath: string): Owner<L> {
    return { trie: this, info: this.info, innerPath, mountPath: '', remotePath: '' }
  }

  /**
   * Show the trie of `key` at `path`.
   *
   * @throws {@link TrieError} `TRIE_BAD_MOUNT` for a key that is none, for the root, for a mountpoint, and
   *   where there is something at or below the path
   */
  async mount(
    path: string,
    key: Uint8Array,
    options: MountOptions = {},
  ): Promise<{ trie: MountTrie<L>; info: MountInfo }> {
    return mountAt(this, path, key, options)
  }

  /**
   * Move the entry at `path`, and with `below` everything below it and the mounts there, to `to` with one append. What
   * is at `to` goes. Gives what was appended, with keys of the trie itself: nothing when nothing is at `path`, or the
   * condition declined.
   *
   * @throws {@link TrieError} `TRIE_CROSS_MOUNT` into another trie; `TRIE_BAD_RENAME` into itself; `TRIE_BAD_MOUNT`
   *   onto a mountpoint or above one, and where a mount would hide something
   */
  async rename(
    path: string,
    to: string,
    options: MountRenameOptions = {},
  ): Promise<readonly TrieEntry[]> {
    return renameIn(this, path, to, options)
  }

  /** Show nothing at `path` any more. Gives what was appended; nothing when there was no mount. */
  async unmount(path: string): Promise<readonly TrieEntry[]> {
    const { trie, innerPath } = await this.owner(path)
    return trie.trie.batch([
      { type: 'del', key: joinPath(RECORDS, innerPath), hidden: true },
      { type: 'del', key: innerPath },
    ])
  }

  /** The entries below `path`, with their owners. A mountpoint's content follows its entry at once. */
  iterator(path = '', options: MountIteratorOptions = {}): Pull<MountedEntry<L>> {
    return mountedEntries(this, normalizePath(path), options)
  }

  /** All that `iterator` gives. */
  list(path = '', options: MountIteratorOptions = {}): Promise<MountedEntry<L>[]> {
    return this.iterator(path, options).collect()
  }

  /**
   * The mounts of this trie and, with `recursive`, of those mounted in it. With `memory` only those that
   * are open already.
   */
  mounts(
    options: HeadOptions & { readonly recursive?: boolean; readonly memory?: boolean } = {},
  ): Pull<MountListing<L>> {
    return listMounts(this, options)
  }

  /** What was written to this trie, mounts told from entries. */
  history(options: HistoryOptions = {}): Pull<MountHistoryRow> {
    return mountHistory(this, options)
  }

  /** What differs between this version (left) and another, below `path`. Mounts are not entered. */
  diff(
    other: MountTrie<L> | number | null = 0,
    path = '',
    options: DiffOptions & { readonly noMounts?: boolean } = {},
  ): Pull<MountDiffRow> {
    const right = typeof other === 'object' && other !== null ? other : this.checkout(other)
    return mountDiff(this, right, normalizePath(path), options)
  }

  /** Be told of changes at and below `path`, in mounted tries as well. */
  watch(path: string, onchange?: () => void, options: WatchOptions = {}): MountWatcher<L> {
    const watcher = new MountWatcher<L>(this, normalizePath(path), options)
    if (onchange) watcher.on('change', onchange)
    return watcher
  }

  /** This trie at a version. Mounted tries are shown as they are now, unless their records fix a version. */
  checkout(version: number | null = 0): MountTrie<L> {
    const out = new MountTrie<L>(this.log, { ...this.#options, checkout: version ?? 0 })
    out.#family = this.#family
    return out
  }
}
