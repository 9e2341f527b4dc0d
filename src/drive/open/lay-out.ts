/**
 * Making one run of blocks of the segments of a file, which is what an entry can name.
 *
 *     all of one run                 nothing is written: it is the run
 *     a run that ends the log, more  the rest is appended to it
 *     the first blocks of a run      nothing is written: fewer blocks
 *     anything else                  all of it is written anew, in a stream; holes as blocks of zeros
 *
 * The format has no holes: the content log is one row of bytes, and a file is a piece of it.
 *
 * @see spec/40-drive.md 2.4
 * @module
 */
import type { Log } from '../../log/index.ts'
import { allocUnsafe } from '../../bytes.ts'
import { Chunker, JOIN_BYTES } from '../content/chunker.ts'
import { MAX_BLOCK_BYTES } from './constants.ts'
import { endsLog } from '../content/content.ts'
import type { Reads } from '../context.ts'
import { RunReaders } from '../content/run-readers.ts'
import { type Run, locate, readBlocks } from '../content/run.ts'
import type { Segment } from './segments.ts'

/** Bytes that are appended together, about. */
const APPEND_BYTES = 2 * 1024 * 1024
/** Runs whose small pieces are read in turns; each keeps one block, of 64 KiB mostly and 512 KiB at most. */
const KEPT_READERS = 32

/**
 * One run that holds the segments; null when they hold nothing. The content log must not be written by anybody else.
 *
 * @param segments - in order, from byte 0 on
 */
export async function layOut(
  content: Log,
  segments: readonly Segment[],
  reads: Reads,
): Promise<Run | null> {
  const [first, ...rest] = segments
  if (!first) return null
  const run = startOf(first)
  if (run && rest.length === 0) {
    if (first.length === run.size) return run
    const { index, skip } = await locate(run, first.length, reads)
    if (skip === 0) return { ...run, end: index, size: first.length }
  }
  if (run && first.length === run.size && endsLog(run, content)) {
    const { size } = await append(content, rest, reads)
    return { ...run, end: content.length, size: run.size + size }
  }
  return append(content, segments, reads)
}

/** Append segments to the log, as a run of their own. */
export async function append(
  content: Log,
  segments: readonly Segment[],
  reads: Reads,
): Promise<Run> {
  const { length: start, byteLength: byteOffset } = content
  const chunker = new Chunker()
  let blocks: Uint8Array[] = []
  let waiting = 0
  const send = async (): Promise<void> => {
    if (blocks.length > 0) await content.append(blocks)
    blocks = []
    waiting = 0
  }
  const readers = new RunReaders(KEPT_READERS)
  try {
    for (const segment of segments) {
      // In order, and no more than a few pieces at a time.
      // oxlint-disable-next-line no-await-in-loop
      for await (const piece of piecesOf(segment, readers, reads)) {
        blocks.push(...chunker.push(piece))
        waiting += piece.length
        if (waiting >= APPEND_BYTES) await send()
      }
    }
  } finally {
    readers.close()
  }
  blocks.push(...chunker.flush())
  await send()
  return {
    log: content,
    start,
    end: content.length,
    byteOffset,
    size: content.byteLength - byteOffset,
  }
}

/** The run that a segment begins with, from its first byte on. */
function startOf(segment: Segment): Run | null {
  return segment.type === 'run' && segment.skip === 0 ? segment.run : null
}

/** The bytes of a segment, a few at a time. */
function piecesOf(
  segment: Segment,
  readers: RunReaders,
  reads: Reads,
): Iterable<Uint8Array | Promise<Uint8Array>> | AsyncIterable<Uint8Array> {
  switch (segment.type) {
    case 'bytes':
      return [segment.bytes]
    case 'zeros':
      return zeros(segment.length)
    case 'run': {
      const { run, skip, length } = segment
      return length < JOIN_BYTES ? [small(run, skip, length)] : readBlocks(run, skip, length, reads)
    }
  }
  /** A part of a block, mostly: the next is likely to be of the same one. */
  async function small(run: Run, skip: number, length: number): Promise<Uint8Array> {
    const out = allocUnsafe(length)
    return out.subarray(0, await readers.read(run, skip, out, reads))
  }
}

/** @yields that many zeros */
function* zeros(length: number): Generator<Uint8Array, void, undefined> {
  const block = new Uint8Array(Math.min(length, MAX_BLOCK_BYTES))
  for (let left = length; left > 0; left -= block.length) yield block.subarray(0, left)
}
