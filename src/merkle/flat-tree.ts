/**
 * In-order numbering of the nodes of a binary tree. Arithmetic only: no I/O, no state.
 *
 *     depth 2         3
 *     depth 1     1       5
 *     depth 0   0   2   4   6      leaves: block b is node 2 * b
 *
 *     index(depth, offset) = (2 * offset + 1) * 2 ** depth - 1
 *
 * Everything follows from the number of leaves under a node, which is the lowest set bit of
 * `index + 1`. Indices go up to 2 ** 53 - 1, so sums are plain arithmetic; a bit operator is used only
 * where the low 32 bits, which it keeps exactly, decide.
 *
 * @see spec/10-log.md 2.1
 * @module
 */

/** The node at `depth` (leaves are 0) that is `offset`-th from the left there. */
export function index(depth: number, offset: number): number {
  return (2 * offset + 1) * 2 ** depth - 1
}

/** Levels above the leaves: the trailing one-bits of the index. */
export function depth(treeIndex: number): number {
  const low = treeIndex >>> 0
  if (low === 0xffffffff) return 32 + depth(Math.floor(treeIndex / 0x100000000))
  return 31 - Math.clz32(~low & (low + 1))
}

/** Place from the left among the nodes of the same depth. */
export function offset(treeIndex: number): number {
  return ((treeIndex + 1) / countLeaves(treeIndex) - 1) / 2
}

/** Leaves at or below the node: `2 ** depth`. */
export function countLeaves(treeIndex: number): number {
  const end = treeIndex + 1
  const low = end | 0
  return low === 0 ? 0x100000000 * countLeaves(end / 0x100000000 - 1) : (low & -low) >>> 0
}

/** Nodes at or below the node. */
export function count(treeIndex: number): number {
  return 2 * countLeaves(treeIndex) - 1
}

/** Whether the node is the left one of its pair. */
export function isLeft(treeIndex: number): boolean {
  return (((treeIndex + 1) / countLeaves(treeIndex)) & 2) === 0
}

/** The node right above. */
export function parent(treeIndex: number): number {
  const leaves = countLeaves(treeIndex)
  return (((treeIndex + 1) / leaves) & 2) === 0 ? treeIndex + leaves : treeIndex - leaves
}

/** The other child of the parent. */
export function sibling(treeIndex: number): number {
  const leaves = countLeaves(treeIndex)
  return (((treeIndex + 1) / leaves) & 2) === 0 ? treeIndex + 2 * leaves : treeIndex - 2 * leaves
}

/** The lower left neighbour, or -1 below a leaf. */
export function leftChild(treeIndex: number): number {
  return isLeaf(treeIndex) ? -1 : treeIndex - countLeaves(treeIndex) / 2
}

/** The lower right neighbour, or -1 below a leaf. */
export function rightChild(treeIndex: number): number {
  return isLeaf(treeIndex) ? -1 : treeIndex + countLeaves(treeIndex) / 2
}

/** Both children, left first, or `null` for a leaf. */
export function children(treeIndex: number): [left: number, right: number] | null {
  return isLeaf(treeIndex) ? null : [leftChild(treeIndex), rightChild(treeIndex)]
}

/** Whether the node stands for a block. */
export function isLeaf(treeIndex: number): boolean {
  return (treeIndex & 1) === 0
}

/** The leftmost leaf at or below the node. */
export function leftSpan(treeIndex: number): number {
  return treeIndex - countLeaves(treeIndex) + 1
}

/** The rightmost leaf at or below the node. */
export function rightSpan(treeIndex: number): number {
  return treeIndex + countLeaves(treeIndex) - 1
}

/** The first leaf right of everything below the node. */
export function nextLeaf(treeIndex: number): number {
  return rightSpan(treeIndex) + 2
}

/**
 * The roots over the first blocks, left to right: one full subtree per set bit of the number of
 * blocks, the largest first.
 *
 * @param end - the leaf after the last one covered: twice the number of blocks
 * @throws RangeError when `end` is no leaf
 */
export function fullRoots(end: number): number[] {
  if (!isLeaf(end)) throw new RangeError(`roots end at a leaf, an even index, not at ${end}`)
  const roots: number[] = []
  let remaining = end / 2
  let leaves = 1
  while (2 * leaves <= remaining) leaves *= 2
  for (let start = 0; remaining > 0; leaves /= 2) {
    if (leaves > remaining) continue
    roots.push(start + leaves - 1)
    start += 2 * leaves
    remaining -= leaves
  }
  return roots
}
