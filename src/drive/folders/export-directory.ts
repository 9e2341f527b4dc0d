/**
 * Bringing a directory of a drive into a folder of the system. Only what changed is written; a file takes the place of
 * its old self at once.
 *
 * The drive may be anybody's, so nothing in it is trusted: names that are more than names are left out, and so are
 * links that lead out of the folder; no link is followed; files get no set-uid, set-gid or sticky bit.
 *
 *     list the drive ─► directories ─► files, in the order of their content ─► links ─► modes and times of directories
 *
 * A directory of the folder that is a link in the way, or a file, makes room; a directory in the way of a file does so
 * with `delete`, or when it is empty.
 *
 * @see spec/40-drive.md 2.4, 2.5
 * @module
 */
import { setMaxListeners } from 'node:events'
import { RealFolder, isPlain } from '../../storage/index.ts'
import type { RealEntry } from '../../storage/index.ts'
import type { DriveContext, DriveTrie, ReadOptions, Reads } from '../context.ts'
import { DriveError, inWords } from '../errors.ts'
import { type FolderCount, type FolderLimits, FolderTransfer } from './folder-transfer.ts'
import { resolveEntry, stat as statAt } from '../entries/lookup.ts'
import { absolute, keyOf } from '../paths.ts'
import { readBlocks, runOf } from '../content/run.ts'
import { sameContent } from '../content/same-content.ts'
import { Stat } from '../entries/stat.ts'

/** Options of `exportDirectory`. Those of reads say how long it waits for what is not here. */
export interface ExportOptions extends FolderLimits, ReadOptions {
  /** Remove what is in the folder and not in the drive's directory. Default false. */
  readonly delete?: boolean | undefined
  /** Leave out what is mounted. Default false. */
  readonly noMounts?: boolean | undefined
  /** Whether to take what is at a path below the directory. */
  readonly filter?: ((path: string) => boolean) | undefined
}

/** Bytes that are read of the folder, and written, at a time. */
const PIECE = 1024 * 1024
/** Up to here a file is written at once. */
const SMALL = 65536
/** Files fetched at a time when they are not here. */
const CONCURRENT = 16

/** Something to export. There may be a million: what is needed only once is decoded then. */
interface Item {
  /** Below the directory. */
  readonly path: string
  readonly type: 'file' | 'directory' | 'link' | 'other'
  /** Bytes, and first block. */
  readonly size: number
  readonly offset: number
  readonly value: Uint8Array
  readonly trie: DriveTrie
}

interface Export {
  readonly context: DriveContext
  readonly folder: RealFolder
  readonly count: FolderCount
  readonly options: ExportOptions
  readonly stop: AbortSignal
}

/**
 * Make a folder of the system like the directory at `name`. The folder is made when it is missing.
 *
 * @returns a handle; it rejects with `ENOENT` and `ENOTDIR` of the drive, `EIO` when the folder cannot be written,
 *   `EISDIR` when a directory is in the way of a file, what reads reject with, and the signal's reason
 */
export function exportDirectory(
  context: DriveContext,
  name: string,
  folder: string,
  options: ExportOptions = {},
): FolderTransfer {
  const path = absolute(name, context.exact)
  const syscall = 'exportDirectory'
  return new FolderTransfer(
    (count, stop) =>
      inWords(syscall, path, () => exportAll(context, path, folder, options, count, stop)),
    options,
    () => new DriveError('ECANCELED', { syscall, path }),
  )
}

async function exportAll(
  context: DriveContext,
  name: string,
  target: string,
  options: ExportOptions,
  count: FolderCount,
  stop: AbortSignal,
): Promise<void> {
  await context.ready()
  const reads = { ...options, signal: stop }
  const named = { ...reads, syscall: 'exportDirectory' }
  const { path } = await resolveEntry(context, name, named)
  if (!(await statAt(context, path, named)).isDirectory()) {
    throw new DriveError('ENOTDIR', { syscall: 'exportDirectory', path })
  }
  const items = await listAll(context, path, options, reads, count)
  const folder = RealFolder.open(target, true)
  const job = { context, folder, count, options, stop }
  if (options.delete) await removeOthers(job, items)
  const directories = items.filter(({ type }) => type === 'directory')
  const before = new Map(directories.map((item) => [item, folder.look(item.path)]))
  for (const { path: directory } of directories) folder.makeDirectory(directory)
  await exportFiles(
    job,
    items.filter(({ type }) => type === 'file'),
  )
  for (const item of items) {
    if (item.type === 'link') exportLink(job, item)
    // oxlint-disable-next-line no-await-in-loop
    if (count.isDue) await count.pause()
  }
  // The innermost first: writing in a directory changes its time, and its mode may forbid it.
  for (const item of directories.toReversed()) {
    const old = before.get(item)
    const stat = Stat.decode(item.value, context.now())
    if (old?.type === 'directory' && isSame(old, stat)) count.unchanged++
    else count.changed++
    folder.setAttributes(item.path, attributesOf(stat))
  }
}

