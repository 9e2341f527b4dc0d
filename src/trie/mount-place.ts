/**
 * Where tries stand in each other, and what the mount layer is asked for.
 *
 * @see spec/30-trie.md 3.13 and 3.15
 * @module
 */
import type { TrieEntry } from './entry.ts'
import { isWithin, rebase } from './mount-path.ts'
import type { MountRecord } from './mount-record.ts'
import type { MountTrie } from './mount-trie.ts'
import type { IteratorOptions, TrieOptions } from './options.ts'
import type { TrieLog } from './trie-log.ts'

/** Where a trie stands: its own place (paths empty), or what a record says of it. */
export interface MountInfo {
  /** Public key of its log; null until that is open. */
  readonly key: Uint8Array | null
  readonly localPath: string
  readonly remotePath: string
  /** Fixed version. Null, or 0 in a record, for the latest. */
  readonly version: number | null
}

/** Options of a mount trie: those of the trie, but for values, which are bytes here. */
export interface MountTrieOptions<L extends TrieLog> extends Omit<TrieOptions, 'valueEncoding'> {
  /** Opens the log of a mounted trie. */
  readonly openLog: (key: Uint8Array) => Promise<L>
}

/** Options of an iteration over mounts. */
export interface MountIteratorOptions extends IteratorOptions {
  /**
   * True: into mounts as well. False: one entry for each name directly below. Left out: all of one trie,
   * and no mounts.
   */
  readonly recursive?: boolean | undefined
  /** Give mountpoints as plain entries, whatever `recursive` says. */
  readonly noMounts?: boolean | undefined
}

/** Options of a mount. */
export interface MountOptions {
  /** Version to show; null or 0 for the latest. */
  readonly version?: number | null | undefined
  /** What of the other trie to show; default all. */
  readonly remotePath?: string | null | undefined
  /** Value of the visible entry; default empty. */
  readonly value?: Uint8Array | null | undefined
}

/** Where a path leads: the innermost trie, and the path in it. */
export interface Owner<L extends TrieLog> {
  readonly trie: MountTrie<L>
  /** Own place of that trie. */
  readonly info: MountInfo
  readonly innerPath: string
  /** Where the innermost mount stands in the outer name space; empty when there is none. */
  readonly mountPath: string
  /** What of the trie it shows; empty for all of it. */
  readonly remotePath: string
}

/** Answer to a lookup. */
export interface MountedGet<L extends TrieLog> {
  readonly trie: MountTrie<L>
  /** Own place of that trie. */
  readonly info: MountInfo
  readonly innerPath: string
  /** With the path as asked for as its key; null when there is none. */
  readonly node: TrieEntry | null
}

/** The path below a mountpoint, in the mounted trie. */
export function downPath(path: string, { localPath, remotePath }: MountRecord): string {
  return rebase(path, localPath, remotePath)
}

/** An entry of a mounted trie, as its mount shows it. */
export function outward(entry: TrieEntry, { localPath, remotePath }: MountRecord): TrieEntry {
  return { ...entry, key: rebase(entry.key, remotePath, localPath) }
}

/** A key of an owner's trie, as the outer name space shows it; what it does not show keeps its key. */
export function outerKey<L extends TrieLog>(key: string, owner: Owner<L>): string {
  const { mountPath, remotePath } = owner
  return isWithin(key, remotePath) ? rebase(key, remotePath, mountPath) : key
}
