/**
 * Dropping file content from this device. It stays in the drive, and can be fetched again from whoever has it.
 *
 * Blocks are dropped whether or not another path (a copy, an older version) needs them too.
 *
 * @see spec/40-drive.md 3.15 and quirk Q10
 * @module
 */
import type { DriveContext, ReadOptions } from './context.ts'
import { asDriveError } from './errors.ts'
import { absolute } from './paths.ts'
import { runOf } from './run.ts'
import { entriesOf, select } from './selection.ts'
import { type Progress, Transfer } from './transfer.ts'

/** Options of `clear`. */
export interface ClearOptions extends ReadOptions {
  /** What is below subdirectories too; default true. */
  readonly recursive?: boolean | undefined
  /** Leave out what is mounted; default true. */
  readonly noMounts?: boolean | undefined
}

/** What `clear` did. */
export interface Cleared {
  /** Bytes of disk space that the system has back; not all storage can say. */
  readonly bytesFreed: number
}

/**
 * Drop the content of what is at `name`.
 *
 * @returns a handle; its `done` rejects with `ENOENT` when nothing is there
 */
export function clear(
  context: DriveContext,
  name = '/',
  options: ClearOptions = {},
): Transfer<Cleared> {
  const path = absolute(name, context.exact)
  const progress = { blocks: 0, totalBlocks: 0, bytes: 0, totalBytes: 0 }
  return new Transfer(
    (stop) => clearAll(context, path, options, progress, stop),
    () => ({ ...progress }),
    { signal: options.signal },
  )
}

async function clearAll(
  context: DriveContext,
  path: string,
  options: ClearOptions,
  progress: { -readonly [Name in keyof Progress]: Progress[Name] },
  stop: AbortSignal,
): Promise<Cleared> {
  const { recursive = true, noMounts = true } = options
  const walk = { ...options, signal: stop, recursive, noMounts }
  let bytesFreed = 0
  try {
    for await (const entry of entriesOf(await select(context, path, walk, 'clear'))) {
      if (stop.aborted) break
      const run = entry.stat.isDirectory() ? null : await runOf(context, entry, context.reads(walk))
      if (!run) continue
      progress.totalBlocks += run.end - run.start
      progress.totalBytes += run.size
      const freed = await run.log.clear(run.start, run.end)
      bytesFreed += freed.bytesFreed
      progress.blocks = progress.totalBlocks
      progress.bytes = progress.totalBytes
    }
  } catch (error) {
    throw asDriveError(error, 'clear', path)
  }
  return { bytesFreed }
}
