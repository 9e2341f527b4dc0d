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
import { MAX_SLOTS, SYMBOLS } from './pointer-table.ts'

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

/** Where a row may lead to: pointers, and the symbol of each. */
export interface Ways {
  readonly seqs: readonly number[]
  readonly symbols: readonly number[]
}

const NOWHERE: Ways = { seqs: [], symbols: [] }

/** Where `row` of `node` may lead to, symbol by symbol in the order of `symbols`. */
export function waysOf(node: TrieNode, row: number, order: readonly number[]): Ways {
  const { table } = node
  const at = table.seek(row)
  if (table.rowAt(at) !== row) return NOWHERE
  const seqs: number[] = []
  const symbols: number[] = []
  const slots = isTerminator(row) ? MAX_SLOTS : SYMBOLS
  for (const symbol of order) {
    for (let slot = symbol; slot < slots; slot += SYMBOLS) {
      const pointer = table.slotAt(at, slot)
      if (pointer === 0) continue
      seqs.push(pointer)
      symbols.push(symbol)
    }
  }
  return { seqs, symbols }
}

/** Of the nodes that `ways` led to, those that belong there. The symbol of each is that of its path in the row. */
export function branches(
  node: TrieNode,
  row: number,
  { symbols }: Ways,
  loaded: readonly (TrieNode | null)[],
): readonly TrieNode[] {
  const result: TrieNode[] = []
  for (let i = 0; i < loaded.length; i++) {
    const target = loaded[i]
    const symbol = symbols[i] ?? 0
    if (!target || !isBranch(node, row, symbol, target)) continue
    if (!isTerminator(row) || isNew(row, symbol, result, target)) result.push(target)
  }
  return result
}

/** Whether no node of `others` for the symbol has the component of `target` that ends in `row`. */
function isNew(
  row: number,
  symbol: number,
  others: readonly TrieNode[],
  target: TrieNode,
): boolean {
  const component = target.path.componentAt(row)
  return others.every(
    ({ path }) => path.symbol(row) !== symbol || path.componentAt(row) !== component,
  )
}
