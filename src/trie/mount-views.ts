/**
 * History and differences of a trie with mounts: mounts are told from plain entries.
 *
 * @see spec/30-trie.md 3.17 and 6, Q20
 * @module
 */
import type { TrieDifference, TrieEntry } from './entry.ts'
import { MOUNT_FLAGS } from './mount-record.ts'
import { outerKey, type MountInfo, type Owner } from './mount-place.ts'
import type { MountTrie } from './mount-trie.ts'
import type { DiffOptions, HistoryOptions } from './options.ts'
import { Pull } from './pull.ts'
import type { TrieLog } from './trie-log.ts'

/** One step of a history: an entry, or a mount, with its place as of now. */
export type MountHistoryRow =
  | { readonly type: 'put'; readonly node: TrieEntry }
  | { readonly type: 'mount'; readonly info: MountInfo }

/** A side of a difference that is a mountpoint. */
export interface MountSide {
  /** Its place as of now; null when nobody asked for mounts. */
  readonly info: MountInfo | null
}

/** One difference between two versions. */
export interface MountDiffRow {
  readonly type: 'put' | 'del' | 'mount' | 'unmount'
  readonly key: string
  readonly left: TrieEntry | MountSide | null
  readonly right: TrieEntry | MountSide | null
}

/** What was written to the own log of `trie`. */
export function mountHistory<L extends TrieLog>(
  trie: MountTrie<L>,
  options: HistoryOptions,
): Pull<MountHistoryRow> {
  const rows = trie.trie.history(options)
  return new Pull<MountHistoryRow>({
    next: async () => {
      const node = await rows.next()
      if (!node) return null
      if (node.flags !== MOUNT_FLAGS) return { type: 'put', node }
      return { type: 'mount', info: await placeNow(trie, node, options) }
    },
    destroy: () => rows.destroy(),
  })
}

/** The place of a mountpoint as of now; of the record itself, that of the trie. */
async function placeNow<L extends TrieLog>(
  trie: MountTrie<L>,
  node: TrieEntry,
  options: HistoryOptions | DiffOptions,
): Promise<MountInfo> {
  if (node.hidden) return trie.info
  const { wait, timeout, signal } = options
  return (await trie.resolve(`/${node.key}`, { wait, timeout, signal })).info
}

/** What differs below `path` between `left` and `right`, both sides resolved first. */
export function mountDiff<L extends TrieLog>(
  left: MountTrie<L>,
  right: MountTrie<L>,
  path: string,
  { noMounts, ...options }: DiffOptions & { readonly noMounts?: boolean },
): Pull<MountDiffRow> {
  let parts: { rows: Pull<TrieDifference>; owner: Owner<L>; isFlipped: boolean }[] | null = null

  const open = async (): Promise<NonNullable<typeof parts>> => {
    const [a, b] = [
      await left.ownerBelow(`/${path}`, options),
      await right.ownerBelow(`/${path}`, options),
    ]
    if (a.trie.log === b.trie.log && a.innerPath === b.innerPath) {
      const rows = a.trie.trie.diff(b.trie.trie, a.innerPath, options)
      return [{ rows, owner: a, isFlipped: false }]
    }
    // Two tries: all of the one came, all of the other went.
    const came = a.trie.trie.diff(0, a.innerPath, options)
    const went = b.trie.trie.diff(0, b.innerPath, options)
    return [
      { rows: came, owner: a, isFlipped: false },
      { rows: went, owner: b, isFlipped: true },
    ]
  }

  const side = async (
    owner: Owner<L>,
    node: TrieEntry | null,
  ): Promise<TrieEntry | MountSide | null> => {
    if (!node) return null
    if (node.flags !== MOUNT_FLAGS) return { ...node, key: outerKey(node.key, owner) }
    return { info: noMounts ? null : await placeNow(owner.trie, node, options) }
  }

  return new Pull<MountDiffRow>({
    next: async () => {
      parts ??= await open()
      for (;;) {
        const [part] = parts
        if (!part) return null
        const { rows, owner, isFlipped } = part
        // oxlint-disable-next-line no-await-in-loop -- one row after the other
        const row = await rows.next()
        if (!row) {
          parts.shift()
          continue
        }
        // oxlint-disable-next-line no-await-in-loop
        const sides = [await side(owner, row.left), await side(owner, row.right)] as const
        const [now, before] = isFlipped ? [sides[1], sides[0]] : sides
        const key = outerKey(row.key, owner)
        return { type: typeOf(now, before), key, left: now, right: before }
      }
    },
    checkpoint: () => parts?.[0]?.rows.checkpoint() ?? new Uint8Array(0),
  })
}

function typeOf(
  left: TrieEntry | MountSide | null,
  right: TrieEntry | MountSide | null,
): MountDiffRow['type'] {
  if (left) return 'info' in left ? 'mount' : 'put'
  return right && 'info' in right ? 'unmount' : 'del'
}
