/**
 * From a name to the entry it stands for: the trie (through mounts), links, implicit directories.
 *
 * A directory needs no entry: a path with entries below it is an *implicit* one. The root always exists. Only when
 * nothing is stored at a path are links in the middle of it resolved, so stored keys win.
 *
 * @see spec/40-drive.md 3.5
 * @module
 */
import type { Log } from '../../log/index.ts'
import type { MountInfo, MountedGet } from '../../trie/index.ts'
import { MAX_LINKS } from '../open/constants.ts'
import type { DriveContext, DriveTrie, ReadOptions } from '../context.ts'
import { DriveError, inWords } from '../errors.ts'
import { sizeWhileOpen } from '../open/open-files.ts'
import { absolute, parentPath, pathOf, resolvePath } from '../paths.ts'
import { Stat } from './stat.ts'

/** Read options, and the operation that errors name. */
export interface LookupOptions extends ReadOptions {
  readonly syscall?: string | undefined
}

/** Where a path leads through mounts, whether or not anything is there. */
export interface Owner {
  /** The trie that holds the path, or would. */
  readonly trie: DriveTrie
  /** How it is mounted. */
  readonly info: MountInfo
  /** The path in that trie. */
  readonly innerPath: string
}

/** A stored entry. */
export interface Entry extends Owner {
  /** Its absolute path in the drive. */
  readonly path: string
  readonly stat: Stat
  /** User flags of the trie's node: 1 is a mount point. */
  readonly flags: number
  /** The log with the drive's file content; waits for it as the lookup did. */
  content(): Promise<Log>
}

/** Where a path leads, and what is there. */
export interface LookedUp extends Owner {
  readonly entry: Entry | null
}

/** Where a change of a path goes, and what is there. */
export interface Place extends LookedUp {
  /** The path, links followed as far as they were asked to be. */
  readonly path: string
}

/** The final path of a chain of links, and what is there. */
export interface Resolved {
  readonly path: string
  readonly entry: Entry | null
}

/** What is stored at `path` itself, and whose it is. Links are not followed. */
export async function lookUp(
  context: DriveContext,
  path: string,
  options: LookupOptions = {},
): Promise<LookedUp> {
  const atHand = lookUpNow(context, path, options)
  if (atHand) return atHand
  return inWords(options.syscall ?? 'stat', path, async () => {
    const found = await context.trie.get(path, context.reads(options))
    return lookedUp(context, path, found, options)
  })
}

/**
 * As `lookUp`, when all that it needs is in memory and nothing is mounted; else undefined. With 3000 files, `stat`
 * of each takes a third of the CPU so.
 */
function lookUpNow(
  context: DriveContext,
  path: string,
  options: LookupOptions,
): LookedUp | undefined {
  // Who wants to hear of every block has to ask for it.
  if (!context.isOpen || context.onseq) return undefined
  const found = context.trie.peek(path)
  return found && lookedUp(context, path, found, options)
}

function lookedUp(
  context: DriveContext,
  path: string,
  { node, trie, info, innerPath }: MountedGet<Log>,
  options: LookupOptions,
): LookedUp {
  if (!node || path === '/') return { trie, info, innerPath, entry: null }
  const stat = decode(context, path, node.value)
  const content = (): Promise<Log> => context.contents.of(trie, context.reads(options))
  const entry = { trie, info, innerPath, path, stat, flags: node.flags, content }
  return { trie, info, innerPath, entry }
}

/** The entry stored at `path` itself, or null. */
export async function findEntry(
  context: DriveContext,
  path: string,
  options: LookupOptions = {},
): Promise<Entry | null> {
  return (await lookUp(context, path, options)).entry
}

/**
 * Follow links from `path` to the end, whether or not anything is there.
 *
 * @throws {@link DriveError} `ELOOP` after 40 links
 */
