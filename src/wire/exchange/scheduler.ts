/**
 * Which block to ask of whom next. One scheduler a log, for all its peers.
 *
 * Readers who stand still come first, in the order they came; then the selections take turns, one request
 * each. A range in order is walked by a cursor. A range in any order is asked in runs: a random place, then
 * up to `RUN_BLOCKS` neighbours, which share most of their proofs and are read at once on the other side,
 * while several readers of one swarm still fetch different parts.
 *
 * A source that had nothing to be asked for is not looked at again before it, the wishes or the
 * reservations change, so that the cost is a constant per request and per announcement.
 *
 * @see spec/20-wire.md 3.7
 * @module
 */
import type {
  BlocksWish,
  LengthWish,
  RangeWish,
  SeekWish,
  Selection,
  WaitingWish,
} from '../../log/wish.ts'
import { RemoteBlocks } from './remote-blocks.ts'
import type { RemoteState } from './remote-state.ts'
import type { ReplicatedLog } from './replicated-log.ts'
import type { RequestWindow } from './request-window.ts'
import type { Reservations } from './reservations.ts'

/** Neighbours asked for after a random start. */
export const RUN_BLOCKS = 256
/** Blocks of a seek's span that are looked at for one whose hash is not known. */
const SEEK_PROBES = 4096

/** A peer that can be asked. */
export interface Source {
  readonly remote: RemoteState
  readonly window: RequestWindow
  /** We download, the remote uploads, and its side is open. */
  readonly canAsk: boolean
  /** Ask for a block, a hash, or (with `seek`) for whatever block holds a byte. Reserves it. */
  ask(index: number, hash: boolean, seek: SeekWish | null): void
}

type Log = Pick<
  ReplicatedLog,
  'has' | 'hasNode' | 'nextMissing' | 'length' | 'byteLength' | 'wishes'
>

/** Where the requests for a selection stand. */
interface Cursor {
  at: number
  runEnd: number
  version: number
  changes: number
}

/** Decides; sends by `source.ask`. */
export class Scheduler {
  readonly #log: Log
  readonly #reserved: Reservations
  readonly #random: () => number
  readonly #cursors = new WeakMap<Selection, Cursor>()
  /** Where a length wish was asked for last. */
  readonly #heads = new WeakMap<LengthWish, number>()
  /** The version at which a source had nothing more to be asked for. */
  readonly #dry = new WeakMap<Source, number>()
  /** Blocks cleared here while a selection was on: it does not fetch them again. */
  readonly #cleared = new WeakMap<Selection, RemoteBlocks>()
  #version = 0
  /** How often some source changed. */
  #changes = 0

  /** @param random - a number in [0, 1) */
  constructor(log: Log, reserved: Reservations, random: () => number) {
    this.#log = log
    this.#reserved = reserved
    this.#random = random
  }

  /** Wishes came or went, blocks were cleared, or a reservation was let go without an answer. */
  changed(): void {
    this.#version++
  }

  /**
   * Blocks `[start, end)` were cleared here. Whoever waits for one gets it again (quirk Q-3), as does a later
   * download; those that are on leave it alone, or clearing would be in vain.
   */
  cleared(start: number, end: number): void {
    for (const selection of this.#log.wishes.selections) {
      const cleared = this.#cleared.get(selection) ?? new RemoteBlocks()
      this.#cleared.set(selection, cleared)
      cleared.add(start, end)
    }
    this.changed()
  }

