/**
 * An open log's life cycle, properties, and the face that replicators use. `log.ts` adds what programs
 * call.
 *
 * @module
 */
import { EventEmitter } from 'node:events'
import { HASH_BYTES, SECRET_KEY_BYTES, discoveryKey } from '../crypto.ts'
import { asError } from '../errors.ts'
import type { Proof, ProofRequest } from '../merkle/index.ts'
import { assertIndex } from './core.ts'
import type { Emit } from './core.ts'
import { closedError } from './errors.ts'
import type { ForkEvidence, LogEvents } from './events.ts'
import { ExtensionRegistry } from './extensions.ts'
import { FileSource } from './files.ts'
import type { LogStorage } from './files.ts'
import { Guard } from './guard.ts'
import { readKey } from './identity.ts'
import type { GivenKeys } from './identity.ts'
import { openCore } from './open.ts'
import type { LogOptions } from './options.ts'
import { makeParts } from './parts.ts'
import type { Parts } from './parts.ts'
import type { ReceiveResults } from './receive-job.ts'
import { dropDamaged } from './repair.ts'
import type { LogPeer, ReceivedBlock, Replicator, TransferStats } from './replicator.ts'
import { encodeRle } from './rle.ts'
import { OpenWishes } from './open-wishes.ts'
import type { BytePosition } from './waiting.ts'
import type { Wishes } from './wish.ts'

/** Counters of one log, and of each of its peers. */
export interface LogStats {
  readonly totals: TransferStats
  readonly peers: readonly TransferStats[]
}

/** What every log has, whatever its blocks decode to. */
export class LogBase extends EventEmitter<LogEvents> {
  /** Held while an answer about what peers have is due. */
  readonly guard: Guard = new Guard()
  /** Named messages beside the log. */
  readonly extensions: ExtensionRegistry
  /** What readers and downloads wait for. */
  readonly wishes: Wishes = new OpenWishes(() => this.#parts)
  /** Whether blocks that were not asked for are taken. May be switched at any time. */
  allowPush: boolean
  protected readonly options: LogOptions
  readonly #source: FileSource
  readonly #totals: TransferStats | null
  #given: GivenKeys
  #parts: Parts | null = null
  #opening: Promise<Parts>
  #closing: Promise<void> | null = null
  #replicator: Replicator | null = null
  #discoveryKey: Uint8Array | null = null
  #maxRequests: number | null = null
  #downloading: boolean | null
  #openedWritable = false
  #uploading: boolean

  /**
   * Opening begins at once; every call waits for it.
   *
   * @param storage - a folder, or a function that gives each file
   * @param key - 32 bytes or their hex; left out, the key that is stored, or a new pair
   * @throws {@link LogError} `LOG_BAD_KEY`; TypeError for what is no storage
   */
  constructor(storage: LogStorage, key?: Uint8Array | string | null, options: LogOptions = {}) {
    super()
    this.options = options
    this.#source = new FileSource(storage, options.exact ?? false)
    this.#given = {
      key: readKey(key, HASH_BYTES),
      secretKey: readKey(options.secretKey, SECRET_KEY_BYTES),
      storeSecretKey: options.storeSecretKey ?? true,
    }
    this.#totals = options.stats === false ? null : emptyStats()
    this.allowPush = options.allowPush ?? false
    this.#downloading = options.downloading ?? null
    this.#uploading = options.uploading ?? true
    this.extensions = new ExtensionRegistry({
      peers: () => this.peers,
      changed: () => this.#replicator?.extensionsChanged(),
    })
    this.#opening = this.#open()
    // Whoever calls `ready`, or anything else, hears of it; an 'error' listener too.
    this.#opening.catch(() => undefined)
  }

  /** 32 bytes; null until it is known. */
  get key(): Uint8Array | null {
    return this.#parts ? this.#parts.core.key : this.#given.key
  }

  /** What peers look the log up by; null until the key is known. */
  get discoveryKey(): Uint8Array | null {
    const { key } = this
    if (key) this.#discoveryKey ??= discoveryKey(key)
    return this.#discoveryKey
  }

  /** 64 bytes, where the log can be written. */
  get secretKey(): Uint8Array | null {
    return this.#parts?.core.secretKey ?? this.#given.secretKey
  }

  /** Blocks; 0 before it is open. */
  get length(): number {
    return this.#parts?.core.length ?? 0
  }

  /** Bytes of all blocks. */
  get byteLength(): number {
    return this.#parts?.core.byteLength ?? 0
  }

