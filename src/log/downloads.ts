/**
 * Downloads that nobody stands still for: ranges and lists of blocks to hold.
 *
 * A selection is met once the log is long enough and holds all of it; that is noticed at once, with or
 * without peers. Each keeps a cursor at the first block it lacks, so looking again costs one bit.
 *
 * @see spec/10-log.md 3.12
 * @module
 */
import { assertIndex, forkError } from './core.ts'
import type { Core } from './core.ts'
import { LogError, LogUnavailableError, closedError } from './errors.ts'
import type { Guard } from './guard.ts'
import type { DownloadRange } from './options.ts'
import { abortReason } from './waiting.ts'
import type { Patience } from './waiting.ts'
import type { BlocksWish, RangeWish, Selection } from './wish.ts'

/** A download that goes on. */
export interface Download {
  /** The wish as the replicator sees it. */
  readonly wish: Selection
  /** Resolves once everything is held; rejects with `ECANCELED` or `LOG_CLOSED`. */
  readonly done: Promise<void>
  /** Give up what is not held yet. Idempotent. */
  destroy(): void
}

interface Entry {
  readonly download: Download
  /** Place of the first block lacking: in the range, or in the list. */
  cursor: number
  /** Blocks `[start, end)` that were cleared meanwhile: these are left alone. */
  readonly cleared: [start: number, end: number][]
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
  readonly onlyPeers: boolean
  readonly since: number
  /** Forget timer and listener. */
  leave: () => void
}

/** How long a download goes on. */
export interface DownloadPatience extends Patience {
  /** Not at all: what is not held is an error. */
  readonly never: boolean
}

const FOR_EVER: DownloadPatience = { never: false, onlyPeers: false, timeout: 0, signal: undefined }

/** The downloads of one log. */
export class Downloads {
  readonly #core: Core
  readonly #changed: () => void
  readonly #entries = new Map<Selection, Entry>()
  readonly #selections = new Set<Selection>()
  readonly #guard: Guard
  #judging = false

  /** @param changed - called when a selection comes or goes; @param guard - tells when no answer is due */
  constructor(core: Core, changed: () => void, guard: Guard) {
    this.#core = core
    this.#changed = changed
    this.#guard = guard
  }

  /** What is wanted, in order of asking. */
  get selections(): ReadonlySet<Selection> {
    return this.#selections
  }

