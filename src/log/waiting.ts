/**
 * Readers that stand still: for a block, for a longer log, for the block of a byte.
 *
 * Each has a wish on the list that the replicator reads. A wait ends in exactly one way (met,
 * unavailable, timed out, aborted, cancelled, closed), and then nothing of it is left: no wish, timer
 * or listener. Whoever waits only as long as peers may help (`wait: 'peers'` or `ifAvailable`) is judged
 * when no answer is due, and again whenever peers changed.
 *
 * @see spec/10-log.md 3.12 and 3.14
 * @module
 */
import { copy } from '../bytes.ts'
import { forkError } from './core.ts'
import type { Core } from './core.ts'
import { LogError, LogUnavailableError, closedError } from './errors.ts'
import type { Guard } from './guard.ts'
import type { WaitOptions } from './options.ts'
import type { BlockWish, LengthWish, SeekWish, WaitingWish } from './wish.ts'

/** Where a byte is: in which block, and how far into it. */
export interface BytePosition {
  readonly index: number
  readonly offset: number
}

/** A seek's wish as the log narrows it. */
export interface OpenSeek extends SeekWish {
  start: number
  end: number
}

interface Waiter<T> {
  readonly wish: WaitingWish
  readonly what: string
  readonly since: number
  readonly onlyPeers: boolean
  settle(value: T): void
  fail(error: unknown): void
}

/** How long, and whether at all, somebody waits: options with the log's defaults filled in. */
export interface Patience {
  readonly onlyPeers: boolean
  readonly timeout: number
  readonly signal: AbortSignal | undefined
}

/** The waits of one log. */
export class Waiting {
  /** The wishes of all waits, in order of asking. */
  readonly wishes: Set<WaitingWish> = new Set()
  readonly #core: Core
  readonly #guard: Guard
  readonly #all = new Set<Waiter<never>>()
  readonly #blocks = new Map<number, { wish: BlockWish; waiters: Set<Waiter<Uint8Array>> }>()
  readonly #lengths = new Set<Waiter<void>>()
  readonly #seeks = new Map<Waiter<BytePosition>, OpenSeek>()
  #telling = false
  #judging = false

  /** @param guard - tells when no answer is due */
  constructor(core: Core, guard: Guard) {
    this.#core = core
    this.#guard = guard
  }

