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
import type { Readable } from 'node:stream'
import type { Log } from '../../log/index.ts'
import type { MountInfo, MountedEntry, Pull } from '../../trie/index.ts'
import { MAX_LINKS } from '../open/constants.ts'
import type { DriveContext, DriveTrie, ReadOptions } from '../context.ts'
import { Dirent } from './dirent.ts'
import { DriveError, inWords } from '../errors.ts'
import { findEntry, firstBelow, resolveEntry, stat } from './lookup.ts'
import { absolute, parentPath, pathOf, resolvePath } from '../paths.ts'
import { rowStream } from '../versions/row-stream.ts'
import { linknameOf } from './stat-codec.ts'
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
  /** @internal Called for each block of metadata that is not here; what it leads to is left out. */
  readonly onmissing?: (() => void) | undefined
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
  readonly rows: Pick<Pull<MountRow>, 'next' | 'nextNow'>
  /** The first of them, when it was asked for already. */
  first: MountRow | null
}

type MountRow = MountedEntry<Log>

const NO_ROWS: Frame['rows'] = { next: () => Promise.resolve(null), nextNow: () => null }

/** Entries at hand that are given together, at most. */
const GROUP = 256

/** @yields every entry stored below `path`, which may lead through links; nothing when nothing is there */
export async function* entries(
  context: DriveContext,
  path: string,
  options: WalkOptions,
  syscall: string,
): AsyncGenerator<WalkedEntry, void, undefined> {
  for await (const group of entryGroups(context, path, options, syscall)) yield* group
}

/**
 * The same in groups: what is at hand comes together, so that a name in memory costs no promise. Listing takes half
 * the CPU so, 5 µs a name.
 *
 * @yields groups of entries, none of them empty
 */
async function* entryGroups(
  context: DriveContext,
  path: string,
  options: WalkOptions,
  syscall: string,
): AsyncGenerator<readonly WalkedEntry[], void, undefined> {
  const named = { ...options, syscall }
  const frames: Frame[] = [await begin(context, path, named)]
  let group: WalkedEntry[] = []
  for (let frame = frames.at(-1); frame; frame = frames.at(-1)) {
    const { rows } = frame
    const atHand = frame.first ?? rows.nextNow()
    frame.first = null
    if (group.length > 0 && (atHand === undefined || group.length === GROUP)) {
      yield group
      group = []
    }
    // One after the other: the order is the trie's.
    // oxlint-disable-next-line no-await-in-loop
    const row = atHand === undefined ? await inWords(syscall, path, () => rows.next()) : atHand
    if (!row) {
      frames.pop()
      continue
    }
    let entry: Row | null
    try {
      entry = walkedEntry(context, frame, row)
    } catch (error) {
      if (group.length > 0) yield group
      throw error
    }
    if (!entry) continue
    if (options.recursive && entry.linkname) {
      // oxlint-disable-next-line no-await-in-loop
      const target = await directoryBehind(context, entry, named)
      if (target === null) continue
      const isOpen = frames.some(({ walked }) => walked === target) || frames.length > MAX_LINKS
      if (target && !isOpen) frames.push(open(context, entry.path, target, options))
    }
    group.push(entry)
  }
  if (group.length > 0) yield group
}

/** A row as an entry of the walk; null for the walked directory's own. */
function walkedEntry(
  context: DriveContext,
  { shown, walked }: Frame,
  { node, trie, info, innerPath }: MountRow,
): Row | null {
  const storedPath = pathOf(node.key)
  const rest = walked === '/' ? storedPath : storedPath.slice(walked.length)
  if (rest.length <= 1) return null
  const path = shown === '/' ? rest : shown + rest
  return new Row(context, path, storedPath, node, { trie, info, innerPath })
}

/**
 * An entry whose stat is decoded when somebody asks for it: who wants names alone never does, and a stat takes two
 * thirds of what a name in memory takes.
 */
class Row implements WalkedEntry {
  readonly path: string
  readonly storedPath: string
  readonly flags: number
  readonly trie: DriveTrie
  readonly info: MountInfo
  readonly innerPath: string
  readonly #context: DriveContext
  /** The target of a link, else null. */
  readonly linkname: string | null
  readonly #value: Uint8Array
  #stat: Stat | null = null

