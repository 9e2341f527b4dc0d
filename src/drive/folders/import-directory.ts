/**
 * Bringing a folder of the system into a drive: files, directories, links, with modes and times. Only what changed is
 * written.
 *
 *     folder ── list (names, sizes, times) ──► what differs from the drive? ──► 512 entries or 8 MiB at a time:
 *                                                                               one append of each log, one signature each
 *
 * A file has changed when its size or its time of modification is another; when only the time is, its bytes are compared
 * by their hashes, and what is the same gets the new time alone. So what was imported before an abort is found
 * unchanged by the next run.
 *
 * In memory are the list of the folder (some 60 bytes an entry) and what is written at a time.
 *
 * @module
 */
import { allocUnsafe } from '../../bytes.ts'
import {
  LOCK_FILE,
  type RealEntry,
  RealFolder,
  type RealListing,
  StorageError,
} from '../../storage/index.ts'
import { BulkWriter, type Shared } from '../batch/bulk-writer.ts'
import { constants } from '../open/constants.ts'
import { openContentWriter } from '../content/content.ts'
import { ContentIndex } from '../content/content-index.ts'
import type { DriveContext } from '../context.ts'
import { DriveError, inWords } from '../errors.ts'
import { type FolderCount, type FolderLimits, FolderTransfer } from './folder-transfer.ts'
import { firstBelow, lookUp, placeOf } from '../entries/lookup.ts'
import { absolute, keyOf, linkTarget, pathOf } from '../paths.ts'
import { runOf } from '../content/run.ts'
import { sameContent } from '../content/same-content.ts'
import type { Stat } from '../entries/stat.ts'
import { encodeStat } from '../entries/stat-codec.ts'

/** Options of `importDirectory`. */
export interface ImportOptions extends FolderLimits {
  /** Remove what is in the drive's directory and not in the folder. Default false. */
  readonly delete?: boolean | undefined
  /** Whether to take what is at a path below the folder; of a directory that is left out so is what is in it. */
  readonly filter?: ((path: string) => boolean) | undefined
}

/** Entries and bytes that are stored at a time. */
const MOST_ENTRIES = 512
const MOST_BYTES = 8 * 1024 * 1024
/** Bytes into which small files are read, one behind the other; used anew once they are stored. */
const ROOM_BYTES = 2 * 1024 * 1024
/** A larger file is streamed, and has appends of its own. */
const LARGE = 4 * 1024 * 1024
/** Files are cut into blocks of this size, and written from this many at a time. */
const BLOCK = 65536
const PIECE = 16 * BLOCK

const { S_IFREG, S_IFDIR, S_IFLNK } = constants
const DEFAULT_LINK_MODE = 0o644
const syscall = 'importDirectory'

/** One import. */
interface Import {
  readonly context: DriveContext
  readonly folder: RealFolder
  /** The directory's path in the drive. */
  readonly target: string
  readonly count: FolderCount
  readonly bulk: BulkWriter
  readonly stop: AbortSignal
  /** Where small files are read. */
  readonly room: { readonly bytes: Uint8Array; at: number }
  /** Whether something may be there already. */
  readonly compares: boolean
  readonly options: ImportOptions
}

/**
 * Make the directory at `name` like a folder of the system.
 *
 * @returns a handle; it rejects with `EIO` when the folder cannot be read, `EISDIR` when a file would take the place of
 *   a directory and `delete` is not given, `EROFS`, `EPERM`, and the signal's reason
 */
export function importDirectory(
  context: DriveContext,
  folder: string,
  name = '/',
  options: ImportOptions = {},
): FolderTransfer {
  const path = absolute(name, context.exact)
  return new FolderTransfer(
    (count, stop) =>
      inWords(syscall, path, () => importAll(context, folder, path, options, count, stop)),
    options,
    () => new DriveError('ECANCELED', { syscall, path }),
  )
}

async function importAll(
  context: DriveContext,
  source: string,
  name: string,
  options: ImportOptions,
  count: FolderCount,
  stop: AbortSignal,
): Promise<void> {
  await context.ready()
  context.assertWritable(syscall, name)
  const { path: target, trie, entry } = await placeOf(context, name, { syscall, follow: true })
  if (trie.log !== context.metadata || !trie.log.writable || entry?.stat.mount) {
    throw new DriveError('EROFS', { syscall, path: target })
  }
  const folder = RealFolder.open(source)
  const content = await context.contents.of(trie, context.reads({ signal: stop }))
  const listings = await listAll(folder, options, count)
  const compares = (await firstBelow(context, target, { syscall })) !== null
  const index = await ContentIndex.of(context, trie, content)
  const bulk = new BulkWriter(trie, content, index)
  const room = { bytes: allocUnsafe(ROOM_BYTES), at: 0 }
  const job = { context, folder, target, count, bulk, room, stop, compares, options }
  if (options.delete && compares) await removeOthers(job, listings)
  for (const listing of listings) {
    // oxlint-disable-next-line no-await-in-loop -- in order
    await importListed(job, listing)
  }
  await bulk.flush()
}

