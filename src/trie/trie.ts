/**
 * A map from keys to values on a log: one writer, any number of readers, every version kept.
 *
 * Thin: what a lookup, a change, an iteration or a difference is stands in the files named after them.
 *
 *     const trie = new Trie(log, { valueEncoding: 'json' })
 *     await trie.put('a/b', { size: 3 })
 *     for await (const { key, value } of trie.iterator('a')) …
 *
 * There is no close: close the log.
 *
 * @see spec/30-trie.md 4.1
 * @module
 */
import { EventEmitter } from 'node:events'
import { DifferenceSource } from './diff-source.ts'
import { Entries, type TrieDifference, type TrieEntry } from './entry.ts'
import { TrieError } from './errors.ts'
import { TrieExtension } from './extension.ts'
import { keepRefreshed, Growth } from './following.ts'
import { find, type FindMode } from './get.ts'
import { HashPath, storedKey } from './hash-path.ts'
import { decodeHeader, encodeHeader, metadataBytes } from './header.ts'
import { History } from './history.ts'
import { IteratorSource } from './iterator-source.ts'
import { hearOf } from './news.ts'
import { NodeStore } from './node-store.ts'
import type {
  Batch,
  ChangeOptions,
  DiffOptions,
  GetOptions,
  HeadOptions,
  HistoryOptions,
  IteratorOptions,
  PutOptions,
  RenameOptions,
  TrieEvents,
  TrieOptions,
} from './options.ts'
import { iterationMode, mapBatch } from './options.ts'
import { Pull } from './pull.ts'
import type { TrieLog, WaitOptions } from './trie-log.ts'
import { Watcher, type WatchOptions } from './watch.ts'
import { renaming } from './rename.ts'
import { Writer, type Change } from './writer.ts'

/** Requests in flight per peer: a directory is many small blocks, and one of 300 should take one flight. */
const MAX_REQUESTS = 512
/** Stands for the version that is the newest once the log is open. */
const LATEST = -1

/** A trie on a log. Values are bytes unless `valueEncoding` says otherwise. */
export class Trie<Value = Uint8Array> extends EventEmitter<TrieEvents> {
  readonly #nodes: NodeStore
  readonly #writer: Writer
  readonly #entries: Entries<Value>
  readonly #options: TrieOptions
  readonly #extension: TrieExtension | null
  readonly #growth: Growth
  /** Fixed version, or null for the newest. */
  #version: number | null
  #metadata: Uint8Array | null
  #opening: Promise<void> | null = null
  #opened = false

  /** @param log - holds the blocks, as bytes; tries on one log object share nodes and take turns to write */
  constructor(log: TrieLog, options: TrieOptions = {}) {
    super()
    const { checkout = null } = options
    this.#options = options
    this.#nodes = NodeStore.of(log, options.hash ?? null, options.cacheSize)
    this.#version = checkout === null ? null : checkout < 0 ? LATEST : Math.max(1, checkout)
    this.#entries = new Entries(options.valueEncoding)
    this.#metadata = metadataBytes(options.metadata)
    this.#growth = new Growth(log)
    this.#writer = new Writer(this.#nodes, () => this.ready())
    const asked = (type: 'get' | 'iterator', key: string): void =>
      void this.emit(`extension-${type}`, key)
    this.#extension = options.extension === false ? null : TrieExtension.of(this.#nodes, { asked })
    if (this.isCheckout) return
    if (log.maxRequests !== undefined) log.maxRequests = options.maxRequests ?? MAX_REQUESTS
    log.on('append', () => this.#grew())
  }

  /** The log it is stored in. */
  get log(): TrieLog {
    return this.#nodes.log
  }

  /** Blocks of the version shown: 1 for an empty trie with a header, 0 when nothing is known yet. */
  get version(): number {
    const version = this.#version
    return version === null || version === LATEST ? this.log.length : version
  }

  /** Whether this shows one version for ever, and cannot be written to. */
  get isCheckout(): boolean {
    return this.#version !== null
  }

  /** Whether `ready` has come to its end. */
  get opened(): boolean {
    return this.#opened
  }

  /** Metadata for the header that is yet to be written; what a log has says `getMetadata`. */
  get metadata(): Uint8Array | null {
    return this.#metadata
  }

  #grew(): void {
    this.emit('append')
    this.#growth.grew()
  }