  /** The verified bytes of a block, once it is stored. */
  block(index: number, patience: Patience): Promise<Uint8Array> {
    let entry = this.#blocks.get(index)
    if (!entry) {
      entry = { wish: { type: 'block', index }, waiters: new Set() }
      this.#blocks.set(index, entry)
    }
    const { wish, waiters } = entry
    return this.#wait<Uint8Array>(wish, `block ${index}`, patience, waiters, () => {
      if (waiters.size > 0) return false
      this.#blocks.delete(index)
      return true
    })
  }

  /** Resolves once the log has `minLength` blocks. */
  length(minLength: number, hash: boolean, patience: Patience): Promise<void> {
    const wish: LengthWish = { type: 'length', minLength, hash }
    const what = `a log of ${minLength} blocks`
    return this.#wait<void>(wish, what, patience, this.#lengths, () => true)
  }

  /** The block of a byte, once enough of the tree is known. `wish` is narrowed meanwhile. */
  seek(wish: OpenSeek, patience: Patience): Promise<BytePosition> {
    const { fork } = this.#core
    if (fork && wish.end > fork.commonLength) return Promise.reject(forkError(fork))
    const seeks = this.#seeks
    const members = {
      add: (waiter: Waiter<BytePosition>) => seeks.set(waiter, wish),
      delete: (waiter: Waiter<BytePosition>) => seeks.delete(waiter),
    }
    return this.#wait<BytePosition>(wish, `byte ${wish.byteOffset}`, patience, members, () => true)
  }

  /** Milliseconds that the first of those who wait for `wish` has waited; null when nobody does. */
  waitedMs(wish: WaitingWish): number | null {
    // Who came first stands first.
    for (const waiter of this.#all) {
      if (waiter.wish === wish) return this.#core.timers.now() - waiter.since
    }
    return null
  }

  /** Whether a reader stands still for block `index`. */
  wants(index: number): boolean {
    return this.#blocks.has(index)
  }

  /** Block `index` is stored: its readers get it. */
  stored(index: number, value: Uint8Array): void {
    const entry = this.#blocks.get(index)
    if (!entry) return
    // A result belongs to its caller alone, and should not pin a much larger buffer.
    let bytes = value.length * 2 < value.buffer.byteLength ? copy(value) : value
    for (const waiter of entry.waiters) {
      waiter.settle(bytes)
      bytes = copy(value)
    }
  }

  /** The log may be longer now. */
  grew(): void {
    for (const waiter of this.#lengths) {
      const { wish } = waiter
      if (wish.type === 'length' && this.#core.length >= wish.minLength) waiter.settle()
    }
  }

  /** Try every open seek again. */
  async retrySeeks(
    locate: (wish: OpenSeek) => BytePosition | null | Promise<BytePosition | null>,
  ): Promise<void> {
    for (const [waiter, wish] of this.#seeks) {
      try {
        // oxlint-disable-next-line no-await-in-loop
        const found = await locate(wish)
        if (found) waiter.settle(found)
      } catch (error) {
        waiter.fail(error)
      }
    }
    if (this.#seeks.size > 0) this.changed()
  }

  /** Whether any seek is open. */
  get isSeeking(): boolean {
    return this.#seeks.size > 0
  }

  /** End waits for blocks inside `[start, end)`, and seeks confined to it, with `ECANCELED`. */
  cancel(start: number, end: number): void {
    for (const waiter of this.#all) {
      const { wish } = waiter
      if (!isInside(wish, start, end)) continue
      waiter.fail(new LogError('ECANCELED', `waiting for ${waiter.what} was cancelled`))
    }
  }

  /** Beyond `end` nothing is fetched any more: whoever waits for it hears why. */
  forked(end: number, error: LogError): void {
    for (const waiter of this.#all) {
      const { wish } = waiter
      if (!isInside(wish, 0, end)) waiter.fail(error)
    }
  }

  /** Peers came, left, or told something: judge those who wait only for them again. */
  peersChanged(): void {
    if (this.#judging || this.#all.size === 0) return
    this.#judging = true
    void this.#judge()
  }

  /** The log closes: answer everybody, newest first. */
  close(): void {
    for (const waiter of [...this.#all].toReversed()) waiter.fail(closedError())
  }

  /** Tell the replicator, once for all changes of this turn. */
  changed(): void {
    if (this.#telling) return
    this.#telling = true
    queueMicrotask(() => {
      this.#telling = false
      this.#core.replicator?.wishesChanged()
    })
  }

  #wait<T>(
    wish: WaitingWish,
    what: string,
    patience: Patience,
    members: { add(waiter: Waiter<T>): unknown; delete(waiter: Waiter<T>): unknown },
    isLast: () => boolean,
  ): Promise<T> {
    const { signal } = patience
    const { timers } = this.#core
    // Between the call and this the log may have been closed, or the caller have left.
    if (this.#core.closed) return Promise.reject(closedError())
    if (signal?.aborted) return Promise.reject(abortReason(signal))
    return new Promise<T>((resolve, reject) => {
      let forget: (() => void) | null = null
      const leave = (): boolean => {
        if (!this.#all.delete(waiter)) return false
        members.delete(waiter)
        if (isLast()) this.wishes.delete(wish)
        forget?.()
        signal?.removeEventListener('abort', abort)
        this.changed()
        return true
      }
      const waiter: Waiter<T> = {
        wish,
        what,
        since: timers.now(),
        onlyPeers: patience.onlyPeers,
        settle: (value) => {
          if (leave()) resolve(value)
        },
        fail: (error) => {
          if (leave()) reject(error)
        },
      }
      const abort = (): void => waiter.fail(abortReason(signal))
      this.#all.add(waiter)
      members.add(waiter)
      this.wishes.add(wish)
      this.changed()
      signal?.addEventListener('abort', abort, { once: true })
      if (patience.timeout > 0) {
        const expire = (): void => {
          waiter.fail(new LogError('ETIMEDOUT', `${what} did not come in ${patience.timeout} ms`))
        }
        forget = timers.set(expire, patience.timeout, true)
      }
      if (patience.onlyPeers) this.peersChanged()
    })
  }

  async #judge(): Promise<void> {
    await this.#guard.idle()
    this.#judging = false
    const replicator = this.#core.replicator
    const verdicts = new Map<WaitingWish, boolean>()
    for (const waiter of this.#all) {
      if (!waiter.onlyPeers) continue
      let canMeet = verdicts.get(waiter.wish)
      if (canMeet === undefined) {
        canMeet = replicator?.canMeet(waiter.wish) ?? false
        verdicts.set(waiter.wish, canMeet)
      }
      if (canMeet) continue
      const peers = replicator?.peers.length ?? 0
      const waitedMs = Math.round(this.#core.timers.now() - waiter.since)
      waiter.fail(new LogUnavailableError(waiter.what, peers, waitedMs))
    }
  }
}

/** Why a signal was aborted, as an error whatever it was. */
export function abortReason(signal: AbortSignal | undefined): Error {
  const reason: unknown = signal?.reason
  return reason instanceof Error ? reason : new Error('aborted', { cause: reason })
}

/** What the options of a call mean, under the log's defaults. */
export function patienceOf(options: WaitOptions, defaults: WaitOptions): Patience {
  const wait = options.wait ?? defaults.wait ?? true
  // An explicit `wait: true` outranks the log's own `ifAvailable`.
  const once =
    options.ifAvailable ?? (options.wait === true ? false : (defaults.ifAvailable ?? false))
  return {
    onlyPeers: once || wait === 'peers',
    timeout: options.timeout ?? defaults.timeout ?? 0,
    signal: options.signal,
  }
}

function isInside(wish: WaitingWish, start: number, end: number): boolean {
  switch (wish.type) {
    case 'block':
      return wish.index >= start && wish.index < end
    case 'seek':
      return wish.start >= start && wish.end <= end
    case 'length':
      return false
  }
}
