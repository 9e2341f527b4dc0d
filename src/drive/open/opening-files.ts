/**
 * What `open` does: where the name leads, whether that may be opened so, and what is made or emptied by it.
 *
 * A file that is missing is made at once, so that of two who open it with `O_EXCL` one fails; one that is emptied
 * (`O_TRUNC`) is so for the descriptors of it, and for everybody else from `fsync` or `close` on. Under `exact` both are
 * versions at once, as in v10.
 *
 * @see spec/40-drive.md 3.7
 * @module
 */
import { changeEntry } from '../entries/change-entry.ts'
import { constants } from './constants.ts'
import type { DriveContext } from '../context.ts'
import { Descriptor } from './descriptor.ts'
import { DriveError, inWords } from '../errors.ts'
import {
  type Entry,
  type Place,
  entryAt,
  firstBelow,
  lookUp,
  placeOf,
  resolveEntry,
} from '../entries/lookup.ts'
import { update, upsert } from '../entries/metadata.ts'
import type { OpenDescriptor } from './open-descriptor.ts'
import { OpenFile, isPlainFile } from './open-file.ts'
import { runOf } from '../content/run.ts'
import { SharedDescriptor } from './shared-descriptor.ts'
import { Stat } from '../entries/stat.ts'

const { O_ACCMODE, O_CREAT, O_DIRECTORY, O_EXCL, O_NOFOLLOW, O_RDONLY, O_TRUNC } = constants

/** How a file is opened. */
export interface OpenOptions {
  /** Permissions of a file that is made; default 0o644. */
  readonly mode?: number | undefined
  /** Operation that errors name; default `open`. */
  readonly syscall?: string | undefined
}

/**
 * Open what is at `path`.
 *
 * @param bits - open flags, as numbers
 * @throws {@link DriveError} `EINVAL` for flags that ask for no access; `ENOENT`, `EEXIST`; `EISDIR` for a directory
 *   (`exact`: to write one); `ENOTDIR` for a file with `O_DIRECTORY`, `ELOOP` for a link with `O_NOFOLLOW`; `EROFS`
 *   (`exact`: `EINVAL`) to write where the drive cannot be written; `EPERM` to write a checkout or a mounted log
 */
export async function openDescriptor(
  context: DriveContext,
  path: string,
  bits: number,
  { mode, syscall = 'open' }: OpenOptions = {},
): Promise<OpenDescriptor> {
  if (context.exact) return openAsV10(context, path, bits, syscall)
  if (!Number.isInteger(bits) || bits < 0 || (bits & O_ACCMODE) === O_ACCMODE) {
    throw new DriveError('EINVAL', { syscall, path, reason: `flags ${bits}` })
  }
  // As in POSIX: what is to be made must not be a link either.
  const makes = (bits & O_CREAT) !== 0 && (bits & O_EXCL) !== 0
  const place = await placeOf(context, path, { syscall, follow: !makes && !(bits & O_NOFOLLOW) })
  const entry = await entryToOpen(context, place, bits, { mode, syscall })
  const content = isPlainFile(entry) && isOurs(context, entry) ? await entry.content() : null
  if (!content?.writable) return readOnly(context, entry, bits, syscall)
  const file = OpenFile.of(entry, content)
  const descriptor = new SharedDescriptor(context, entry.path, file, bits)
  if (!(bits & O_TRUNC)) return descriptor
  try {
    await descriptor.resize(0)
    return descriptor
  } catch (error) {
    file.leave()
    throw error
  }
}

