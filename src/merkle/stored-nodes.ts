/**
 * Tree nodes that are on disk, as the pure functions of this layer see them.
 *
 * They cannot read. The caller gives a lookup into what it has in memory; when a node is not there,
 * they throw `MERKLE_MISSING_NODE`, the caller reads that node and calls again. Nothing has changed in
 * between, and there are no more such rounds than levels in the tree.
 *
 * @module
 */
import { MerkleError } from './merkle-error.ts'
import type { TreeNode } from './tree-node.ts'

/** The content of a stored node that is in memory, or `undefined`. */
export type NodeLookup = (treeIndex: number) => TreeNode | undefined

/**
 * The content of a node that is known.
 *
 * @throws {@link MerkleError} `MERKLE_MISSING_NODE`, with its `treeIndex`, when it is not in memory
 */
export function storedNode(lookup: NodeLookup, treeIndex: number): TreeNode {
  const node = lookup(treeIndex)
  if (node) return node
  throw new MerkleError('MERKLE_MISSING_NODE', `want tree node ${treeIndex}`, treeIndex)
}
