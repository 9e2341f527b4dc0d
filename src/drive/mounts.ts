/**
 * Other drives, and plain logs as files, shown at a path of this one.
 *
 *     mount a drive      a hidden record and a directory entry, in one batch, in the trie that holds the path
 *     mount a log        one ordinary file entry that names the log
 *
 * A mounted drive is read and, when this store has its secret, written through its own logs.
 *
 * @see spec/40-drive.md 3.13
 * @module
 */
import type { Readable } from 'node:stream'
import type { Log } from '../log/index.ts'
import type { MountInfo, MountTrie } from '../trie/index.ts'
import type { DriveContext, ReadOptions } from './context.ts'
import { DriveError, inWords } from './errors.ts'
import { firstBelow, placeOf, stat } from './entries/lookup.ts'
import { absolute, pathOf } from './paths.ts'
import { rowStream } from './versions/row-stream.ts'
import { Stat } from './entries/stat.ts'

/** Options of `mount`. */
export interface MountOptions {
  /** Fixes the mount at a version of the drive; default: the newest. */
  readonly version?: number | null | undefined
  /** Kept in the entry; means nothing. */
  readonly hash?: Uint8Array | null | undefined
  /** Owner shown for the mount point. */
  readonly uid?: number | undefined
  readonly gid?: number | undefined
  /** The key is that of a plain log, shown as a file. */
  readonly hypercore?: boolean | undefined
}

/** What was mounted: of a plain log there is none. */
export interface Mounted {
  readonly trie: MountTrie<Log> | null
  readonly info: MountInfo | null
}

/** Where a path lies. */
export interface PathInfo {
  /** The metadata log of the drive that holds it. */
  readonly feed: Log
  /** Where that drive is mounted; `/` for the outer one. */
  readonly mountPath: string
  readonly mountInfo: MountInfo
}

/** Options of `createMountStream` and `getAllMounts`. */
export interface MountListOptions extends ReadOptions {
  /** The mounts of mounted drives too. */
  readonly recursive?: boolean | undefined
  /** Only drives that are open already. */
  readonly memory?: boolean | undefined
  /** Wait for content logs that are not known yet. */
  readonly content?: boolean | undefined
}

/** The logs of one drive. */
export interface MountLogs {
  readonly metadata: Log
  /** Null while its key is not known here. */
  readonly content: Log | null
}

/** A drive and where it is mounted. */
export interface MountRow extends MountLogs {
  readonly path: string
}

/**
 * Show the drive (or, with `hypercore`, the plain log) of `key` at `name`.
 *
 * @throws {@link DriveError} `DRIVE_BAD_KEY` for a key that is not 32 bytes; `EEXIST` when anything is at or below
 *   the path; `EINVAL` for the option `remotePath`; `EROFS`, `EPERM`
 */
export async function mount(
  context: DriveContext,
  name: string,
  key: Uint8Array,
  options: MountOptions = {},
): Promise<Mounted> {
  const given = absolute(name, context.exact)
  const syscall = 'mount'
  await context.ready()
  context.assertWritable(syscall, given)
  assertKey(key, given)
  if ('remotePath' in options && options.remotePath) {
    throw new DriveError('EINVAL', { syscall, path: given, reason: 'remotePath is not supported' })
  }
  const { path, entry, trie } = await placeOf(context, given, { syscall })
  if (path === '/') throw new DriveError('EEXIST', { syscall, path })
  if (!trie.log.writable) throw new DriveError('EROFS', { syscall, path })
  if (entry || (await firstBelow(context, path, { syscall }))) {
    throw new DriveError('EEXIST', { syscall, path })
  }
  return inWords(syscall, path, async () => {
    const { length: offset, byteLength: byteOffset } = await context.contents.of(
      trie,
      context.reads(),
    )
    const { uid, gid, version, hash, hypercore = false } = options
    const place = { uid, gid, offset, byteOffset, mount: { key, version, hash, hypercore } }
    if (hypercore) return mountLog(context, path, key, place)
    const value = Stat.directory(place, context.now()).encode()
    return context.trie.mount(path, key, { version, value })
  })
}

