/**
 * Where a proof is verified: from a block up to a node that is trusted, or to roots that the key signed.
 *
 *              7            the climb goes up from the block's leaf; each sibling comes from the proof
 *          3       11       or, when it is known, from the store. It ends well at a stored node with the
 *        1   5    9  13     same hash, or at a root, when the signature over all roots holds.
 *
 * Pure: nothing changes anywhere. What was proven is in the result.
 *
 * @see spec/10-log.md 3.4 and spec/20-wire.md 3.9
 * @module
 */
import { equals } from '../bytes.ts'
import { type BlockProof, assertWellFormed } from './block-proof.ts'
import * as flatTree from './flat-tree.ts'
import { leafNode, parentNode, treeHash, verifySignature } from './hash.ts'
import { MerkleError } from './merkle-error.ts'
import type { NodeSet } from './node-set.ts'
import { type NodeLookup, storedNode } from './stored-nodes.ts'
import type { TreeNode } from './tree-node.ts'

/** What the receiver knows. */
export interface KnownLog {
  /** 32 bytes: the public key, or the tree hash of a static log. */
  readonly key: Uint8Array
  /** Whether its heads are signed. */
  readonly live: boolean
  /** Blocks it is known to have. */
  readonly length: number
  /** Nodes it is known to have. */
  readonly set: NodeSet
  /** Their content. */
  readonly stored: NodeLookup
}

/** How much of what is stored may be relied on. */
export interface VerifyOptions {
  /**
   * `false` takes no node for true because it is stored: the proof must lead to the signed roots by
   * itself. For repair, with a proof made for digest 0. Default `true`.
   */
  readonly trust?: boolean
}

/** A head of the log that the key vouches for. */
export interface VerifiedHead {
  /** Blocks; not always more than were known. */
  readonly length: number
  /** Bytes of data. */
  readonly byteLength: number
  /** All roots of that length, left to right. */
  readonly roots: readonly TreeNode[]
  /** The signature to store for that length; `null` in a static log. */
  readonly signature: Uint8Array | null
}

/** What a proof has proven. */
export interface Verified {
  /** Nodes to store; some may be stored already. */
  readonly nodes: readonly TreeNode[]
  /** The head it led to, or `null` when it ended at a stored node. */
  readonly head: VerifiedHead | null
}

/**
 * The stored nodes that {@link verifyProof} will ask for unless the proof contradicts what is stored.
 * To be read beforehand, all at once.
 *
 * @throws {@link MerkleError} `MERKLE_BAD_PROOF`, `MERKLE_BAD_SIGNATURE` for a malformed proof
 */
export function planVerify(set: NodeSet, proof: BlockProof, options: VerifyOptions = {}): number[] {
  assertWellFormed(proof)
  const path = storedPath(set, proof, options.trust ?? true)
  const wanted = new Set(path.siblings)
  for (const { index } of proof.nodes) if (set.has(index)) wanted.add(index)
  if (path.trusted !== null) {
    wanted.add(path.trusted)
  } else {
    const last = proof.nodes.slice(path.used).at(-1)?.index ?? path.top
    const end = Math.max(flatTree.nextLeaf(path.top), flatTree.nextLeaf(last))
    for (const root of flatTree.fullRoots(end)) if (set.has(root)) wanted.add(root)
  }
  return [...wanted]
}

/**
 * Check a proof against the key and what is stored.
 *
 * @throws {@link MerkleError}; any code but `MERKLE_MISSING_NODE` refuses the proof for good
 */
export function verifyProof(
  proof: BlockProof,
  log: KnownLog,
  options: VerifyOptions = {},
): Verified {
  assertWellFormed(proof)
  const trust = options.trust ?? true
  const path = storedPath(log.set, proof, trust)
  const trusted = path.trusted === null ? null : storedNode(log.stored, path.trusted)
  const visited: TreeNode[] = []
  let used = 0
  let siblings = 0
  let top = proof.value ? leafNode(proof.index, proof.value) : proof.nodes[used++]
  /* c8 ignore next: a well-formed proof without a block has a first node */
  if (!top) throw new MerkleError('MERKLE_BAD_PROOF', 'no block and no leaf')
  if (trusted && isSame(top, trusted)) {
    return { nodes: proof.value ? correctedSizes(top, trusted, log) : [], head: null }
  }

  for (;;) {
    const index = flatTree.sibling(top.index)
    const listed = proof.nodes[used]
    let sibling
    if (listed?.index === index) {
      sibling = listed
      visited.push(listed)
      used++
    } else if (path.siblings[siblings] === index) {
      sibling = storedNode(log.stored, index)
      siblings++
    } else {
      break
    }
    visited.push(top)
    top = parentNode(top, sibling)
    if (!Number.isSafeInteger(top.size)) {
      throw new MerkleError('MERKLE_BAD_PROOF', `sizes add up to ${top.size}`, top.index)
    }
    if (trusted && isSame(top, trusted)) {
      assertAgrees(visited, proof, log, false)
      return { nodes: visited, head: null }
    }
  }

  const { head, fresh } = verifyHead(top, proof.nodes.slice(used), proof.signature, log)
  visited.push(...fresh)
  if (trust) assertAgrees(visited, proof, log, head.signature !== null)
  return { nodes: visited, head }
}

