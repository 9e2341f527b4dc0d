/**
 * What changed between two versions of a drive.
 *
 *     left (this drive)   right (the other)   row
 *     entry               none or older       { type: 'put', name, seq, previous?: { seq }, value: Stat }
 *     none                entry               { type: 'del', name, previous: { seq } }
 *     mount point         any                 { type: 'mount', name, value: mount info, previous?: { seq? } }
 *     none                mount point         { type: 'unmount', name, previous: {} }
 *
 * Rows come in the trie's order; names have no leading slash. A deletion writes a neighbour anew, which then shows
 * as put although its value is the same. Mounts are not entered.
 *
 * @see spec/40-drive.md 3.11
 * @module
 */
import type { Readable } from 'node:stream'
import type { MountDiffRow, MountInfo } from '../../trie/index.ts'
import type { DriveContext, ReadOptions } from '../context.ts'
import { inWords } from '../errors.ts'
import { absolute } from '../paths.ts'
import { rowStream } from './row-stream.ts'
import { Stat } from '../entries/stat.ts'

/** One difference. */
export type DiffRow =
  | {
      readonly type: 'put'
      readonly name: string
      /** Block of the metadata log that holds the entry. */
      readonly seq: number
      /** What was there; without a block when that was a mount. */
      readonly previous?: { readonly seq?: number }
      readonly value: Stat
    }
  | { readonly type: 'del'; readonly name: string; readonly previous: { readonly seq?: number } }
  | {
      readonly type: 'mount'
      readonly name: string
      readonly value: MountInfo | null
      /** What was there; without a block when that was a mount. */
      readonly previous?: { readonly seq?: number }
    }
  | { readonly type: 'unmount'; readonly name: string; readonly previous: { readonly seq?: never } }

/** What to compare with: a version, or a drive or checkout, whose version is taken. */
export type OtherVersion = number | { readonly version: number }

/** The differences of this drive from another version of it (default: the empty one), below `prefix`. */
export function createDiffStream(
  context: DriveContext,
  other?: OtherVersion | null,
  prefix = '/',
  options: ReadOptions = {},
): Readable {
  const path = absolute(prefix, context.exact)
  const version = typeof other === 'number' ? other : (other?.version ?? 1)
  return rowStream(context, 'diff', options, (given) => rowsOf(context, version, path, given))
}

async function* rowsOf(
  context: DriveContext,
  version: number,
  path: string,
  options: ReadOptions,
): AsyncGenerator<DiffRow, void, undefined> {
  await context.ready()
  const rows = context.trie.diff(version, path, context.reads(options))
  try {
    for (;;) {
      // One row at a time, as they are asked for.
      // oxlint-disable-next-line no-await-in-loop
      const row = await inWords('diff', path, () => rows.next())
      if (!row) return
      yield rowOf(context, row)
    }
  } finally {
    rows.destroy()
  }
}

function rowOf(context: DriveContext, { type, key, left, right }: MountDiffRow): DiffRow {
  const seq = right && 'seq' in right ? right.seq : undefined
  const previous = seq === undefined ? {} : { seq }
  if (left && 'info' in left) {
    return { type: 'mount', name: key, value: left.info, ...(right ? { previous } : {}) }
  }
  if (!left)
    return type === 'unmount'
      ? { type, name: key, previous: {} }
      : { type: 'del', name: key, previous }
  const value = Stat.decode(left.value ?? new Uint8Array(0), context.now())
  const { seq: at } = left
  return right
    ? { type: 'put', name: key, seq: at, previous, value }
    : { type: 'put', name: key, seq: at, value }
}
