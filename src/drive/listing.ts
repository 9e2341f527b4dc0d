/**
 * What lies below a path: the walk behind `readdir`, directory streams, `download`, `clear` and `stats`.
 *
 * Order is the trie's, not the alphabet's. A walk that is not recursive gets one entry of the trie for each name,
 * which may lie deeper than the name: then the name is a directory. A recursive one goes into mounts and follows
 * links to directories, whose entries are shown below the link:
 *
 *     frames      shown        walked
 *                 /a           /a
 *                 /a/link      /elsewhere     while a frame of it is open, /elsewhere is not entered again
 *
 * @see spec/40-drive.md 3.8
 * @module
 */
import { Readable } from 'node:stream'
import type { Log } from '../log/index.ts'
import type { MountInfo, MountedEntry } from '../trie/index.ts'
import { MAX_LINKS } from './constants.ts'
import type { DriveContext, DriveTrie, ReadOptions } from './context.ts'
import { Dirent } from './dirent.ts'
import { DriveError, inWords } from './errors.ts'
import { findEntry, firstBelow, resolveEntry, stat } from './lookup.ts'
import { absolute, parentPath, pathOf, resolvePath } from './paths.ts'
import { Stat } from './stat.ts'

/** What a walk covers, and how. */
export interface WalkOptions extends ReadOptions {
  /** Go into directories, links to directories, and mounts. Default false. */
  readonly recursive?: boolean | undefined
  /** Stay out of mounts. Default false. */
  readonly noMounts?: boolean | undefined
  /** The other way round. */
  readonly reverse?: boolean | undefined
  /** A new order each time. */
  readonly random?: boolean | undefined
}

/** Options of `readdir`. */
export interface ReaddirOptions extends WalkOptions {
  /** Give a {@link DirectoryEntry} for each name. Default false. */
  readonly includeStats?: boolean | undefined
  /** Give a {@link Dirent} for each name, as Node does. Default false. */
  readonly withFileTypes?: boolean | undefined
}

/** One stored entry of a walk. */
export interface WalkedEntry {
  /** Where it is shown; below a followed link this is not where it is stored. */
  readonly path: string
  /** Where it is stored. */
  readonly storedPath: string
  /** Its own stat: links are not resolved. */
  readonly stat: Stat
  /** User flags of the trie's node: 1 is a mount point. */
  readonly flags: number
  /** The trie it lies in, and how that is mounted. */
  readonly trie: DriveTrie
  readonly info: MountInfo
  /** Its path in that trie. */
  readonly innerPath: string
}

/** One name of a directory, with what is known of it. */
export interface DirectoryEntry {
  /** Relative to the listed directory. */
  readonly name: string
  readonly path: string
  /** Its own stat: links are not resolved. */
  readonly stat: Stat
  /** The drive it lies in; of the outer one `localPath` is empty and `version` null. */
  readonly mount: MountInfo
  /** Its path in that drive, without a leading slash. */
  readonly innerPath: string
}

interface Frame {
  readonly shown: string
  readonly walked: string
  readonly rows: AsyncIterator<MountRow, unknown, undefined>
}

type MountRow = MountedEntry<Log>

/** @yields every entry stored below `path`, which may lead through links; nothing when nothing is there */
export async function* entries(
  context: DriveContext,
  path: string,
  options: WalkOptions,
  syscall: string,
): AsyncGenerator<WalkedEntry, void, undefined> {
  const named = { ...options, syscall }
  const start = path === '/' ? path : (await resolveEntry(context, path, named)).path
  const frames: Frame[] = [open(context, path, start, options)]
  for (let frame = frames.at(-1); frame; frame = frames.at(-1)) {
    const { shown, walked, rows } = frame
    // One after the other: the order is the trie's.
    // oxlint-disable-next-line no-await-in-loop
    const next = await inWords(syscall, path, () => rows.next())
    if (next.done === true) {
      frames.pop()
      continue
    }
    const row: MountRow = next.value
    const storedPath = pathOf(row.node.key)
    const rest = walked === '/' ? storedPath : storedPath.slice(walked.length)
    if (rest.length <= 1) continue
    const entry = {
      path: shown === '/' ? rest : shown + rest,
      storedPath,
      flags: row.node.flags,
      trie: row.trie,
      info: row.info,
      innerPath: row.innerPath,
      stat: statOf(context, storedPath, row.node.value),
    }
    if (options.recursive && entry.stat.linkname) {
      // oxlint-disable-next-line no-await-in-loop
      const target = await directoryBehind(context, entry, named)
      if (target === null) continue
      const isOpen = frames.some(({ walked }) => walked === target) || frames.length > MAX_LINKS
      if (target && !isOpen) frames.push(open(context, entry.path, target, options))
    }
    yield entry
  }
}

