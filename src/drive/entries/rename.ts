/**
 * Moving a file, or a directory with everything below it: one batch of the trie, one signature. No reader ever sees
 * a part of it, and no content moves.
 *
 * v10 has no rename; it reads the result like any other drive.
 *
 * @module
 */
import { mountSubtree, moves } from '../../trie/index.ts'
import type { DriveContext } from '../context.ts'
import { DriveError, inWords } from '../errors.ts'
import { type Entry, type Place, entryAt, firstBelow, placeOf } from './lookup.ts'
import { type Undo, moved, takeBack } from '../open/open-files.ts'
import { absolute, isBelow } from '../paths.ts'

const syscall = 'rename'

/** What is at a path. */
interface Found {
  readonly entry: Entry | null
  readonly type: 'file' | 'directory' | null
  readonly isEmpty: boolean
}

/**
 * Move what is at `from` to `to`. Links at these paths are moved, not followed; those above them are followed. As in
 * POSIX, a file takes the place of a file, and a directory that of an empty directory.
 *
 * @throws {@link DriveError} `ENOENT`; `EISDIR`, `ENOTDIR`, `ENOTEMPTY` for what is at `to`; `EINVAL` into itself;
 *   `EXDEV` into another drive; `EBUSY` for the root and onto a mount point; `EROFS`, `EPERM`
 */
export async function rename(context: DriveContext, from: string, to: string): Promise<void> {
  const given = [absolute(from, context.exact), absolute(to, context.exact)] as const
  await context.ready()
  context.assertWritable(syscall, given[0])
  const origin = await placeBelowRoot(context, given[0])
  const place = await placeBelowRoot(context, given[1])
  const [source, target] = [origin.path, place.path]
  if (isBelow(target, source)) throw new DriveError('EINVAL', { syscall, path: target })
  if (!origin.trie.log.writable) {
    const isThere = origin.entry ?? (await firstBelow(context, source, { syscall }))
    throw new DriveError(isThere ? 'EROFS' : 'ENOENT', { syscall, path: source })
  }
  let undo: Undo | null = null
  // With nobody else writing: what is found is what is moved.
  const move = (): Promise<unknown> =>
    origin.trie.trie.batch(async () => {
      const found = await findAt(context, origin)
      if (!found.type) throw new DriveError('ENOENT', { syscall, path: source })
      if (source === target) return []
      if (place.trie.log !== origin.trie.log) {
        throw new DriveError('EXDEV', { syscall, path: target })
      }
      const replaced = await findAt(context, place)
      assertReplaceable(found, replaced, target)
      const isDirectory = found.type === 'directory'
      const tree = await mountSubtree(origin.trie.trie, origin.innerPath, isDirectory)
      undo = moved(origin.trie.log, origin.innerPath, place.innerPath)
      return moves(tree, place.innerPath)
    })
  try {
    await inWords(syscall, source, move)
  } catch (error) {
    takeBack(undo)
    throw error
  }
}

async function placeBelowRoot(context: DriveContext, path: string): Promise<Place> {
  const place = path === '/' ? null : await placeOf(context, path, { syscall })
  if (!place || place.path === '/') throw new DriveError('EBUSY', { syscall, path: '/' })
  return place
}

/** What is at a place of a trie of ours, now. */
async function findAt(context: DriveContext, place: Place): Promise<Found> {
  const entry = await entryAt(context, place)
  const isEmpty = !(await hasBelow(place))
  const type = entry && !entry.stat.isDirectory() ? 'file' : entry || !isEmpty ? 'directory' : null
  return { entry, type, isEmpty }
}

/** Whether anything is stored below a place, not counting what is at it. */
async function hasBelow({ trie, innerPath }: Place): Promise<boolean> {
  const rows = trie.trie.iterator(innerPath, { recursive: false, gt: true })
  const row = await rows.next()
  rows.destroy()
  return row !== null
}

function assertReplaceable(origin: Found, { entry, type, isEmpty }: Found, path: string): void {
  if (entry?.stat.mount) throw new DriveError('EBUSY', { syscall, path })
  if (type === 'directory') {
    if (origin.type === 'file') throw new DriveError('EISDIR', { syscall, path })
    if (!isEmpty) throw new DriveError('ENOTEMPTY', { syscall, path })
  } else if (type === 'file' && origin.type === 'directory') {
    throw new DriveError('ENOTDIR', { syscall, path })
  }
}
