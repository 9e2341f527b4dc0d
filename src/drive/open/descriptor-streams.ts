/**
 * Streams over an open file: of a `FileHandle`, or of a file that the stream opens itself.
 *
 * @module
 */
import { Readable, Writable } from 'node:stream'
import { allocUnsafe, asBuffer } from '../../bytes.ts'
import { asError } from '../../errors.ts'
import type { ReadResult, WriteResult } from './descriptor-table.ts'

/** What a stream needs of an open file. */
export interface StreamedFile {
  read<B extends Uint8Array>(
    buffer: B,
    at: number,
    length: number,
    position: number | null,
  ): Promise<ReadResult<B>>
  write<B extends Uint8Array>(
    buffer: B,
    at: number,
    length: number,
    position: number | null,
  ): Promise<WriteResult<B>>
  close(): Promise<void>
}

/** Options of both streams of a handle. */
export interface HandleStreamOptions {
  /** First byte; left out: where the file stands. */
  readonly start?: number | undefined
  /** Close the file when the stream ends or fails. Default true. */
  readonly autoClose?: boolean | undefined
  /** Bytes held before somebody takes them; default 65536. */
  readonly highWaterMark?: number | undefined
  /** Gives the stream up. */
  readonly signal?: AbortSignal | undefined
}

/** Options of `FileHandle.createReadStream`. */
export interface HandleReadOptions extends HandleStreamOptions {
  /** Last byte, inclusive, as in Node. */
  readonly end?: number | undefined
  /** Give text. */
  readonly encoding?: BufferEncoding | undefined
}

/** Options of `FileHandle.createWriteStream`. */
export type HandleWriteOptions = HandleStreamOptions

/** A stream of the bytes of an open file. */
export function readStreamOf(file: StreamedFile, options: HandleReadOptions = {}): Readable {
  const { start, end = Infinity, autoClose = true, highWaterMark = 65536 } = options
  const { encoding, signal } = options
  let position = start ?? null
  let left = end === Infinity ? Infinity : 1 + end - (start ?? 0)
  const stream = new Readable({
    highWaterMark,
    ...(encoding ? { encoding } : {}),
    ...(signal ? { signal } : {}),
    read(size) {
      const length = Math.max(0, Math.min(size, left))
      const next = async (): Promise<void> => {
        const { bytesRead, buffer } = await file.read(allocUnsafe(length), 0, length, position)
        if (position !== null) position += bytesRead
        left -= bytesRead
        stream.push(bytesRead === 0 ? null : asBuffer(buffer.subarray(0, bytesRead)))
      }
      next().catch((error: unknown) => stream.destroy(asError(error)))
    },
    destroy(error, done) {
      if (autoClose) closeAfter(file, error, done)
      else done(error)
    },
  })
  return stream
}

/** A stream into an open file; what it wrote is a version once it has finished, unless it leaves the file open. */
export function writeStreamOf(
  open: () => Promise<StreamedFile>,
  options: HandleWriteOptions = {},
): Writable {
  const { start, autoClose = true, highWaterMark = 65536, signal } = options
  let position = start ?? null
  let file: StreamedFile | null = null
  const close = async (): Promise<void> => {
    const opened = file
    file = null
    if (opened && autoClose) await opened.close()
  }
  return new Writable({
    highWaterMark,
    decodeStrings: true,
    ...(signal ? { signal } : {}),
    construct(done) {
      const opening = async (): Promise<void> => {
        file = await open()
      }
      opening().then(() => done(), done)
    },
    write(chunk: Uint8Array, _encoding, done) {
      const work = async (): Promise<void> => {
        await file?.write(chunk, 0, chunk.length, position)
        if (position !== null) position += chunk.length
      }
      work().then(() => done(), done)
    },
    final(done) {
      close().then(() => done(), done)
    },
    destroy(error, done) {
      closeAfter({ close }, error, done)
    },
  })
}

function closeAfter(
  file: Pick<StreamedFile, 'close'>,
  error: Error | null,
  done: (error?: Error | null) => void,
): void {
  file.close().then(
    () => done(error),
    (failure: unknown) => done(error ?? asError(failure)),
  )
}
