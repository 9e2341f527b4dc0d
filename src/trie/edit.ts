/**
 * Writing: what block a put or a delete appends.
 *
 * A put makes a node whose pointer table is derived from the newest node. A delete appends a neighbour
 * of the deleted node anew, with a table that leaves the deleted one out; there is no tombstone.
 *
 * @see spec/30-trie.md 3.4 to 3.7
 * @module
 */
import { first, hopInChain } from './get.ts'
import { HashPath, isTerminator } from './hash-path.ts'
import type { NodeContent, TrieNode } from './node.ts'
import { EMPTY_TABLE, SYMBOLS, TableBuilder, type PointerTable } from './pointer-table.ts'
import { loadNode, loadNodes, type NodeSource, type Walk } from './walk.ts'

/** A node yet to be written, and the old one at which its derivation ended. */
export interface Derived {
  readonly table: PointerTable
  /** The node of the same place, or the one where the way ended; null when a chain had no match. */
  readonly last: TrieNode | null
}

/**
 * The pointer table of a new node at `path` on top of `head`, without a pointer to block `without`.
 *
 * Only rows that hold pointers are visited: between them nothing is placed.
 *
 * @yields blocks that are missing
 */
export function* derive(
  nodes: NodeSource,
  path: HashPath,
  head: TrieNode | null,
  without = 0,
): Walk<Derived> {
  const builder = new TableBuilder()
  let node = head
  let reached = 0
  while (node) {
    const parting = path.divergence(node.path)
    if (parting < reached) break // not on the way: a log that no writer of ours made
    const { table } = node
    const end = Math.min(parting, path.length - 1)
    let at = table.seek(reached)
    for (; table.rowAt(at) < parting && table.rowAt(at) <= end; at = table.next(at)) {
      const others = isTerminator(table.rowAt(at))
        ? yield* chained(nodes, node, at, path, without)
        : null
      placeRow(builder, path, node, at, without, others)
    }
    if (parting === Infinity) return { table: builder.finish(), last: node }
    // The node itself is first in a terminator row: chains of three and more depend on it.
    const isLast = isTerminator(parting)
    const own = node.path.symbol(parting)
    if (isLast && node.seq !== without) builder.place(parting, own, node.seq)
    if (table.rowAt(at) === parting) {
      const others = isTerminator(table.rowAt(at))
        ? yield* chained(nodes, node, at, path, without)
        : null
      placeRow(builder, path, node, at, without, others)
    }
    if (!isLast && node.seq !== without) builder.place(parting, own, node.seq)
    if (isLast) {
      node = yield* hopInChain(nodes, node, path, parting)
    } else {
      const seq = table.get(parting, path.symbol(parting))
      if (seq === 0) return { table: builder.finish(), last: node }
      const known = nodes.peek(seq)
      node = known === undefined ? first(yield [seq]) : known
    }
    reached = parting + 1
  }
  return { table: builder.finish(), last: null }
}

/** Place what the row of `node` that is listed at `at` points to, but for the way the path itself goes. */
function placeRow(
  builder: TableBuilder,
  path: HashPath,
  node: TrieNode,
  at: number,
  without: number,
  others: ReadonlySet<number> | null,
): void {
  const { table } = node
  const row = table.rowAt(at)
  const symbol = path.symbol(row)
  let bits = table.bitsAt(at)
  for (let slot = 0, nth = 0; bits !== 0; slot++, bits >>>= 1) {
    if ((bits & 1) === 0) continue
    const pointer = table.pointerAt(at, nth++)
    if (pointer === without) continue
    // In a terminator row the path's own symbol leads to other names too; elsewhere only its own slot is the way.
    const placed = others && slot % SYMBOLS === symbol ? others.has(pointer) : slot !== symbol
    if (placed) builder.place(row, slot % SYMBOLS, pointer)
  }
}

/**
 * Of the pointers for the path's own symbol in a terminator row, those whose component is
 * another.
 *
 * @yields blocks that are missing
 */
function* chained(
  nodes: NodeSource,
  node: TrieNode,
  at: number,
  path: HashPath,
  without: number,
): Walk<ReadonlySet<number>> {
  const { table } = node
  const row = table.rowAt(at)
  const seqs = table.symbolAt(at, path.symbol(row)).filter((seq) => seq !== without)
  if (seqs.length === 0) return NONE
  const component = path.componentAt(row)
  const loaded = yield* loadNodes(nodes, seqs)
  const others = new Set<number>()
  for (const each of loaded) {
    if (each && each.path.componentAt(row) !== component) others.add(each.seq)
  }
  return others
}

const NONE: ReadonlySet<number> = new Set()

/** What a delete found. */
export interface Located {
  /** The node with exactly this key, or null. */
  readonly found: TrieNode | null
  /** Where the search ended when it found nothing, as `find` with closest; it may be unrelated. */
  readonly closest: TrieNode | null
  /** Neighbours that may be appended anew: the last is the right one unless it leads to a reset block. */
  readonly near: readonly number[]
}

/**
 * Find the node to delete, and its neighbours: the last branch seen on the way, preferring those
 * inside the node itself (a key below it) over those above.
 *
 * @yields blocks that are missing
 */
export function* locate(nodes: NodeSource, path: HashPath, head: TrieNode | null): Walk<Located> {
  const near: number[] = []
  let node = head
  let reached = 0
  while (node) {
    const parting = path.divergence(node.path)
    if (parting < reached) return { found: null, closest: null, near }
    const { table } = node
    const end = Math.min(parting, path.length)
    for (let at = table.seek(reached); table.rowAt(at) < end; at = table.next(at)) {
      noteBranch(near, path, node, at)
    }
    if (parting === Infinity) {
      // The same place is not enough: "a" and "a/" share one.
      if (node.path.key === path.key) return { found: node, closest: null, near }
      return { found: null, closest: node, near }
    }
    near.push(node.seq)
    if (isTerminator(parting)) {
      node = yield* hopInChain(nodes, node, path, parting)
    } else {
      const seq = table.get(parting, path.symbol(parting))
      if (seq === 0) return { found: null, closest: node, near }
      const known = nodes.peek(seq)
      node = known === undefined ? first(yield [seq]) : known
    }
    reached = parting + 1
  }
  return { found: null, closest: null, near }
}

function noteBranch(near: number[], path: HashPath, node: TrieNode, at: number): void {
  const { table } = node
  const row = table.rowAt(at)
  // In a terminator row the path's own symbol holds nodes that collide: neighbours as well.
  const own = isTerminator(row) ? -1 : path.symbol(row)
  let nth = 0
  for (let slot = 0, bits = table.bitsAt(at); bits !== 0; slot++, bits >>>= 1) {
    if ((bits & 1) === 0) continue
    if (slot !== own) {
      near.push(table.pointerAt(at, nth))
      return
    }
    nth++
  }
}

/**
 * The block that takes `found` out of the trie: a neighbour anew, or a reset block when none is left.
 *
 * @yields blocks that are missing
 */
export function* replacement(
  nodes: NodeSource,
  head: TrieNode,
  found: TrieNode,
  near: readonly number[],
): Walk<{ content: NodeContent; table: PointerTable }> {
  for (const seq of near.toReversed()) {
    const neighbour = yield* loadNode(nodes, seq)
    if (!neighbour) continue
    const { table } = yield* derive(nodes, neighbour.path, head, found.seq)
    return { content: neighbour, table }
  }
  const path = new HashPath('', found.path.hidden)
  return { content: { path, value: null, flags: 0 }, table: EMPTY_TABLE }
}
