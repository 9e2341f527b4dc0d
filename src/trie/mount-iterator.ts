/**
 * Iteration through mounts: over entries, and over the mounts themselves.
 *
 * A stack of levels, one a mounted trie, so that depth is memory and not recursion. A mount that leads
 * back to where one already is (a circle) is given as an entry and not entered.
 *
 * @see spec/30-trie.md 3.17
 * @module
 */
import type { TrieEntry } from './entry.ts'
import { isWithin, joinPath, rebase } from './mount-path.ts'
import { decodeMountRecord, MOUNT_FLAGS, RECORDS, type MountRecord } from './mount-record.ts'
import { MAX_MOUNT_DEPTH } from './mount-family.ts'
import type { MountInfo, MountIteratorOptions } from './mount-place.ts'
import type { MountTrie } from './mount-trie.ts'
import type { HeadOptions, IteratorOptions } from './options.ts'
import { Pull } from './pull.ts'
import type { TrieLog, WaitOptions } from './trie-log.ts'

/** One entry, with the trie that holds it. */
export interface MountedEntry<L extends TrieLog> {
  /** Its key is the path in the outer name space. */
  readonly node: TrieEntry
  readonly trie: MountTrie<L>
  /** Own place of that trie. */
  readonly info: MountInfo
  /** The key in that trie. */
  readonly innerPath: string
}

/** One mount. */
export interface MountListing<L extends TrieLog> {
  /** Absolute path of the mountpoint. */
  readonly path: string
  readonly trie: MountTrie<L>
  /** What the record says. */
  readonly info: MountInfo
}

/** A mounted trie on the way down, from the path `remotePath` on, shown at `mountPath`. */
interface Place<L extends TrieLog> {
  readonly trie: MountTrie<L>
  readonly mountPath: string
  readonly remotePath: string
}

/** Mountpoints of a trie at and below a path, by path. */
export async function mountpoints<L extends TrieLog>(
  { trie }: MountTrie<L>,
  path: string,
  options: WaitOptions & Pick<IteratorOptions, 'onmissing' | 'onseq' | 'known'>,
): Promise<Map<string, MountRecord>> {
  const found = new Map<string, MountRecord>()
  const { onmissing, onseq, known } = options
  const rows = trie.iterator(joinPath(RECORDS, path), {
    ...waits(options),
    onmissing,
    onseq,
    known,
    hidden: true,
  })
  for await (const { key, value, flags } of rows) {
    if (flags !== MOUNT_FLAGS || value === null) continue
    const localPath = key.slice(RECORDS.length + 1)
    found.set(localPath, { ...decodeMountRecord(value), localPath })
  }
  return found
}

function waits({ wait, timeout, signal }: WaitOptions): WaitOptions {
  return { wait, timeout, signal }
}

interface Level<L extends TrieLog> extends Place<L> {
  readonly rows: Pull<TrieEntry>
  /** The first of them, when it was asked for already. */
  first: Promise<TrieEntry | null> | null
  readonly points: Promise<Map<string, MountRecord>>
  /** Own place of the trie. */
  readonly info: MountInfo
  /** Whether it is known that nothing is mounted there. */
  isPlain: boolean
  /** Whether every entry comes, not one for each name. */
  readonly isFull: boolean
}

