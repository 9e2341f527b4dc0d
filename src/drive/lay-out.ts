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
import type { Log } from '../log/index.ts'
import { Chunker } from './chunker.ts'
import { MAX_BLOCK_BYTES } from './constants.ts'
import { endsLog } from './content.ts'
import type { Reads } from './context.ts'
import { type Run, locate, readBlocks } from './run.ts'
import type { Segment } from './segments.ts'

/** Bytes that are appended together, about. */
const APPEND_BYTES = 2 * 1024 * 1024

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
  for (const segment of segments) {
    for await (const piece of piecesOf(segment, reads)) {
      blocks.push(...chunker.push(piece))
      waiting += piece.length
      if (waiting >= APPEND_BYTES) await send()
    }
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

/** @yields the bytes of a segment, a few at a time */
async function* piecesOf(
  segment: Segment,
  reads: Reads,
): AsyncGenerator<Uint8Array, void, undefined> {
  switch (segment.type) {
    case 'bytes':
      yield segment.bytes
      return
    case 'run':
      yield* readBlocks(segment.run, segment.skip, segment.length, reads)
      return
    case 'zeros': {
      const zeros = new Uint8Array(Math.min(segment.length, MAX_BLOCK_BYTES))
      for (let left = segment.length; left > 0; left -= zeros.length) {
        yield zeros.subarray(0, left)
      }
    }
  }
}
