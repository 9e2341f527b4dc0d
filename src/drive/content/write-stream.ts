/**
 * Writing a file as a stream: each chunk is one block of the content log.
 *
 * Chunks that wait while others are written go out together, in one append. A chunk is not merged with others, and
 * cut only when it is longer than 524288 bytes. An empty chunk is an empty block, but empty ones that were written
 * behind others and came last are dropped: v10's stream counts what waits in bytes, and takes them for nothing.
 *
 * @see spec/40-drive.md 3.3
 * @module
 */
import { Writable } from 'node:stream'
import { MAX_BLOCK_BYTES } from '../open/constants.ts'
import { type ContentWriter, openContentWriter } from './content.ts'
import type { DriveContext } from '../context.ts'
import { type StreamedFile, writeStreamOf } from '../open/descriptor-streams.ts'
import type { DescriptorTable } from '../open/descriptor-table.ts'
import { absolute } from '../paths.ts'
import type { StatInput } from '../entries/stat.ts'

/** Bytes after which v10's stream lets everything be written before it takes the next chunk. */
const V10_HIGH_WATER_MARK = 16384

/** Options of `createWriteStream`: fields of the entry, and how the stream behaves. */
export interface WriteStreamOptions extends StatInput {
  /** `false`: fail with `DRIVE_LOCKED` when another writer has the content log. Default: wait for it. */
  readonly wait?: boolean | undefined
  /** Bytes held before `write` says to wait; default 524288. */
  readonly highWaterMark?: number | undefined
  /** Gives the stream up. */
  readonly signal?: AbortSignal | undefined
  /** How the file is opened, as in `fs`: `w` (the default), `a`, `r+` … Not under `exact`. */
  readonly flags?: string | number | undefined
  /** First byte that is written, with flags that do not empty the file; default 0. Not under `exact`. */
  readonly start?: number | undefined
}

/** A stream into the file at `name`; `finish` comes when the file is stored. */
export class DriveWriteStream extends Writable {
  /** The absolute path of the file. */
  readonly path: string
  readonly #context: DriveContext
  readonly #options: WriteStreamOptions
  #writer: ContentWriter | null = null
  /** Of each chunk that was taken and not yet given to us: whether others were before it. */
  readonly #behind: boolean[] = []
  #pending = 0
  /** What v10's stream would be holding now: chunks and bytes since it last waited until it held none. */
  #waiting = { chunks: 0, bytes: 0 }
  /** Empty chunks that go out only if another follows. */
  #held: Uint8Array[] = []

  /** @param context - the drive; @param name - of the file; @param options - fields of its entry */
  constructor(context: DriveContext, name: string, options: WriteStreamOptions = {}) {
    const { highWaterMark = MAX_BLOCK_BYTES, signal } = options
    super({ highWaterMark, decodeStrings: true, ...(signal ? { signal } : {}) })
    this.path = absolute(name, context.exact)
    this.#context = context
    this.#options = options
  }

  override write(chunk: unknown, ...rest: never[]): boolean {
    if (!this.writableEnded && !this.destroyed) {
      const length = chunk instanceof Uint8Array || typeof chunk === 'string' ? chunk.length : 0
      if (this.#pending === 0 || this.#waiting.bytes >= V10_HIGH_WATER_MARK) {
        this.#waiting = { chunks: 0, bytes: 0 }
      }
      this.#behind.push(this.#waiting.chunks > 0)
      this.#pending++
      this.#waiting.chunks++
      this.#waiting.bytes += length
    }
    return super.write(chunk, ...rest)
  }

  override _construct(done: (error?: Error | null) => void): void {
    this.#open().then(() => done(), done)
  }

  override _write(
    chunk: Uint8Array,
    _encoding: string,
    done: (error?: Error | null) => void,
  ): void {
    this.#take([chunk]).then(() => done(), done)
  }

  override _writev(chunks: { chunk: Uint8Array }[], done: (error?: Error | null) => void): void {
    this.#take(chunks.map(({ chunk }) => chunk)).then(() => done(), done)
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#finish().then(() => done(), done)
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    // The lock may come only now: then `#open` gives it back.
    void this.#writer?.abort()
    done(error)
  }

  async #open(): Promise<void> {
    await this.#context.ready()
    const { highWaterMark: _, signal: _s, flags: _f, start: _a, wait, ...fields } = this.#options
    const writer = await openContentWriter(this.#context, this.path, fields, {
      syscall: 'open',
      wait: wait !== false,
    })
    // Given up while waiting: let the next one go on.
    if (this.destroyed) await writer.abort()
    this.#writer = writer
  }

  async #take(chunks: readonly Uint8Array[]): Promise<void> {
    const blocks = [...this.#held, ...chunks]
    this.#held = []
    const behind = this.#behind.splice(0, chunks.length)
    let last = chunks.length
    while (last > 0 && chunks[last - 1]?.length === 0 && behind[last - 1]) last--
    this.#held = blocks.splice(blocks.length - (chunks.length - last))
    if (blocks.length > 0) await this.#writer?.write(blocks)
    this.#pending -= chunks.length
  }

  async #finish(): Promise<void> {
    await this.#writer?.finish()
  }
}

/** A stream into the file at `name`; with flags or a start, through a descriptor. */
export function createWriteStream(
  context: DriveContext,
  descriptors: DescriptorTable,
  name: string,
  options: WriteStreamOptions = {},
): Writable {
  const { flags = 'w', start, mode } = options
  if (context.exact || (flags === 'w' && start === undefined)) {
    return new DriveWriteStream(context, name, options)
  }
  const open = async (): Promise<StreamedFile> => {
    const fd = await descriptors.open(name, flags, mode)
    return {
      read: (buffer, at, length, position) => descriptors.read(fd, buffer, at, length, position),
      write: (buffer, at, length, position) => descriptors.write(fd, buffer, at, length, position),
      close: () => descriptors.close(fd),
    }
  }
  const { highWaterMark, signal } = options
  return writeStreamOf(open, { start, highWaterMark, signal })
}
