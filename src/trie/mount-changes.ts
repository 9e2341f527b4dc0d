/**
 * Changes of the mount layer that touch entries and records together: mounts, and renames that take mounts along.
 *
 * @see spec/30-trie.md 3.13 and 3.16
 * @module
 */
import type { TrieEntry } from './entry.ts'
import { TrieError } from './errors.ts'
import { isWithin, joinPath, normalizePath, rebase } from './mount-path.ts'
import type { MountInfo, MountOptions } from './mount-place.ts'
import { encodeMountRecord, MOUNT_FLAGS, RECORDS } from './mount-record.ts'
import type { MountTrie } from './mount-trie.ts'
import type { RenameOptions } from './options.ts'
import { assertNotInside } from './rename.ts'
import { entryAt, mountpointOf, mountSubtree, moves } from './subtree.ts'
import type { Trie } from './trie.ts'
import type { TrieLog } from './trie-log.ts'

/** Options of a rename over mounts. */
export type MountRenameOptions = Omit<RenameOptions<Uint8Array>, 'hidden'>

/** As {@link MountTrie.mount}. */
export async function mountAt<L extends TrieLog>(
  outer: MountTrie<L>,
  path: string,
  key: Uint8Array,
  { version, remotePath, value }: MountOptions,
): Promise<{ trie: MountTrie<L>; info: MountInfo }> {
  const normal = normalizePath(path)
  if (key.length !== 32) throw badMount(normal, `the key has ${key.length} bytes`)
  if (normal === '') throw badMount(normal, 'the root is no mountpoint')
  const { trie, innerPath } = await outer.owner(`/${normal}`)
  await assertFree(trie.trie, innerPath, null)
  const record = encodeMountRecord({
    key,
    localPath: innerPath,
    version,
    remotePath: remotePath === null || remotePath === undefined ? null : normalizePath(remotePath),
  })
  await trie.trie.batch([
    { key: joinPath(RECORDS, innerPath), value: record, hidden: true, flags: MOUNT_FLAGS },
    { key: innerPath, value: value ?? new Uint8Array(0), flags: MOUNT_FLAGS },
  ])
  return trie.resolve(`/${innerPath}`)
}

/** As {@link MountTrie.rename}. */
export async function renameIn<L extends TrieLog>(
  outer: MountTrie<L>,
  path: string,
  to: string,
  { below = false, condition }: MountRenameOptions,
): Promise<readonly TrieEntry[]> {
  const [origin, place] = [await outer.owner(path), await outer.owner(to)]
  const { trie } = origin.trie
  if (place.trie.log !== origin.trie.log) {
    const names = `${JSON.stringify(path)} to ${JSON.stringify(to)}`
    throw new TrieError('TRIE_CROSS_MOUNT', `cannot move ${names}: that is another trie`)
  }
  const [root, target] = [origin.innerPath, place.innerPath]
  assertNotInside(root, target, below)
  return trie.batch(async () => {
    if (root === target) return []
    const tree = await mountSubtree(trie, root, below)
    if (tree.entries.length + tree.records.length === 0) return []
    if (condition && !(await condition(await entryAt(trie, root), await entryAt(trie, target)))) {
      return []
    }
    await assertNoMounts(trie, target, root)
    for (const { key } of tree.records) {
      // oxlint-disable-next-line no-await-in-loop -- as a rule there is one, or none
      await assertFree(trie, rebase(mountpointOf(key), root, target), root)
    }
    return moves(tree, target)
  })
}

/** @throws {@link TrieError} `TRIE_BAD_MOUNT` when there is an entry or a mount at or below `path`, but for `moving` */
async function assertFree(trie: Trie, path: string, moving: string | null): Promise<void> {
  for await (const { key } of trie.iterator(path)) {
    if (moving === null || !isWithin(key, moving)) {
      throw badMount(path, 'there is something at or below it')
    }
  }
  await assertNoMounts(trie, path, moving)
}

async function assertNoMounts(trie: Trie, path: string, moving: string | null): Promise<void> {
  for await (const { key } of trie.iterator(joinPath(RECORDS, path), { hidden: true })) {
    if (moving === null || !isWithin(mountpointOf(key), moving)) {
      throw badMount(path, 'there is a mount at or below it')
    }
  }
}

function badMount(path: string, why: string): TrieError {
  return new TrieError('TRIE_BAD_MOUNT', `cannot mount at ${JSON.stringify(path)}: ${why}`)
}