  /** Whether everything of a selection is held, as far as a log of `length` blocks goes. */
  isMet(selection: Selection, length: number): boolean {
    const cleared = this.#cleared.get(selection)
    if (selection.type === 'blocks') {
      return selection.blocks.every((index) => this.#log.has(index) || cleared?.has(index))
    }
    const end = Math.min(selection.end, length)
    return this.#nextLacking(selection, selection.start, end) < 0
  }

  /** This source has other blocks, or does other things, than before. */
  sourceChanged(source: Source): void {
    this.#dry.delete(source)
    this.#changes++
  }

  /** Whether `source` has nothing, right now, that could be asked for in addition. */
  isDry(source: Source): boolean {
    return this.#dry.get(source) === this.#version
  }

  /** Ask `source` for as much as its window takes. Returns whether it has nothing more. */
  schedule(source: Source): boolean {
    if (!source.canAsk) return true
    if (this.isDry(source)) return true
    const waitingDone = this.#askWaiting(source)
    const selectionsDone = this.#askSelections(source)
    if (!waitingDone || !selectionsDone) return false
    this.#dry.set(source, this.#version)
    return true
  }

  /** Whether a reader's wish could be met by `source`. */
  couldMeet(source: Source, wish: WaitingWish | Selection): boolean {
    if (!source.canAsk) return false
    const { blocks, length } = source.remote
    switch (wish.type) {
      case 'block':
        return blocks.has(wish.index)
      case 'length':
        return length >= wish.minLength
      case 'seek':
        return this.#seekProbe(source, wish) >= 0
      case 'range':
        return this.#find(source, wish, wish.start, Math.min(wish.end, length), true) >= 0
      case 'blocks':
        return wish.blocks.some((index) => blocks.has(index) && !this.#log.has(index))
    }
  }

  #askWaiting(source: Source): boolean {
    const { window } = source
    for (const wish of this.#log.wishes.waiting) {
      if (window.size >= window.urgentLimit) return false
      switch (wish.type) {
        case 'block':
          this.#askBlock(source, wish.index)
          break
        case 'length':
          this.#askLength(source, wish)
          break
        case 'seek':
          this.#askSeek(source, wish)
      }
    }
    return true
  }

  #askBlock(source: Source, index: number): boolean {
    if (this.#reserved.hasBlock(index) || !source.remote.blocks.has(index)) return false
    if (this.#log.has(index)) return false
    source.ask(index, false, null)
    return true
  }

  #askLength(source: Source, wish: LengthWish): void {
    const { blocks, length } = source.remote
    if (this.#log.length >= wish.minLength) return
    const head = this.#heads.get(wish)
    if (head !== undefined && this.#isReserved(head, wish.hash)) return
    const wanted = wish.minLength - 1
    const index = blocks.has(wanted) ? wanted : blocks.next(wanted, length)
    if (index < 0 || this.#isReserved(index, wish.hash)) return
    this.#heads.set(wish, index)
    source.ask(index, wish.hash, null)
  }

  #askSeek(source: Source, wish: SeekWish): void {
    if (this.#reserved.hasSeek(wish)) return
    const index = this.#seekProbe(source, wish)
    if (index >= 0) source.ask(index, wish.hash, wish)
  }

  /** A block whose hash would tell more about where the byte is, or -1. */
  #seekProbe(source: Source, wish: SeekWish): number {
    const { blocks, length } = source.remote
    // Beyond what we know of the log only a longer log can hold the byte.
    const beyond = wish.byteOffset >= this.#log.byteLength
    let at = beyond ? Math.max(wish.start, this.#log.length) : wish.start
    const end = Math.min(wish.end, length)
    for (let probes = 0; probes < SEEK_PROBES && at < end; probes++) {
      at = blocks.next(at, end)
      if (at < 0) return -1
      if (!this.#log.hasNode(2 * at) && !this.#reserved.hasHash(at)) return at
      at++
    }
    return -1
  }

  #askSelections(source: Source): boolean {
    const { window } = source
    let active = [...this.#log.wishes.selections]
    if (active.length > 1) {
      const first = Math.floor(this.#random() * active.length)
      active = [...active.slice(first), ...active.slice(0, first)]
    }
    while (active.length > 0) {
      const more: Selection[] = []
      for (const selection of active) {
        if (window.size >= window.limit) return false
        if (this.#askSelection(source, selection)) more.push(selection)
      }
      active = more
    }
    return true
  }

  #askSelection(source: Source, selection: Selection): boolean {
    const cursor = this.#cursorOf(selection)
    if (selection.type === 'blocks') return this.#askList(source, selection, cursor)
    const index = this.#nextInRange(source, selection, cursor)
    if (index < 0) return false
    cursor.at = index + 1
    source.ask(index, selection.hash, null)
    return true
  }

  #nextInRange(source: Source, range: RangeWish, cursor: Cursor): number {
    const limit = Math.min(range.end, source.remote.length)
    if (limit <= range.start) return -1
    const next = this.#find(source, range, cursor.at, Math.min(cursor.runEnd, limit))
    if (next >= 0) return next
    const start = range.linear
      ? range.start
      : range.start + Math.floor(this.#random() * (limit - range.start))
    let index = this.#find(source, range, start, limit)
    if (index < 0) index = this.#find(source, range, range.start, start)
    cursor.runEnd = range.linear ? Infinity : index + RUN_BLOCKS
    return index
  }

  /** The first block of `[start, end)` that `source` has, we lack and (unless told) nobody was asked for. */
  #find(source: Source, range: RangeWish, start: number, end: number, reserved = false): number {
    const { blocks } = source.remote
    let at = start
    while (at < end) {
      at = blocks.next(at, end)
      if (at < 0) return -1
      const missing = this.#nextLacking(range, at, end)
      if (missing < 0) return -1
      if (missing === at) {
        if (reserved || !this.#isReserved(at, range.hash)) return at
        at++
      } else at = missing
    }
    return -1
  }

  /** The first block of `[start, end)` that a range still has to fetch, or -1. */
  #nextLacking(range: RangeWish, start: number, end: number): number {
    const cleared = this.#cleared.get(range)
    for (let at = start; ;) {
      const missing = range.hash ? this.#nextUnknown(at, end) : this.#log.nextMissing(at, end)
      if (missing < 0 || cleared === undefined) return missing
      at = cleared.nextAbsent(missing, end)
      if (at === missing || at < 0) return at
    }
  }

  #nextUnknown(start: number, end: number): number {
    for (let index = start; index < end; index++) if (!this.#log.hasNode(2 * index)) return index
    return -1
  }

  #askList(source: Source, list: BlocksWish, cursor: Cursor): boolean {
    const { blocks } = list
    for (let tried = 0; tried < blocks.length; tried++) {
      const place = cursor.at % blocks.length
      cursor.at = place + 1
      const index = blocks[place] ?? -1
      if (!this.#cleared.get(list)?.has(index) && this.#askBlock(source, index)) return true
    }
    return false
  }

  #cursorOf(selection: Selection): Cursor {
    let cursor = this.#cursors.get(selection)
    if (cursor === undefined) {
      cursor = { at: 0, runEnd: 0, version: this.#version, changes: this.#changes }
      this.#cursors.set(selection, cursor)
    }
    // What was let go, or is had by somebody now, may lie behind the cursor. A run goes on over the former.
    const ordered = selection.type === 'blocks' || selection.linear
    if (cursor.changes !== this.#changes || (ordered && cursor.version !== this.#version)) {
      cursor.at = 0
      cursor.runEnd = 0
    }
    cursor.version = this.#version
    cursor.changes = this.#changes
    return cursor
  }

  #isReserved(index: number, hash: boolean): boolean {
    return hash ? this.#reserved.hasHash(index) : this.#reserved.hasBlock(index)
  }
}