  /**
   * Begin a download.
   *
   * @param range - a block, a list of blocks, a range; nothing for everything there is and will be
   * @throws RangeError for what is no block or range
   */
  add(
    range: DownloadRange | readonly number[] | number | null = null,
    patience: DownloadPatience = FOR_EVER,
  ): Download {
    const wish = wishOf(range)
    let resolve = (): void => undefined
    let reject = (_error: unknown): void => undefined
    const done = new Promise<void>((onmet, onfailed) => {
      resolve = onmet
      reject = onfailed
    })
    // Whoever does not look at `done` does not have to handle it either.
    done.catch(() => undefined)
    const download: Download = { wish, done, destroy: () => this.#remove(wish) }
    const cursor = wish.type === 'range' ? wish.start : 0
    const { onlyPeers, signal } = patience
    const since = this.#core.timers.now()
    const leave = (): void => undefined
    const entry: Entry = {
      download,
      cursor,
      cleared: [],
      resolve,
      reject,
      onlyPeers,
      since,
      leave,
    }
    if (this.#core.closed) {
      reject(closedError())
      return download
    }
    const { fork } = this.#core
    if (fork && spanOf(wish)[1] > fork.commonLength) {
      // What is held of it is all there will be.
      if (this.#isMet(entry)) resolve()
      else reject(forkError(fork))
      return download
    }
    if (patience.never || signal?.aborted) {
      if (this.#isMet(entry)) resolve()
      else if (signal?.aborted) reject(abortReason(signal))
      else reject(new LogError('LOG_NOT_HELD', 'not all of these blocks are here'))
      return download
    }
    this.#entries.set(wish, entry)
    this.#selections.add(wish)
    if (this.#finish(entry)) return download
    this.#limit(entry, patience)
    this.#changed()
    if (onlyPeers) this.peersChanged()
    return download
  }

  /** Peers came, left, or have other blocks: judge downloads that go on only while they may help. */
  peersChanged(): void {
    if (this.#judging) return
    for (const { onlyPeers } of this.#entries.values()) {
      if (!onlyPeers) continue
      this.#judging = true
      void this.#judge()
      return
    }
  }

  /** Give up a download by its handle, or the first one equal to a range. */
  remove(what: Download | DownloadRange): void {
    const wish = isDownload(what) ? what.wish : this.#find(wishOf(what))
    if (wish) this.#remove(wish)
  }

  /** Give up every download that lies inside `[start, end)`. */
  cancel(start: number, end: number): void {
    for (const wish of this.#entries.keys()) {
      const [first, last] = spanOf(wish)
      if (first >= start && last <= end) this.#remove(wish)
    }
  }

  /** Beyond `end` nothing is fetched any more: downloads that go on there are given up. */
  forked(end: number, error: LogError): void {
    for (const wish of this.#entries.keys()) if (spanOf(wish)[1] > end) this.#remove(wish, error)
  }

  /** Blocks were stored, or the log grew: finish what is met. */
  stored(): void {
    for (const entry of this.#entries.values()) this.#finish(entry)
    this.peersChanged()
  }

  /**
   * Blocks `[start, end)` were cleared. Downloads that are on leave them alone, or clearing would be in vain; the
   * replicator does not ask for them either.
   */
  cleared(start: number, end: number): void {
    this.lost(start)
    for (const entry of this.#entries.values()) {
      // What has no end is never met, whatever it lacks.
      if (spanOf(entry.download.wish)[1] === Infinity) continue
      entry.cleared.push([start, end])
      this.#finish(entry)
    }
  }

  /** Blocks from `start` on may not be held any more: look from there again. */
  lost(start: number): void {
    for (const entry of this.#entries.values()) {
      const { wish } = entry.download
      if (wish.type === 'blocks') entry.cursor = 0
      else if (entry.cursor > start) entry.cursor = Math.max(start, wish.start)
    }
  }

  /** The log closes: end all. */
  close(): void {
    for (const entry of [...this.#entries.values()].toReversed()) {
      this.#entries.delete(entry.download.wish)
      this.#selections.delete(entry.download.wish)
      entry.leave()
      entry.reject(closedError())
    }
  }

  #finish(entry: Entry): boolean {
    const { wish } = entry.download
    if (!this.#isMet(entry)) return false
    this.#entries.delete(wish)
    this.#selections.delete(wish)
    entry.leave()
    entry.resolve()
    this.#changed()
    return true
  }

  #isMet(entry: Entry): boolean {
    const { wish } = entry.download
    return wish.type === 'range' ? this.#isRangeMet(wish, entry) : this.#isListMet(wish, entry)
  }

  #isRangeMet(wish: RangeWish, entry: Entry): boolean {
    const { bitfield, length } = this.#core
    if (wish.hash) {
      const end = Math.min(wish.end, length)
      while (entry.cursor < end && bitfield.hasNode(2 * entry.cursor)) entry.cursor++
      return entry.cursor >= wish.end
    }
    // Past the length nothing is held, so an open range stops there.
    const end = Math.min(wish.end, length + 1)
    while (entry.cursor < wish.end) {
      const isHeld = bitfield.has(entry.cursor)
      const missing = isHeld ? bitfield.nextMissing(entry.cursor, end) : entry.cursor
      const cleared = missing < 0 ? undefined : clearedAt(entry, missing)
      entry.cursor = missing < 0 ? end : (cleared?.[1] ?? missing)
      if (!cleared) break
    }
    return entry.cursor >= wish.end
  }

  #isListMet(wish: BlocksWish, entry: Entry): boolean {
    for (let block = wish.blocks[entry.cursor]; block !== undefined;) {
      if (!this.#core.bitfield.has(block) && !clearedAt(entry, block)) return false
      block = wish.blocks[++entry.cursor]
    }
    return true
  }

  #remove(
    wish: Selection,
    reason: unknown = new LogError('ECANCELED', 'the download was cancelled'),
  ): void {
    const entry = this.#entries.get(wish)
    if (!entry) return
    this.#entries.delete(wish)
    this.#selections.delete(wish)
    entry.leave()
    entry.reject(reason)
    this.#changed()
  }

  #limit(entry: Entry, { timeout, signal }: DownloadPatience): void {
    const { wish } = entry.download
    const abort = (): void => this.#remove(wish, abortReason(signal))
    const expire = (): void => {
      const message = `the download did not end in ${timeout} ms`
      this.#remove(wish, new LogError('ETIMEDOUT', message))
    }
    const forget = timeout > 0 ? this.#core.timers.set(expire, timeout, true) : null
    signal?.addEventListener('abort', abort, { once: true })
    entry.leave = () => {
      forget?.()
      signal?.removeEventListener('abort', abort)
    }
  }

  async #judge(): Promise<void> {
    await this.#guard.idle()
    this.#judging = false
    const { replicator, timers } = this.#core
    for (const { download, onlyPeers, since } of this.#entries.values()) {
      if (!onlyPeers || replicator?.canMeet(download.wish)) continue
      const peers = replicator?.peers.length ?? 0
      const waitedMs = Math.round(timers.now() - since)
      this.#remove(
        download.wish,
        new LogUnavailableError('the rest of a download', peers, waitedMs),
      )
    }
  }

  #find(range: Selection): Selection | undefined {
    for (const wish of this.#entries.keys()) {
      if (wish.type !== 'range' || range.type !== 'range') continue
      const sameSpan = wish.start === range.start && wish.end === range.end
      if (sameSpan && wish.linear === range.linear && wish.hash === range.hash) return wish
    }
    return undefined
  }
}

/** A download asked for before the log is open: it begins once it is. */
export function laterDownload(
  opening: Promise<Downloads>,
  range: DownloadRange | readonly number[] | number | null,
  patience: DownloadPatience,
): Download {
  let begun: Download | null = null
  let destroyed = false
  const done = opening.then((downloads) => {
    begun = downloads.add(range, patience)
    if (destroyed) begun.destroy()
    return begun.done
  })
  done.catch(() => undefined) // as in `add`
  return {
    wish: wishOf(range),
    done,
    destroy() {
      destroyed = true
      begun?.destroy()
    },
  }
}

function isDownload(what: Download | DownloadRange): what is Download {
  return 'done' in what
}

function spanOf(wish: Selection): [start: number, end: number] {
  if (wish.type === 'range') return [wish.start, wish.end]
  let first = Infinity
  let last = -1
  for (const block of wish.blocks) {
    first = Math.min(first, block)
    last = Math.max(last, block)
  }
  return [first, last + 1]
}

function wishOf(range: DownloadRange | readonly number[] | number | null): Selection {
  if (range === null) return wishOf({})
  if (typeof range === 'number') return wishOf({ start: range, end: range + 1 })
  if (isList(range)) return wishOf({ blocks: range })
  if (range.blocks) {
    for (const block of range.blocks) assertIndex(block)
    return { type: 'blocks', blocks: [...new Set(range.blocks)] }
  }
  const start = range.start ?? 0
  assertIndex(start)
  // An end of 0, like a negative one, means that there is none.
  const end = range.end !== undefined && range.end > 0 ? range.end : Infinity
  if (end !== Infinity) assertIndex(end)
  return { type: 'range', start, end, linear: range.linear ?? false, hash: range.hash ?? false }
}

function isList(range: DownloadRange | readonly number[]): range is readonly number[] {
  return Array.isArray(range)
}

/** The cleared blocks that `index` is one of. */
function clearedAt(
  { cleared }: Entry,
  index: number,
): readonly [start: number, end: number] | undefined {
  return cleared.find(([start, end]) => index >= start && index < end)
}
