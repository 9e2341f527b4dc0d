/**
 * Pages of one size, by number, made when first needed, with a mark on those to be written.
 *
 * Pages may lie far apart (a peer can prove a log of 2 ** 52 blocks), so they are kept in a map; the
 * one used last is remembered, which is nearly always the next one asked for.
 *
 * @module
 */

/** Bytes of data bits in a page. */
export const DATA_BYTES = 1024
/** Bytes of tree bits in a page. */
export const TREE_BYTES = 2048

/** The pages of one bitfield. */
export class PageSet {
  /** Bytes of one page. */
  readonly pageBytes: number
  /** Bytes of a page that are not bits. */
  readonly indexBytes: number
  readonly #pages = new Map<number, Uint8Array>()
  readonly #dirty = new Set<number>()
  #count = 0
  #lastPage = -1
  #lastBytes: Uint8Array | undefined

  /** @param pageBytes - bytes of every page */
  constructor(pageBytes: number) {
    this.pageBytes = pageBytes
    this.indexBytes = pageBytes - DATA_BYTES - TREE_BYTES
  }

  /** Highest page in memory, plus one. */
  get count(): number {
    return this.#count
  }

  /** Bytes of a page, or `undefined` when it is not in memory. */
  find(page: number): Uint8Array | undefined {
    if (page === this.#lastPage) return this.#lastBytes
    const bytes = this.#pages.get(page)
    if (bytes) {
      this.#lastPage = page
      this.#lastBytes = bytes
    }
    return bytes
  }

  /** Bytes of a page, made of zeros when it is not in memory. */
  make(page: number): Uint8Array {
    const found = this.find(page)
    if (found) return found
    const bytes = new Uint8Array(this.pageBytes)
    this.#keep(page, bytes)
    return bytes
  }

  /** As `make`, and marked for writing. */
  touch(page: number): Uint8Array {
    this.#dirty.add(page)
    return this.make(page)
  }

  /** Take over bytes read from the file, padded with zeros to a whole page. */
  load(page: number, bytes: Uint8Array): void {
    if (bytes.length === this.pageBytes) {
      this.#keep(page, bytes)
      return
    }
    const whole = new Uint8Array(this.pageBytes)
    whole.set(bytes)
    this.#keep(page, whole)
  }

  /** The marked pages, ascending; the marks are taken off. */
  takeDirty(): Array<{ page: number; bytes: Uint8Array }> {
    const pages = [...this.#dirty].toSorted((a, b) => a - b)
    this.#dirty.clear()
    return pages.map((page) => ({ page, bytes: this.make(page) }))
  }

  #keep(page: number, bytes: Uint8Array): void {
    this.#pages.set(page, bytes)
    this.#lastPage = page
    this.#lastBytes = bytes
    if (page >= this.#count) this.#count = page + 1
  }
}
