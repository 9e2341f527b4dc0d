/**
 * Removing files and whole directories: one batch of the trie, one signature.
 *
 * @module
 */
import type { DriveContext } from './context.ts'
import { DriveError, inWords } from './errors.ts'
import { firstBelow, lookUp } from './lookup.ts'
import { absolute } from './paths.ts'
import { dels, treeAt } from './tree.ts'

/** Options of `rm`, as in Node's `fs.rm`. */
export interface RmOptions {
  /** Directories too, with everything below them. Default false. */
  readonly recursive?: boolean | undefined
  /** Nothing there is no error. Default false. */
  readonly force?: boolean | undefined
}

/**
 * Remove what is at `name`; of a link, the link. Mounts below a removed directory are unmounted, and what was mounted
 * is untouched.
 *
 * @throws {@link DriveError} `ENOENT` unless `force`; `EISDIR` for a directory unless `recursive`; `EBUSY` for the
 *   root and a mount point; `EROFS`, `EPERM`
 */
export async function rm(
  context: DriveContext,
  name: string,
  { recursive = false, force = false }: RmOptions = {},
): Promise<void> {
  const path = absolute(name, context.exact)
  const syscall = 'rm'
  await context.ready()
  context.assertWritable(syscall, path)
  if (path === '/') throw new DriveError('EBUSY', { syscall, path })
  const { trie, innerPath, entry } = await lookUp(context, path, { syscall })
  if (entry?.stat.mount && !entry.stat.mount.hypercore) {
    throw new DriveError('EBUSY', { syscall, path })
  }
  const isDirectory = entry
    ? entry.stat.isDirectory()
    : (await firstBelow(context, path, { syscall })) !== null
  if (!entry && !isDirectory) {
    if (force) return
    throw new DriveError('ENOENT', { syscall, path })
  }
  if (isDirectory && !recursive) throw new DriveError('EISDIR', { syscall, path })
  if (!trie.log.writable) throw new DriveError('EROFS', { syscall, path })
  await inWords(syscall, path, async () => {
    await trie.trie.batch(dels(await treeAt(trie, innerPath, isDirectory)))
  })
}
