/**
 * Reading a file, or a range of it, as a stream.
 *
 * @see spec/40-drive.md 3.6
 * @module
 */
import type { Readable } from 'node:stream'
import { asBuffer } from '../../bytes.ts'
import type { DriveContext, ReadOptions } from '../context.ts'
import { DriveError, asDriveError, inWords } from '../errors.ts'
import { resolveEntry, stat } from '../entries/lookup.ts'
import { absolute } from '../paths.ts'
import { rowStream } from '../versions/row-stream.ts'
import { type Run, readBlocks, runOf } from './run.ts'

/** Which bytes of a file. */
export interface ReadRange {
  /** First byte; default 0. */
  readonly start?: number | undefined
  /** Last byte, inclusive, as in Node. Counts before `length`. */
  readonly end?: number | undefined
  /** Bytes from `start` on. */
  readonly length?: number | undefined
}

/** Options of `createReadStream`. */
export interface ReadStreamOptions extends ReadRange, ReadOptions {
  /** Bytes fetched before somebody reads them; default 65536. */
  readonly highWaterMark?: number | undefined
  /** Give text. */
  readonly encoding?: BufferEncoding | undefined
}

/** A range of a file that is there. */
export interface OpenRange {
  /** Null when the file has no bytes. */
  readonly run: Run | null
  readonly start: number
  /** Bytes, already cut to what the file has. */
  readonly length: number
}

/**
 * Find a range of the file at `path`, links followed.
 *
 * @throws {@link DriveError} `ENOENT`; `EISDIR` unless `exact`; `EINVAL` for a negative or broken number
 */
export async function openRange(
  context: DriveContext,
  path: string,
  options: ReadRange & ReadOptions,
  syscall: string,
): Promise<OpenRange> {
  for (const name of ['start', 'end', 'length'] as const)
    assertOffset(options[name], name, path, syscall)
  await context.ready()
  const resolved = await resolveEntry(context, path, { ...options, syscall })
  const { entry } = resolved
  if (!entry || (entry.stat.isDirectory() && !context.exact)) {
    // A directory without an entry has no content either, and says so; v10 says ENOENT.
    if (context.exact) throw new DriveError('ENOENT', { syscall, path: resolved.path })
    const found = await stat(context, resolved.path, { ...options, syscall })
    // A file by now: it was written after the lookup above.
    if (!found.isDirectory()) return openRange(context, path, options, syscall)
    throw new DriveError('EISDIR', { syscall, path: resolved.path })
  }
  const run = await inWords(syscall, path, () => runOf(context, entry, context.reads(options)))
  const size = run?.size ?? 0
  const start = Math.min(options.start ?? 0, size)
  const { end, length = Infinity } = options
  const wanted = end === undefined ? length : Math.max(0, 1 + end - (options.start ?? 0))
  return { run, start, length: Math.min(wanted, size - start) }
}

/** A stream of the bytes of the file at `name`, block by block. */
export function createReadStream(
  context: DriveContext,
  name: string,
  options: ReadStreamOptions = {},
): Readable {
  const path = absolute(name, context.exact)
  const { highWaterMark = 65536, encoding } = options
  const buffers = (given: ReadStreamOptions): AsyncGenerator<Buffer, void, undefined> =>
    buffersOf(context, path, given)
  return rowStream(context, 'read', options, buffers, {
    highWaterMark,
    ...(encoding ? { encoding } : {}),
  })
}

async function* buffersOf(
  context: DriveContext,
  path: string,
  options: ReadStreamOptions,
): AsyncGenerator<Buffer, void, undefined> {
  try {
    for await (const block of blocksOf(context, path, options)) yield asBuffer(block)
  } catch (error) {
    throw asDriveError(error, 'read', path)
  }
}

async function* blocksOf(
  context: DriveContext,
  path: string,
  reads: ReadStreamOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  const opened = await openRange(context, path, reads, 'open')
  if (opened.run) yield* readBlocks(opened.run, opened.start, opened.length, context.reads(reads))
}

function assertOffset(
  value: number | undefined,
  name: string,
  path: string,
  syscall: string,
): void {
  if (value === undefined || (value >= 0 && (Number.isSafeInteger(value) || value === Infinity)))
    return
  throw new DriveError('EINVAL', { syscall, path, reason: `${name} ${value}` })
}