/** The entry at a place, made if need be, once it is known that it may be opened so. */
async function entryToOpen(
  context: DriveContext,
  place: Place,
  bits: number,
  { mode, syscall }: OpenOptions & { readonly syscall: string },
): Promise<Entry> {
  const { path, entry } = place
  const writes = (bits & O_ACCMODE) !== O_RDONLY || (bits & O_TRUNC) !== 0
  if (entry && bits & O_CREAT && bits & O_EXCL) throw new DriveError('EEXIST', { syscall, path })
  if (entry?.stat.isSymbolicLink()) throw new DriveError('ELOOP', { syscall, path })
  if (writes) await assertWritable(context, place, syscall)
  // A file may be made where a directory is only implied, as in v10.
  const isDirectory =
    path === '/' ||
    (entry
      ? entry.stat.isDirectory()
      : !(bits & O_CREAT) && (await firstBelow(context, path, { syscall })) !== null)
  if (isDirectory) throw new DriveError('EISDIR', { syscall, path })
  if (!entry && !(bits & O_CREAT)) throw new DriveError('ENOENT', { syscall, path })
  if (bits & O_DIRECTORY) throw new DriveError('ENOTDIR', { syscall, path })
  if (entry) return entry
  if (!writes) await assertWritable(context, place, syscall)
  await changeEntry(context, place, syscall, (there) => {
    if (!there) return Stat.file({ mode }, context.now())
    if (bits & O_EXCL) throw new DriveError('EEXIST', { syscall, path })
    return 'leave'
  })
  const made = await entryAt(context, place)
  if (!made) throw new DriveError('ENOENT', { syscall, path, reason: 'removed at once' })
  return made
}

/** Whether the trie of an entry can be written through this drive. */
function isOurs(context: DriveContext, { trie }: Place | Entry): boolean {
  return context.checkout === null && trie.log.writable && !trie.isCheckout
}

async function assertWritable(context: DriveContext, place: Place, syscall: string): Promise<void> {
  const { path, entry } = place
  context.assertWritable(syscall, path)
  if (path === '/' || entry?.stat.isDirectory()) throw new DriveError('EISDIR', { syscall, path })
  if (entry?.stat.mount) throw new DriveError('EPERM', { syscall, path, reason: 'a mounted log' })
  if (!isOurs(context, place)) throw new DriveError('EROFS', { syscall, path })
  const content = await inWords(syscall, path, () =>
    context.contents.of(place.trie, context.reads()),
  )
  if (!content.writable) throw new DriveError('EROFS', { syscall, path })
}

async function readOnly(
  context: DriveContext,
  entry: Entry,
  flags: number,
  syscall: string,
): Promise<Descriptor> {
  const { path, stat } = entry
  const run = await inWords(syscall, path, () => runOf(context, entry, context.reads()))
  return new Descriptor(context, { path, stat, run, flags })
}

async function openAsV10(
  context: DriveContext,
  given: string,
  bits: number,
  syscall: string,
): Promise<OpenDescriptor> {
  const { path, entry } = await resolveEntry(context, given, { syscall })
  if (entry && bits & O_EXCL) throw new DriveError('EEXIST', { syscall, path })
  if ((bits & O_ACCMODE) === O_RDONLY) {
    if (!entry) throw new DriveError('ENOENT', { syscall, path })
    return readOnly(context, entry, bits, syscall)
  }
  if (!entry && !(bits & O_CREAT)) throw new DriveError('ENOENT', { syscall, path })
  context.assertWritable(syscall, path)
  if (path === '/' || entry?.stat.isDirectory()) throw new DriveError('EISDIR', { syscall, path })
  if (entry?.stat.mount) throw new DriveError('EPERM', { syscall, path, reason: 'a mounted log' })
  const { trie } = await lookUp(context, path, { syscall })
  const content = await context.contents.of(trie, context.reads())
  if (!content.writable) throw new DriveError('EINVAL', { syscall, path })
  const stat = await prepared(context, path, { entry, bits, syscall })
  const run = entry && !(bits & O_TRUNC) ? await runOf(context, entry, context.reads()) : null
  return new Descriptor(context, { path, stat, run, flags: bits })
}

/** What opening for writing stores in v10: an emptied entry, a new one, or nothing. */
function prepared(
  context: DriveContext,
  path: string,
  {
    entry,
    bits,
    syscall,
  }: { readonly entry: Entry | null; readonly bits: number; readonly syscall: string },
): Promise<Stat> {
  if (!entry) return upsert(context, path, bits & O_TRUNC ? { size: 0, blocks: 0 } : {}, syscall)
  if (bits & O_TRUNC) return update(context, path, { size: 0, blocks: 0 }, syscall)
  return Promise.resolve(entry.stat)
}
