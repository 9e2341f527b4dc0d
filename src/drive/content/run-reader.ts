/**
 * Reading a file at any position: the blocks of its run, found by the log's byte seek and then followed.
 *
 *     file      |--- block 7 ---|- block 8 -|------ block 9 ------|
 *     cursor                    ^ start     ^ after the last read: block 9 starts here
 *
 * The last block read is kept, so that small reads in a row fetch each block once. Reads that run at the same time
 * do not disturb each other: a cursor is replaced, never changed.
 *
 * @see spec/40-drive.md 3.7, read
 * @module
 */
import type { Download } from '../../log/index.ts'
import type { Reads } from '../context.ts'
import { type Run, locate } from './run.ts'

/** Where block `index` begins in the file, and the block when it was fetched. */
interface Cursor {
  readonly index: number
  readonly start: number
  readonly block: Uint8Array | null
}

/** Reads of one file; made for a descriptor, and closed with it. */
export class RunReader {
  readonly #run: Run | null
  #cursor: Cursor
  /** Fetches the rest of the run while it is read. */
  #ahead: Download | null = null

  /** @param run - where the bytes lie; null for none */
  constructor(run: Run | null) {
    this.#run = run
    this.#cursor = { index: run?.start ?? 0, start: 0, block: null }
  }

  /**
   * Fill `out` with the bytes from `position` on.
   *
   * @returns how many there were: fewer than asked for only at the end of the file, 0 from there on
   */
  async read(position: number, out: Uint8Array, reads: Reads): Promise<number> {
    const run = this.#run
    const wanted = run ? Math.min(out.length, run.size - position) : 0
    if (!run || wanted <= 0) return 0
    let cursor = await this.#locate(run, position, reads)
    let at = 0
    while (at < wanted && cursor.index < run.end) {
      const { index, start } = cursor
      // One after the other: each block says where the next begins.
      // oxlint-disable-next-line no-await-in-loop
      const block = cursor.block ?? (await run.log.get(index, reads))
      const from = position + at - start
      const piece = block.subarray(from, from + wanted - at)
      out.set(piece, at)
      at += piece.length
      const isUsedUp = from + piece.length >= block.length
      cursor = isUsedUp
        ? { index: index + 1, start: start + block.length, block: null }
        : { index, start, block }
    }
    this.#cursor = cursor
    return at
  }

  /** Stop fetching ahead. */
  close(): void {
    this.#ahead?.destroy()
    this.#ahead = null
  }

  async #locate(run: Run, position: number, reads: Reads): Promise<Cursor> {
    const cursor = this.#cursor
    const reach = cursor.start + (cursor.block?.length ?? 0)
    if (position === cursor.start || (position > cursor.start && position < reach)) {
      if (!this.#ahead) this.#fetchFrom(run, cursor.index)
      return cursor
    }
    const { index, skip } = await locate(run, position, reads)
    this.#fetchFrom(run, index)
    return { index, start: position - skip, block: null }
  }

  #fetchFrom({ log, end }: Run, index: number): void {
    this.close()
    if (log.writable || log.downloaded(index, end) === end - index) return
    this.#ahead = log.download({ start: index, end, linear: true })
    // Whoever reads is told by the read itself; this only runs ahead of it.
    this.#ahead.done.catch(() => {})
  }
}