  /** @throws {@link DriveError} `DRIVE_BAD_STAT` when the value cannot be one */
  constructor(
    context: DriveContext,
    path: string,
    storedPath: string,
    { flags, value }: MountRow['node'],
    { trie, info, innerPath }: Omit<MountRow, 'node'>,
  ) {
    this.path = path
    this.storedPath = storedPath
    this.flags = flags
    this.trie = trie
    this.info = info
    this.innerPath = innerPath
    this.#context = context
    this.#value = valueAt(storedPath, value)
    this.linkname = linknameOf(this.#value)
  }

  get stat(): Stat {
    return (this.#stat ??= Stat.decode(this.#value, this.#context.now()))
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
  const withStats = options.includeStats || options.withFileTypes
  const names: string[] = []
  const listed: DirectoryEntry[] = []
  for await (const group of namesIn(context, name, options)) {
    for (const each of group) {
      if (!withStats) names.push(each.name)
      else if (each.below === 0) listed.push(own(each))
      // One after the other: answered from memory, mostly.
      // oxlint-disable-next-line no-await-in-loop
      else listed.push(await parentOf(context, each, options))
    }
  }
  if (!withStats) return names
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
  for await (const group of namesIn(context, name, options)) {
    for (const each of group) {
      const isOwn = each.below === 0 || !options.includeStats
      yield isOwn ? own(each) : await parentOf(context, each, options)
    }
  }
}

/** A name of a directory, and the entry by which it was found. */
interface Name {
  readonly name: string
  readonly entry: WalkedEntry
  /** Characters by which the entry lies deeper than the name; 0: it is the name's own. */
  readonly below: number
}

/** @yields the names in the directory at `name`, each once, in groups as `entryGroups` does */
async function* namesIn(
  context: DriveContext,
  name: string,
  options: ReaddirOptions,
): AsyncGenerator<readonly Name[], void, undefined> {
  const path = absolute(name, context.exact)
  await context.ready()
  const prefix = path === '/' ? 1 : path.length + 1
  const seen = new Set<string>()
  for await (const group of entryGroups(context, path, options, 'readdir')) {
    const names: Name[] = []
    for (const entry of group) {
      const rest = entry.path.slice(prefix)
      const at = options.recursive ? -1 : rest.indexOf('/')
      const first = at < 0 ? rest : rest.slice(0, at)
      if (seen.has(first)) continue
      seen.add(first)
      names.push({ name: first, entry, below: at < 0 ? 0 : rest.length - at })
    }
    yield names
  }
  // Only what lists nothing has to be looked up: a directory with names is one.
  if (seen.size > 0 || context.exact) return
  const found = await stat(context, path, { ...options, syscall: 'readdir' })
  if (!found.isDirectory()) throw new DriveError('ENOTDIR', { syscall: 'readdir', path })
}

function own({ name, entry }: Name): DirectoryEntry {
  const { path, stat, info: mount, innerPath } = entry
  return { name, path, stat, mount, innerPath }
}

/** The directory for which an entry below it stands. */
async function parentOf(
  context: DriveContext,
  { name, entry, below }: Name,
  options: ReaddirOptions,
): Promise<DirectoryEntry> {
  // v10 gives the deeper path, and knows nothing of an entry that the directory itself may have.
  const fresh = Stat.directory({}, context.now())
  const { info: mount } = entry
  if (context.exact) {
    return { name, path: entry.path, stat: fresh, mount, innerPath: entry.innerPath }
  }
  const cutOff = (path: string): string => path.slice(0, Math.max(0, path.length - below))
  const own = await findEntry(context, cutOff(entry.storedPath), { ...options, syscall: 'readdir' })
  const stat =
    own?.stat ?? Stat.directory({ mtime: entry.stat.mtime, ctime: entry.stat.ctime }, context.now())
  return { name, path: cutOff(entry.path), stat, mount, innerPath: cutOff(entry.innerPath) }
}

/**
 * The first frame of a walk: of `path`, or of where a link there leads to. The entry at the path itself comes first, so
 * the walk's own first row tells whether there is one: a remote directory takes two round trips so, where to look for
 * the link and then to walk took five.
 */
async function begin(
  context: DriveContext,
  path: string,
  options: WalkOptions & { readonly syscall: string },
): Promise<Frame> {
  const frame = open(context, path, path, options)
  if (path === '/') return frame
  if (!options.reverse && !options.random) {
    const first = await inWords(options.syscall, path, () => frame.rows.next())
    const own = first && pathOf(first.node.key) === path ? first.node : null
    if (first && !(own && statOf(context, path, own.value).linkname)) return { ...frame, first }
  }
  const { path: start, entry } = await resolveEntry(context, path, options)
  // A link to a file shows nothing in v10, also where something lies below the file.
  if (context.exact && start !== path && entry && !entry.stat.isDirectory()) {
    return { ...frame, rows: NO_ROWS }
  }
  return open(context, path, start, options)
}

function open(context: DriveContext, shown: string, walked: string, options: WalkOptions): Frame {
  const { recursive = false, noMounts, reverse, random, onmissing } = options
  const walk = {
    ...context.reads(options),
    recursive,
    noMounts: noMounts ?? false,
    reverse,
    random,
    onmissing,
    // What is not known is told by `onmissing`.
    ...(onmissing ? { known: false } : {}),
  }
  return { shown, walked, rows: context.trie.iterator(walked, walk), first: null }
}

/** Where a link leads: the path of a directory, `''` for anything else, null when it leads nowhere. */
async function directoryBehind(
  context: DriveContext,
  { storedPath, linkname }: Row,
  options: WalkOptions & { readonly syscall: string },
): Promise<string | null> {
  const target = resolvePath(parentPath(storedPath), linkname ?? '')
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
  return Stat.decode(valueAt(path, value), context.now())
}

function valueAt(path: string, value: Uint8Array | null): Uint8Array {
  if (!value) throw new DriveError('DRIVE_BAD_STAT', { path, reason: 'no value' })
  return value
}

/** The directory at `name` as a stream of {@link DirectoryEntry} objects. */
export function directoryStream(
  context: DriveContext,
  name: string,
  options: ReaddirOptions = {},
): Readable {
  return rowStream(context, 'readdir', options, (given) =>
    directory(context, name, { ...given, includeStats: true }),
  )
}
