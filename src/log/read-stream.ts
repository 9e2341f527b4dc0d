/**
 * The blocks of a log as a stream.
 *
 * @see spec/10-log.md 4.5
 * @module
 */
import { asError } from '../errors.ts'
import { Writable } from 'node:stream'
import type { Readable } from 'node:stream'
import type { GetOptions } from './options.ts'
import { joinSignals, pullStream } from './pull-stream.ts'

/** Options of a read stream. */
export interface ReadStreamOptions extends GetOptions {
  /** First block; default 0. */
  readonly start?: number | undefined
  /** Block to stop before; default the length, at the time that `snapshot` says. */
  readonly end?: number | undefined
  /** The length when reading began, otherwise at each block. Default `true`. */
  readonly snapshot?: boolean | undefined
  /** Go on with what is appended later. Default `false`. */
  readonly live?: boolean | undefined
  /** Start at the end. Default `false`. */
  readonly tail?: boolean | undefined
}

/** What the streams need of a log. */
export interface StreamLog<T> {
  readonly length: number
  ready(): Promise<void>
  get(index: number, options?: GetOptions): Promise<T>
  append(values: readonly T[]): Promise<number>
}

/**
 * A stream of decoded blocks, in order. A value of `null`, which would end an object stream, is passed
 * as `undefined`. Destroying the stream gives up the block it waits for.
 */
export function createReadStream<T>(log: StreamLog<T>, options: ReadStreamOptions = {}): Readable {
  const abort = new AbortController()
  const signal = joinSignals(options.signal, abort)
  return pullStream(nullable(blocks(log, options, signal)), abort, {
    objectMode: true,
    highWaterMark: 16,
  })
}

/**
 * The same as an async iterator, which passes every value as it is.
 *
 * @yields the blocks in order
 */
export async function* blocks<T>(
  log: StreamLog<T>,
  options: ReadStreamOptions,
  signal: AbortSignal | undefined = options.signal,
): AsyncGenerator<T, void, undefined> {
  await log.ready()
  const begun = log.length
  const start = options.tail ? begun : (options.start ?? 0)
  const fixed = options.end !== undefined && options.end >= 0 ? options.end : null
  for (let index = start; ; index++) {
    const length = (options.snapshot ?? true) ? begun : log.length
    if (index >= (fixed ?? (options.live ? Infinity : length))) return
    // oxlint-disable-next-line no-await-in-loop
    yield await log.get(index, { ...options, signal })
  }
}

async function* nullable<T>(source: AsyncIterable<T>): AsyncGenerator<T | undefined, void> {
  for await (const value of source) yield value === null ? undefined : value
}

/** Options of a write stream. */
export interface WriteStreamOptions {
  /** Cut larger chunks into blocks of this many bytes; 0 is never. Default 0. */
  readonly maxBlockSize?: number | undefined
}

/**
 * A stream that appends. Everything buffered when an append ends becomes one batch. An empty chunk is
 * an empty block.
 */
export function createWriteStream<T>(
  log: StreamLog<T>,
  options: WriteStreamOptions = {},
): Writable {
  const largest = options.maxBlockSize ?? 0
  const append = (chunks: readonly T[], done: (error?: Error | null) => void): void => {
    log.append(chunks.flatMap((chunk) => cut(chunk, largest))).then(
      () => done(),
      (error: unknown) => done(asError(error)),
    )
  }
  return new Writable({
    objectMode: true,
    write: (chunk: T, _encoding, done) => append([chunk], done),
    writev: (chunks: Array<{ chunk: T }>, done) =>
      append(
        chunks.map(({ chunk }) => chunk),
        done,
      ),
  })
}

function cut<T>(chunk: T, largest: number): T[] {
  if (largest <= 0 || !(chunk instanceof Uint8Array) || chunk.length <= largest) return [chunk]
  const pieces: T[] = []
  for (let at = 0; at < chunk.length; at += largest) {
    // A piece of bytes is of the type that bytes have here.
    // oxlint-disable-next-line no-unsafe-type-assertion
    pieces.push(chunk.subarray(at, at + largest) as T & Uint8Array)
  }
  return pieces
}
