/**
 * Difference as a source of pairs: opens and steps.
 *
 * @see spec/30-trie.md 3.9
 * @module
 */
import { Difference, type DiffMode, type NodePair } from './diff.ts'
import type { HashPath } from './hash-path.ts'
import type { LoadOptions, NodeStore } from './node-store.ts'
import type { PullSource } from './pull.ts'

/** How a diff runs. */
export interface DiffSourceOptions extends LoadOptions, DiffMode {
  readonly checkpoint?: Uint8Array | null | undefined
}

/** The differences below a prefix, one at a time. */
export class DifferenceSource implements PullSource<NodePair> {
  readonly #nodes: NodeStore
  readonly #heads: () => Promise<readonly [left: number, right: number]>
  readonly #options: DiffSourceOptions
  readonly #walk: Difference
  #opened = false

  /** @param heads - the newest blocks of both versions, asked for once */
  constructor(
    nodes: NodeStore,
    heads: () => Promise<readonly [left: number, right: number]>,
    prefix: HashPath,
    options: DiffSourceOptions,
  ) {
    this.#nodes = nodes
    this.#heads = heads
    this.#options = options
    this.#walk = new Difference(prefix, options)
  }

  async next(): Promise<NodePair | null> {
    if (!this.#opened) await this.#open()
    return this.#nodes.run((nodes) => this.#walk.next(nodes), this.#options)
  }

  checkpoint(): Uint8Array {
    return this.#walk.checkpoint()
  }

  async #open(): Promise<void> {
    const [left, right] = await this.#heads()
    const { checkpoint = null } = this.#options
    await this.#nodes.run((nodes) => this.#walk.open(nodes, left, right, checkpoint), this.#options)
    this.#opened = true
  }
}
