/**
 * What was written to a drive's metadata log, block by block.
 *
 * Hidden entries (tags, mount records) are among them, and a deletion shows as the neighbour that it wrote anew.
 *
 * @see spec/40-drive.md 3.11 and quirk Q50
 * @module
 */
import type { Readable } from 'node:stream'
import { asBuffer } from '../../bytes.ts'
import type { HistoryOptions, MountHistoryRow, MountInfo } from '../../trie/index.ts'
import type { DriveContext } from '../context.ts'
import { inWords } from '../errors.ts'
import { rowStream } from './row-stream.ts'

/** One block of the metadata log. */
export type HistoryRow =
  | { readonly type: 'put'; readonly node: HistoryNode }
  | { readonly type: 'mount'; readonly info: MountInfo }

/** An entry as it was written. */
export interface HistoryNode {
  /** Path without the leading slash, or the name of a hidden entry. */
  readonly key: string
  /** Bytes of the value: of a visible entry, an encoded Stat. */
  readonly value: Buffer | null
  /** Block of the metadata log. */
  readonly seq: number
  readonly flags: number
  readonly hidden: boolean
}

/** The blocks of the metadata log in order: from `gte` to `lte`, or `reverse`, or without end when `live`. */
export function createHistoryStream(context: DriveContext, options: HistoryOptions = {}): Readable {
  return rowStream(context, 'history', options, (given) => rowsOf(context, given))
}

async function* rowsOf(
  context: DriveContext,
  options: HistoryOptions,
): AsyncGenerator<HistoryRow, void, undefined> {
  await context.ready()
  const rows = context.trie.history({ ...options, ...context.reads(options) })
  try {
    for (;;) {
      // One row at a time, as they are asked for.
      // oxlint-disable-next-line no-await-in-loop
      const row = await inWords('history', undefined, () => rows.next())
      if (!row) return
      yield rowOf(row)
    }
  } finally {
    rows.destroy()
  }
}

function rowOf(row: MountHistoryRow): HistoryRow {
  if (row.type === 'mount') return row
  const { key, value, seq, flags, hidden } = row.node
  return { type: 'put', node: { key, value: value && asBuffer(value), seq, flags, hidden } }
}
