/**
 * One step down: the nodes to which a node's row leads.
 *
 * What a table says is held against the nodes it leads to: each must agree with the node up to the
 * row, have the slot's symbol there, and in a terminator row a component of its own. So the parts of
 * the trie below the nodes of one step are disjoint, no key is met twice, and a table made to mislead
 * costs no more than its size.
 *
 * @see spec/30-trie.md 5, hostile tables
 * @module
 */
import { isTerminator } from './hash-path.ts'
import type { TrieNode } from './node.ts'
import { loadNodes, type NodeSource, type Walk } from './walk.ts'

/** Where a symbol leads to from one row. */
export interface Branch {
  readonly symbol: number
  readonly group: readonly TrieNode[]
}

/** Pointers of `symbol` in `row` of `node` that may lead somewhere: a chain only in a terminator row. */
export function pointersOf(node: TrieNode, row: number, symbol: number): number[] {
  const at = node.table.seek(row)
  if (node.table.rowAt(at) !== row) return []
  if (isTerminator(row)) return node.table.symbolAt(at, symbol)
  const pointer = node.table.slotAt(at, symbol)
  return pointer === 0 ? [] : [pointer]
}

/** Whether a pointer of `node` for `symbol` in `row` may lead to `target`. */
export function isBranch(node: TrieNode, row: number, symbol: number, target: TrieNode): boolean {
  return target.path.symbol(row) === symbol && target.path.divergence(node.path) === row
}

/**
 * The nodes that `row` of `node` leads to, a group for each of `symbols`, all asked for at once.
 *
 * @yields blocks that are missing
 */
export function* branches(
  nodes: NodeSource,
  node: TrieNode,
  row: number,
  symbols: readonly number[],
): Walk<Branch[]> {
  const ways = symbols.map((symbol) => ({ symbol, seqs: pointersOf(node, row, symbol) }))
  const loaded = yield* loadNodes(
    nodes,
    ways.flatMap(({ seqs }) => seqs),
  )
  const result: Branch[] = []
  let at = 0
  for (const { symbol, seqs } of ways) {
    const group: TrieNode[] = []
    for (const target of loaded.slice(at, at + seqs.length)) {
      if (target && isBranch(node, row, symbol, target) && isNew(row, group, target)) {
        group.push(target)
      }
    }
    at += seqs.length
    result.push({ symbol, group })
  }
  return result
}

/** Whether no node of `group` has the component of `target` that ends in `row`. */
function isNew(row: number, group: readonly TrieNode[], target: TrieNode): boolean {
  const component = target.path.componentAt(row)
  return group.every((each) => each.path.componentAt(row) !== component)
}
