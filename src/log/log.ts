/**
 * One append-only log, signed by one key.
 *
 * The writer appends blocks; anybody who knows the 32-byte key holds a full or partial copy, of which
 * every block is verified on its own. This class is the face for programs; each concept has a file
 * beside it. It knows no wire: see `replicator.ts`.
 *
 * @see spec/10-log.md 4
 * @module
 */
import { setMaxListeners } from 'node:events'
import type { Readable, Writable } from 'node:stream'
import { asError } from '../errors.ts'
import type { Proof, TreeNode } from '../merkle/index.ts'
import { blockCodec } from '../value-encoding.ts'
import type { Codec } from '../value-encoding.ts'
import { createByteStream, readBytes } from './byte-reader.ts'
import type { ByteRange } from './byte-reader.ts'
import { assertIndex, assertRange, assertUnforked } from './core.ts'
import { laterDownload } from './downloads.ts'
import type { Download } from './downloads.ts'
import { LogError, LogUnavailableError } from './errors.ts'
import { updateEagerly } from './eager-update.ts'
import type { Extension, ExtensionHandlers } from './extensions.ts'
import type { LogStorage } from './files.ts'
import { rootsOf, storedSignature, verifyHead } from './heads.ts'
import type { StoredSignature } from './heads.ts'
import { heldBytes } from './held-bytes.ts'
import { LogBase } from './log-base.ts'
import { auditBlocks, clearBlocks, finalizeLog } from './maintenance.ts'
import type { Audit, Cleared } from './maintenance.ts'
import type {
  ClearOptions,
  DownloadRange,
  GetOptions,
  LogOptions,
  SeekOptions,
  UpdateOptions,
  WaitOptions,
} from './options.ts'
import type { Parts } from './parts.ts'
import { joinSignals } from './pull-stream.ts'
import { blocks, createReadStream, createWriteStream } from './read-stream.ts'
import type { ReadStreamOptions, WriteStreamOptions } from './read-stream.ts'
import { readAnew } from './repair.ts'
import { truncateLog } from './truncate.ts'
import { patienceOf } from './waiting.ts'
import type { BytePosition } from './waiting.ts'

/** A signed, append-only sequence of blocks of type `T` (bytes, unless `valueEncoding` says otherwise). */
export class Log<T = Uint8Array> extends LogBase {
  readonly #codec: Codec<T>
  #expectedLength: number | null = null

  /**
   * Opening begins at once; every call waits for it.
   *
   * @param storage - a folder, or a function that gives each file
   * @param key - 32 bytes or their hex; left out, the key that is stored, or a new pair
   * @throws {@link LogError} `LOG_BAD_KEY`; TypeError for what is no storage
   */
  constructor(storage: LogStorage, key?: Uint8Array | string | null, options: LogOptions = {}) {
    super(storage, key, options)
    this.#codec = codecOf<T>(options.valueEncoding)
    if (options.eagerUpdate && this.sparse) {
      void updateEagerly(this, (error) => this.emit('update-error', asError(error)))
    }
  }

  /** Append one block or several. Resolves with the index of the first. */
  async append(values: T | readonly T[]): Promise<number> {
    const { appender } = await this.parts()
    return appender.append(Array.isArray(values) ? values : [values])
  }

  /** Append nothing, and make what was written survive a power cut. Resolves with the length. */
  async flush(): Promise<number> {
    const { appender, receiver, core } = await this.parts()
    if (this.writable) await appender.append([])
    await receiver.idle()
    await core.durable.flush()
    return core.length
  }