async function importListed(job: Import, listing: RealListing): Promise<void> {
  const { bulk, count, room } = job
  for (let i = 0; i < listing.length; i++) {
    const done = importEntry(job, listing.at(i))
    // Most are done at once: a promise for each would cost as much as the rest of it.
    // oxlint-disable-next-line no-await-in-loop
    if (done) await done
    if (bulk.count >= MOST_ENTRIES || bulk.waitingBytes >= MOST_BYTES) {
      // oxlint-disable-next-line no-await-in-loop
      await bulk.flush()
      room.at = 0
    }
    // oxlint-disable-next-line no-await-in-loop
    if (count.isDue) await count.pause()
  }
}

/** All of a folder, directories before what is in them. */
async function listAll(
  folder: RealFolder,
  { filter }: ImportOptions,
  count: FolderCount,
): Promise<RealListing[]> {
  const listings: RealListing[] = []
  const pending = ['']
  for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
    const inside: string[] = []
    let [files, bytes] = [0, 0]
    const listing = folder.list(path, (entry) => {
      if (filter && !filter(entry.path)) return false
      if (entry.type === 'other') count.skip(entry.path, 'neither a file, a directory nor a link')
      else if (entry.type === 'directory') inside.push(entry.path)
      if (entry.type !== 'file') return entry.type !== 'other'
      files++
      bytes += entry.size
      return true
    })
    if (listing.has(LOCK_FILE)) {
      // Its secret keys are in there, and what is written here would change it.
      if (path === '') throw new DriveError('EINVAL', { syscall, reason: 'the folder of a store' })
      count.skip(path, 'the folder of a store that is open')
      continue
    }
    listings.push(listing)
    pending.push(...inside)
    count.totalFiles += files
    count.totalBytes += bytes
    // oxlint-disable-next-line no-await-in-loop
    if (count.isDue) await count.pause()
  }
  return listings
}

/** Undefined when it is done at once. */
function importEntry(job: Import, entry: RealEntry): Promise<void> | undefined {
  if (job.compares || job.bulk.shares || entry.size > LARGE) {
    return importCarefully(job, entry).catch((error: unknown) => leaveOut(job, entry, error))
  }
  try {
    write(job, entry)
  } catch (error) {
    leaveOut(job, entry, error)
  }
  return undefined
}

/** What went, or became something else, since the folder was listed is no failure of the rest. */
function leaveOut({ count }: Import, { path, type, size }: RealEntry, error: unknown): void {
  const cause: unknown = error instanceof StorageError ? error.cause : undefined
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined
  if (code !== 'ENOENT' && code !== 'ELOOP') throw error
  count.skip(path, 'gone since it was listed')
  if (type === 'file') done(count, size)
}

async function importCarefully(job: Import, entry: RealEntry): Promise<void> {
  const { context, folder, count } = job
  const path = pathOf(keyIn(job, entry.path))
  const { entry: found, trie } = await lookUp(context, path, { syscall })
  if (trie.log !== context.metadata || found?.stat.mount) {
    count.skip(entry.path, 'another drive is mounted there')
    return
  }
  const old = found?.stat ?? null
  if (old && isSame(job, entry, old)) {
    count.unchanged++
    if (entry.type === 'file') done(count, entry.size)
    return
  }
  if (entry.type !== 'file') return write(job, entry)
  if (old?.isDirectory() && !job.options.delete) {
    throw new DriveError('EISDIR', { syscall, path })
  }
  if (found && old?.isFile() && old.size === entry.size) {
    const run = await runOf(context, found, context.reads())
    if (!run || (await sameContent(run, folder.pieces(entry.path, PIECE)))) {
      // Times and mode of what is there.
      job.bulk.put(keyIn(job, entry.path), withAttributes(context, old, entry))
      count.changed++
      done(count, entry.size)
      return
    }
  }
  if (entry.size > LARGE) await stream(job, entry, path, old)
  else if (job.bulk.shares) putFile(job, entry, await job.bulk.share(readSmall(job, entry)))
  else write(job, entry)
}

function isSame(job: Import, entry: RealEntry, old: Stat): boolean {
  const { type } = entry
  if (type === 'link') {
    return old.isSymbolicLink() && old.linkname === linkOf(job, entry)
  }
  if ((old.mode & 0o7777) !== entry.mode || old.mtimeMs !== entry.mtime) return false
  return type === 'directory' ? old.isDirectory() : old.isFile() && old.size === entry.size
}

