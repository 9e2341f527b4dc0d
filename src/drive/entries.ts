/**
 * Making and removing entries that need no content: empty files, directories, links.
 *
 * Parents are not required, as nothing is: a path is a key. What v10 lets pass and POSIX refuses (removing a
 * directory as a file and the other way round) is refused unless `exact`.
 *
 * @see spec/40-drive.md 3.4
 * @module
 */
import type { DriveContext } from './context.ts'
import { DriveError, type DriveErrorCode, inWords } from './errors.ts'
import { entries } from './listing.ts'
import { makeDirectories } from './make-directories.ts'
import { type Entry, type Owner, firstBelow, lookUp } from './lookup.ts'
import { absolute, linkTarget } from './paths.ts'
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
  const path = absolute(name, context.exact)
  const owner = await writableOwner(context, path, 'create')
  return owner.entry
    ? owner.entry.stat
    : store(path, owner, Stat.file(options, context.now()), 'create')
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
  const path = absolute(name, context.exact)
  const { recursive = false, ...fields } = typeof options === 'number' ? { mode: options } : options
  if (recursive && !context.exact) return makeDirectories(context, path, fields)
  const owner = await writableOwner(context, path, 'mkdir')
  if (owner.entry) throw new DriveError('EEXIST', { syscall: 'mkdir', path })
  const content = await inWords('mkdir', path, () =>
    context.contents.of(owner.trie, context.reads()),
  )
  const { length: offset, byteLength: byteOffset } = content
  return store(
    path,
    owner,
    Stat.directory({ ...fields, offset, byteOffset }, context.now()),
    'mkdir',
  )
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
  const path = absolute(linkName, context.exact)
  const linkname = linkTarget(target, context.exact)
  const owner = await writableOwner(context, path, 'symlink')
  if (owner.entry || (await firstBelow(context, path, { syscall: 'symlink' }))) {
    throw new DriveError('EEXIST', { syscall: 'symlink', path })
  }
  return store(path, owner, Stat.link({ linkname }, context.now()), 'symlink')
}

/**
 * Remove the file or link at `name`; what a link leads to stays.
 *
 * @throws {@link DriveError} `ENOENT`; `EISDIR` for a directory (`exact`: its entry goes, what is below it stays)
 */
export async function unlink(context: DriveContext, name: string): Promise<void> {
  const path = absolute(name, context.exact)
  const owner = await writableOwner(context, path, 'unlink', context.exact ? 'ENOENT' : 'EISDIR')
  const { entry } = owner
  if (!entry) {
    const isDirectory = !context.exact && (await firstBelow(context, path, { syscall: 'unlink' }))
    throw new DriveError(isDirectory ? 'EISDIR' : 'ENOENT', { syscall: 'unlink', path })
  }
  if (entry.stat.isDirectory() && (!context.exact || entry.stat.mount)) {
    throw new DriveError('EISDIR', { syscall: 'unlink', path })
  }
  await remove(entry, 'unlink')
}

/**
 * Remove the empty directory at `name`.
 *
 * @throws {@link DriveError} `ENOENT`, `ENOTEMPTY`, `EBUSY` for a mount point; `ENOTDIR` (`exact`: it goes too)
 */
export async function rmdir(context: DriveContext, name: string): Promise<void> {
  const path = absolute(name, context.exact)
  const owner = await writableOwner(context, path, 'rmdir', 'ENOTEMPTY')
  const { entry } = owner
  if (entry && !context.exact && !entry.stat.isDirectory()) {
    throw new DriveError('ENOTDIR', { syscall: 'rmdir', path })
  }
  for await (const listed of entries(context, path, { recursive: false }, 'rmdir')) {
    if (listed.path !== path) throw new DriveError('ENOTEMPTY', { syscall: 'rmdir', path })
  }
  if (!entry) throw new DriveError('ENOENT', { syscall: 'rmdir', path })
  if (entry.stat.mount) throw new DriveError('EBUSY', { syscall: 'rmdir', path })
  await remove(entry, 'rmdir')
}

/** Whose `path` is and what is there, once it is known that it may be changed. */
async function writableOwner(
  context: DriveContext,
  path: string,
  syscall: string,
  root: DriveErrorCode = 'EEXIST',
): Promise<Owner & { readonly entry: Entry | null }> {
  await context.ready()
  context.assertWritable(syscall, path)
  if (path === '/') throw new DriveError(root, { syscall, path })
  const owner = await lookUp(context, path, { syscall })
  if (!owner.trie.log.writable) throw new DriveError('EROFS', { syscall, path })
  return owner
}

async function store(
  path: string,
  { trie, innerPath }: Owner,
  stat: Stat,
  syscall: string,
): Promise<Stat> {
  await inWords(syscall, path, () => trie.trie.put(innerPath, stat.encode()))
  return stat
}

async function remove({ path, trie, innerPath }: Entry, syscall: string): Promise<void> {
  await inWords(syscall, path, () => trie.trie.del(innerPath))
}