  /** Whether blocks can be appended here. */
  get writable(): boolean {
    const core = this.#parts?.core
    return core !== undefined && !core.closed && (core.secretKey !== null || core.key === null)
  }

  /** Whether heads are signed; a static log's are not. */
  get live(): boolean {
    return this.#parts?.core.live ?? this.options.live ?? true
  }

  /**
   * Proof that the key signed two histories, once it was seen, also after reopening; otherwise `null`.
   * What is held stays readable; the log grows no more, and beyond the common blocks fetches no more.
   */
  get fork(): ForkEvidence | null {
    return this.#parts?.core.fork ?? null
  }

  /**
   * Whether a proof contradicted what is stored, and a proof that leans on nothing here has to tell why.
   * Until then `digest` is 0.
   */
  get suspectsFork(): boolean {
    return this.#parts?.receiver.suspects ?? false
  }

  /** Only what is asked for is fetched. */
  get sparse(): boolean {
    return this.options.sparse ?? false
  }

  get opened(): boolean {
    return this.#parts !== null
  }

  get closed(): boolean {
    return this.#closing !== null
  }

  /** Whether blocks are fetched from peers. */
  get downloading(): boolean {
    return this.#downloading ?? !this.#openedWritable
  }

  /** Whether peers are served. */
  get uploading(): boolean {
    return this.#uploading
  }

  /** Requests in flight per peer. */
  get maxRequests(): number {
    return this.#maxRequests ?? this.options.maxRequests ?? 16
  }

  /** For peers to come. A trie allows itself more than a log: its blocks are small and many. */
  set maxRequests(requests: number) {
    this.#maxRequests = requests
  }

  get peers(): readonly LogPeer[] {
    return this.#replicator?.peers ?? []
  }

  /** The longest length that a connected peer told. */
  get remoteLength(): number {
    return this.peers.reduce((longest, peer) => Math.max(longest, peer.remoteLength), 0)
  }

  /** Blocks and bytes transferred; null with `stats: false`. The wire counts what it sends. */
  get stats(): LogStats | null {
    return this.#totals && { totals: this.#totals, peers: this.peers.map((peer) => peer.stats) }
  }

  get replicator(): Replicator | null {
    return this.#replicator
  }

  /** Resolves once the log is open; rejects with why it could not be opened. */
  async ready(): Promise<void> {
    await this.parts()
  }

  /** Close: answers every wait, ends every channel, syncs and lets go of the files. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#close(() => this.#source.close())
    return this.#closing
  }

  /** Close, and delete what is stored. */
  async destroy(): Promise<void> {
    await this.close()
    await this.#source.destroy()
  }

  /** Begin or stop to fetch from peers. */
  setDownloading(downloading: boolean): void {
    if (this.downloading === downloading) return
    this.#downloading = downloading
    this.#replicator?.switched()
  }

