/**
 * Moving a file, or a directory with everything below it: one batch of the trie, one signature. No reader ever sees
 * a part of it, and no content moves.
 *
 * v10 has no rename; it reads the result like any other drive.
 *
 * @module
 */
import type { DriveContext } from './context.ts'
import { DriveError, inWords } from './errors.ts'
import { type Entry, type Owner, lookUp } from './lookup.ts'
import { absolute, isBelow, keyOf } from './paths.ts'
import { type Change, dels, puts, treeAt } from './tree.ts'

/** What is at a path. */
interface Place extends Owner {
  readonly path: string
  readonly entry: Entry | null
  readonly type: 'file' | 'directory' | null
  readonly isEmpty: boolean
}

/**
 * Move what is at `from` to `to`. Links are moved, not followed. As in POSIX, a file takes the place of a file, and
 * a directory that of an empty directory.
 *
 * @throws {@link DriveError} `ENOENT`; `EISDIR`, `ENOTDIR`, `ENOTEMPTY` for what is at `to`; `EINVAL` into itself;
 *   `EXDEV` into another drive; `EBUSY` for the root and onto a mount point; `EROFS`, `EPERM`
 */
export async function rename(context: DriveContext, from: string, to: string): Promise<void> {
  const [source, target] = [absolute(from, context.exact), absolute(to, context.exact)]
  const syscall = 'rename'
  await context.ready()
  context.assertWritable(syscall, source)
  for (const path of [source, target]) {
    if (path === '/') throw new DriveError('EBUSY', { syscall, path })
  }
  if (isBelow(target, source)) throw new DriveError('EINVAL', { syscall, path: target })
  const origin = await placeAt(context, source)
  if (!origin.type) throw new DriveError('ENOENT', { syscall, path: source })
  if (source === target) return
  const place = await placeAt(context, target)
  assertReplaceable(origin, place)
  await inWords(syscall, source, async () => {
    const tree = await treeAt(origin.trie, origin.innerPath, origin.type === 'directory')
    // Puts first: a trie that was empty in between would leave pointers that v10 stumbles over.
    const changes: Change[] = [...puts(tree, place.innerPath), ...dels(tree)]
    // An implied directory has no entry that would take the place of the one that is there.
    const isReplaced = tree.visible.some(({ key }) => key === tree.root)
    if (place.entry && !isReplaced) changes.push({ type: 'del', key: place.innerPath })
    await origin.trie.trie.batch(changes)
  })
}

async function placeAt(context: DriveContext, path: string): Promise<Place> {
  const { trie, info, innerPath, entry } = await lookUp(context, path, { syscall: 'rename' })
  const below = await hasBelow(context, path)
  const isFile = entry && !entry.stat.isDirectory()
  const type = isFile ? 'file' : entry || below ? 'directory' : null
  return { trie, info, innerPath, path, entry, type, isEmpty: !below }
}

/** Whether anything is stored below `path`, not counting what is at it. */
async function hasBelow(context: DriveContext, path: string): Promise<boolean> {
  const rows = context.trie.iterator(keyOf(path), {
    ...context.reads(),
    recursive: false,
    noMounts: true,
    gt: true,
  })
  const row = await inWords('rename', path, () => rows.next())
  rows.destroy()
  return row !== null
}

function assertReplaceable(origin: Place, { path, trie, entry, type, isEmpty }: Place): void {
  const syscall = 'rename'
  if (!origin.trie.log.writable) throw new DriveError('EROFS', { syscall, path: origin.path })
  if (trie.log !== origin.trie.log) throw new DriveError('EXDEV', { syscall, path })
  if (entry?.stat.mount) throw new DriveError('EBUSY', { syscall, path })
  if (type === 'directory') {
    if (origin.type === 'file') throw new DriveError('EISDIR', { syscall, path })
    if (!isEmpty) throw new DriveError('ENOTEMPTY', { syscall, path })
  } else if (type === 'file' && origin.type === 'directory') {
    throw new DriveError('ENOTDIR', { syscall, path })
  }
}
