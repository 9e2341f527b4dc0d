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
import type { DriveContext, ReadOptions } from './context.ts'
import { DriveError, asDriveError } from './errors.ts'
import { absolute } from './paths.ts'
import { type Run, runOf } from './run.ts'
import { entriesOf, select } from './selection.ts'
import { type Progress, Transfer } from './transfer.ts'

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
 *   when something is missing; with `ETIMEDOUT` when not all came within `timeout`; with the signal's reason
 */
export function download(
  context: DriveContext,
  name = '/',
  options: DownloadOptions = {},
): Transfer {
  const path = absolute(name, context.exact)
  const progress: Counts = { blocks: 0, totalBlocks: 0, bytes: 0, totalBytes: 0 }
  const { timeout = 0 } = context.reads(options)
  return new Transfer(
    (stop) => fetchAll(context, path, options, progress, stop),
    () => ({ ...progress }),
    {
      signal: options.signal,
      timeout,
      timedOut: () => new DriveError('ETIMEDOUT', { syscall: 'download', path }),
    },
  )
}

type Counts = { -readonly [Name in keyof Progress]: Progress[Name] }

async function fetchAll(
  context: DriveContext,
  path: string,
  options: DownloadOptions,
  progress: Counts,
  stop: AbortSignal,
): Promise<void> {
  const { recursive = true, noMounts = true, maxConcurrent = CONCURRENT } = options
  const failure = new AbortController()
  // The timeout is that of the whole, so no single read has one.
  const signal = AbortSignal.any([stop, failure.signal])
  // Every file under way listens to it: no leak, so no warning.
  setMaxListeners(0, signal)
  const reads = { ...options, timeout: 0, signal }
  const walk = { ...reads, recursive, noMounts, random: true }
  const running = new Set<Promise<void>>()
  try {
    for await (const entry of entriesOf(await select(context, path, walk, 'download'))) {
      const run = entry.stat.isDirectory()
        ? null
        : await runOf(context, entry, context.reads(reads))
      if (run) {
        const fetching = fetchRun(run, options, progress, signal)
        running.add(fetching)
        // Awaited below; one that fails meanwhile must not count as unhandled.
        fetching.then(() => running.delete(fetching)).catch(() => {})
      }
      if (running.size >= maxConcurrent) await Promise.race(running)
      if (stop.aborted) break
    }
    await Promise.all(running)
  } catch (error) {
    failure.abort(error)
    throw asDriveError(error, 'download', path)
  }
}

/** Hold all blocks of one file. */
async function fetchRun(
  { log, start, end, size }: Run,
  options: DownloadOptions,
  progress: Counts,
  stop: AbortSignal,
): Promise<void> {
  const total = end - start
  let here = log.downloaded(start, end)
  progress.totalBlocks += total
  progress.totalBytes += size
  progress.blocks += here
  if (here < total) {
    if (options.wait === false || options.cached) {
      throw new DriveError('EUNAVAILABLE', { syscall: 'download', peersAsked: 0, waitedMs: 0 })
    }
    const count = (index: number): void => {
      if (index < start || index >= end) return
      here++
      progress.blocks++
    }
    const fetching = log.download({ start, end })
    const cancel = (): void => fetching.destroy()
    log.on('download', count)
    stop.addEventListener('abort', cancel, { once: true })
    if (stop.aborted) cancel()
    try {
      await fetching.done
    } finally {
      log.off('download', count)
      stop.removeEventListener('abort', cancel)
    }
  }
  if (log.downloaded(start, end) === total) progress.bytes += size
}