export async function resolveEntry(
  context: DriveContext,
  path: string,
  options: LookupOptions = {},
): Promise<Resolved> {
  const entry = lookUpNow(context, path, options)?.entry
  if (entry && !entry.stat.linkname) return { path, entry }
  let at = path
  for (let links = 0; links <= MAX_LINKS; links++) {
    // Each step depends on the one before.
    // oxlint-disable-next-line no-await-in-loop
    const next = await step(context, at, options)
    if (typeof next !== 'string') return { path: at, entry: next }
    at = next
  }
  throw new DriveError('ELOOP', { syscall: options.syscall ?? 'stat', path })
}

/**
 * Where a change of `path` goes: links above the last name are followed, as in POSIX; with `follow` the last one too.
 * Under `exact` none is.
 *
 * @throws {@link DriveError} `ELOOP` after 40 links
 */
export async function placeOf(
  context: DriveContext,
  path: string,
  options: LookupOptions & { readonly follow?: boolean },
): Promise<Place> {
  let at = path
  for (let links = 0; links <= MAX_LINKS; links++) {
    // Each step depends on the one before.
    // oxlint-disable-next-line no-await-in-loop
    const found = lookUpNow(context, at, options) ?? (await lookUp(context, at, options))
    const { entry } = found
    const target = options.follow && !context.exact ? entry?.stat.linkname : null
    if (target) {
      at = resolvePath(parentPath(at), target)
      continue
    }
    if (entry || context.exact) return { ...found, path: at }
    // oxlint-disable-next-line no-await-in-loop
    const next = await linkInParents(context, at, options)
    // What is stored below a link, by v10, is where reads find it.
    // oxlint-disable-next-line no-await-in-loop
    if (next === null || (await firstBelow(context, at, options))) return { ...found, path: at }
    at = next
  }
  throw new DriveError('ELOOP', { syscall: options.syscall, path })
}

/** What is stored at a place now. Asked by a change once nobody else writes. */
export async function entryAt(
  context: DriveContext,
  { path, trie, info, innerPath }: Owner & { readonly path: string },
): Promise<Entry | null> {
  const node = await trie.trie.get(innerPath)
  return node && lookedUp(context, path, { node, trie, info, innerPath }, {}).entry
}

/**
 * The entry at `name`, or the directory it implies. Links are not followed.
 *
 * @throws {@link DriveError} `ENOENT`
 */
export async function lstat(
  context: DriveContext,
  name: string,
  options: LookupOptions = {},
): Promise<Stat> {
  const path = absolute(name, context.exact)
  const named = { syscall: 'lstat', ...options }
  await context.ready()
  const at = await throughParents(context, path, named)
  return statOf(context, at, named)
}

/**
 * The entry that `name` leads to through links, or the directory it implies.
 *
 * @throws {@link DriveError} `ENOENT` with the path that was not there; `ELOOP`; `EUNAVAILABLE` when that cannot be
 *   known within the limits of the read
 */
export async function stat(
  context: DriveContext,
  name: string,
  options: LookupOptions = {},
): Promise<Stat> {
  const path = absolute(name, context.exact)
  const named = { syscall: 'stat', ...options }
  if (!context.isOpen) await context.ready()
  return statOf(context, await resolveEntry(context, path, named), named)
}

/** Whether `name` leads to anything. @throws {@link DriveError} only when that cannot be known */
export async function exists(
  context: DriveContext,
  name: string,
  options: LookupOptions = {},
): Promise<boolean> {
  try {
    await stat(context, name, options)
    return true
  } catch (error) {
    if (error instanceof DriveError && (error.code === 'ENOENT' || error.code === 'ELOOP'))
      return false
    throw error
  }
}

/** The target of the link at `name`; null for anything else. @throws {@link DriveError} `ENOENT` */
export async function readlink(
  context: DriveContext,
  name: string,
  options: LookupOptions = {},
): Promise<string | null> {
  return (await lstat(context, name, { syscall: 'readlink', ...options })).linkname
}

