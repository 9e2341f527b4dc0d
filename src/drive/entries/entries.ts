/**
 * Making and removing entries that need no content: empty files, directories, links.
 *
 * Parents are not required, as nothing is: a path is a key. What v10 lets pass and POSIX refuses (removing a
 * directory as a file and the other way round) is refused unless `exact`.
 *
 * @see spec/40-drive.md 3.4
 * @module
 */
import { type Decision, changeEntry } from './change-entry.ts'
import type { DriveContext } from '../context.ts'
import { DriveError, type DriveErrorCode, inWords } from '../errors.ts'
import { entries } from './listing.ts'
import { makeDirectories } from './make-directories.ts'
import { type Place, firstBelow, placeOf } from './lookup.ts'
import { absolute, linkTarget } from '../paths.ts'
import { Stat, type StatInput } from './stat.ts'

/** Options of `mkdir`: fields of the entry, or its mode alone. */
export type MkdirOptions = MkdirFields | number

/** Fields of a new directory. */
export interface MkdirFields extends StatInput {
  /** Make those above it too, and be content when it is there. Not under `exact`: v10 knows no such option. */
  readonly recursive?: boolean | undefined
}

/**
 * An empty file at `name`, unless something is stored there.
 *
 * @returns the new entry, or the one that is there
 * @throws {@link DriveError} `EEXIST` for the root; `EROFS`, `EPERM`
 */
export async function create(
  context: DriveContext,
  name: string,
  options: StatInput = {},
): Promise<Stat> {
  const place = await writablePlace(context, name, 'create')
  const stat = Stat.file(options, context.now())
  let there: Stat = stat
  await changeEntry(context, place, 'create', (entry) => {
    if (!entry) return stat
    there = entry.stat
    return 'leave'
  })
  return there
}

/**
 * A directory at `name`.
 *
 * @throws {@link DriveError} `EEXIST` when anything is stored there; a directory that is only implied may be made
 */
export async function mkdir(
  context: DriveContext,
  name: string,
  options: MkdirOptions = {},
): Promise<Stat> {
  const { recursive = false, ...fields } = typeof options === 'number' ? { mode: options } : options
  if (recursive && !context.exact) return makeDirectories(context, name, fields)
  const place = await writablePlace(context, name, 'mkdir')
  const { path } = place
  const content = await inWords('mkdir', path, () =>
    context.contents.of(place.trie, context.reads()),
  )
  const { length: offset, byteLength: byteOffset } = content
  const stat = Stat.directory({ ...fields, offset, byteOffset }, context.now())
  await changeEntry(context, place, 'mkdir', (entry) => {
    if (entry) throw new DriveError('EEXIST', { syscall: 'mkdir', path })
    return stat
  })
  return stat
}

/**
 * A link at `linkName` to `target`, which need not exist. A relative target counts from the link's directory.
 *
 * @throws {@link DriveError} `EEXIST` when anything is there, an implied directory too
 */
export async function symlink(
  context: DriveContext,
  target: string,
  linkName: string,
): Promise<Stat> {
  const linkname = linkTarget(target, context.exact)
  const place = await writablePlace(context, linkName, 'symlink')
  const { path } = place
  const stat = Stat.link({ linkname }, context.now())
  await changeEntry(context, place, 'symlink', async (entry) => {
    if (entry || (await firstBelow(context, path, { syscall: 'symlink' }))) {
      throw new DriveError('EEXIST', { syscall: 'symlink', path })
    }
    return stat
  })
  return stat
}

/**
 * Remove the file or link at `name`; what a link leads to stays.
 *
 * @throws {@link DriveError} `ENOENT`; `EISDIR` for a directory (`exact`: its entry goes, what is below it stays)
 */
export async function unlink(context: DriveContext, name: string): Promise<void> {
  const place = await writablePlace(context, name, 'unlink', context.exact ? 'ENOENT' : 'EISDIR')
  const { path } = place
  await changeEntry(context, place, 'unlink', async (entry): Promise<Decision> => {
    if (!entry) {
      const isDirectory = !context.exact && (await firstBelow(context, path, { syscall: 'unlink' }))
      throw new DriveError(isDirectory ? 'EISDIR' : 'ENOENT', { syscall: 'unlink', path })
    }
    if (entry.stat.isDirectory() && (!context.exact || entry.stat.mount)) {
      throw new DriveError('EISDIR', { syscall: 'unlink', path })
    }
    return 'remove'
  })
}

/**
 * Remove the empty directory at `name`.
 *
 * @throws {@link DriveError} `ENOENT`, `ENOTEMPTY`, `EBUSY` for a mount point; `ENOTDIR` (`exact`: it goes too)
 */
export async function rmdir(context: DriveContext, name: string): Promise<void> {
  const place = await writablePlace(context, name, 'rmdir', 'ENOTEMPTY')
  const { path } = place
  // What is mounted may be remote: nobody is kept waiting for what is in it.
  if (place.entry?.stat.mount && context.exact) await assertEmpty(context, path)
  await changeEntry(context, place, 'rmdir', async (entry): Promise<Decision> => {
    if (entry?.stat.mount) throw new DriveError('EBUSY', { syscall: 'rmdir', path })
    if (entry && !context.exact && !entry.stat.isDirectory()) {
      throw new DriveError('ENOTDIR', { syscall: 'rmdir', path })
    }
    await assertEmpty(context, path)
    if (!entry) throw new DriveError('ENOENT', { syscall: 'rmdir', path })
    return 'remove'
  })
}

async function assertEmpty(context: DriveContext, path: string): Promise<void> {
  for await (const listed of entries(context, path, { recursive: false }, 'rmdir')) {
    if (listed.path !== path) throw new DriveError('ENOTEMPTY', { syscall: 'rmdir', path })
  }
}

/** Where `name` is and what is there, once it is known that it may be changed. */
async function writablePlace(
  context: DriveContext,
  name: string,
  syscall: string,
  root: DriveErrorCode = 'EEXIST',
): Promise<Place> {
  const given = absolute(name, context.exact)
  await context.ready()
  context.assertWritable(syscall, given)
  const place = given === '/' ? null : await placeOf(context, given, { syscall })
  if (!place || place.path === '/') throw new DriveError(root, { syscall, path: '/' })
  if (!place.trie.log.writable) throw new DriveError('EROFS', { syscall, path: place.path })
  return place
}
