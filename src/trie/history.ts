/**
 * The nodes of a trie in the order in which they were written.
 *
 * Reset blocks are no nodes and are stepped over.
 *
 * @see spec/30-trie.md 3.11
 * @module
 */
import type { TrieNode } from './node.ts'
import type { LoadOptions, NodeStore } from './node-store.ts'
import type { PullSource } from './pull.ts'

/** Which part of the history, and in which direction. */
export interface HistoryRange {
  /** First block; default 1. `gt: n` is `gte: n + 1`. */
  readonly gte?: number | undefined
  readonly gt?: number | undefined
  /** Last block; default the newest. `lt: n` is `lte: n - 1`. */
  readonly lte?: number | undefined
  readonly lt?: number | undefined
  /** Newest first. */
  readonly reverse?: boolean | undefined
  /** Wait for what is yet to be written. Not together with `reverse`. */
  readonly live?: boolean | undefined
}

/** One node after the other. */
export class History implements PullSource<TrieNode> {
  readonly #nodes: NodeStore
  readonly #headSeq: () => Promise<number>
  readonly #range: HistoryRange
  readonly #options: LoadOptions
  #bounds: { at: number; readonly last: number; readonly step: number } | null = null
  #wake: (() => void) | null = null
  #destroyed = false

  /** @param headSeq - the newest block of the version, 0 when empty */
  constructor(
    nodes: NodeStore,
    headSeq: () => Promise<number>,
    range: HistoryRange,
    options: LoadOptions,
  ) {
    this.#nodes = nodes
    this.#headSeq = headSeq
    this.#range = range
    this.#options = options
  }

  async next(): Promise<TrieNode | null> {
    const bounds = (this.#bounds ??= await this.#open())
    while (!this.#destroyed) {
      const left = (bounds.last - bounds.at) * bounds.step
      if (left < 0) return null
      if (this.#isLive && bounds.at >= this.#nodes.log.length) {
        // oxlint-disable-next-line no-await-in-loop -- one block after the other
        await this.#grown()
        continue
      }
      // oxlint-disable-next-line no-await-in-loop
      const node = await this.#nodes.load(bounds.at, this.#options)
      bounds.at += bounds.step
      if (node) return node
    }
    return null
  }

  destroy(): void {
    this.#destroyed = true
    this.#wake?.()
  }

  get #isLive(): boolean {
    return this.#range.live === true && !this.#range.reverse
  }

  async #open(): Promise<{ at: number; last: number; step: number }> {
    const { gt, gte, lt, lte, reverse } = this.#range
    const head = await this.#headSeq()
    const first = Math.max(1, gte ?? (gt === undefined ? 1 : gt + 1))
    const wanted = lte ?? (lt === undefined ? Infinity : lt - 1)
    const last = this.#isLive ? wanted : Math.min(head, wanted)
    return reverse ? { at: last, last: first, step: -1 } : { at: first, last, step: 1 }
  }

  /** Until the log has grown, or this was destroyed. */
  async #grown(): Promise<void> {
    const { log } = this.#nodes
    await new Promise<void>((resolve) => {
      const done = (): void => {
        log.off('append', done)
        this.#wake = null
        resolve()
      }
      this.#wake = done
      log.on('append', done)
    })
  }
}
