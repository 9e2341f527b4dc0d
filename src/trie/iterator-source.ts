/**
 * Iteration as a source of nodes: opens, steps, and tells peers where it stands when blocks are missing.
 *
 * @see spec/30-trie.md 3.8 and 3.12
 * @module
 */
import type { TrieExtension } from './extension.ts'
import type { HashPath } from './hash-path.ts'
import { Iteration, type IterationMode } from './iterator.ts'
import type { TrieNode } from './node.ts'
import type { LoadOptions, NodeStore } from './node-store.ts'
import { flagsOf } from './options.ts'
import type { PullSource } from './pull.ts'

/** Nodes that one message to peers is good for. */
const BUDGET = 2048

/** How an iteration runs. */
export interface SourceOptions extends LoadOptions, IterationMode {
  readonly hidden: boolean
  readonly checkpoint?: Uint8Array | null | undefined
  /** Whom to tell what is missing; null for nobody. */
  readonly ask: TrieExtension | null
}

/** The nodes below a prefix, one at a time. */
export class IteratorSource implements PullSource<TrieNode> {
  readonly #nodes: NodeStore
  readonly #headSeq: () => Promise<number>
  readonly #prefix: HashPath
  readonly #options: SourceOptions
  readonly #walk: Iteration
  /** Somebody wants to hear of each node that is looked at. */
  readonly #isWatched: boolean
  #head = 0
  #opened = false
  #told = false
  /** Loads that the last message still covers. */
  #budget = 0

  /** @param headSeq - the newest block of the version, asked for once */
  constructor(
    nodes: NodeStore,
    headSeq: () => Promise<number>,
    prefix: HashPath,
    options: SourceOptions,
  ) {
    this.#nodes = nodes
    this.#headSeq = headSeq
    this.#prefix = prefix
    this.#walk = new Iteration(prefix, options)
    this.#isWatched = options.onseq !== undefined
    this.#options = {
      ...options,
      onseq: (seq) => {
        this.#budget--
        options.onseq?.(seq)
      },
      onwait: options.ask ? () => this.#tell() : undefined,
    }
  }

  async next(): Promise<TrieNode | null> {
    if (!this.#opened) await this.#open()
    return this.#nodes.run((nodes) => this.#walk.next(nodes), this.#options)
  }

  /**
   * The next node, null at the end, when that can be told from memory; undefined when `next` has to be asked. A
   * step that fails changes nothing, so one that is given up does not either.
   */
  nextNow(): TrieNode | null | undefined {
    if (!this.#opened || this.#isWatched) return undefined
    return this.#nodes.runNow((nodes) => this.#walk.next(nodes))
  }

  /** All nodes that are left; without a promise for each that is in memory. */
  async collect(): Promise<TrieNode[]> {
    if (!this.#opened) await this.#open()
    const found: TrieNode[] = []
    for (;;) {
      const step = this.#nodes.run((nodes) => this.#walk.next(nodes), this.#options)
      // oxlint-disable-next-line no-await-in-loop -- one node after the other
      const node = step instanceof Promise ? await step : step
      if (!node) return found
      found.push(node)
    }
  }

  checkpoint(): Uint8Array {
    return this.#walk.checkpoint()
  }

  async #open(): Promise<void> {
    this.#head = await this.#headSeq()
    const { log } = this.#nodes
    // Of others' log without a block nothing is known, not that it is empty.
    if (log.length === 0 && !log.writable) this.#options.onmissing?.(0)
    const { checkpoint = null } = this.#options
    await this.#nodes.run((nodes) => this.#walk.open(nodes, this.#head, checkpoint), this.#options)
    this.#opened = true
  }

  /**
   * Below a key, v10 answers from the beginning whatever the checkpoint says; from the root it goes by
   * the checkpoint alone. So the first message names the key, and later ones the root.
   */
  #tell(): void {
    const { ask } = this.#options
    if (this.#budget > 0 || this.#head === 0 || !ask) return
    this.#budget = BUDGET
    const checkpoint = this.#walk.coming()
    const key = this.#told && checkpoint ? '' : this.#prefix.key
    this.#told = true
    ask.askIterator({ head: this.#head, key, flags: flagsOf(this.#options), checkpoint })
  }
}
