/**
 * Finding a byte: down from the roots by the sizes of the nodes that are known.
 *
 * @see spec/10-log.md 3.6 and 3.7
 * @module
 */
import * as flatTree from './flat-tree.ts'
import { MerkleError } from './merkle-error.ts'
import type { NodeSet } from './node-set.ts'
import { type NodeLookup, storedNode } from './stored-nodes.ts'

/** The log to look in. */
export interface SeekLog {
  /** Blocks. */
  readonly length: number
  /** Bytes of data. */
  readonly byteLength: number
  /** Nodes it is known to have. */
  readonly set: NodeSet
  /** Their content. */
  readonly stored: NodeLookup
}

/**
 * Where a byte lies: in a block, or, as far as is known, somewhere below a node. `offset` counts from
 * the start of that block or node.
 */
export type SeekResult =
  | { readonly type: 'block'; readonly index: number; readonly offset: number }
  | { readonly type: 'subtree'; readonly treeIndex: number; readonly offset: number }

/**
 * The block that holds byte `byteOffset`. The end of the log is found in the block after its last one;
 * an empty block never, but for block 0 at byte 0.
 *
 * @throws {@link MerkleError} `MERKLE_OUT_OF_BOUNDS` past the end, `MERKLE_MISSING_NODE` as in
 *   {@link NodeLookup}; RangeError when `byteOffset` is no offset at all
 */
export function seek(log: SeekLog, byteOffset: number): SeekResult {
  if (!Number.isSafeInteger(byteOffset) || byteOffset < 0) {
    throw new RangeError(`want an offset in bytes, got ${byteOffset}`)
  }
  if (byteOffset === log.byteLength) return { type: 'block', index: log.length, offset: 0 }
  if (byteOffset === 0) return { type: 'block', index: 0, offset: 0 }
  let offset = byteOffset
  for (const root of flatTree.fullRoots(2 * log.length)) {
    const { size } = storedNode(log.stored, root)
    if (size > offset) return descend(log, root, offset)
    offset -= size
  }
  throw new MerkleError('MERKLE_OUT_OF_BOUNDS', `byte ${byteOffset} of ${log.byteLength}`)
}

/** The lowest node below `root` that surely holds the byte `offset` after the start of `root`. */
function descend(log: SeekLog, root: number, offset: number): SeekResult {
  let near = root
  let top = root
  while (!flatTree.isLeaf(top)) {
    const left = leftmostKnown(log.set, top)
    if (left === null) break
    const { size } = storedNode(log.stored, left)
    if (size > offset) {
      near = top = left
      continue
    }
    offset -= size
    top = flatTree.sibling(left)
    if (flatTree.parent(left) === near) near = top
  }
  if (flatTree.isLeaf(near)) return { type: 'block', index: near / 2, offset }
  return { type: 'subtree', treeIndex: near, offset }
}

/** The first known node on the way down left from `treeIndex`, or `null`. */
function leftmostKnown(set: NodeSet, treeIndex: number): number | null {
  let at = flatTree.leftChild(treeIndex)
  while (!set.has(at)) {
    if (flatTree.isLeaf(at)) return null
    at = flatTree.leftChild(at)
  }
  return at
}

/** Tree nodes whose sizes add up to where block `index` begins. */
export function nodesBefore(index: number): number[] {
  return flatTree.fullRoots(2 * index)
}

/**
 * Where block `index` lies in the log's data: one tree node per set bit of `index`, and its leaf.
 *
 * @returns half-open `[start, end)`, in bytes from the first block
 * @throws {@link MerkleError} `MERKLE_MISSING_NODE` as in {@link NodeLookup}
 */
export function byteRange(stored: NodeLookup, index: number): { start: number; end: number } {
  let start = 0
  for (const treeIndex of nodesBefore(index)) start += storedNode(stored, treeIndex).size
  return { start, end: start + storedNode(stored, 2 * index).size }
}