  /** A block. Not held: waits, as the options and the log's defaults say. */
  async get(index: number, options: GetOptions = {}): Promise<T> {
    const bytes = await this.readBlock(index, options)
    const { valueEncoding } = options
    return (valueEncoding ? codecOf<T>(valueEncoding) : this.#codec).decode(bytes)
  }

  /** Blocks `[start, end)`. */
  async getBatch(start: number, end: number, options: GetOptions = {}): Promise<T[]> {
    assertRange(start, end)
    const { core, reader } = await this.parts()
    const missing = core.bitfield.nextMissing(start, end)
    const waits = (options.wait ?? this.options.wait) !== false
    if (missing >= 0) {
      if (!waits) throw notHeld(missing)
      return this.#getEach(start, end, options)
    }
    const { valueEncoding } = options
    const codec = valueEncoding ? codecOf<T>(valueEncoding) : this.#codec
    try {
      return (await reader.readRun(start, end)).map((bytes) => codec.decode(bytes))
    } catch (error) {
      if (!waits || !isDamage(error)) throw error
      return this.#getEach(start, end, options)
    }
  }

  /** The last block. `update: true` asks peers for a longer log first, and goes on if there is none. */
  async head(options: GetOptions & { readonly update?: boolean } = {}): Promise<T> {
    await this.parts()
    if (options.update) await this.update({ ...options, ifAvailable: true }).catch(() => undefined)
    if (this.length === 0) throw new LogError('LOG_EMPTY', 'the log is empty')
    return this.get(this.length - 1, options)
  }

  /** How many blocks of `[start, end)` are held; an end of 0 is none. */
  downloaded(start = 0, end = 0): number {
    return this.openParts?.core.bitfield.count(Math.max(0, start), end > 0 ? end : Infinity) ?? 0
  }

  /** Bytes of the blocks of `[start, end)` that are held; an end of 0 is none. */
  async downloadedBytes(start = 0, end = 0): Promise<number> {
    const { core } = await this.parts()
    return heldBytes(core, Math.max(0, start), end > 0 ? end : core.bitfield.span)
  }

  /** The block that holds a byte, and how far into it. */
  async seek(byteOffset: number, options: SeekOptions = {}): Promise<BytePosition> {
    const { seeker } = await this.parts()
    const waits = (options.wait ?? this.options.wait) !== false
    return seeker.seek(byteOffset, options, waits, patienceOf(options, this.options))
  }

  /** Wait until the log has more blocks, or `minLength`. */
  async update(wanted: number | UpdateOptions = {}): Promise<void> {
    const { core, waiting } = await this.parts()
    const options = typeof wanted === 'number' ? { minLength: wanted } : wanted
    const minLength = options.minLength ?? core.length + 1
    assertIndex(minLength)
    if (core.length >= minLength) return
    const patience = patienceOf(options, this.options)
    const what = `a log of ${minLength} blocks`
    if ((options.wait ?? this.options.wait) === false) throw new LogError('LOG_NOT_HELD', what)
    assertUnforked(core, Infinity)
    const isExpected = this.#expectedLength !== null && this.#expectedLength <= core.length
    if (patience.onlyPeers && !options.force && (this.writable || isExpected)) {
      throw new LogUnavailableError(what, this.peers.length, 0)
    }
    patience.signal?.throwIfAborted()
    await waiting.length(minLength, options.hash ?? true, patience)
  }

  /**
   * A hint: nobody has more than `length` blocks. Until all answers that are due have come, updates that
   * ask only peers at hand (`wait: 'peers'`) say so at once where that many are here.
   */
  setExpectedLength(length: number): void {
    assertIndex(length)
    this.#expectedLength = length
    void this.#forgetExpected(length)
  }

  /**
   * Fetch a block, blocks, a range; nothing is everything. Goes on until met or given up, whatever the log's own
   * `wait` and `timeout` are; the options end it earlier.
   */
  download(
    range: DownloadRange | readonly number[] | number | null = null,
    options: WaitOptions = {},
  ): Download {
    const patience = { never: options.wait === false, ...patienceOf(options, {}) }
    if (this.openParts) return this.openParts.downloads.add(range, patience)
    return laterDownload(
      this.parts().then(({ downloads }) => downloads),
      range,
      patience,
    )
  }

  /** Give up a download: by its handle, or the first with the same range. */
  undownload(what: Download | DownloadRange): void {
    this.openParts?.downloads.remove(what)
  }

  /** Give up every download and wait inside `[start, end)`, with `ECANCELED`. */
  cancel(start: number, end: number = start + 1): void {
    this.openParts?.downloads.cancel(start, end)
    this.openParts?.waiting.cancel(start, end)
  }

  /** Forget blocks `[start, end)` here and give their space back. The length stays. */
  async clear(
    start: number,
    end: number = start + 1,
    options: ClearOptions = {},
  ): Promise<Cleared> {
    return clearBlocks(await this.parts(), start, end, options)
  }

  /** Compare every held block with what was signed. */
  async audit(): Promise<Audit> {
    return auditBlocks(await this.parts())
  }

  /** Shorten the log. Dangerous: peers may hold the longer one. */
  async truncate(length: number): Promise<void> {
    await truncateLog(await this.parts(), length)
  }

  /** Give a static log its key, after which it is complete. */
  async finalize(): Promise<Uint8Array> {
    return finalizeLog(await this.parts())
  }

  /** The bytes of a block, held or waited for, undecoded. */
  async readBlock(index: number, options: GetOptions = {}): Promise<Uint8Array> {
    assertIndex(index)
    const parts = await this.parts()
    const { core, reader, waiting } = parts
    const waits = (options.wait ?? this.options.wait) !== false
    if (core.bitfield.has(index)) {
      const reading = reader.read(index)
      return waits
        ? reading.catch((error: unknown) => this.#readAnew(parts, index, error, options))
        : reading
    }
    if (!waits) throw notHeld(index)
    assertUnforked(core, index)
    options.signal?.throwIfAborted()
    const coming = waiting.block(index, patienceOf(options, this.options))
    options.onwait?.(index)
    return coming
  }

  /** The roots of the log that ends with block `index`. */
  async rootHashes(index: number): Promise<TreeNode[]> {
    return rootsOf((await this.parts()).core, index)
  }

  /** The first stored signature of a length that includes block `index`; default the head's. */
  async signature(index?: number): Promise<StoredSignature> {
    const { core } = await this.parts()
    return storedSignature(core, index ?? core.length - 1)
  }

  /** Resolves with true when the signature is the key's over the log that ends with block `index`. */
  async verify(index: number, signature: Uint8Array): Promise<true> {
    return verifyHead((await this.parts()).core, index, signature)
  }

  /** Take one block (or, with null, its hash) with its proof, as if a peer had sent it. */
  async put(index: number, value: T | null, proof: Proof): Promise<void> {
    assertIndex(index)
    const bytes = value === null ? null : this.#codec.encode(value)
    const [error] = await this.receive([{ index, value: bytes, ...proof }], null)
    if (error) throw error
  }

  /** The leaf of a block: its hash and size. */
  async getBlockInfo(index: number): Promise<TreeNode> {
    assertIndex(index)
    const { core } = await this.parts()
    return core.tree.walk((node) => node(2 * index))
  }

  /** Take part in a named extension. */
  registerExtension<M = unknown>(name: string, handlers?: ExtensionHandlers<M>): Extension<M> {
    return this.extensions.register(name, handlers)
  }

  /** Blocks as a stream. */
  createReadStream(options?: ReadStreamOptions): Readable {
    return createReadStream<T>(this, options)
  }

  /** Blocks as an async iterator. */
  blocks(options: ReadStreamOptions = {}): AsyncGenerator<T, void, undefined> {
    return blocks<T>(this, options)
  }

  /** A stream that appends. */
  createWriteStream(options?: WriteStreamOptions): Writable {
    return createWriteStream<T>(this, options)
  }

  /** Bytes across blocks, as a stream. */
  createByteStream(range?: ByteRange): Readable {
    return createByteStream(this, range)
  }

  /** Bytes across blocks, piece by piece. */
  readBytes(range?: ByteRange): AsyncGenerator<Uint8Array, void, undefined> {
    return readBytes(this, range)
  }

  async #forgetExpected(length: number): Promise<void> {
    await this.guard.idle()
    if (this.#expectedLength === length) this.#expectedLength = null
  }

  /** Wait for each of the blocks; once one cannot be had, for none. */
  async #getEach(start: number, end: number, options: GetOptions): Promise<T[]> {
    const abort = new AbortController()
    const each = { ...options, signal: joinSignals(options.signal, abort) }
    const indices = Array.from({ length: end - start }, (_, i) => start + i)
    setMaxListeners(0, each.signal)
    try {
      return await Promise.all(indices.map((index) => this.get(index, each)))
    } catch (error) {
      abort.abort(error)
      throw error
    }
  }

  /** A block was damaged: get it from peers, if some have it. */
  #readAnew(parts: Parts, index: number, error: unknown, options: GetOptions): Promise<Uint8Array> {
    if (!isDamage(error)) throw error
    options.onwait?.(index)
    return readAnew(parts, index, error, patienceOf(options, this.options))
  }
}

function isDamage(error: unknown): error is LogError {
  return error instanceof LogError && error.code === 'LOG_CORRUPT'
}

function notHeld(index: number): LogError {
  return new LogError('LOG_NOT_HELD', `block ${index} is not here`)
}

function codecOf<T>(encoding: LogOptions['valueEncoding']): Codec<T> {
  // Which encoding goes with which `T` is the caller's word: the types cannot tell.
  // oxlint-disable-next-line no-unsafe-type-assertion
  return blockCodec(encoding) as Codec<T>
}
