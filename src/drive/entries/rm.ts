/**
 * Removing files and whole directories: one batch of the trie, one signature.
 *
 * @module
 */
import { dels, mountSubtree } from '../../trie/index.ts'
import type { DriveContext } from '../context.ts'
import { DriveError, inWords } from '../errors.ts'
import { entryAt, firstBelow, placeOf } from './lookup.ts'
import { type Undo, removed, takeBack } from '../open/open-files.ts'
import { absolute } from '../paths.ts'

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
  const given = absolute(name, context.exact)
  const syscall = 'rm'
  await context.ready()
  context.assertWritable(syscall, given)
  const place = given === '/' ? null : await placeOf(context, given, { syscall })
  if (!place || place.path === '/') throw new DriveError('EBUSY', { syscall, path: '/' })
  const { path, trie, innerPath } = place
  if (!trie.log.writable) {
    const isThere = place.entry ?? (await firstBelow(context, path, { syscall }))
    if (!isThere && force) return
    throw new DriveError(isThere ? 'EROFS' : 'ENOENT', { syscall, path })
  }
  let undo: Undo | null = null
  // With nobody else writing: what is found is what is removed.
  const remove = (): Promise<unknown> =>
    trie.trie.batch(async () => {
      const entry = await entryAt(context, place)
      if (entry?.stat.mount && !entry.stat.mount.hypercore) {
        throw new DriveError('EBUSY', { syscall, path })
      }
      const tree = await mountSubtree(trie.trie, innerPath, !entry || entry.stat.isDirectory())
      if (!entry && tree.entries.length === 0) {
        if (force) return []
        throw new DriveError('ENOENT', { syscall, path })
      }
      const isDirectory = entry?.stat.isDirectory() ?? true
      if (isDirectory && !recursive) throw new DriveError('EISDIR', { syscall, path })
      undo = removed(trie.log, innerPath, isDirectory)
      return dels(tree)
    })
  try {
    await inWords(syscall, path, remove)
  } catch (error) {
    takeBack(undo)
    throw error
  }
}
