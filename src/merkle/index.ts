/**
 * The Merkle tree of a log: numbering, hashes, growth, proofs. Pure and synchronous.
 *
 * @module
 */
export type { BlockProof } from './block-proof.ts'
export { Cursor } from './cursor.ts'
export * as flatTree from './flat-tree.ts'
export { commonLength, isFork, isSignedNode, siblingsUp, type SignedNode } from './fork.ts'
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
export { planProof, type ProofPlan, type ProofRequest } from './proof.ts'
export { byteRange, nodesBefore, seek, type SeekLog, type SeekResult } from './seek.ts'
export { storedNode, type NodeLookup } from './stored-nodes.ts'
export { TreeBuilder, type TreeGrowth } from './tree-builder.ts'
export type { Proof, TreeNode } from './tree-node.ts'
export {
  planVerify,
  verifyProof,
  type KnownLog,
  type Verified,
  type VerifiedHead,
  type VerifyOptions,
} from './verify.ts'
