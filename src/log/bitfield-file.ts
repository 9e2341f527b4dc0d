/**
 * Writing the pages of a bitfield to its file, joined and one flush at a time.
 *
 * @see spec/10-log.md 2.6 and 3.5
 * @module
 */
import { concat } from '../bytes.ts'
import type { RandomAccess } from '../storage/random-access.ts'
import type { Bitfield } from './bitfield.ts'
import { HEADER_BYTES } from './header.ts'

/** Pages read at once when opening. */
const CHUNK_PAGES = 64

/** The `bitfield` file of one bitfield. */
export class BitfieldFile {
  readonly #file: RandomAccess
  readonly #bitfield: Bitfield
  /** Pages written since somebody asked. */
  #written = new Set<number>()
  #running: Promise<void> | null = null
  #next: Promise<void> | null = null

  /** @param bitfield - whose pages it keeps */
  constructor(file: RandomAccess, bitfield: Bitfield) {
    this.#file = file
    this.#bitfield = bitfield
  }

  /**
   * Read every page of the file into the bitfield; a page cut short is padded with zeros.
   *
   * @param byteLength - bytes in the file
   */
  async load(byteLength: number): Promise<void> {
    const { pageBytes } = this.#bitfield
    const count = Math.ceil(Math.max(0, byteLength - HEADER_BYTES) / pageBytes)
    for (let page = 0; page < count; page += CHUNK_PAGES) {
      const at = HEADER_BYTES + page * pageBytes
      const length = Math.min(CHUNK_PAGES * pageBytes, byteLength - at)
      // oxlint-disable-next-line no-await-in-loop
      const bytes = await this.#file.read(at, length)
      for (let i = 0; i * pageBytes < length; i++) {
        this.#bitfield.load(page + i, bytes.subarray(i * pageBytes, (i + 1) * pageBytes))
      }
    }
  }

  /** Write what changed. Calls while one runs share the flush that follows it. */
  flush(): Promise<void> {
    if (!this.#running) {
      this.#running = this.#write().finally(() => {
        this.#running = null
      })
      return this.#running
    }
    this.#next ??= this.#running
      .catch(ignore) // its own callers hear of it
      .then(() => {
        this.#next = null
        return this.flush()
      })
    return this.#next
  }

  /** Pages that were written since the last call. */
  takeWritten(): ReadonlySet<number> {
    const written = this.#written
    this.#written = new Set()
    return written
  }

  /** Give back what `takeWritten` gave. */
  putBack(pages: Iterable<number>): void {
    for (const page of pages) this.#written.add(page)
  }

  async #write(): Promise<void> {
    const pages = this.#bitfield.takeDirty()
    for (const { page } of pages) this.#written.add(page)
    const writes: Array<Promise<void>> = []
    for (let start = 0; start < pages.length;) {
      const first = pages[start]
      /* c8 ignore next: start is below the length */
      if (!first) break
      let end = start + 1
      while (pages[end]?.page === first.page + (end - start)) end++
      const run = pages.slice(start, end).map((page) => page.bytes)
      const at = HEADER_BYTES + first.page * this.#bitfield.pageBytes
      writes.push(this.#file.write(at, run.length === 1 ? first.bytes : concat(run)))
      start = end
    }
    try {
      await Promise.all(writes)
    } catch (error) {
      for (const { page } of pages) this.#bitfield.markDirty(page)
      throw error
    }
  }
}

function ignore(): void {
  // Nothing to do: see where it is used.
}
