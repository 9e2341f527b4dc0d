/**
 * Which parts of the remote's bitfield we have asked for. A Want covers 1 048 576 blocks, is sent once a
 * part, and at most 16 wait for their answer.
 *
 * @see spec/20-wire.md 3.6
 * @module
 */
import type { Selection, WaitingWish } from '../../log/wish.ts'
import type { AnswerGuard } from './replicated-log.ts'

/** Blocks that one Want covers. */
export const WANT_BLOCKS = 1_048_576
/** Wants that may wait for their answer. */
export const MAX_UNANSWERED_WANTS = 16
/** Parts asked for over the life of a channel: 2 ** 32 blocks. */
const MAX_PARTS = 4096

interface Unanswered {
  readonly release: () => void
  readonly sentAt: number
}

/** The Wants of one channel. */
export class Wants {
  readonly #asked = new Set<number>()
  readonly #unanswered: Unanswered[] = []
  readonly #guard: AnswerGuard
  /** Block lists of which every part was asked for. */
  #lists = new WeakSet<Selection>()
  #disabled = false
  #now = 0

  /** @param guard - held by every Want that waits for its answer */
  constructor(guard: AnswerGuard) {
    this.#guard = guard
  }

  /** Wants that wait for their answer. */
  get unanswered(): number {
    return this.#unanswered.length
  }

  /** Whether the remote is of the kind that sends its bitfield unasked (before v7). */
  get disabled(): boolean {
    return this.#disabled
  }

  /** An answer came. Returns whether one was due. */
  answered(): boolean {
    const want = this.#unanswered.shift()
    want?.release()
    return want !== undefined
  }

  /** Nobody waits any longer for answers to Wants sent before `time`; they may still come. */
  giveUp(time: number): void {
    for (const want of this.#unanswered) if (want.sentAt < time) want.release()
  }

  /** The remote sends its bitfield unasked: ask no more. */
  disable(): void {
    this.#disabled = true
    this.#forget()
  }

  /** The remote answers no more; what was asked may be asked again. */
  reset(): void {
    this.#asked.clear()
    this.#lists = new WeakSet()
    this.#forget()
  }

  /**
   * The parts to ask for now: those of whoever waits, one new part of every selection, and the first.
   *
   * @param remoteLength - selections look no further
   * @param now - when the Wants are sent
   * @returns starts of the parts, each of `WANT_BLOCKS`
   */
  next(
    waiting: Iterable<WaitingWish>,
    selections: Iterable<Selection>,
    remoteLength: number,
    now: number,
  ): number[] {
    this.#now = now
    const starts: number[] = []
    for (const wish of waiting) {
      if (!this.#mayAsk()) return starts
      if (wish.type === 'seek') this.#askRange(wish.start, wish.end, remoteLength, starts)
      else this.#ask(partOf(wish.type === 'block' ? wish.index : wish.minLength - 1), starts)
    }
    for (const selection of selections) {
      if (!this.#mayAsk()) return starts
      if (selection.type === 'range') {
        this.#askRange(selection.start, selection.end, remoteLength, starts)
      } else if (!this.#lists.has(selection)) {
        for (const index of selection.blocks) this.#ask(partOf(index), starts)
        if (this.#mayAsk()) this.#lists.add(selection)
      }
    }
    this.#ask(0, starts)
    return starts
  }

  #askRange(start: number, end: number, remoteLength: number, starts: number[]): void {
    const limit = Math.min(end, remoteLength)
    for (let part = partOf(start); part * WANT_BLOCKS < limit; part++) {
      if (!this.#mayAsk() || this.#ask(part, starts)) return
    }
  }

  #ask(part: number, starts: number[]): boolean {
    if (this.#asked.has(part) || !this.#mayAsk()) return false
    this.#asked.add(part)
    this.#unanswered.push({ release: this.#guard.hold(), sentAt: this.#now })
    starts.push(part * WANT_BLOCKS)
    return true
  }

  #mayAsk(): boolean {
    return (
      !this.#disabled &&
      this.#unanswered.length < MAX_UNANSWERED_WANTS &&
      this.#asked.size < MAX_PARTS
    )
  }

  #forget(): void {
    for (const want of this.#unanswered.splice(0)) want.release()
  }
}

function partOf(index: number): number {
  return Math.floor(index / WANT_BLOCKS)
}
