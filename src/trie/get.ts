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
    const hop: TrieNode | null = yield* follow(nodes, node, path, index)
    if (!hop)
      return mode.closest && !isTerminator(index) && !hasPointer(node, path, index) ? node : null
    node = hop
    reached = index + 1
  }
  return null
}

/**
 * The node behind `node` that agrees with `path` at `index`, where the two part; null for none. In a
 * terminator row it is searched among all whose components have the same hash.
 *
 * @yields blocks that are missing
 */
export function* follow(
  nodes: NodeSource,
  node: TrieNode,
  path: HashPath,
  index: number,
): Walk<TrieNode | null> {
  const symbol = path.symbol(index)
  if (!isTerminator(index)) {
    const seq = node.table.get(index, symbol)
    if (seq === 0) return null
    const known = nodes.peek(seq)
    if (known !== undefined) return known
    const [loaded] = yield [seq]
    return loaded ?? null
  }
  const chain = node.table.chain(index, symbol)
  if (chain.length === 0) return null
  const component = path.componentAt(index)
  const loaded = yield* loadNodes(nodes, chain)
  return loaded.findLast((each) => each?.path.componentAt(index) === component) ?? null
}

/** Whether the search went on from `node`, be it to a reset block. */
function hasPointer(node: TrieNode, path: HashPath, index: number): boolean {
  return node.table.get(index, path.symbol(index)) !== 0
}