/** The way up as far as indices tell it. */
interface StoredPath {
  /** The first stored node on it, or `null`. */
  readonly trusted: number | null
  /** Stored siblings below that, bottom-up, which the proof does not bring itself. */
  readonly siblings: readonly number[]
  /** Where it ends: the trusted node, or what should be a root. */
  readonly top: number
  /** Nodes of the proof that belong to it. */
  readonly used: number
}

function storedPath(set: NodeSet, proof: BlockProof, trust: boolean): StoredPath {
  const siblings: number[] = []
  let top = 2 * proof.index
  let used = proof.value ? 0 : 1
  for (;;) {
    if (trust && set.has(top)) return { trusted: top, siblings, top, used }
    const sibling = flatTree.sibling(top)
    if (proof.nodes[used]?.index === sibling) used++
    else if (trust && set.has(sibling)) siblings.push(sibling)
    else return { trusted: null, siblings, top, used }
    top = flatTree.parent(top)
  }
}

/** The end of a climb that met nothing trusted: `top` and `rest` must give the roots of a length. */
function verifyHead(
  top: TreeNode,
  rest: readonly TreeNode[],
  signature: Uint8Array | null,
  log: KnownLog,
): { head: VerifiedHead; fresh: TreeNode[] } {
  const last = rest.at(-1) ?? top
  const end = Math.max(flatTree.nextLeaf(top.index), flatTree.nextLeaf(last.index))
  const length = end / 2
  const roots: TreeNode[] = []
  const fresh = [top]
  let used = 0
  let isRoot = false
  for (const index of flatTree.fullRoots(end)) {
    const given = rest[used]
    if (index === top.index) {
      isRoot = true
      roots.push(top)
    } else if (given?.index === index) {
      used++
      roots.push(given)
      fresh.push(given)
    } else if (log.set.has(index)) {
      roots.push(storedNode(log.stored, index))
    } else {
      throw new MerkleError('MERKLE_MISSING_ROOTS', `no root ${index} of ${length} blocks`, index)
    }
  }
  // Roots alone prove nothing: without this check they would vouch for any block (Q38).
  if (!isRoot || used < rest.length) {
    throw new MerkleError('MERKLE_MISSING_ROOTS', `${top.index} is no root`, top.index)
  }
  const byteLength = roots.reduce((sum, root) => sum + root.size, 0)
  if (!Number.isSafeInteger(byteLength)) {
    throw new MerkleError('MERKLE_BAD_PROOF', `sizes add up to ${byteLength}`)
  }
  assertVouchedFor(treeHash(roots), length, signature, log)
  return { head: { length, byteLength, roots, signature }, fresh }
}

function assertVouchedFor(
  hash: Uint8Array,
  length: number,
  signature: Uint8Array | null,
  log: KnownLog,
): void {
  if (signature) {
    if (verifySignature(signature, hash, length, log.key)) return
    throw new MerkleError('MERKLE_BAD_SIGNATURE', `not signed by the key: ${length} blocks`)
  }
  if (log.length > 0 && log.live) {
    throw new MerkleError('MERKLE_NO_SIGNATURE', `want a signature of ${length} blocks`)
  }
  if (!equals(hash, log.key)) {
    throw new MerkleError('MERKLE_BAD_CHECKSUM', `${length} blocks do not hash to the key`)
  }
}

/** Hold what was proven against what is stored: the key must not have signed two histories. */
function assertAgrees(
  proven: readonly TreeNode[],
  proof: BlockProof,
  log: KnownLog,
  signed: boolean,
): void {
  for (const node of proven) {
    if (!log.set.has(node.index)) continue
    const known = storedNode(log.stored, node.index)
    if (!equals(known.hash, node.hash)) {
      // Below a trusted node there is but one truth: the store is damaged, and gets the right node.
      if (!signed) continue
      throw new MerkleError('MERKLE_FORK', `signed against stored node ${node.index}`, node.index)
    }
    // Without the block, two leaves may trade bytes unseen: what is stored was known earlier (Q15).
    if (known.size !== node.size && !proof.value) {
      throw new MerkleError('MERKLE_BAD_PROOF', 'another size than is stored', node.index)
    }
  }
}

/**
 * The stored leaf has this block's hash, and so its size, unless a proof without the block made two
 * leaves trade bytes. Only that pair can be wrong; its parent's hash commits to the right sum.
 */
function correctedSizes(leaf: TreeNode, stored: TreeNode, log: KnownLog): TreeNode[] {
  if (leaf.size === stored.size) return []
  const index = flatTree.sibling(leaf.index)
  if (log.set.has(index)) {
    const parent = storedNode(log.stored, flatTree.parent(leaf.index))
    const sibling = { ...storedNode(log.stored, index), size: parent.size - leaf.size }
    if (sibling.size >= 0 && isSame(parentNode(leaf, sibling), parent)) return [leaf, sibling]
  }
  throw new MerkleError('MERKLE_WRONG_SIZE', `the stored size of leaf ${leaf.index}`, leaf.index)
}

function isSame(a: TreeNode, b: TreeNode): boolean {
  return a.index === b.index && equals(a.hash, b.hash)
}