/**
 * Remove the mount at `name`. What was mounted is untouched.
 *
 * @throws {@link DriveError} `ENOENT`; `EINVAL` for what is no mount
 */
export async function unmount(context: DriveContext, name: string): Promise<void> {
  const path = absolute(name, context.exact)
  const syscall = 'unmount'
  const found = await stat(context, path, { syscall })
  context.assertWritable(syscall, path)
  if (!found.mount) throw new DriveError('EINVAL', { syscall, path, reason: 'no mount point' })
  const { hypercore } = found.mount
  await inWords(syscall, path, async () => {
    if (hypercore) await context.trie.del(path)
    else await context.trie.unmount(path)
  })
}

/** Which drive holds `name`, whether or not anything is there. A mount point counts to what is mounted. */
export async function info(
  context: DriveContext,
  name: string,
  options: ReadOptions = {},
): Promise<PathInfo> {
  const path = absolute(name, context.exact)
  await context.ready()
  return inWords('info', path, async () => {
    const owner = await context.trie.ownerBelow(path, context.reads(options))
    const mountPath = pathOf(owner.mountPath)
    return { feed: owner.trie.log, mountPath, mountInfo: owner.info }
  })
}

/** This drive's logs, then those of each mount, in the order of the trie. */
export function createMountStream(context: DriveContext, options: MountListOptions = {}): Readable {
  return rowStream(context, 'getAllMounts', options, (given) => mountRows(context, given))
}

/** The logs of this drive (`/`) and of each mount by its path. */
export async function getAllMounts(
  context: DriveContext,
  options: MountListOptions = {},
): Promise<Map<string, MountLogs>> {
  const all = new Map<string, MountLogs>()
  for await (const { path, metadata, content } of mountRows(context, options)) {
    all.set(path, { metadata, content })
  }
  return all
}

async function* mountRows(
  context: DriveContext,
  options: MountListOptions,
): AsyncGenerator<MountRow, void, undefined> {
  await context.ready()
  const { trie } = context
  yield { path: '/', ...(await logsOf(context, trie, options)) }
  const { recursive = false, memory = false } = options
  const rows = trie.mounts({ recursive, memory, ...context.reads(options) })
  try {
    for (;;) {
      // One mount at a time, as they are asked for.
      // oxlint-disable-next-line no-await-in-loop
      const row = await inWords('getAllMounts', undefined, () => rows.next())
      if (!row) return
      // oxlint-disable-next-line no-await-in-loop
      yield { path: row.path, ...(await logsOf(context, row.trie, options)) }
    }
  } finally {
    rows.destroy()
  }
}

async function logsOf(
  context: DriveContext,
  trie: MountTrie<Log>,
  options: MountListOptions,
): Promise<MountLogs> {
  const metadata = trie.log
  const known = context.contents.peek(metadata)
  if (known) return { metadata, content: known }
  if (!options.content && !metadata.has(0)) return { metadata, content: null }
  return inWords('getAllMounts', undefined, async () => ({
    metadata,
    content: await context.contents.of(trie, context.reads(options)),
  }))
}

async function mountLog(
  context: DriveContext,
  path: string,
  key: Uint8Array,
  place: ConstructorParameters<typeof Stat>[0],
): Promise<Mounted> {
  const log = await context.openLog(key)
  const { byteLength: size, length: blocks } = log
  const entry = Stat.file({ ...place, size, blocks }, context.now())
  await context.trie.put(path, entry.encode())
  return { trie: null, info: null }
}

function assertKey(key: unknown, path: string): void {
  if (key instanceof Uint8Array && key.length === 32) return
  throw new DriveError('DRIVE_BAD_KEY', { syscall: 'mount', path })
}
