/**
 * The requests that one peer has not answered, and how many it may have at once.
 *
 * The window begins at v10's 16. Unless its size was asked for, it grows by one with every answer that came
 * about as fast as answers come at best, and shrinks by one with every answer that stood in a queue: so a
 * long line is kept full and a short one is not flooded (requests that wait long carry old digests, whose
 * proofs are long; and what waits with one source cannot be asked of another). v10 answers any number.
 *
 * @see spec/20-wire.md 3.7
 * @module
 */
import type { SeekWish } from '../../log/wish.ts'

/** Requests in flight that v10 allows itself. */
export const DEFAULT_WINDOW = 16
/** Further requests that readers who stand still may have in flight. */
export const URGENT_REQUESTS = 16
/** Most requests in flight when the window grows by itself; below the 4096 that we queue for others. */
export const MAX_WINDOW = 1024
/** Bytes that a window which grows by itself asks for at most. */
export const WINDOW_BYTES = 4_194_304

/** An answer that took twice the best time and this many milliseconds more stood in a queue. */
const QUEUE_MS = 4
/** After so many milliseconds the best time is measured anew: lines change. */
const BEST_TIME_MS = 10_000

/** One request that waits for its answer. */
export interface Outstanding {
  readonly index: number
  readonly hash: boolean
  /** What is sought, when the request names a byte. */
  readonly seek: SeekWish | null
  /** By the connection's clock, in milliseconds. */
  readonly sentAt: number
  /** Another peer was asked too, because this one is late. */
  late: boolean
}

/** Requests in flight with one peer, oldest first. */
export class RequestWindow {
  readonly #blocks = new Map<number, Outstanding>()
  readonly #hashes = new Map<number, Outstanding>()
  readonly #seeks: Outstanding[] = []
  readonly #fixed: boolean
  #limit: number
  #averageBytes = 0
  #bestMs = Infinity
  #bestAt = 0
  #usualMs = Infinity

  /** @param maxRequests - a fixed size, or `null` for one that grows */
  constructor(maxRequests: number | null) {
    this.#fixed = maxRequests !== null
    this.#limit = maxRequests ?? DEFAULT_WINDOW
  }

  /** Requests in flight. */
  get size(): number {
    return this.#blocks.size + this.#hashes.size + this.#seeks.length
  }

  /** Requests that may be in flight for downloads. */
  get limit(): number {
    return this.#limit
  }

  /** Requests that may be in flight when readers stand still. */
  get urgentLimit(): number {
    return this.#limit + URGENT_REQUESTS
  }

  /** Milliseconds that an answer takes at best; infinite before the first. */
  get bestMs(): number {
    return this.#bestMs
  }

  /** Milliseconds that answers took lately, on average; infinite before the first. */
  get usualMs(): number {
    return this.#usualMs
  }

  /** Whether exactly this was asked. */
  has(index: number, hash: boolean): boolean {
    return (hash ? this.#hashes : this.#blocks).has(index)
  }

  /** A request is sent. */
  add(request: Outstanding): void {
    if (request.seek !== null) this.#seeks.push(request)
    else (request.hash ? this.#hashes : this.#blocks).set(request.index, request)
  }

  /**
   * The request that an answer belongs to, which is in flight no more; `null` when nothing was asked.
   * What answers no request for just that belongs to a seek for its kind: the one that named it, or the oldest.
   *
   * @param bytes - length of the block, or `null` for a bare hash
   * @param now - by the connection's clock
   */
  answer(index: number, bytes: number | null, now: number): Outstanding | null {
    if (bytes !== null) {
      const request = take(this.#blocks, index)
      if (request !== null) this.#adapt(bytes, now - request.sentAt, now)
      return request ?? this.#takeSeek(index, false)
    }
    return take(this.#hashes, index) ?? this.#takeSeek(index, true)
  }

  #takeSeek(index: number, hash: boolean): Outstanding | null {
    const fitting = this.#seeks.filter((seek) => seek.hash === hash)
    const found = fitting.find((seek) => seek.index === index) ?? fitting[0] ?? null
    if (found !== null) this.forget(found)
    return found
  }

  /** A request is given up. */
  forget(request: Outstanding): void {
    if (request.seek === null) {
      const map = request.hash ? this.#hashes : this.#blocks
      if (map.get(request.index) === request) map.delete(request.index)
      return
    }
    const place = this.#seeks.indexOf(request)
    if (place >= 0) this.#seeks.splice(place, 1)
  }

  /** Nothing is in flight any more. */
  clear(): Outstanding[] {
    const all = [...this]
    this.#blocks.clear()
    this.#hashes.clear()
    this.#seeks.length = 0
    return all
  }

  /** The request that has waited longest. */
  get oldest(): Outstanding | null {
    let oldest: Outstanding | null = null
    for (const first of [firstOf(this.#blocks), firstOf(this.#hashes), this.#seeks[0]]) {
      if (first && (oldest === null || first.sentAt < oldest.sentAt)) oldest = first
    }
    return oldest
  }

  /** Requests for blocks, oldest first. */
  blocks(): Iterable<Outstanding> {
    return this.#blocks.values()
  }

  *[Symbol.iterator](): Iterator<Outstanding> {
    yield* this.#blocks.values()
    yield* this.#hashes.values()
    yield* this.#seeks
  }

  #adapt(bytes: number, ms: number, now: number): void {
    if (ms < this.#bestMs || now - this.#bestAt > BEST_TIME_MS) {
      this.#bestMs = ms
      this.#bestAt = now
    }
    this.#usualMs = this.#usualMs === Infinity ? ms : (7 * this.#usualMs + ms) / 8
    if (this.#fixed) return
    this.#averageBytes = this.#averageBytes === 0 ? bytes : (7 * this.#averageBytes + bytes) / 8
    const fits = Math.floor(WINDOW_BYTES / Math.max(this.#averageBytes, 1))
    const most = Math.max(DEFAULT_WINDOW, Math.min(MAX_WINDOW, fits))
    const queued = ms > 2 * this.#bestMs + QUEUE_MS
    this.#limit = Math.max(DEFAULT_WINDOW, Math.min(this.#limit + (queued ? -1 : 1), most))
  }
}

function take(map: Map<number, Outstanding>, index: number): Outstanding | null {
  const request = map.get(index)
  if (request === undefined) return null
  map.delete(index)
  return request
}

function firstOf(map: Map<number, Outstanding>): Outstanding | undefined {
  return map.values().next().value
}