/** Whether entries are stored below `path`: then it is a directory even without an entry of its own. */
export async function firstBelow(
  context: DriveContext,
  path: string,
  options: LookupOptions = {},
): Promise<Stat | null> {
  return inWords(options.syscall ?? 'stat', path, async () => {
    const rows = context.trie.iterator(path, {
      ...context.reads(options),
      // Any of them will do, unless it must be the one that v10 finds.
      recursive: context.exact,
      noMounts: !context.exact,
    })
    for await (const { node } of rows) {
      // Not below: it was stored after the lookup that did not find it.
      if (pathOf(node.key) !== path) return decode(context, path, node.value)
    }
    return null
  })
}

/** Store `stat` at `path`. @throws {@link DriveError} `EROFS`, `EPERM` */
export async function putStat(
  context: DriveContext,
  path: string,
  stat: Stat,
  { syscall, flags = 0 }: { readonly syscall: string; readonly flags?: number },
): Promise<void> {
  context.assertWritable(syscall, path)
  await inWords(syscall, path, async () => {
    await context.trie.put(path, stat.encode(), { flags })
  })
}

async function statOf(
  context: DriveContext,
  { path, entry }: Resolved,
  options: LookupOptions,
): Promise<Stat> {
  if (entry) return withGrowth(context, path, entry)
  if (path === '/') return Stat.directory({}, context.now())
  const below = await firstBelow(context, path, options)
  if (!below) throw new DriveError('ENOENT', { syscall: options.syscall, path })
  if (context.exact) return below.with({ mode: Stat.directory({}, 0).mode }, context.now())
  // Its times are those of what made it a directory, so that they do not change from call to call.
  return Stat.directory({ mtime: below.mtime, ctime: below.ctime }, context.now())
}

/** While descriptors change the file, its size is what they have made of it so far. */
function withGrowth(context: DriveContext, path: string, { stat, trie, innerPath }: Entry): Stat {
  const size =
    context.growing.get(path)?.() ??
    (trie.isCheckout ? undefined : sizeWhileOpen(trie.log, innerPath, stat))
  return size === undefined ? stat : stat.with({ size }, context.now())
}

/** The entry at `path`, null, or the path that it leads to. */
async function step(
  context: DriveContext,
  path: string,
  options: LookupOptions,
): Promise<Entry | string | null> {
  const entry = await findEntry(context, path, options)
  const target = entry?.stat.linkname
  if (target) return resolvePath(parentPath(path), target)
  if (entry || context.exact || path === '/') return entry
  if (await firstBelow(context, path, options)) return null
  return linkInParents(context, path, options)
}

async function throughParents(
  context: DriveContext,
  path: string,
  options: LookupOptions,
): Promise<Resolved> {
  let at = path
  for (let links = 0; links <= MAX_LINKS; links++) {
    // Each step depends on the one before.
    // oxlint-disable-next-line no-await-in-loop
    const entry = await findEntry(context, at, options)
    if (entry || context.exact) return { path: at, entry }
    // oxlint-disable-next-line no-await-in-loop
    if (await firstBelow(context, at, options)) return { path: at, entry }
    // oxlint-disable-next-line no-await-in-loop
    const next = await linkInParents(context, at, options)
    if (next === null) return { path: at, entry }
    at = next
  }
  throw new DriveError('ELOOP', { syscall: options.syscall, path })
}

/** `path` with the first link among its parents replaced by that link's target, or null without one. */
async function linkInParents(
  context: DriveContext,
  path: string,
  options: LookupOptions,
): Promise<string | null> {
  for (let end = path.indexOf('/', 1); end > 0; end = path.indexOf('/', end + 1)) {
    const parent = path.slice(0, end)
    // The outermost link counts first.
    const found =
      lookUpNow(context, parent, options) ??
      // oxlint-disable-next-line no-await-in-loop
      (await lookUp(context, parent, options))
    const target = found.entry?.stat.linkname
    if (target)
      return resolvePath('/', `${resolvePath(parentPath(parent), target)}${path.slice(end)}`)
  }
  return null
}

function decode(context: DriveContext, path: string, value: Uint8Array | null): Stat {
  if (!value) throw new DriveError('DRIVE_BAD_STAT', { path, reason: 'no value' })
  return Stat.decode(value, context.now())
}
