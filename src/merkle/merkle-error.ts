/**
 * What can be wrong with a proof, or missing for a calculation on the tree.
 *
 * @module
 */
import { CodedError } from '../errors.ts'

/**
 * - `MERKLE_BAD_PROOF`: the proof is malformed, whatever is stored
 * - `MERKLE_MISSING_ROOTS`: it does not lead to a trusted node, nor to the roots of a length
 * - `MERKLE_NO_SIGNATURE`: it leads to roots of a signed log, and nobody signed them
 * - `MERKLE_BAD_SIGNATURE`: the signature is not the key's over these roots
 * - `MERKLE_BAD_CHECKSUM`: the roots of an unsigned log do not hash to its key
 * - `MERKLE_WRONG_SIZE`: the block is right, but the stored size of its leaf was a lie (Q15)
 * - `MERKLE_FORK`: the key signed something that contradicts a stored node (Q16)
 * - `MERKLE_MISSING_NODE`: the node `treeIndex` is known, but its content was not given
 * - `MERKLE_OUT_OF_BOUNDS`: a byte offset past the end
 */
export type MerkleErrorCode =
  | 'MERKLE_BAD_PROOF'
  | 'MERKLE_MISSING_ROOTS'
  | 'MERKLE_NO_SIGNATURE'
  | 'MERKLE_BAD_SIGNATURE'
  | 'MERKLE_BAD_CHECKSUM'
  | 'MERKLE_WRONG_SIZE'
  | 'MERKLE_FORK'
  | 'MERKLE_MISSING_NODE'
  | 'MERKLE_OUT_OF_BOUNDS'

/** Thrown by everything under `merkle/`. */
export class MerkleError extends CodedError<MerkleErrorCode> {
  override readonly name = 'MerkleError'
  /** The tree node it is about, or `null`. */
  readonly treeIndex: number | null

  /**
   * @param code - the stable code
   * @param message - what was wanted and what came
   * @param treeIndex - the tree node it is about
   */
  constructor(code: MerkleErrorCode, message: string, treeIndex: number | null = null) {
    super(code, message)
    this.treeIndex = treeIndex
  }
}
