/**
 * How far a transfer is, how fast it goes, and when it may be done.
 *
 * Pure: the clock is an argument. The rate is that of the last few seconds, so that a pause shows and a slow start is
 * forgotten:
 *
 *     marks   |----|----|----|----|  now      one each 250 ms, none older than 5 s
 *             ^ oldest: rate = bytes since then / time since then
 *
 * @module
 */

/** How far a transfer is. The totals grow while a directory is still being listed. */
export interface Progress {
  /** Files done, of those there are. */
  readonly files: number
  readonly totalFiles: number
  /** Blocks done, of those the files have. */
  readonly blocks: number
  readonly totalBlocks: number
  /** Bytes done, and of all files. Blocks count as they come; those that were there at the start count as done. */
  readonly bytes: number
  readonly totalBytes: number
  /** Whether the totals are final: all that is to be done has been looked up. */
  readonly isTotalKnown: boolean
  /** Bytes that came in a second, lately; 0 before any came. */
  readonly bytesPerSecond: number
  /** Milliseconds until all is done at that rate; null while that cannot be told. */
  readonly msLeft: number | null
}

/** What can be counted. */
export type Counts = Pick<Progress, 'files' | 'blocks' | 'bytes'>

const MARK_MS = 250
const WINDOW_MS = 5000

/** Counts of one transfer. */
export class Tally {
  #files = 0
  #totalFiles = 0
  #blocks = 0
  #totalBlocks = 0
  #bytes = 0
  #totalBytes = 0
  #isTotalKnown = false
  /** Bytes that were moved, without those that were there before. */
  #moved = 0
  #lastAt = 0
  #marks: { readonly at: number; readonly moved: number }[] = []
  readonly #now: () => number
  readonly #changed: () => void

  /** @param now - milliseconds, never going back; @param changed - called after each change */
  constructor(now: () => number, changed: () => void = () => undefined) {
    this.#now = now
    this.#changed = changed
    this.#marks.push({ at: now(), moved: 0 })
  }

  /** There is more to do. */
  expect({ files = 0, blocks = 0, bytes = 0 }: Partial<Counts>): void {
    this.#totalFiles += files
    this.#totalBlocks += blocks
    this.#totalBytes += bytes
    this.#changed()
  }

  /** Nothing more will be expected. */
  expectNoMore(): void {
    this.#isTotalKnown = true
    this.#changed()
  }

  /** Some of it was done before the transfer began: it counts for how far it is, not for how fast. */
  skip(counts: Partial<Counts>): void {
    this.#count(counts)
    this.#changed()
  }

  /** Some of it was done now. */
  add(counts: Partial<Counts>): void {
    this.#count(counts)
    this.#moved += counts.bytes ?? 0
    this.#mark()
    this.#changed()
  }

  /** How far it is, now. */
  get progress(): Progress {
    const rate = this.#rate()
    const left = this.#totalBytes - this.#bytes
    const isDone = left <= 0 && this.#files >= this.#totalFiles
    const estimate = rate > 0 ? Math.round((left / rate) * 1000) : null
    return {
      files: this.#files,
      totalFiles: this.#totalFiles,
      blocks: this.#blocks,
      totalBlocks: this.#totalBlocks,
      bytes: this.#bytes,
      totalBytes: this.#totalBytes,
      isTotalKnown: this.#isTotalKnown,
      bytesPerSecond: Math.round(rate),
      msLeft: this.#isTotalKnown ? (isDone ? 0 : estimate) : null,
    }
  }

  #count({ files = 0, blocks = 0, bytes = 0 }: Partial<Counts>): void {
    this.#files += files
    this.#blocks += blocks
    this.#bytes += bytes
  }

  #mark(): void {
    const at = this.#now()
    this.#lastAt = at
    const last = this.#marks.at(-1)
    if (last && at - last.at < MARK_MS) return
    this.#marks.push({ at, moved: this.#moved })
    while (this.#marks.length > 2 && at - (this.#marks[0]?.at ?? at) > WINDOW_MS)
      this.#marks.shift()
  }

  /** Bytes a second since the oldest mark. */
  #rate(): number {
    const now = this.#now()
    if (now - this.#lastAt >= WINDOW_MS) return 0
    const oldest = this.#marks.findLast(({ at }) => now - at >= WINDOW_MS) ?? this.#marks[0]
    if (!oldest || now <= oldest.at) return 0
    return ((this.#moved - oldest.moved) / (now - oldest.at)) * 1000
  }
}