/** The entries below `path`. */
export function mountedEntries<L extends TrieLog>(
  root: MountTrie<L>,
  path: string,
  options: MountIteratorOptions,
): Pull<MountedEntry<L>> {
  const levels: Level<L>[] = []
  const { recursive, noMounts, ...rest } = options
  const enters = recursive === true && !noMounts

  const rowsOf = (
    { trie }: MountTrie<L>,
    prefix: string,
    gt: boolean | undefined,
  ): Pull<TrieEntry> => trie.iterator(prefix, { ...rest, recursive: recursive !== false, gt })

  const begin = (place: Place<L>, prefix: string, rows: Pull<TrieEntry>): Level<L> => {
    const points = mountpoints(place.trie, prefix, rest)
    const level = {
      ...place,
      rows,
      first: null,
      points,
      info: place.trie.info,
      isPlain: false,
      isFull: recursive !== false,
    }
    points.then(
      (found) => (level.isPlain = found.size === 0),
      () => null, // told when the first entry is asked for
    )
    levels.push(level)
    return level
  }

  const open = async (): Promise<void> => {
    // Most paths are in the root's own trie: its first entry is asked for while that is found out, so
    // that a remote listing takes no round trip more than one without mounts.
    const early = rowsOf(root, path, rest.gt)
    const first = early.next()
    first.catch(() => null)
    const { trie, innerPath, mountPath, remotePath } = await root.ownerBelow(`/${path}`, rest)
    if (trie === root && mountPath === '') {
      begin({ trie, mountPath, remotePath }, path, early).first = first
      return
    }
    early.destroy()
    // The entry at a mountpoint is the outer trie's, so the mounted one gives none for its own root.
    const gt = mountPath === path || rest.gt
    begin({ trie, mountPath, remotePath }, innerPath, rowsOf(trie, innerPath, gt))
  }

  const enter = async (level: Level<L>, record: MountRecord, outer: string): Promise<void> => {
    const trie = await level.trie.mounted(record)
    const { remotePath } = record
    const isCircle = levels.some(
      (each) =>
        each.trie.log === trie.log &&
        each.trie.info.version === trie.info.version &&
        each.remotePath === remotePath,
    )
    if (isCircle || levels.length >= MAX_MOUNT_DEPTH) return
    begin({ trie, mountPath: outer, remotePath }, remotePath, rowsOf(trie, remotePath, true))
  }

  const shownAt = (level: Level<L>, entry: TrieEntry): MountedEntry<L> => {
    const { trie, info, remotePath, mountPath } = level
    const isSame = remotePath === mountPath
    const node = isSame ? entry : { ...entry, key: rebase(entry.key, remotePath, mountPath) }
    return { node, trie, info, innerPath: entry.key }
  }

  let opened = false
  return new Pull<MountedEntry<L>>({
    nextNow: () => {
      const level = levels.at(-1)
      if (!opened || !level?.isPlain || level.first) return undefined
      const entry = level.rows.nextNow()
      if (entry) return shownAt(level, entry)
      return entry === null && levels.length === 1 ? null : undefined
    },
    next: async () => {
      if (!opened) await open()
      opened = true
      for (;;) {
        const level = levels.at(-1)
        if (!level) return null
        // oxlint-disable-next-line no-await-in-loop -- one entry after the other
        const entry = await (level.first ?? level.rows.next())
        level.first = null
        if (!entry) {
          levels.pop()
          continue
        }
        // oxlint-disable-next-line no-await-in-loop
        const points = await level.points
        // oxlint-disable-next-line no-await-in-loop
        const shown = points.size === 0 ? entry : await unshadowed(level, points, entry)
        if (!shown) continue
        const row = shownAt(level, shown)
        const record = enters ? points.get(shown.key) : undefined
        // oxlint-disable-next-line no-await-in-loop
        if (record) await enter(level, record, row.node.key)
        return row
      }
    },
  })
}

/**
 * What is visible below a mountpoint in the trie that holds the mount is shadowed by the mounted trie.
 * Where such an entry stands for a name, the mountpoint's own entry takes its place.
 */
async function unshadowed<L extends TrieLog>(
  level: Level<L>,
  points: ReadonlyMap<string, MountRecord>,
  entry: TrieEntry,
): Promise<TrieEntry | null> {
  for (const point of points.keys()) {
    if (entry.key === point || !isWithin(entry.key, point)) continue
    // In a full iteration the mountpoint comes by itself.
    return level.isFull ? null : level.trie.trie.get(point)
  }
  return entry
}

/** The mounts of a trie and, with `recursive`, of those mounted in it: each before its own. */
export function listMounts<L extends TrieLog>(
  root: MountTrie<L>,
  options: HeadOptions & { readonly recursive?: boolean; readonly memory?: boolean },
): Pull<MountListing<L>> {
  interface MountLevel extends Place<L> {
    readonly records: MountRecord[]
  }
  const levels: MountLevel[] = []

  const begin = async (place: Place<L>): Promise<void> => {
    const points = await mountpoints(place.trie, place.remotePath, options)
    levels.push({ ...place, records: [...points.values()].toReversed() })
  }

  let opened = false
  return new Pull<MountListing<L>>({
    next: async () => {
      if (!opened) await begin({ trie: root, mountPath: '', remotePath: '' })
      opened = true
      for (;;) {
        const level = levels.at(-1)
        if (!level) return null
        const record = level.records.pop()
        if (!record) {
          levels.pop()
          continue
        }
        // oxlint-disable-next-line no-await-in-loop -- one mount after the other
        const trie = await (options.memory
          ? level.trie.alreadyMounted(record)
          : level.trie.mounted(record))
        if (!trie) continue
        const mountPath = rebase(record.localPath, level.remotePath, level.mountPath)
        const { remotePath } = record
        const isCircle = [root, ...levels.map((each) => each.trie)].some(
          (each) => each.log === trie.log && each.info.version === trie.info.version,
        )
        if (options.recursive && !isCircle && levels.length < MAX_MOUNT_DEPTH) {
          // oxlint-disable-next-line no-await-in-loop
          await begin({ trie, mountPath, remotePath })
        }
        return { path: `/${mountPath}`, trie, info: record }
      }
    },
  })
}
