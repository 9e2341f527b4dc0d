/**
 * Dropping file content from this device. It stays in the drive, and can be fetched again from whoever has it.
 *
 * Blocks that another entry of the current version needs (a copy, a renamed or de-duplicated file) stay, unless they
 * are to go too. What only older versions need goes.
 *
 * @see spec/40-drive.md 3.15 and quirk Q10
 * @module
 */
import type { DriveContext, ReadOptions } from '../context.ts'
import { asDriveError } from '../errors.ts'
import { type Target, neededBlocks } from '../content/needed-blocks.ts'
import { absolute } from '../paths.ts'
import type { Tally } from './progress.ts'
import { runOf } from '../content/run.ts'
import { entriesOf, select } from './selection.ts'
import { Transfer } from './transfer.ts'

/** Options of `clear`. */
export interface ClearOptions extends ReadOptions {
  /** What is below subdirectories too; default true. */
  readonly recursive?: boolean | undefined
  /** Leave out what is mounted; default true. */
  readonly noMounts?: boolean | undefined
  /**
   * Keep blocks that other entries of the current version need: default true, under `exact` false, as v10 does. All
   * entries of the drive are looked at for it, some 10 µs each.
   */
  readonly keepShared?: boolean | undefined
}

/** What `clear` did. */
export interface Cleared {
  /** Bytes of disk space that the system has back; not all storage can say. */
  readonly bytesFreed: number
  /** Blocks that were here and are no longer. */
  readonly blocks: number
  /** Blocks that are here still, since other entries need them. */
  readonly sharedBlocks: number
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
  return new Transfer((stop, tally) => clearAll(context, path, options, tally, stop), {
    signal: options.signal,
  })
}

async function clearAll(
  context: DriveContext,
  path: string,
  options: ClearOptions,
  tally: Tally,
  stop: AbortSignal,
): Promise<Cleared> {
  const { keepShared = !context.exact } = options
  const cleared = { bytesFreed: 0, blocks: 0, sharedBlocks: 0 }
  try {
    const targets = await targetsAt(context, path, options, tally, stop)
    const needed = keepShared ? await neededBlocks(context, targets, stop) : null
    for (const { run } of targets) {
      if (stop.aborted) break
      const { log, start, end, size } = run
      const here = log.downloaded(start, end)
      for (const [first, last] of needed?.get(log)?.gaps(start, end) ?? [[start, end] as const]) {
        // oxlint-disable-next-line no-await-in-loop -- one range after the other
        const { bytesFreed } = await log.clear(first, last)
        cleared.bytesFreed += bytesFreed
      }
      const kept = log.downloaded(start, end)
      cleared.blocks += here - kept
      cleared.sharedBlocks += kept
      tally.add({ files: 1, blocks: end - start, bytes: size })
    }
  } catch (error) {
    throw asDriveError(error, 'clear', path)
  }
  return cleared
}

async function targetsAt(
  context: DriveContext,
  path: string,
  options: ClearOptions,
  tally: Tally,
  stop: AbortSignal,
): Promise<readonly Target[]> {
  const { recursive = true, noMounts = true } = options
  const walk = { ...options, signal: stop, recursive, noMounts }
  const targets: Target[] = []
  for await (const entry of entriesOf(await select(context, path, walk, 'clear'))) {
    stop.throwIfAborted()
    const run = entry.stat.isDirectory() ? null : await runOf(context, entry, context.reads(walk))
    if (!run) continue
    targets.push({ entry, run })
    tally.expect({ files: 1, blocks: run.end - run.start, bytes: run.size })
  }
  tally.expectNoMore()
  return targets
}