  /** Begin or stop to serve peers. */
  setUploading(uploading: boolean): void {
    if (this.#uploading === uploading) return
    this.#uploading = uploading
    this.#replicator?.switched()
  }

  /** Whoever fulfils the wishes of this log from now on. */
  attach(replicator: Replicator): void {
    this.#replicator = replicator
    if (this.#parts) this.#parts.core.replicator = replicator
  }

  /** Peers came, left, or have other blocks: readers who wait only for them are judged again. */
  peersChanged(): void {
    this.#parts?.waiting.peersChanged()
    this.#parts?.downloads.peersChanged()
  }

  /** Whether block `start`, or every block of `[start, end)`, is held. */
  has(start: number, end: number = start + 1): boolean {
    const bitfield = this.#parts?.core.bitfield
    return bitfield !== undefined && start <= end && bitfield.nextMissing(start, end) < 0
  }

  /** Whether a tree node is known: stored, or verified and on its way to disk. */
  hasNode(treeIndex: number): boolean {
    return this.#parts?.receiver.nodes.has(treeIndex) ?? false
  }

  /** The first block of `[start, end)` that is not held, or -1. */
  nextMissing(start: number, end: number): number {
    if (this.#parts) return this.#parts.core.bitfield.nextMissing(start, end)
    return start < end ? start : -1
  }

  /** What we know of the tree above a block, as a request for it tells. */
  digest(index: number): number {
    return this.#parts?.prover.digest(index) ?? 0
  }

  /** Run-length coded bits of the blocks held among `length` from `start`, a multiple of 8192. */
  compressBitfield(start: number, length: number): Uint8Array {
    const bitfield = this.#parts?.core.bitfield
    if (!bitfield) return new Uint8Array(0)
    const all = start === 0 && length === 0
    return encodeRle(bitfield.bits(start, all ? bitfield.span : length))
  }

  /**
   * The proof of a block; at once when its nodes and signature are in memory.
   *
   * @throws {@link LogError} `LOG_NOT_PROVABLE`
   */
  proof(index: number, request: ProofRequest = {}): Proof | Promise<Proof> {
    assertIndex(index)
    if (!this.#parts) return this.parts().then(({ prover }) => prover.proof(index, request))
    return this.#parts.prover.proof(index, request)
  }

  /** Held blocks from `start` on, one read; may stop before `end` where the sum would pass `maxBytes`. */
  async readBlocks(start: number, end: number, maxBytes: number = Infinity): Promise<Uint8Array[]> {
    const { reader } = await this.parts()
    return reader.readRun(start, end, maxBytes)
  }

  /** Block `index` was found damaged when a peer wanted it: where the log downloads, it is let go and fetched anew. */
  async damaged(index: number): Promise<void> {
    if (this.downloading) await dropDamaged(await this.parts(), index)
  }

  /** The block of a byte, as far as the tree here tells; `null` otherwise, and at the end of the log. */
  async seekLocal(byteOffset: number): Promise<BytePosition | null> {
    const { prover, core } = await this.parts()
    const found = await prover.seek(byteOffset)
    if (found?.type !== 'block' || found.index >= core.length) return null
    return { index: found.index, offset: found.offset }
  }

  /**
   * Verify blocks in order and store those that are right, together. A result is `null` for a block that is
   * now stored. Rejects only when storage fails.
   */
  async receive(blocks: readonly ReceivedBlock[], source: LogPeer | null): Promise<ReceiveResults> {
    const { receiver, core } = this.#parts ?? (await this.parts())
    core.ownGrowth = this.writable && !this.downloading
    return receiver.receive(blocks, source)
  }

  /**
   * The parts, once open.
   *
   * @internal
   */
  protected async parts(): Promise<Parts> {
    if (this.#closing) throw closedError()
    return this.#parts ?? this.#opening
  }

  /**
   * The parts, if open by now.
   *
   * @internal
   */
  protected get openParts(): Parts | null {
    return this.#parts
  }

  async #open(): Promise<Parts> {
    try {
      const answer = await this.options.identify?.()
      if (answer) {
        this.#given = {
          key: readKey(answer.key, HASH_BYTES) ?? this.#given.key,
          secretKey: readKey(answer.secretKey, SECRET_KEY_BYTES) ?? this.#given.secretKey,
          storeSecretKey: answer.storeSecretKey ?? this.#given.storeSecretKey,
        }
      }
      const core = await openCore(this.#source, this.#given, this.options, this.#emit)
      core.replicator = this.#replicator
      const parts = makeParts(core, this.guard, this.#totals)
      this.#parts = parts
      this.#openedWritable = this.writable
      if (!this.sparse) parts.downloads.add(null)
      this.#emit('ready')
      return parts
    } catch (error) {
      // The files are closed by `close`; a failure to close them is not worth more than this error.
      await this.#source.close().catch(() => undefined)
      const failure = asError(error)
      if (this.listenerCount('error') > 0) this.#emit('error', failure)
      throw failure
    }
  }

  async #close(release: () => Promise<void>): Promise<void> {
    const parts = await this.#opening.catch(() => null)
    if (!parts) return
    const { core, waiting, downloads, appender, receiver } = parts
    core.closed = true
    waiting.close()
    downloads.close()
    this.#replicator?.closed()
    await appender.idle()
    await receiver.idle()
    await core.content.idle()
    try {
      await core.bitfieldFile.flush()
      await core.durable.flush()
      await core.durable.end()
    } finally {
      core.durable.stop()
      await release()
    }
    this.#emit('close')
  }

  /** What a listener throws is an uncaught exception of its program, and stops nothing here. */
  readonly #emit: Emit = (event, ...args) => {
    try {
      // The types of an emitter do not follow a generic event.
      // oxlint-disable-next-line unbound-method
      Reflect.apply(this.emit, this, [event, ...args])
    } catch (error) {
      queueMicrotask(() => {
        throw error
      })
    }
  }
}

function emptyStats(): TransferStats {
  return { uploadedBlocks: 0, uploadedBytes: 0, downloadedBlocks: 0, downloadedBytes: 0 }
}
