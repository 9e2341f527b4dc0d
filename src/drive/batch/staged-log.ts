/**
 * A log with blocks that are not appended yet: what a batch sees of its drive's logs.
 *
 *     index   0 … base blocks | first … own blocks
 *                               ^ appended to the base, later or never, by `commit`
 *
 * Of metadata the own blocks follow the base as it was when the batch looked (`first` is its length): the nodes of a
 * trie name each other by index. Those of content are numbered from 2 ** 50, where no real log gets: the base may
 * grow meanwhile, and where they will lie is not known before.
 *
 * It is a `Log` by type alone, so that tries and files take it for one: it has no files, and whatever is not
 * answered here fails.
 *
 * @module
 */
import {
  type Download,
  type DownloadRange,
  type GetOptions,
  Log,
  LogError,
  type SeekOptions,
  type BytePosition,
} from '../../log/index.ts'

/** Where blocks of content are numbered from that are not appended yet. */
export const UNPLACED: number = 2 ** 50
/** And their bytes. */
export const UNPLACED_BYTES: number = 2 ** 52

/** Own blocks that are in the base by now. */
interface Segment {
  /** Index of the first, and bytes before it, as they are shown. */
  readonly start: number
  readonly byteOffset: number
  /** The same in the base. */
  readonly baseStart: number
  readonly baseByteOffset: number
}

/** Where a block lies, and the bytes before it. */
export interface Place {
  readonly offset: number
  readonly byteOffset: number
}

/** A log, and blocks to come. */
export class StagedLog extends Log {
  readonly #base: Log
  readonly #first: number
  readonly #firstByte: number
  /** Blocks of the base that are shown. */
  readonly #shown: number
  readonly #frozen: boolean
  /** Own bytes up to and with each own block. */
  readonly #ends: number[] = []
  /** Own blocks that are not in the base yet: the last ones. */
  #waiting: Uint8Array[] = []
  #waitingBytes = 0
  readonly #segments: Segment[] = []

  private constructor(base: Log, first: number, firstByte: number, shown: number, frozen: boolean) {
    const identify = (): Promise<never> => Promise.reject(closed())
    super(noFiles, base.key, { sparse: true, stats: false, identify })
    this.#base = base
    this.#first = first
    this.#firstByte = firstByte
    this.#shown = shown
    this.#frozen = frozen
  }

  /** Metadata: the base as it is now, and what is written on top of it. */
  static onTopOf(base: Log): StagedLog {
    return new StagedLog(base, base.length, base.byteLength, base.length, false)
  }

  /** The base as it is now, which cannot be written to. */
  static frozen(base: Log): StagedLog {
    return new StagedLog(base, base.length, base.byteLength, base.length, true)
  }

  /** Content: the base as it is at any time, and blocks whose place is not known. */
  static beside(base: Log): StagedLog {
    return new StagedLog(base, UNPLACED, UNPLACED_BYTES, Infinity, false)
  }

  /** Where the blocks go in the end. */
  get base(): Log {
    return this.#base
  }

  override get key(): Uint8Array | null {
    return this.#base.key
  }

  override get length(): number {
    return this.#first + this.#ends.length
  }

  override get byteLength(): number {
    return this.#firstByte + (this.#ends.at(-1) ?? 0)
  }

  override get writable(): boolean {
    return !this.#frozen && this.#base.writable
  }

  /** Bytes that are in memory. */
  get waitingBytes(): number {
    return this.#waitingBytes
  }

  /** Whether blocks that follow the one at `index` now will follow it in the base too. */
  staysTogether(index: number): boolean {
    return index >= this.length - this.#waiting.length
  }

  override ready(): Promise<void> {
    return this.#base.ready()
  }

  /** Take blocks; they are kept, not copied. */
  override async append(values: Uint8Array | readonly Uint8Array[]): Promise<number> {
    if (!this.writable) throw new LogError('LOG_NOT_WRITABLE', 'a batch changes one drive')
    const index = this.length
    for (const block of values instanceof Uint8Array ? [values] : values) this.take(block)
    this.emit('append')
    return index
  }

  /** Take one block; at once, and nobody is told. */
  take(block: Uint8Array): void {
    this.#waiting.push(block)
    this.#waitingBytes += block.length
    this.#ends.push((this.#ends.at(-1) ?? 0) + block.length)
  }

  /**
   * Append what waits to the base, with one append. Nobody else may append to it meanwhile. After a failure all is as
   * it was.
   */
  async commit(): Promise<void> {
    const base = this.#base
    const count = this.#waiting.length
    if (count === 0) return
    const start = this.length - count
    const byteOffset = this.byteLength - this.#waitingBytes
    const baseByteOffset = base.byteLength
    const baseStart = await base.append(this.#waiting)
    this.#segments.push({ start, byteOffset, baseStart, baseByteOffset })
    this.#waiting = []
    this.#waitingBytes = 0
  }

  /** Where an own block lies in the base, once it was committed. */
  placeOf({ offset, byteOffset }: Place): Place {
    const segment = this.#segments.findLast(({ start }) => start <= offset)
    /* c8 ignore next: whoever asks has committed */
    if (!segment) throw new LogError('LOG_NOT_HELD', `block ${offset} is not appended yet`)
    return {
      offset: segment.baseStart + offset - segment.start,
      byteOffset: segment.baseByteOffset + byteOffset - segment.byteOffset,
    }
  }

  override async get(index: number, options: GetOptions = {}): Promise<Uint8Array> {
    const own = this.#own(index)
    if (own) return own
    return this.#base.get(this.#inBase(index), { ...options, valueEncoding: 'binary' })
  }

  override async readBlocks(
    start: number,
    end: number,
    maxBytes: number = Infinity,
  ): Promise<Uint8Array[]> {
    if (end <= this.#first) return this.#base.readBlocks(start, end, maxBytes)
    const blocks: Uint8Array[] = []
    let bytes = 0
    for (let index = start; index < end; index++) {
      // oxlint-disable-next-line no-await-in-loop -- from memory, mostly
      const block = await this.get(index, { wait: false })
      bytes += block.length
      if (blocks.length > 0 && bytes > maxBytes) break
      blocks.push(block)
    }
    return blocks
  }

  override has(start: number, end: number = start + 1): boolean {
    if (start >= this.#first) return end <= this.length
    return end <= Math.min(this.#first, this.#shown) && this.#base.has(start, end)
  }

  override async seek(byteOffset: number, options: SeekOptions = {}): Promise<BytePosition> {
    const own = byteOffset - this.#firstByte
    if (own < 0) return this.#base.seek(byteOffset, options)
    // Few blocks: a batch is in memory.
    const index = this.#ends.findIndex((end) => end > own)
    if (index < 0) return { index: this.length, offset: own - (this.#ends.at(-1) ?? 0) }
    return { index: this.#first + index, offset: own - (this.#ends[index - 1] ?? 0) }
  }

  override download(range: DownloadRange | readonly number[] | number | null = null): Download {
    return this.#base.download(range)
  }

  #own(index: number): Uint8Array | undefined {
    return this.#waiting[index - (this.length - this.#waiting.length)]
  }

  #inBase(index: number): number {
    if (index >= this.#first) return this.placeOf({ offset: index, byteOffset: 0 }).offset
    if (index < this.#shown) return index
    throw new LogError('LOG_NOT_HELD', `block ${index} came after the batch began`)
  }
}

function closed(): LogError {
  return new LogError('LOG_CLOSED', 'blocks that are not appended yet have no files')
}

/* c8 ignore next 3: asked for by type alone: `identify` ends the opening before */
function noFiles(): never {
  throw closed()
}
