/**
 * One node of the Merkle tree, as every layer passes it on.
 *
 * @see spec/10-log.md 1
 * @module
 */

/** A node in flat-tree numbering: its hash, and the data bytes under it. */
export interface TreeNode {
  /** In-order number: block `b` is node `2 * b`. */
  readonly index: number
  /** 32 bytes of BLAKE2b-256. */
  readonly hash: Uint8Array
  /** Bytes of data under this node. */
  readonly size: number
}

/** What ties a block (or a bare leaf hash) to the key. */
export interface Proof {
  /** Siblings bottom-up, then roots left to right; the leaf itself first when only its hash is proven. */
  readonly nodes: readonly TreeNode[]
  /** 64 bytes over the roots, or `null` when the receiver already trusts an ancestor. */
  readonly signature: Uint8Array | null
}
