/**
 * A file or directory with everything below it, as entries of the trie that holds it, and what moves them.
 *
 * A mount point is two entries, the visible one and a hidden record; both are taken along. What is mounted is not
 * entered.
 *
 * @see spec/40-drive.md 2.6
 * @module
 */
import {
  type BatchOperation,
  type MountTrie,
  RECORDS,
  type TrieEntry,
  decodeMountRecord,
  encodeMountRecord,
} from '../../trie/index.ts'

/** Entries of one trie at and below a path. */
export interface Tree {
  /** The path in that trie. */
  readonly root: string
  readonly visible: readonly TrieEntry[]
  /** Records of the mounts among them. */
  readonly records: readonly TrieEntry[]
}

/** One change of a trie. */
export type Change = BatchOperation<Uint8Array>

/** The entry at `root`, when it has one, and with `below` everything below it. */
export async function treeAt(
  { trie }: Pick<MountTrie, 'trie'>,
  root: string,
  below: boolean,
): Promise<Tree> {
  const version = trie.snapshot()
  const [visible, records] = await Promise.all([
    version.list(root),
    version.list(`${RECORDS}/${root}`, { hidden: true }),
  ])
  if (below) return { root, visible, records }
  return {
    root,
    visible: visible.filter(({ key }) => key === root),
    records: records.filter(({ key }) => key === `${RECORDS}/${root}`),
  }
}

/** Changes that write the tree at `target` of the same trie. */
export function puts({ root, visible, records }: Tree, target: string): Change[] {
  const moved = (key: string): string => {
    const rest = key.slice(root.length)
    return target === '' ? rest.replace(/^\//u, '') : target + rest
  }
  return [
    ...records.map(({ key, value, flags }): Change => {
      const localPath = moved(key.slice(RECORDS.length + 1))
      const record = decodeMountRecord(value ?? new Uint8Array(0))
      const { key: log, version, remotePath, hash } = record
      return {
        key: `${RECORDS}/${localPath}`,
        value: encodeMountRecord({
          key: log,
          localPath,
          version: version || null,
          remotePath: remotePath || null,
          hash,
        }),
        flags,
        hidden: true,
      }
    }),
    ...visible.map(({ key, value, flags }): Change => ({ key: moved(key), value, flags })),
  ]
}

/** Changes that remove the tree. */
export function dels({ visible, records }: Tree): Change[] {
  return [
    ...records.map(({ key }): Change => ({ type: 'del', key, hidden: true })),
    ...visible.map(({ key }): Change => ({ type: 'del', key })),
  ]
}
