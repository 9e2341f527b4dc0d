/**
 * Fetching a file, or everything below a directory, ahead of reading it.
 *
 * Directories are walked in random order, so that several clones begin with different parts. Mounts are left out
 * unless asked for. At most `maxConcurrent` files are wished for at a time.
 *
 * @see spec/40-drive.md 3.15 and quirks Q10, Q25
 * @module
 */
import { setMaxListeners } from 'node:events'
import type { DriveContext, ReadOptions } from '../context.ts'
import { DriveError, asDriveError } from '../errors.ts'
import { absolute } from '../paths.ts'
import type { Tally } from './progress.ts'
import { type Run, runOf } from '../content/run.ts'
import { entriesOf, select } from './selection.ts'
import { Transfer } from './transfer.ts'

/** Options of `download`. */
export interface DownloadOptions extends ReadOptions {
  /** What is below subdirectories too; default true. */
  readonly recursive?: boolean | undefined
  /** Leave out what is mounted; default true. */
  readonly noMounts?: boolean | undefined
  /** Files fetched at a time; default 50. */
  readonly maxConcurrent?: number | undefined
}

/** Files fetched at a time. */
const CONCURRENT = 50

/**
 * Fetch what is at `name`.
 *
 * @returns a handle. Its `done` rejects with `ENOENT` when nothing is there; with `EUNAVAILABLE` under `wait: false`
 *   when something is missing, under `wait: 'peers'` when no peer has it; with `ETIMEDOUT` when not all came within
 *   `timeout`; with the signal's reason. Once it has settled, nothing is fetched any more
 */
export function download(
  context: DriveContext,
  name = '/',
  options: DownloadOptions = {},
): Transfer {
  const path = absolute(name, context.exact)
  const { timeout = 0 } = context.reads(options)
  return new Transfer((stop, tally) => fetchAll(context, path, options, tally, stop), {
    signal: options.signal,
    timeout,
    timedOut: () => new DriveError('ETIMEDOUT', { syscall: 'download', path }),
  })
}

async function fetchAll(
  context: DriveContext,
  path: string,
  options: DownloadOptions,
  tally: Tally,
  stop: AbortSignal,
): Promise<void> {
  const { recursive = true, noMounts = true, maxConcurrent = CONCURRENT } = options
  // It ends with the drive too: a log of a store that others use goes on.
  const task = context.tasks.begin(stop)
  const { signal } = task
  // Every file under way listens to it: no leak, so no warning.
  setMaxListeners(0, signal)
  // The timeout is that of the whole, which ends before that of any read.
  const reads = { ...options, signal }
  const walk = { ...reads, recursive, noMounts, random: true }
  const running = new Set<Promise<void>>()
  try {
    for await (const entry of entriesOf(await select(context, path, walk, 'download'))) {
      signal.throwIfAborted()
      if (entry.stat.isDirectory()) continue
      const run = await runOf(context, entry, context.reads(reads))
      if (!run) continue
      const fetching = fetchRun(run, options, tally, signal)
      running.add(fetching)
      // Awaited below; one that fails meanwhile must not count as unhandled.
      fetching.then(() => running.delete(fetching)).catch(() => {})
      if (running.size >= maxConcurrent) await Promise.race(running)
    }
    tally.expectNoMore()
    await Promise.all(running)
  } catch (error) {
    task.abort(error)
    await Promise.allSettled(running)
    throw asDriveError(error, 'download', path)
  } finally {
    task.end()
  }
}

/** Hold all blocks of one file. */
async function fetchRun(
  { log, start, end, size }: Run,
  options: DownloadOptions,
  tally: Tally,
  stop: AbortSignal,
): Promise<void> {
  const total = end - start
  const here = log.downloaded(start, end)
  tally.expect({ files: 1, blocks: total, bytes: size })
  if (here === total) {
    tally.skip({ files: 1, blocks: total, bytes: size })
    return
  }
  let bytes = 0
  // What an entry says of its size is its author's word: never more is counted.
  const upTo = (more: number): number => {
    const counted = Math.min(more, size - bytes)
    bytes += counted
    return counted
  }
  const count = (index: number, data: Uint8Array): void => {
    if (index >= start && index < end) tally.add({ blocks: 1, bytes: upTo(data.length) })
  }
  // Those that come while this is found out are counted by the event, so all that are here now are not.
  log.on('download', count)
  try {
    if (here > 0) tally.skip({ blocks: here, bytes: upTo(await log.downloadedBytes(start, end)) })
    const wait = options.cached ? false : (options.wait ?? true)
    await log.download({ start, end }, { wait, signal: stop }).done
  } finally {
    log.off('download', count)
  }
  // What was cleared meanwhile was left alone.
  if (log.downloaded(start, end) === total) tally.add({ files: 1, bytes: size - bytes })
}
