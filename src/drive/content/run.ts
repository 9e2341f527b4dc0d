/**
 * Where the bytes of a file lie: a run of blocks in a content log.
 *
 *     content log   … | block start | … | block end - 1 | …
 *                     ^ byteOffset: bytes of the log before the run       `size` bytes in all
 *
 * The numbers of a stored entry come from whoever wrote the drive, so nothing is read outside the run, and no more
 * than `size` bytes.
 *
 * @see spec/40-drive.md 2.4, 3.6 and quirks Q8, Q9, Q22
 * @module
 */
import type { Log } from '../../log/index.ts'
import type { DriveContext, Reads } from '../context.ts'
import { DriveError } from '../errors.ts'
import type { Entry } from '../entries/lookup.ts'
import type { Stat } from '../entries/stat.ts'

/** Bytes read from the log at a time, about, and blocks at most. */
const GROUP_BYTES = 1024 * 1024
const GROUP_BLOCKS = 1024

/** The blocks of one file. */
export interface Run {
  readonly log: Log
  /** First block, and the one past the last. */
  readonly start: number
  readonly end: number
  /** Bytes of the log before block `start`. */
  readonly byteOffset: number
  /** Bytes of the file. */
  readonly size: number
}

/** Where the bytes of `entry` lie, or null when it has none: then no content log is needed. */
export async function runOf(
  context: DriveContext,
  { stat, trie }: Pick<Entry, 'stat' | 'trie'>,
  reads: Reads,
): Promise<Run | null> {
  if (stat.mount?.hypercore) return wholeLog(context, stat.mount.key, reads)
  return stat.blocks === 0 ? null : runIn(await context.contents.of(trie, reads), stat)
}

/** The run of `stat` in its content log, which may be remote: its numbers are not trusted. */
export function runIn(log: Log, { offset, blocks, byteOffset, size }: Stat): Run {
  const end = offset + blocks
  if (!Number.isSafeInteger(end) || !Number.isSafeInteger(byteOffset + size)) {
    throw new DriveError('DRIVE_BAD_STAT', { reason: 'blocks past 2 ** 53' })
  }
  return { log, start: offset, end, byteOffset, size }
}

/** A mounted plain log as a file: all it holds now, not what it held when it was mounted. */
async function wholeLog(
  context: DriveContext,
  key: Uint8Array,
  { wait, timeout, signal }: Reads,
): Promise<Run | null> {
  const log = await context.openLog(key)
  context.contents.watch(log)
  if (!log.writable && wait !== false) {
    // Without news from anybody, what is known here is the file.
    await log.update({ ifAvailable: true, timeout, signal }).catch(() => signal.throwIfAborted())
  }
  if (log.length === 0) return null
  return { log, start: 0, end: log.length, byteOffset: 0, size: log.byteLength }
}

/**
 * The bytes `[start, start + length)` of a run, block by block, the first and last one cut. What lies past the end
 * is left out. What is not here is fetched in order, ahead of the reader; that ends with the iteration.
 *
 * @yields views of the blocks
 * @throws {@link DriveError} `EIO` when the run does not hold the byte it should
 */
export async function* readBlocks(
  run: Run,
  start: number,
  length: number,
  reads: Reads,
): AsyncGenerator<Uint8Array, void, undefined> {
  let left = Math.min(length, run.size - start)
  if (left <= 0 || run.start >= run.end) return
  const { log } = run
  let { index, skip } = await locate(run, start, reads)
  // Blocks of one file mostly have one size, so this tells about how many hold what is wanted.
  const average = Math.max(1, run.size / (run.end - run.start))
  const blocksOf = (bytes: number): number => Math.ceil(bytes / average)
  const isRest = left === run.size - start
  const last = isRest ? run.end : Math.min(run.end, index + blocksOf(skip + left) + 1)
  const ahead = fetchAhead(log, index, last)
  const most = Math.min(GROUP_BLOCKS, Math.max(1, Math.floor(GROUP_BYTES / average)))
  try {
    while (left > 0 && index < run.end) {
      const groupEnd = Math.min(run.end, index + Math.min(most, blocksOf(skip + left)))
      // A group is read when it is asked for: a slow reader holds no memory, and one who stops fetches no more.
      // oxlint-disable-next-line no-await-in-loop
      for (const block of await readGroup(log, index, groupEnd, reads)) {
        const piece = block.subarray(skip, skip + left)
        skip = Math.max(0, skip - block.length)
        left -= piece.length
        index++
        if (piece.length > 0) yield piece
        if (left === 0) break
      }
    }
  } finally {
    ahead?.destroy()
  }
}

/** The block that holds byte `position` of the file, and how many bytes of it come before. */
export async function locate(
  { log, start, end, byteOffset }: Run,
  position: number,
  reads: Reads,
): Promise<{ readonly index: number; readonly skip: number }> {
  if (position === 0) return { index: start, skip: 0 }
  const { index, offset } = await log.seek(byteOffset + position, { ...reads, start, end })
  if (index >= start && index < end) return { index, skip: offset }
  throw new DriveError('EIO', {
    syscall: 'read',
    reason: `byte ${position} is in no block of the file`,
  })
}

/** Blocks `[start, end)` in one read when all are here, else the first of them. */
async function readGroup(
  log: Log,
  start: number,
  end: number,
  reads: Reads,
): Promise<readonly Uint8Array[]> {
  if (end - start > 1 && log.has(start, end)) return log.readBlocks(start, end)
  return [await log.get(start, { ...reads, valueEncoding: 'binary' })]
}

function fetchAhead(log: Log, start: number, end: number): { destroy(): void } | null {
  if (end - start <= 1 || log.has(start, end)) return null
  const handle = log.download({ start, end, linear: true })
  // Whoever reads is told by the read itself; this only runs ahead of it.
  handle.done.catch(() => undefined)
  return handle
}
