/**
 * A range of the log's bytes, across blocks: what a file of a drive is.
 *
 * Held blocks are read in runs of up to 1 MiB, one read each; what is not held is downloaded in order
 * from where the reader is. Leaving early cancels that.
 *
 * @see spec/10-log.md 4.5
 * @module
 */
import type { Readable } from 'node:stream'
import type { Download } from './downloads.ts'
import { LogError } from './errors.ts'
import type { DownloadRange, GetOptions, SeekOptions, WaitOptions } from './options.ts'
import { joinSignals, pullStream } from './pull-stream.ts'
import type { BytePosition } from './waiting.ts'

/** Bytes of held blocks that are read at once. */
const RUN_BYTES = 2 ** 20
const RUN_BLOCKS = 1024

/** Which bytes. */
export interface ByteRange extends WaitOptions {
  /** Block at which the range begins, or within which it is looked for. Default 0. */
  readonly blockOffset?: number | undefined
  /** Blocks that it lies in; left out, no end is known. */
  readonly blockLength?: number | undefined
  /** First byte, counted from the start of the log; -1 begins at `blockOffset` without looking. Default 0. */
  readonly byteOffset?: number | undefined
  /** Bytes; -1 is up to the end of the blocks, or for ever. Default -1. */
  readonly byteLength?: number | undefined
}

/** What the reader needs of a log. */
export interface ByteLog {
  readonly length: number
  readonly byteLength: number
  ready(): Promise<void>
  nextMissing(start: number, end: number): number
  readBlocks(start: number, end: number, maxBytes?: number): Promise<Uint8Array[]>
  readBlock(index: number, options?: GetOptions): Promise<Uint8Array>
  seek(byteOffset: number, options?: SeekOptions): Promise<BytePosition>
  download(range: DownloadRange): Download
}

/**
 * The bytes of a range, piece by piece; no piece is empty. A range past the end waits for the log to
 * grow, as far as the options let it.
 *
 * @yields the pieces in order
 * @throws RangeError when `byteLength` is given without `byteOffset`
 */
export async function* readBytes(
  log: ByteLog,
  range: ByteRange = {},
): AsyncGenerator<Uint8Array, void, undefined> {
  const blockOffset = range.blockOffset ?? 0
  const byteOffset = range.byteOffset ?? 0
  const byteLength = range.byteLength ?? -1
  if (byteLength >= 0 && byteOffset < 0) throw new RangeError('byteLength requires byteOffset')
  if (range.blockLength === 0 || byteLength === 0) return
  await log.ready()
  const { wait, timeout, signal, ifAvailable } = range
  const reads: WaitOptions = { wait, timeout, signal, ifAvailable }
  const limit =
    range.blockLength !== undefined && range.blockLength >= 0
      ? blockOffset + range.blockLength
      : Infinity

  const within = { ...reads, start: blockOffset, end: limit + 1 }
  // Past what is there, even the first byte waits for the last, as in v10.
  const last = byteLength < 0 ? -1 : byteOffset + byteLength
  if (last > log.byteLength) await log.seek(last, within)
  let position: BytePosition = { index: blockOffset, offset: 0 }
  // Byte 0 is where the log begins, whatever block was named.
  if (byteOffset === 0) position = { index: 0, offset: 0 }
  else if (byteOffset > 0) position = await log.seek(byteOffset, within)

  const seekEnd = (own: AbortController): Promise<BytePosition> =>
    log.seek(last, { ...within, signal: joinSignals(signal, own) })
  const ahead = new ReadAhead(log, limit, last < 0 ? null : seekEnd)
  let left = byteLength < 0 ? Infinity : byteLength
  let skip = position.offset
  try {
    for (let index = position.index; index < limit && left > 0;) {
      const end = Math.min(index + RUN_BLOCKS, limit, Math.max(log.length, index + 1))
      const missing = log.nextMissing(index, end)
      if (missing >= 0 && range.wait !== false) ahead.start(missing)
      const stop = missing < 0 ? end : missing
      const pieces =
        missing === index
          ? // oxlint-disable-next-line no-await-in-loop
            [await log.readBlock(index, reads)]
          : // oxlint-disable-next-line no-await-in-loop
            await readHeld(log, index, stop, Math.min(RUN_BYTES, skip + left), reads)
      for (const piece of pieces) {
        index++
        if (left <= 0) break
        const bytes = piece.subarray(skip, Math.min(piece.length, skip + left))
        skip = 0
        left -= bytes.length
        if (bytes.length > 0) yield bytes
      }
    }
  } finally {
    ahead.stop()
  }
}

/** A run of held blocks; where one of them is damaged only the first, got anew if need be. */
async function readHeld(
  log: ByteLog,
  start: number,
  end: number,
  maxBytes: number,
  reads: WaitOptions,
): Promise<Uint8Array[]> {
  try {
    return await log.readBlocks(start, end, maxBytes)
  } catch (error) {
    if (!(error instanceof LogError) || error.code !== 'LOG_CORRUPT') throw error
    return [await log.readBlock(start, reads)]
  }
}

/** The download of what is still to be read: from the first block lacking to where the last byte is. */
class ReadAhead {
  readonly #log: ByteLog
  readonly #limit: number
  readonly #seekEnd: ((own: AbortController) => Promise<BytePosition>) | null
  readonly #abort = new AbortController()
  #started = false
  #stopped = false
  #download: Download | null = null

  constructor(
    log: ByteLog,
    limit: number,
    seekEnd: ((own: AbortController) => Promise<BytePosition>) | null,
  ) {
    this.#log = log
    this.#limit = limit
    this.#seekEnd = seekEnd
  }

  start(index: number): void {
    if (this.#started) return
    this.#started = true
    if (!this.#seekEnd) {
      this.#begin(index, this.#limit)
      return
    }
    this.#seekEnd(this.#abort).then(
      ({ index: last, offset }) => this.#begin(index, offset > 0 ? last + 1 : last),
      () => undefined, // then blocks come one by one, and whoever reads them hears why
    )
  }

  stop(): void {
    this.#stopped = true
    this.#abort.abort(new Error('the reader left'))
    this.#download?.destroy()
  }

  #begin(start: number, end: number): void {
    if (this.#stopped || end <= start) return
    this.#download = this.#log.download({ start, end, linear: true })
  }
}

/** The same as a stream of bytes. Destroying it ends the waiting. */
export function createByteStream(log: ByteLog, range: ByteRange = {}): Readable {
  const abort = new AbortController()
  const signal = joinSignals(range.signal, abort)
  return pullStream(readBytes(log, { ...range, signal }), abort, { highWaterMark: RUN_BYTES })
}
