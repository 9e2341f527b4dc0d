/**
 * Which mount a path goes through: the records of one trie, looked up.
 *
 * The longest mountpoint counts, and records alone make mountpoints: visible entries below one are
 * shadowed.
 *
 * @see spec/30-trie.md 3.14 and 6, Q23, Q32 and Q36
 * @module
 */
import { EMPTY } from '../bytes.ts'
import { joinPath, normalizePath, prefixesOf } from './mount-path.ts'
import { decodeMountRecord, MOUNT_FLAGS, RECORDS, type MountRecord } from './mount-record.ts'
import type { GetOptions } from './options.ts'
import type { Trie } from './trie.ts'
import type { WaitOptions } from './trie-log.ts'

/** How a record is looked up. */
export type RecordOptions = WaitOptions & Pick<GetOptions, 'onseq' | 'known'>

/**
 * The record of the longest mountpoint that is `path` or above it, in the version whose newest block is
 * `head`; null for none. Without a record near the path the first lookup is the last.
 */
export async function recordOf(
  trie: Trie,
  head: number,
  path: string,
  options: RecordOptions,
): Promise<MountRecord | null> {
  const near: string[] = []
  for (const prefix of ['', ...prefixesOf(path)]) {
    const key = joinPath(RECORDS, prefix)
    // oxlint-disable-next-line no-await-in-loop -- most often the first answer is the last
    const any = await trie.getAt(head, key, { ...hidden(options), prefix: true })
    if (!any) break
    if (prefix !== '') near.push(prefix)
  }
  for (const prefix of near.toReversed()) {
    // oxlint-disable-next-line no-await-in-loop
    const record = await recordAt(trie, head, prefix, options)
    if (record) return record
  }
  return null
}

/**
 * The record of the mountpoint `path`, or null.
 *
 * @throws TrieError `TRIE_BAD_MOUNT` when it does not decode
 */
export async function recordAt(
  trie: Trie,
  head: number,
  path: string,
  options: RecordOptions,
): Promise<MountRecord | null> {
  const key = joinPath(RECORDS, path)
  const entry = await trie.getAt(head, key, hidden(options))
  if (!entry || entry.key !== key || entry.flags !== MOUNT_FLAGS) return null
  const record = decodeMountRecord(entry.value ?? EMPTY)
  // Where the record stands counts, not what it says of itself.
  return { ...record, localPath: path, remotePath: normalizePath(record.remotePath) }
}

/** Of the options of a lookup, how it waits and who hears of it: the rest is about the visible entry. */
function hidden({ wait, timeout, signal, onseq, known }: RecordOptions): GetOptions {
  return { wait, timeout, signal, onseq, known, hidden: true }
}
