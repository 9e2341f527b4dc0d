/**
 * Which tree nodes somebody knows, and what follows from that alone: no hashes, no content.
 *
 * A known pair implies its parent, so that `has` tells of every node that could be computed.
 *
 * @see spec/10-log.md 3.1 and 3.2
 * @module
 */
import * as flatTree from './flat-tree.ts'

/** A set of tree indices to ask. */
export interface NodeSet {
  /** Whether the node is known, itself or by both of its children. */
  has(treeIndex: number): boolean
}

/** A set of tree indices that grows. */
export interface MutableNodeSet extends NodeSet {
  /** Put one index in, and nothing that it implies. */
  set(treeIndex: number): void
}

/**
 * Put a node and every parent that it completes into a set.
 *
 * @returns whether the node was new
 */
export function addNode(set: MutableNodeSet, treeIndex: number): boolean {
  if (set.has(treeIndex)) return false
  let at = treeIndex
  set.set(at)
  while (set.has(flatTree.sibling(at))) {
    at = flatTree.parent(at)
    if (set.has(at)) break
    set.set(at)
  }
  return true
}

/** A small set in memory: what a peer is known to have, or what a batch has proven so far. */
export class SparseNodeSet implements MutableNodeSet {
  readonly #indices = new Set<number>()

  /** How many nodes are in it. */
  get size(): number {
    return this.#indices.size
  }

  /** Whether the node was put in or is implied. */
  has(treeIndex: number): boolean {
    return this.#indices.has(treeIndex)
  }

  /** Put one index in, and nothing that it implies. */
  set(treeIndex: number): void {
    this.#indices.add(treeIndex)
  }

  /** Take nodes out, and nothing that they imply. */
  forget(isForgotten: (treeIndex: number) => boolean): void {
    for (const treeIndex of this.#indices)
      if (isForgotten(treeIndex)) this.#indices.delete(treeIndex)
  }

  /** Put a node and every parent that it completes into the set. Returns whether the node was new. */
  add(treeIndex: number): boolean {
    return addNode(this, treeIndex)
  }
}

/**
 * The end of the forest that a known node belongs to: the leaf after its last one, which is twice the
 * length whose signature covers the node. 0 when the node is not known.
 */
export function verifiedBy(set: NodeSet, treeIndex: number): number {
  if (!set.has(treeIndex)) return 0
  let top = treeIndex
  while (set.has(flatTree.parent(top)) && set.has(flatTree.sibling(top))) {
    top = flatTree.parent(top)
  }
  // Right of a root the next one stands at least one level lower.
  for (let depth = flatTree.depth(top); depth > 0;) {
    top = flatTree.leftChild(flatTree.index(depth, flatTree.offset(top) + 1))
    depth--
    while (depth > 0 && !set.has(top)) {
      top = flatTree.leftChild(top)
      depth--
    }
  }
  return set.has(top) ? top + 2 : top
}

/** Blocks of the log whose nodes these are: found from its left spine, then along its roots. */
export function blocksOf(set: NodeSet): number {
  let highest = 0
  for (let depth = 0; depth < 52; depth++) {
    const spine = 2 ** depth - 1
    if (set.has(spine)) highest = spine
  }
  return verifiedBy(set, highest) / 2
}

/**
 * What somebody who wants leaf `treeIndex` tells about its knowledge, so that the answer need not
 * repeat it. Bit k (from 1) is the k-th sibling on the way up; when bit 0 is set the top bit is an
 * ancestor. 1 is "send no nodes", 0 is "I know nothing".
 *
 * @param span - every known node ends below this leaf; it only stops the climb, so more does no harm
 * @see spec/10-log.md 3.2
 */
export function digest(set: NodeSet, treeIndex: number, span: number): number {
  if (set.has(treeIndex)) return 1
  let result = 0
  let bit = 2
  let sibling = flatTree.sibling(treeIndex)
  let parent = flatTree.parent(treeIndex)
  const end = Math.max(sibling + 2, span)
  while (flatTree.rightSpan(sibling) < end || flatTree.leftSpan(parent) > 0) {
    if (set.has(sibling)) result += bit
    if (set.has(parent)) {
      result += 2 * bit
      if (result % 2 === 0) result += 1
      return result + 1 === 4 * bit ? 1 : result
    }
    sibling = flatTree.sibling(parent)
    parent = flatTree.parent(parent)
    bit *= 2
  }
  return result
}
