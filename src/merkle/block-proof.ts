/**
 * A block (or the bare hash of one) with its proof, as it comes from outside: what can be said of it
 * before anything is hashed.
 *
 * @see spec/10-log.md 5 and spec/20-wire.md 5
 * @module
 */
import { HASH_BYTES, SIGNATURE_BYTES } from '../crypto.ts'
import * as flatTree from './flat-tree.ts'
import { MerkleError } from './merkle-error.ts'
import type { Proof } from './tree-node.ts'

/** Tree indices are below this, so that every sum on the way up is exact. */
const INDEX_LIMIT = 2 ** 52

/** A proof and what it is to prove. */
export interface BlockProof extends Proof {
  /** Block index. */
  readonly index: number
  /** The block, or `null` when its leaf, the first of the nodes, stands for it. */
  readonly value: Uint8Array | null
}

/**
 * Refuse what no honest sender makes.
 *
 * @throws {@link MerkleError} `MERKLE_BAD_PROOF` for an index or size that is no safe integer, a hash of
 *   other than 32 bytes (A-3: two may be cut differently and still give the same parent), or a bare hash
 *   that is of another leaf; `MERKLE_BAD_SIGNATURE` for one of other than 64 bytes
 */
export function assertWellFormed(proof: BlockProof): void {
  const leaf = 2 * proof.index
  if (!isTreeIndex(leaf)) throw bad(`block index ${proof.index}`)
  for (const { index, hash, size } of proof.nodes) {
    if (!isTreeIndex(index)) throw bad(`tree index ${index}`)
    if (hash.length !== HASH_BYTES) throw bad(`hash of ${hash.length} bytes`, index)
    if (!Number.isSafeInteger(size) || size < 0) throw bad(`size ${size}`, index)
  }
  if (proof.value === null && proof.nodes[0]?.index !== leaf) throw bad('its leaf is missing', leaf)
  if (proof.signature !== null && proof.signature.length !== SIGNATURE_BYTES) {
    const length = proof.signature.length
    throw new MerkleError('MERKLE_BAD_SIGNATURE', `want 64 bytes of signature, got ${length}`)
  }
}

function isTreeIndex(index: number): boolean {
  return (
    Number.isSafeInteger(index) &&
    index >= 0 &&
    index < INDEX_LIMIT &&
    flatTree.nextLeaf(index) <= INDEX_LIMIT
  )
}

function bad(what: string, treeIndex: number | null = null): MerkleError {
  return new MerkleError('MERKLE_BAD_PROOF', `malformed proof: ${what}`, treeIndex)
}