  /** Open the log, and write the header of an empty one. Everything else waits for this by itself. */
  async ready(): Promise<void> {
    if (this.#opened) return
    this.#opening ??= this.#open()
    try {
      await this.#opening
    } finally {
      this.#opening = null // after a failure the next call tries again
    }
  }

  async #open(): Promise<void> {
    const { log } = this
    await log.ready()
    if (this.#version === LATEST) this.#version = Math.max(1, log.length)
    if (log.length === 0 && log.writable && !this.isCheckout) {
      const { subtype } = this.#options
      await log.append([encodeHeader({ metadata: this.#metadata, subtype })])
    }
    this.#opened = true
    if (this.#options.alwaysReconnect && !log.writable && !this.isCheckout) this.#keepRefreshed()
    this.emit('ready')
  }

  /** The entry of `key`, or null. With `prefix` or `closest`: see there. */
  async get(key: string, options: GetOptions = {}): Promise<TrieEntry<Value> | null> {
    const isWatched = options.onseq !== undefined || options.onheadseq !== undefined
    const atHand = isWatched ? undefined : this.peek(key, options)
    if (atHand !== undefined) return atHand
    const head = await this.headSeq(options)
    options.onheadseq?.(head)
    return this.getAt(head, key, options)
  }

  /** As `get`, in the version whose newest block is `head` (0 for the empty trie). */
  async getAt(
    head: number,
    key: string,
    options: GetOptions = {},
  ): Promise<TrieEntry<Value> | null> {
    if (head === 0) return null
    const path = this.#path(key, options.hidden)
    const load = this.#extension?.hinting(options, head, path) ?? options
    return this.#entries.maybe(
      await this.#nodes.run((nodes) => find(nodes, head, path, options), load),
    )
  }

  /** As `get`, from memory alone: undefined when `get` has to be asked, for want of a block or of news. */
  peek(
    key: string,
    options: FindMode & Pick<GetOptions, 'hidden'> = {},
  ): TrieEntry<Value> | null | undefined {
    if (!this.#opened || this.#asksPeers) return undefined
    const head = this.#head
    if (head === 0) return null
    const path = this.#path(key, options.hidden)
    return this.#entries.atHand(this.#nodes.runNow((nodes) => find(nodes, head, path, options)))
  }

  /**
   * Put `value` at `key`. Gives the entry as written, or null when the condition declined.
   *
   * @throws {@link TrieError} `TRIE_BAD_KEY`, `TRIE_READ_ONLY_CHECKOUT`; LogError `LOG_NOT_WRITABLE`
   */
  async put(
    key: string,
    value: Value | string | null = null,
    options: PutOptions<Value> = {},
  ): Promise<TrieEntry<Value> | null> {
    this.#assertLive()
    const change = this.#entries.change({ ...options, type: 'put', key, value })
    return this.#entries.maybe(await this.#writer.put(change, this.#entries.condition(options)))
  }

  /** Delete `key`. Gives the neighbour that was appended anew in its place, or null when nothing was deleted. */
  async del(key: string, options: ChangeOptions<Value> = {}): Promise<TrieEntry<Value> | null> {
    this.#assertLive()
    const change = this.#entries.change({ ...options, type: 'del', key })
    return this.#entries.maybe(await this.#writer.del(change, this.#entries.condition(options)))
  }

  /**
   * Make all changes with one append, so that no reader ever sees a part of them. Gives what was appended; a
   * delete that found nothing has no entry there. A function is asked for the changes once nobody else writes.
   */
  async batch(operations: Batch<Value>): Promise<readonly TrieEntry<Value>[]> {
    this.#assertLive()
    const changes = mapBatch(operations, (each) => this.#entries.change(each))
    return (await this.#writer.batch(changes)).map((node) => this.#entries.of(node))
  }

  /**
   * Move the entry at `from`, and with `below` everything below it, to `to` with one append. What is at `to` goes. Gives
   * what was appended: nothing when nothing is at `from`, or the condition declined.
   *
   * @throws {@link TrieError} `TRIE_BAD_RENAME` into itself, and what `put` throws
   */
  async rename(
    from: string,
    to: string,
    options: RenameOptions<Value> = {},
  ): Promise<readonly TrieEntry<Value>[]> {
    this.#assertLive()
    const changes = async (): Promise<readonly Change[]> => {
      await this.ready()
      // As bytes: values move as they are, whatever they are.
      const bytes: Trie = new Trie(this.log, { hash: this.#options.hash, checkout: this.version })
      return renaming(bytes, this, from, to, options)
    }
    return (await this.#writer.batch(changes)).map((node) => this.#entries.of(node))
  }

  /** The entries at and below `prefix`, in hash order. */
  iterator(prefix = '', options: IteratorOptions = {}): Pull<TrieEntry<Value>> {
    const source = this.#iteration(prefix, options)
    return new Pull({
      next: async () => this.#entries.maybe(await source.next()),
      nextNow: () => this.#entries.atHand(source.nextNow()),
      checkpoint: () => source.checkpoint(),
    })
  }

  /** All that `iterator` gives. */
  async list(prefix = '', options: IteratorOptions = {}): Promise<TrieEntry<Value>[]> {
    const nodes = await this.#iteration(prefix, options).collect()
    return nodes.map((node) => this.#entries.of(node))
  }

  #iteration(prefix: string, options: IteratorOptions): IteratorSource {
    const mode = iterationMode(options)
    return new IteratorSource(
      this.#nodes,
      () => this.headSeq(options),
      this.#path(prefix, mode.hidden),
      { ...options, ...mode, ask: options.extension === false ? null : this.#extension },
    )
  }

  /** Entries in the order in which they were written, deleted and overwritten ones included. */
  history(options: HistoryOptions = {}): Pull<TrieEntry<Value>> {
    const source = new History(this.#nodes, () => this.headSeq(options), options, options)
    return new Pull({
      next: async () => this.#entries.maybe(await source.next()),
      destroy: () => source.destroy(),
    })
  }

  /**
   * The keys at and below `prefix` that differ between this version (left) and `other` (right): a trie
   * of the same log, or a version number.
   */
  diff(
    other: Trie<Value> | number | null = 0,
    prefix = '',
    options: DiffOptions = {},
  ): Pull<TrieDifference<Value>> {
    const right = typeof other === 'object' && other !== null ? other : this.checkout(other)
    const source = new DifferenceSource(
      this.#nodes,
      async () => [await this.headSeq(options), await right.headSeq(options)],
      this.#path(prefix, options.hidden),
      options,
    )
    return new Pull({
      next: async () => {
        const pair = await source.next()
        return pair && this.#entries.pair(pair)
      },
      checkpoint: () => source.checkpoint(),
    })
  }

  /**
   * Load what changed since version `from`, in every part of the trie that was read here before. Its rows
   * are of no interest.
   */
  reconnect(from: number, options: DiffOptions = {}): Pull<TrieDifference<Value>> {
    const stored = (seq: number): boolean => this.log.has(seq)
    return this.diff(from, '', { ...options, skipRightNull: true, stored })
  }

  #keepRefreshed(): void {
    keepRefreshed({
      log: this.log,
      refresh: async (version, signal) =>
        void (await this.reconnect(version, { signal }).collect()),
      onrefresh: (event) => void this.emit(event),
    })
  }

  /** Be told of changes at and below `prefix`, in the visible key space. */
  watch(prefix: string, onchange?: () => void, options: WatchOptions = {}): Watcher {
    const watcher = new Watcher(
      {
        newest: async () => {
          const head = await this.headSeq()
          const path = this.#path(prefix)
          const node = await this.#nodes.run((nodes) => find(nodes, head, path, { prefix: true }))
          return node && node.seq
        },
        onappend: (listener) => this.onGrowth(listener),
      },
      options,
    )
    if (onchange) watcher.on('change', onchange)
    return watcher
  }

  /**
   * Call `grew` when the log has grown, until the returned function is called. Meanwhile peers are asked
   * for longer logs.
   */
  onGrowth(grew: () => void): () => void {
    return this.#growth.listen(grew)
  }

  /** This trie as it was when its log had `version` blocks. At once; nothing is loaded. */
  checkout(version: number | null = 0): Trie<Value> {
    const { hash, valueEncoding, extension } = this.#options
    return new Trie<Value>(this.log, { hash, valueEncoding, extension, checkout: version ?? 0 })
  }

  /** The version shown now, for ever. */
  snapshot(): Trie<Value> {
    return this.checkout(this.version)
  }

  /** The newest entry of this version, or null when it is empty. */
  async head(options: HeadOptions = {}): Promise<TrieEntry<Value> | null> {
    return this.#entries.maybe(await this.#nodes.load(await this.headSeq(options), options))
  }

  /** Index of the newest block of this version, or 0 when it is empty. */
  async headSeq(options: HeadOptions = {}): Promise<number> {
    if (!this.#opened) await this.ready()
    const asks = this.#asksPeers
    if (asks || options.known) await hearOf(this.log, options, asks)
    return this.#head
  }

  get #head(): number {
    return Math.max(0, this.version - 1)
  }

  /** Whether a read begins by asking for news. Nobody knows more of a log than its writer. */
  get #asksPeers(): boolean {
    return this.#options.alwaysUpdate === true && !this.isCheckout && !this.log.writable
  }

  /** The entry in block `seq`; null for a reset block, and for block 0, which is the header. */
  async getBySeq(seq: number, options: WaitOptions = {}): Promise<TrieEntry<Value> | null> {
    await this.ready()
    return this.#entries.maybe(await this.#nodes.load(seq, options))
  }

  /** The metadata in block 0, or null. Waits for the block. */
  async getMetadata(options: WaitOptions = {}): Promise<Uint8Array | null> {
    await this.ready()
    return decodeHeader(await this.log.get(0, { ...options, valueEncoding: 'binary' })).metadata
  }

  /**
   * Set the metadata of the header that is yet to be written.
   *
   * @throws {@link TrieError} `TRIE_NOT_EMPTY` when the log has a header
   */
  setMetadata(metadata: Uint8Array): void {
    if (this.log.length > 0 || this.isCheckout) {
      throw new TrieError('TRIE_NOT_EMPTY', 'the header is written: its metadata cannot change')
    }
    this.#metadata = metadataBytes(metadata)
  }

  #path(key: string, hidden = false): HashPath {
    return new HashPath(storedKey(key), hidden, this.#nodes.customHash)
  }

  #assertLive(): void {
    if (!this.isCheckout) return
    throw new TrieError('TRIE_READ_ONLY_CHECKOUT', `version ${this.version} cannot be written to`)
  }
}