/** All that can be exported, what is above before what is below. */
async function listAll(
  context: DriveContext,
  root: string,
  { noMounts = false, filter }: ExportOptions,
  reads: ReadOptions,
  count: FolderCount,
): Promise<Item[]> {
  const items: Item[] = []
  const prefix = root === '/' ? 0 : root.length
  const rows = context.trie.iterator(root, { ...context.reads(reads), recursive: true, noMounts })
  for await (const { node, trie } of rows) {
    // oxlint-disable-next-line no-await-in-loop
    if (count.isDue) await count.pause()
    if (node.key === keyOf(root)) continue
    const path = node.key.slice(prefix)
    if (filter && !filter(path)) continue
    if (!isPlain(path)) {
      count.skip(path, 'no name that a folder may have')
      continue
    }
    items.push(itemOf(context, path, node.value, trie))
  }
  items.sort((a, b) => (a.path < b.path ? -1 : 1))
  return withParents(items, count)
}

/** Without what lies below a file or link: v10 allows it, a folder does not. */
function withParents(items: readonly Item[], count: FolderCount): Item[] {
  const leaves = new Set<string>()
  const kept: Item[] = []
  for (const item of items) {
    const { path, type, size } = item
    const isInside = parentsOf(path).some((parent) => leaves.has(parent))
    const isKnown = type !== 'other'
    if (isInside) count.skip(path, 'it lies below a file or link')
    else if (!isKnown) count.skip(path, 'neither a file, a directory nor a link')
    else kept.push(item)
    if (isInside || !isKnown) continue
    if (type !== 'directory') leaves.add(path)
    if (type !== 'file') continue
    count.totalFiles++
    count.totalBytes += size
  }
  return kept
}

function parentsOf(path: string): string[] {
  const parents: string[] = []
  for (let at = path.indexOf('/'); at !== -1; at = path.indexOf('/', at + 1)) {
    parents.push(path.slice(0, at))
  }
  return parents
}

/** Remove what the folder has and the drive has not, and what is in the way. */
async function removeOthers(
  { folder, count, options }: Export,
  items: readonly Item[],
): Promise<void> {
  const keep = new Set<string>()
  const directories = new Set<string>()
  for (const { path, type } of items) {
    keep.add(path)
    if (type === 'directory') directories.add(path)
    for (const parent of parentsOf(path)) {
      keep.add(parent)
      directories.add(parent)
    }
  }
  const pending = ['']
  for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
    for (const entry of folder.list(path)) {
      if (options.filter && !options.filter(entry.path)) continue
      const isDirectory = entry.type === 'directory'
      if (keep.has(entry.path) && isDirectory === directories.has(entry.path)) {
        if (isDirectory) pending.push(entry.path)
        continue
      }
      folder.remove(entry.path)
      count.removed++
    }
    // oxlint-disable-next-line no-await-in-loop
    if (count.isDue) await count.pause()
  }
}

/** In the order in which their content lies in the log; several at a time where it has to be fetched. */
async function exportFiles(job: Export, files: Item[]): Promise<void> {
  files.sort((a, b) => a.offset - b.offset)
  const running = new Set<Promise<void>>()
  const failure = new AbortController()
  const signal = AbortSignal.any([job.stop, failure.signal])
  // Every file under way listens to it: no leak, so no warning.
  setMaxListeners(0, signal)
  const reads = job.context.reads({ ...job.options, signal })
  try {
    for (const file of files) {
      const work = exportFile(job, file, reads)
      running.add(work)
      work.then(
        () => running.delete(work),
        (error: unknown) => failure.abort(error),
      )
      // oxlint-disable-next-line no-await-in-loop
      if (running.size >= CONCURRENT) await Promise.race(running)
      // oxlint-disable-next-line no-await-in-loop
      if (job.count.isDue) await job.count.pause()
      failure.signal.throwIfAborted()
    }
    await Promise.all(running)
  } finally {
    failure.abort()
    // Nothing is written any more once this has ended.
    await Promise.allSettled(running)
  }
}

