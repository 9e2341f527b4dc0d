/**
 * The Merkle tree of a log: numbering, hashes, growth, proofs. Pure and synchronous.
 *
 * @module
 */
export { Cursor } from './cursor.ts'
export * as flatTree from './flat-tree.ts'
export {
  SIGNABLE_BYTES,
  leafHash,
  leafNode,
  parentNode,
  signable,
  treeHash,
  verifySignature,
} from './hash.ts'
export { MerkleError, type MerkleErrorCode } from './merkle-error.ts'
export {
  SparseNodeSet,
  addNode,
  blocksOf,
  digest,
  verifiedBy,
  type MutableNodeSet,
  type NodeSet,
} from './node-set.ts'
export { TreeBuilder, type TreeGrowth } from './tree-builder.ts'
export type { Proof, TreeNode } from './tree-node.ts'
