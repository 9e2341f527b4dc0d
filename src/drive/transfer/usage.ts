/**
 * How much of a file, or of everything below a directory, is on this device.
 *
 * @see spec/40-drive.md 3.15 and quirks Q10, Q40
 * @module
 */
import { EventEmitter } from 'node:events'
import type { DriveContext, ReadOptions } from '../context.ts'
import { DriveError, asDriveError } from '../errors.ts'
import type { WalkedEntry } from '../entries/listing.ts'
import { resolveEntry } from '../entries/lookup.ts'
import { absolute } from '../paths.ts'
import { runOf } from '../content/run.ts'
import { type Located, select } from './selection.ts'

/** What of one file is here. */
export interface Usage {
  /** Blocks of its content, and bytes. */
  readonly blocks: number
  readonly size: number
  /** Blocks that are here. */
  readonly downloadedBlocks: number
}

/** Usage of one file, or of each entry below a directory by its path. */
export type Stats = Usage | Map<string, Usage>

/** Options of `stats`. */
export interface StatsOptions extends ReadOptions {
  /** What is below subdirectories too; default true. */
  readonly recursive?: boolean | undefined
  /** Leave out what is mounted; default false, but true when `stats` is called without options (as v10 has it). */
  readonly noMounts?: boolean | undefined
}

/** Options of `watchStats`. */
export interface WatchStatsOptions extends StatsOptions {
  /** Milliseconds between two looks; default 2000. */
  readonly statsInterval?: number | undefined
  /** The same, by v10's name. */
  readonly statsInveral?: number | undefined
}

const NOTHING: Usage = { blocks: 0, size: 0, downloadedBlocks: 0 }
const INTERVAL_MS = 2000

/**
 * What of the file at `name` is here; for a directory, of each entry below it. Links stand for what they lead to.
 *
 * @throws {@link DriveError} `ENOENT`
 */
export async function stats(
  context: DriveContext,
  name: string,
  options?: StatsOptions,
): Promise<Stats> {
  const path = absolute(name, context.exact)
  const { recursive = true, noMounts = options === undefined } = options ?? {}
  const walk = { ...options, recursive, noMounts }
  try {
    const selection = await select(context, path, walk, 'stats')
    if (selection.type === 'file') return await usageOf(context, selection.entry, options)
    const all = new Map<string, Usage>()
    const { entry: own } = selection
    // v10 leaves a mount point out of its own.
    if (own && !(context.exact && own.stat.mount && own.path === path)) all.set(path, NOTHING)
    for await (const entry of selection.entries) {
      all.set(entry.path, await usageThrough(context, entry, options))
    }
    return all
  } catch (error) {
    throw asDriveError(error, 'stats', path)
  }
}

/** Looks at the usage of a path again and again, until it is destroyed. */
export class StatsWatcher extends EventEmitter<{ update: []; destroy: []; error: [Error] }> {
  /** What was found last; null before the first `update`. */
  stats: Stats | null = null
  readonly #look: () => Promise<Stats>
  readonly #interval: number
  #timer: NodeJS.Timeout | null = null
  #destroyed = false

  /** @param look - finds out; @param interval - milliseconds from the end of one look to the next */
  constructor(look: () => Promise<Stats>, interval: number) {
    super()
    this.#look = look
    this.#interval = interval
    void this.#update()
  }

  /** Look no more. */
  destroy(): void {
    if (this.#destroyed) return
    this.#destroyed = true
    if (this.#timer) clearTimeout(this.#timer)
    this.emit('destroy')
  }

  /** Never rejects: a failure is emitted if anybody listens, and the next look may succeed. */
  async #update(): Promise<void> {
    try {
      this.stats = await this.#look()
      if (!this.#destroyed) this.emit('update')
    } catch (error) {
      if (this.#destroyed) return
      if (error instanceof DriveError && error.code === 'DRIVE_CLOSED') this.destroy()
      else if (this.listenerCount('error') > 0 && error instanceof Error) this.emit('error', error)
    }
    if (this.#destroyed) return
    this.#timer = setTimeout(() => void this.#update(), this.#interval)
    this.#timer.unref()
  }
}

/** Watch the usage of a path; see {@link StatsWatcher}. */
export function watchStats(
  context: DriveContext,
  name: string,
  options: WatchStatsOptions = {},
): StatsWatcher {
  const { statsInterval, statsInveral, ...rest } = options
  const watcher = new StatsWatcher(
    () => stats(context, name, rest),
    statsInterval ?? statsInveral ?? INTERVAL_MS,
  )
  // It ends with the drive, not at its next look.
  const end = (): void => watcher.destroy()
  context.signal.addEventListener('abort', end, { once: true })
  watcher.once('destroy', () => context.signal.removeEventListener('abort', end))
  return watcher
}

async function usageThrough(
  context: DriveContext,
  entry: WalkedEntry,
  options?: StatsOptions,
): Promise<Usage> {
  if (!entry.stat.linkname) return usageOf(context, entry, options)
  const { entry: target } = await resolveEntry(context, entry.storedPath, options)
  return target ? usageOf(context, target, options) : NOTHING
}

async function usageOf(
  context: DriveContext,
  entry: Located,
  options: StatsOptions = {},
): Promise<Usage> {
  if (entry.stat.isDirectory()) return NOTHING
  const run = await runOf(context, entry, context.reads(options))
  if (!run) return { ...NOTHING, size: entry.stat.size }
  const { log, start, end, size } = run
  return { blocks: end - start, size, downloadedBlocks: log.downloaded(start, end) }
}