/** Put an entry, and of a file its content, into what is written together. */
function write(job: Import, entry: RealEntry): void {
  const { bulk, count, context } = job
  const { type, path, mtime, mode } = entry
  if (type === 'file') {
    const blocks = readSmall(job, entry)
    putFile(job, entry, { place: bulk.place(blocks), blocks, waits: blocks.length > 0 })
    return
  }
  // v10 notes where the content log ends; a link has no place at all.
  const isLink = type === 'link'
  const place = isLink ? { offset: 0, byteOffset: 0 } : bulk.place([])
  const linkname = isLink ? linkOf(job, entry) : null
  const bits = isLink ? S_IFLNK | DEFAULT_LINK_MODE : S_IFDIR | mode
  const fields = { mode: bits, mtime, ctime: context.now(), ...place, size: 0, blocks: 0 }
  bulk.put(keyIn(job, path), record({ ...fields, linkname }))
  count.changed++
}

function readSmall({ folder, room }: Import, { path, size }: RealEntry): Uint8Array[] {
  const bytes = folder.read(path, size, room.bytes, room.at)
  if (bytes.buffer === room.bytes.buffer) room.at += bytes.length
  return blocksOf(bytes)
}

function putFile(job: Import, entry: RealEntry, { place, blocks, waits }: Shared): void {
  const { bulk, count, context } = job
  const { path, mtime, mode, size } = entry
  const value = record({ mode: S_IFREG | mode, mtime, ctime: context.now(), ...place })
  bulk.put(keyIn(job, path), value, blocks, waits)
  for (const block of blocks) count.writtenBytes += block.length
  count.changed++
  done(count, size)
}

/** Write a large file piece by piece. */
async function stream(
  job: Import,
  entry: RealEntry,
  path: string,
  old: Stat | null,
): Promise<void> {
  const { context, folder, count, stop, bulk } = job
  // What is no file there would be followed, or refuse it.
  if (old && !old.isFile()) bulk.del(keyOf(path))
  await bulk.flush()
  const { mode, mtime } = entry
  const writer = await openContentWriter(context, path, { mode, mtime }, { signal: stop })
  const before = count.bytes
  try {
    for await (const piece of folder.pieces(entry.path, PIECE)) {
      await writer.write(blocksOf(piece))
      count.bytes += piece.length
      count.writtenBytes += piece.length
      await count.pause()
    }
    await writer.finish()
  } catch (error) {
    await writer.abort()
    throw error
  }
  // What it had when it was listed is what the totals are made of.
  count.bytes = before
  count.changed++
  done(count, entry.size)
}

function done(count: FolderCount, size: number): void {
  count.files++
  count.bytes += size
}

/** Remove the entries below the target that the folder does not have. */
async function removeOthers(job: Import, listings: readonly RealListing[]): Promise<void> {
  const { context, target, bulk, count } = job
  const { filter } = job.options
  const keep = new Set<string>()
  for (const listing of listings) for (const { path } of listing) keep.add(keyIn(job, path))
  const rows = context.trie.iterator(target, { ...context.reads(), noMounts: true })
  for await (const { node, trie } of rows) {
    const isTarget = node.key === keyOf(target)
    if (isTarget || keep.has(node.key) || trie.log !== context.metadata) continue
    // Left out, and so not of the folder either way.
    if (filter && !filter(target === '/' ? node.key : node.key.slice(target.length))) continue
    if (node.flags !== 0) {
      count.skip(node.key, 'another drive is mounted there')
      continue
    }
    bulk.del(node.key)
    count.removed++
    if (count.isDue) await count.pause()
  }
  await bulk.flush()
}

function keyIn({ target }: Import, path: string): string {
  return target === '/' ? path : `${keyOf(target)}/${path}`
}

function linkOf({ folder, context }: Import, { path }: RealEntry): string {
  return linkTarget(folder.target(path), context.exact)
}

function blocksOf(bytes: Uint8Array): Uint8Array[] {
  if (bytes.length <= BLOCK) return bytes.length === 0 ? [] : [bytes]
  const blocks: Uint8Array[] = []
  for (let at = 0; at < bytes.length; at += BLOCK) blocks.push(bytes.subarray(at, at + BLOCK))
  return blocks
}

type Fields = Omit<
  Parameters<typeof encodeStat>[0],
  'uid' | 'gid' | 'linkname' | 'mount' | 'metadata'
>

function record(fields: Fields & { readonly linkname?: string | null }): Uint8Array {
  return encodeStat({ uid: 0, gid: 0, linkname: null, mount: null, metadata: null, ...fields })
}

function withAttributes(context: DriveContext, old: Stat, { mode, mtime }: RealEntry): Uint8Array {
  return old.with({ mode: S_IFREG | mode, mtime, ctime: context.now() }, context.now()).encode()
}