/** What `readdir` gives, by its options. */
export type Listing = string[] | DirectoryEntry[] | Dirent[]

/**
 * The names in the directory at `name`, links followed.
 *
 * @throws {@link DriveError} `ENOENT`, `ENOTDIR` (`exact`: what is missing, or a file, has no names, as in v10)
 */
export async function readdir(
  context: DriveContext,
  name: string,
  options: ReaddirOptions = {},
): Promise<Listing> {
  const includeStats = options.includeStats || options.withFileTypes
  const listed: DirectoryEntry[] = []
  const names: string[] = []
  for await (const entry of directory(context, name, { ...options, includeStats })) {
    if (includeStats) listed.push(entry)
    else names.push(entry.name)
  }
  if (!includeStats) return names
  return options.withFileTypes ? listed.map((entry) => new Dirent(entry)) : listed
}

/**
 * @yields the names in the directory at `name` as they are found, each once, with their stats
 * @throws as {@link readdir}
 */
export async function* directory(
  context: DriveContext,
  name: string,
  options: ReaddirOptions = {},
): AsyncGenerator<DirectoryEntry, void, undefined> {
  const path = absolute(name, context.exact)
  await context.ready()
  const prefix = path === '/' ? 1 : path.length + 1
  const seen = new Set<string>()
  for await (const entry of entries(context, path, options, 'readdir')) {
    const rest = entry.path.slice(prefix)
    const at = options.recursive ? -1 : rest.indexOf('/')
    const first = at < 0 ? rest : rest.slice(0, at)
    if (seen.has(first)) continue
    seen.add(first)
    const { info: mount, innerPath } = entry
    if (at < 0 || !options.includeStats) {
      yield { name: first, path: entry.path, stat: entry.stat, mount, innerPath }
    } else {
      yield { name: first, mount, ...(await parentOf(context, entry, rest.length - at, options)) }
    }
  }
  // Only what lists nothing has to be looked up: a directory with names is one.
  if (seen.size > 0 || context.exact) return
  const found = await stat(context, path, { ...options, syscall: 'readdir' })
  if (!found.isDirectory()) throw new DriveError('ENOTDIR', { syscall: 'readdir', path })
}

/** The directory that an entry found `below` characters deeper stands for. */
async function parentOf(
  context: DriveContext,
  entry: WalkedEntry,
  below: number,
  options: ReaddirOptions,
): Promise<Pick<DirectoryEntry, 'path' | 'stat' | 'innerPath'>> {
  // v10 gives the deeper path, and knows nothing of an entry that the directory itself may have.
  const fresh = Stat.directory({}, context.now())
  if (context.exact) return { path: entry.path, stat: fresh, innerPath: entry.innerPath }
  const cutOff = (path: string): string => path.slice(0, Math.max(0, path.length - below))
  const own = await findEntry(context, cutOff(entry.storedPath), { ...options, syscall: 'readdir' })
  const stat =
    own?.stat ?? Stat.directory({ mtime: entry.stat.mtime, ctime: entry.stat.ctime }, context.now())
  return { path: cutOff(entry.path), stat, innerPath: cutOff(entry.innerPath) }
}

function open(context: DriveContext, shown: string, walked: string, options: WalkOptions): Frame {
  const { recursive = false, noMounts, reverse, random } = options
  const walk = {
    ...context.reads(options),
    recursive,
    noMounts: noMounts ?? false,
    reverse,
    random,
  }
  const rows = context.trie.iterator(walked, walk)[Symbol.asyncIterator]()
  return { shown, walked, rows }
}

/** Where a link leads: the path of a directory, `''` for anything else, null when it leads nowhere. */
async function directoryBehind(
  context: DriveContext,
  { storedPath, stat }: WalkedEntry,
  options: WalkOptions & { readonly syscall: string },
): Promise<string | null> {
  const target = resolvePath(parentPath(storedPath), stat.linkname ?? '')
  try {
    const { path, entry } = await resolveEntry(context, target, options)
    if (entry) return entry.stat.isDirectory() ? path : ''
    return path === '/' || (await firstBelow(context, path, options)) ? path : null
  } catch (error) {
    if (error instanceof DriveError && error.code === 'ELOOP') return null
    throw error
  }
}

function statOf(context: DriveContext, path: string, value: Uint8Array | null): Stat {
  if (!value) throw new DriveError('DRIVE_BAD_STAT', { path, reason: 'no value' })
  return Stat.decode(value, context.now())
}

/** The directory at `name` as a stream of {@link DirectoryEntry} objects. */
export function directoryStream(
  context: DriveContext,
  name: string,
  options: ReaddirOptions = {},
): Readable {
  const rows = directory(context, name, { ...options, includeStats: true })
  return Readable.from(rows, { objectMode: true })
}
