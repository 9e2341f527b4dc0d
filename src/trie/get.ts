/**
 * Lookup of a key.
 *
 * @see spec/30-trie.md 3.3
 * @module
 */
import { isTerminator, type HashPath } from './hash-path.ts'
import type { TrieNode } from './node.ts'
import { loadNode, loadNodes, type NodeSource, type Walk } from './walk.ts'

/** How far the key must match. */
export interface FindMode {
  /** Any node at or below the key will do. */
  readonly prefix?: boolean | undefined
  /** When the search runs dry in an ordinary row, give the node where it did: some node, related or not. */
  readonly closest?: boolean | undefined
}

/**
 * The node of `path` in the trie whose newest block is `headSeq`, or null. Each hop must agree with
 * the path further than the one before, so that a table made to mislead ends the search.
 *
 * @yields blocks that are missing
 */
export function* find(
  nodes: NodeSource,
  headSeq: number,
  path: HashPath,
  mode: FindMode = {},
): Walk<TrieNode | null> {
  const end = mode.prefix ? path.length - 1 : path.length
  let node = yield* loadNode(nodes, headSeq)
  let reached = 0
  while (node) {
    const index = path.divergence(node.path)
    if (index < reached) return null // a pointer to what is not on the way
    if (index >= end) return node
    if (isTerminator(index)) {
      node = yield* hopInChain(nodes, node, path, index)
    } else {
      const seq = node.table.get(index, path.symbol(index))
      if (seq === 0) return mode.closest ? node : null
      // Written out, not called: most hops of most walks are this one.
      const known = nodes.peek(seq)
      node = known === undefined ? first(yield [seq]) : known
    }
    reached = index + 1
  }
  return null
}

/**
 * The node to go on with where `path` and `node` part in terminator row `index`: the last, among all
 * whose components have the same hash, that has the path's component. Null for none.
 *
 * @yields blocks that are missing
 */
export function* hopInChain(
  nodes: NodeSource,
  node: TrieNode,
  path: HashPath,
  index: number,
): Walk<TrieNode | null> {
  const chain = node.table.chain(index, path.symbol(index))
  if (chain.length === 0) return null
  const component = path.componentAt(index)
  const loaded = yield* loadNodes(nodes, chain)
  return loaded.findLast((each) => each?.path.componentAt(index) === component) ?? null
}

/** The only node of an answer. */
export function first(answer: readonly (TrieNode | null)[]): TrieNode | null {
  return answer[0] ?? null
}
