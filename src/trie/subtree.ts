/**
 * An entry with everything below it, in one trie, and the changes that move it or take it away.
 *
 * A mountpoint is two entries, the visible one and a hidden record; both are taken along. What is mounted is not
 * entered.
 *
 * @see spec/30-trie.md 3.13
 * @module
 */
import { EMPTY } from '../bytes.ts'
import type { TrieEntry } from './entry.ts'
import { joinPath, rebase } from './mount-path.ts'
import { decodeMountRecord, encodeMountRecord, RECORDS } from './mount-record.ts'
import type { BatchOperation } from './options.ts'
import type { Trie } from './trie.ts'

/** Entries of one trie at and below a path. */
export interface Subtree {
  /** The path in that trie; empty for all of it. */
  readonly root: string
  readonly entries: readonly TrieEntry[]
  /** Records of the mounts among them. */
  readonly records: readonly TrieEntry[]
}

/** What belongs to a subtree. */
export interface SubtreeOptions {
  /** Everything below the path too. */
  readonly below: boolean
  /** Of the hidden key space, which has no mounts. Default false. */
  readonly hidden?: boolean | undefined
}

/** One change of a trie whose values are bytes. */
export type SubtreeChange = BatchOperation<Uint8Array>

/** What is at `root`, and with `below` all that is below it, as it is now; with the records of mounts. */
export async function mountSubtree(trie: Trie, root: string, below: boolean): Promise<Subtree> {
  const version = trie.snapshot()
  const [entries, records] = await Promise.all([
    entriesAt(version, root, { below }),
    entriesAt(version, joinPath(RECORDS, root), { below, hidden: true }),
  ])
  return { root, entries, records }
}

/** The entry of exactly the key `root`, and with `below` all entries below it, of one key space. */
export async function entriesAt(
  trie: Trie,
  root: string,
  { below, hidden }: SubtreeOptions,
): Promise<readonly TrieEntry[]> {
  if (below) return trie.list(root, { hidden })
  const entry = await entryAt(trie, root, hidden)
  return entry ? [entry] : []
}

/** The entry of exactly the key: the same place is not enough, "a" and "a/" share one. */
export async function entryAt<Value>(
  trie: Trie<Value>,
  key: string,
  hidden = false,
): Promise<TrieEntry<Value> | null> {
  const entry = await trie.get(key, { hidden })
  return entry?.key === key ? entry : null
}

/** Changes that write the tree at `target` of the same trie. */
export function puts({ root, entries, records }: Subtree, target: string): SubtreeChange[] {
  return [
    ...records.map(({ key, value, flags }): SubtreeChange => {
      const localPath = rebase(mountpointOf(key), root, target)
      const { version, remotePath, ...rest } = decodeMountRecord(value ?? EMPTY)
      return {
        key: joinPath(RECORDS, localPath),
        value: encodeMountRecord({
          ...rest,
          localPath,
          version: version || null,
          remotePath: remotePath || null,
        }),
        flags,
        hidden: true,
      }
    }),
    ...entries.map(({ key, value, flags, hidden }): SubtreeChange => {
      return { key: rebase(key, root, target), value, flags, hidden }
    }),
  ]
}

/** Changes that remove the tree. */
export function dels({ entries, records }: Subtree): SubtreeChange[] {
  return [...records, ...entries].map(({ key, hidden }) => ({ type: 'del', key, hidden }))
}

/**
 * Changes that move the tree to `target` of the same trie. An entry at `target` goes, also when none takes its place;
 * what is below it stays, unless it is overwritten.
 */
export function moves(tree: Subtree, target: string): SubtreeChange[] {
  const put = puts(tree, target)
  const placeOf = ({ key, hidden = false }: SubtreeChange): string => `${Number(hidden)}${key}`
  const taken = new Set(put.map(placeOf))
  const { hidden = false } = tree.entries[0] ?? {}
  const gone: SubtreeChange[] = [...dels(tree), { type: 'del', key: target, hidden }]
  // Puts first: a trie that was empty in between would leave pointers that v10 stumbles over.
  return [...put, ...gone.filter((change) => !taken.has(placeOf(change)))]
}

/** The mountpoint of the record at `key`. */
export function mountpointOf(key: string): string {
  return key.slice(RECORDS.length + 1)
}
