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

/**
 * Load several nodes, asking for all that are missing at once; null as for one.
 *
 * @yields blocks that are missing
 */
export function* loadNodes(nodes: NodeSource, seqs: readonly number[]): Walk<(TrieNode | null)[]> {
  const result: (TrieNode | null)[] = []
  const missing: number[] = []
  const places: number[] = []
  for (const seq of seqs) {
    const node = seq < 1 ? null : nodes.peek(seq)
    if (node === undefined) {
      missing.push(seq)
      places.push(result.length)
    }
    result.push(node ?? null)
  }
  if (missing.length > 0) {
    const loaded = yield missing
    let i = 0
    for (const place of places) result[place] = loaded[i++] ?? null
  }
  return result
}
