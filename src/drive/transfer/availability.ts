/**
 * What of a file, or of everything below a directory, is on this device.
 *
 * Nothing is waited for and nobody is asked, so the answer is the same with and without peers, and at once. Where
 * metadata is missing, the walk goes on beside it: what is known is counted, and the answer says that it is not all.
 *
 * @see spec/40-drive.md 3.15
 * @module
 */
import type { DriveContext, ReadOptions } from '../context.ts'
import { DriveError, asDriveError } from '../errors.ts'
import { absolute } from '../paths.ts'
import { runOf } from '../content/run.ts'
import { type Located, entriesOf, select } from './selection.ts'

/** Options of `availability`. */
export interface AvailabilityOptions {
  /** What is below subdirectories too; default true. */
  readonly recursive?: boolean | undefined
  /** Leave out what is mounted; default false. */
  readonly noMounts?: boolean | undefined
  /** Ends it with the signal's reason. */
  readonly signal?: AbortSignal | undefined
}

/** What of a path is here. Of a link: of what it leads to. */
export interface Availability {
  /**
   * How much of the metadata is here: of `all` the numbers below are exact, with `some` there is more that is not known,
   * with `none` nothing is known, not even whether anything is there.
   */
  readonly metadata: 'all' | 'some' | 'none'
  /** Whether all of it can be read with no peer: all metadata and all blocks are here. */
  readonly isComplete: boolean
  /** Files that are here whole, of those known. */
  readonly files: number
  readonly totalFiles: number
  /** Blocks that are here, of those that the files have. */
  readonly blocks: number
  readonly totalBlocks: number
  /** Bytes that are here, of those that the files have. */
  readonly bytes: number
  readonly totalBytes: number
}

type Counts = { -readonly [Name in Exclude<keyof Availability, 'metadata' | 'isComplete'>]: number }

/**
 * What of `name` is here.
 *
 * @throws {@link DriveError} `ENOENT` when it is known that nothing is there
 */
export async function availability(
  context: DriveContext,
  name = '/',
  options: AvailabilityOptions = {},
): Promise<Availability> {
  const path = absolute(name, context.exact)
  const { recursive = true, noMounts = false, signal } = options
  const reads: ReadOptions = { wait: false, timeout: 0, signal }
  const counts: Counts = {
    files: 0,
    totalFiles: 0,
    blocks: 0,
    totalBlocks: 0,
    bytes: 0,
    totalBytes: 0,
  }
  let entries = 0
  let isAll = true
  const onmissing = (): void => {
    isAll = false
  }
  try {
    await context.ready()
    signal?.throwIfAborted()
    const walk = { ...reads, recursive, noMounts, onmissing }
    const selection = await select(context, path, walk, 'availability')
    for await (const entry of entriesOf(selection)) {
      signal?.throwIfAborted()
      entries++
      const isCounted = entry.stat.isFile() && !(noMounts && entry.stat.mount)
      if (isCounted) await count(context, entry, reads, counts)
    }
  } catch (error) {
    const failure = asDriveError(error, 'availability', path)
    if (!(failure instanceof DriveError) || failure.code !== 'EUNAVAILABLE') throw failure
    isAll = false
  }
  const isHere = counts.files === counts.totalFiles
  const some = entries > 0 ? 'some' : 'none'
  return { metadata: isAll ? 'all' : some, isComplete: isAll && isHere, ...counts }
}

async function count(
  context: DriveContext,
  entry: Located,
  reads: ReadOptions,
  counts: Counts,
): Promise<void> {
  const { blocks, size } = entry.stat
  counts.totalFiles++
  const run = await runHere(context, entry, reads)
  if (!run) {
    counts.totalBlocks += blocks
    counts.totalBytes += size
    if (blocks === 0) counts.files++
    return
  }
  const { log, start, end } = run
  const here = log.downloaded(start, end)
  counts.totalBlocks += end - start
  counts.totalBytes += run.size
  counts.blocks += here
  if (here === end - start) {
    counts.files++
    counts.bytes += run.size
  } else if (here > 0) {
    // What an entry says of its size is its author's word: no more than that.
    counts.bytes += Math.min(run.size, await log.downloadedBytes(start, end))
  }
}

/** Where the bytes lie, or null: there are none, or the key of the content is not here. */
async function runHere(
  context: DriveContext,
  entry: Located,
  reads: ReadOptions,
): ReturnType<typeof runOf> {
  try {
    return await runOf(context, entry, context.reads(reads))
  } catch (error) {
    const failure = asDriveError(error, 'availability', entry.path)
    if (failure instanceof DriveError && failure.code === 'EUNAVAILABLE') return null
    throw failure
  }
}
