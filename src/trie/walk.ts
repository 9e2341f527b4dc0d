/**
 * How an algorithm of the trie asks for nodes.
 *
 * A walk is a generator: it looks into a `NodeSource` first, yields the indices of the nodes that are
 * not at hand, and is resumed with them. So the algorithms stay pure, a walk over cached nodes runs to
 * its end without a promise, and all loads of one step are asked for together.
 *
 * @module
 */
import type { TrieNode } from './node.ts'

/** Indices asked for; answered by the nodes in the same order, null for a reset block. */
export type Walk<Result> = Generator<readonly number[], Result, readonly (TrieNode | null)[]>

/** Nodes at hand. */
export interface NodeSource {
  /**
   * Note that `seq` is requested, and give its node when it is at hand: null for a reset block,
   * undefined when it has to be loaded.
   */
  peek(seq: number): TrieNode | null | undefined
}

/**
 * Load one node; null for a reset block and for index 0, which is no node.
 *
 * @yields blocks that are missing
 */
export function* loadNode(nodes: NodeSource, seq: number): Walk<TrieNode | null> {
  if (seq < 1) return null
  const node = nodes.peek(seq)
  if (node !== undefined) return node
  const [loaded] = yield [seq]
  return loaded ?? null
}

/** What is at hand of several nodes, and what is not. */
export class Gathered {
  /** In the order asked for; null for a reset block, and for what is missing. */
  readonly nodes: (TrieNode | null)[] = []
  /** Indices of those that are not at hand. */
  readonly missing: number[] = []
  readonly #places: number[] = []

  /** Looks for all of `seqs` at once. */
  constructor(nodes: NodeSource, seqs: readonly number[]) {
    for (const seq of seqs) {
      const node = nodes.peek(seq)
      if (node === undefined) {
        this.missing.push(seq)
        this.#places.push(this.nodes.length)
      }
      this.nodes.push(node ?? null)
    }
  }

  /** Put in the missing ones, in their order. */
  fill(loaded: readonly (TrieNode | null)[]): void {
    for (const [i, place] of this.#places.entries()) this.nodes[place] = loaded[i] ?? null
  }
}

/**
 * Load several nodes, asking for all that are missing at once.
 *
 * @yields blocks that are missing
 */
export function* loadNodes(
  nodes: NodeSource,
  seqs: readonly number[],
): Walk<readonly (TrieNode | null)[]> {
  const gathered = new Gathered(nodes, seqs)
  if (gathered.missing.length > 0) gathered.fill(yield gathered.missing)
  return gathered.nodes
}
