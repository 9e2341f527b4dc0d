/**
 * Results one at a time, in order, as they are asked for.
 *
 * @module
 */
import { TrieError } from './errors.ts'

/** What a `Pull` takes its results from. */
export interface PullSource<Item> {
  /** The next result, or null at the end. Never called while a call is under way. */
  next(): Promise<Item | null>
  /** As `next`, without waiting: undefined when the result is not at hand, and `next` has to be asked. */
  nextNow?(): Item | null | undefined
  /** Where the source stands, as bytes. */
  checkpoint?(): Uint8Array
  /** Let go of what it holds. */
  destroy?(): void
}

/**
 * An iterator that is asked: `next()`, or `for await`. Leaving the loop destroys it.
 */
export class Pull<Item> implements AsyncIterable<Item> {
  readonly #source: PullSource<Item>
  #last: Promise<unknown> | null = null
  #pending = 0
  #destroyed = false

  /** @param source - is asked for nothing before the first `next` */
  constructor(source: PullSource<Item>) {
    this.#source = source
  }

  /** Whether it was destroyed. */
  get destroyed(): boolean {
    return this.#destroyed
  }

  /**
   * The next result; null at the end and for ever after. Calls may overlap; they are answered in order.
   *
   * @throws {@link TrieError} `TRIE_DESTROYED` once destroyed, the call under way included
   */
  async next(): Promise<Item | null> {
    const before = this.#pending++ > 0 ? this.#last : null
    const result = this.#advance(before)
    this.#last = result
    try {
      return await result
    } finally {
      this.#pending--
    }
  }

  /**
   * The next result when it is at hand, else undefined: then ask `next`. A promise or five for each name would be
   * half of what a listing from memory takes.
   *
   * @throws {@link TrieError} `TRIE_DESTROYED` once destroyed
   */
  nextNow(): Item | null | undefined {
    this.#check()
    return this.#pending > 0 ? undefined : this.#source.nextNow?.()
  }

  async #advance(before: Promise<unknown> | null): Promise<Item | null> {
    // This call waits for the one before, whatever becomes of that.
    if (before) await before.catch(() => null)
    this.#check()
    const item = await this.#source.next()
    this.#check()
    return item
  }

  #check(): void {
    if (this.#destroyed) throw new TrieError('TRIE_DESTROYED', 'the iterator is destroyed')
  }

  /** Where it stands between two calls of `next`, to go on from later. */
  checkpoint(): Uint8Array | null {
    return this.#source.checkpoint?.() ?? null
  }

  /** No further result. */
  destroy(): void {
    if (this.#destroyed) return
    this.#destroyed = true
    this.#source.destroy?.()
  }

  /** All results that are left. */
  async collect(): Promise<Item[]> {
    const items: Item[] = []
    try {
      for (;;) {
        const atHand = this.nextNow()
        // oxlint-disable-next-line no-await-in-loop -- one result after the other
        const item = atHand === undefined ? await this.next() : atHand
        if (item === null) return items
        items.push(item)
      }
    } finally {
      this.destroy()
    }
  }

  /**
   * As an async iterable; leaving the loop destroys the iterator.
   *
   * @yields results
   */
  async *[Symbol.asyncIterator](): AsyncGenerator<Item, void, undefined> {
    try {
      for (;;) {
        // oxlint-disable-next-line no-await-in-loop -- one result after the other
        const item = await this.next()
        if (item === null) return
        yield item
      }
    } finally {
      this.destroy()
    }
  }
}