async function exportFile(
  { context, folder, count }: Export,
  { path, value, trie }: Item,
  reads: Reads,
): Promise<void> {
  const stat = Stat.decode(value, context.now())
  const run = await runOf(context, { stat, trie }, reads)
  const size = run?.size ?? 0
  const old = folder.look(path)
  if (old?.type === 'file' && old.size === size) {
    if (isSame(old, stat)) {
      count.unchanged++
      return done(count, stat.size)
    }
    const isSameTime = old.mtime === stat.mtimeMs
    if (isSameTime || !run || (await sameContent(run, folder.pieces(path, PIECE)))) {
      folder.setAttributes(path, attributesOf(stat))
      count.changed++
      return done(count, stat.size)
    }
  }
  makeRoom(folder, path, old)
  reads.signal.throwIfAborted()
  const file = folder.create(path)
  try {
    let at = 0
    if (run) {
      for await (const block of readBlocks(run, 0, size, reads)) {
        if (block.length <= SMALL) file.writeNow(block, at)
        else await file.write(block, at)
        at += block.length
        count.writtenBytes += block.length
        if (count.isDue) await count.pause()
      }
    }
    if (at !== size) throw new DriveError('EIO', { syscall: 'exportDirectory', path })
    file.finish(attributesOf(stat))
  } catch (error) {
    file.abort()
    throw error
  }
  count.changed++
  done(count, stat.size)
}

function exportLink({ context, folder, count }: Export, { path, value }: Item): void {
  const target = Stat.decode(value, context.now()).linkname ?? ''
  if (!staysInside(path, target)) {
    count.skip(path, `it leads out of the folder: ${target}`)
    return
  }
  const old = folder.look(path)
  if (old?.type === 'link' && folder.target(path) === target) {
    count.unchanged++
    return
  }
  makeRoom(folder, path, old)
  folder.link(path, target)
  count.changed++
}

/** Make the directory that `path` is in; an empty directory at it goes. */
function makeRoom(folder: RealFolder, path: string, old: RealEntry | null): void {
  folder.makeDirectory(path.slice(0, Math.max(0, path.lastIndexOf('/'))))
  if (old?.type !== 'directory') return
  if (folder.list(path).length > 0) {
    throw new DriveError('EISDIR', { syscall: 'exportDirectory', path, reason: 'in the way' })
  }
  folder.remove(path)
}

/**
 * Whether a link at `path` leads to a place in the folder, whatever other links there are: it climbs first, no higher than
 * the folder, and then only descends. (In `a/..` the `a` may be a link to a place whose parent is elsewhere.)
 */
function staysInside(path: string, target: string): boolean {
  const names = target.split('/')
  const climbs = names.findIndex((name) => name !== '..' && name !== '.')
  const rest = climbs < 0 ? [] : names.slice(climbs)
  if (rest.length > 0 && !isPlain(rest.filter((name) => name !== '.').join('/') || 'x'))
    return false
  if (target === '' || target.startsWith('/')) return false
  const up = names.slice(0, climbs < 0 ? names.length : climbs).filter((name) => name === '..')
  return up.length <= parentsOf(path).length
}

function isSame({ mode, mtime }: RealEntry, stat: Stat): boolean {
  const wanted = attributesOf(stat)
  return (mode & 0o777) === wanted.mode && mtime === wanted.mtime
}

function attributesOf(stat: Stat): { readonly mode: number; readonly mtime: number } {
  return { mode: stat.mode % 0o1000, mtime: stat.mtimeMs }
}

function done(count: FolderCount, size: number): void {
  count.files++
  count.bytes += size
}

function itemOf(
  context: DriveContext,
  path: string,
  value: Uint8Array | null,
  trie: DriveTrie,
): Item {
  if (!value) throw new DriveError('DRIVE_BAD_STAT', { path, reason: 'no value' })
  const stat = Stat.decode(value, context.now())
  const isLeaf = stat.isSymbolicLink() ? 'link' : 'other'
  const type = stat.isDirectory() ? 'directory' : stat.isFile() ? 'file' : isLeaf
  return { path, type, size: stat.size, offset: stat.offset, value, trie }
}
