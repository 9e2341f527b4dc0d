/**
 * The two ends of a proof, small and slow: a source that holds all of a log, and a replica that holds
 * what it was given. Used by the tests of this layer and by the vectors.
 */
import { type KeyPair, sign } from '../../src/crypto.ts'
import {
  type BlockProof,
  type ProofRequest,
  SparseNodeSet,
  TreeBuilder,
  type TreeNode,
  type Verified,
  type VerifyOptions,
  blocksOf,
  digest,
  planProof,
  planVerify,
  signable,
  storedNode,
  treeHash,
  verifyProof,
} from '../../src/merkle/index.ts'

/** All nodes of a log of some length, and the signature of every length. */
export class Source {
  readonly blocks: readonly Uint8Array[]
  readonly nodes = new Map<number, TreeNode>()
  readonly signatures = new Map<number, Uint8Array>()
  readonly roots: readonly TreeNode[]
  readonly set = new SparseNodeSet()

  constructor(blocks: readonly Uint8Array[], keyPair: KeyPair) {
    const builder = new TreeBuilder()
    for (const [i, block] of blocks.entries()) {
      for (const node of builder.append([block]).nodes) {
        this.nodes.set(node.index, node)
        this.set.add(node.index)
      }
      const head = signable(treeHash(builder.roots), i + 1)
      this.signatures.set(i + 1, sign(head, keyPair.secretKey))
    }
    this.blocks = blocks
    this.roots = builder.roots
  }

  /** The message that proves block `index`, or with `hash` its leaf alone. */
  prove(index: number, request: ProofRequest = {}): BlockProof {
    const plan = planProof(this.set, 2 * index, request)
    if (!plan) throw new Error(`no proof of block ${index}`)
    return {
      index,
      value: request.hash ? null : (this.blocks[index] ?? null),
      nodes: plan.indices.map((i) => storedNode((at) => this.nodes.get(at), i)),
      signature: this.signatures.get(plan.verifiedBy / 2) ?? null,
    }
  }
}

/** A read-only copy in memory. */
export class Replica {
  readonly key: Uint8Array
  readonly nodes = new Map<number, TreeNode>()
  readonly set = new SparseNodeSet()
  readonly blocks = new Map<number, Uint8Array>()
  live = false
  length = 0
  byteLength = 0

  constructor(key: Uint8Array) {
    this.key = key
  }

  /** The digest of block `index`. */
  digest(index: number): number {
    return digest(this.set, 2 * index, 2 ** 30)
  }

  /** What a proof gives, and which stored nodes were looked at; changes nothing. */
  check(
    proof: BlockProof,
    options: VerifyOptions = {},
  ): { verified: Verified; asked: Set<number> } {
    const asked = new Set<number>()
    const stored = (treeIndex: number): TreeNode | undefined => {
      asked.add(treeIndex)
      return this.nodes.get(treeIndex)
    }
    const { key, live, length, set } = this
    return { verified: verifyProof(proof, { key, live, length, set, stored }, options), asked }
  }

  /** The nodes that should be at hand for a proof. */
  plan(proof: BlockProof): Set<number> {
    return new Set(planVerify(this.set, proof))
  }

  /** Verify and keep. Throws, changed in nothing, when the proof is refused. */
  accept(proof: BlockProof, options: VerifyOptions = {}): void {
    const { nodes, head } = this.check(proof, options).verified
    for (const node of nodes) {
      this.nodes.set(node.index, node)
      this.set.add(node.index)
    }
    this.set.add(2 * proof.index)
    if (proof.value) this.blocks.set(proof.index, proof.value)
    if (!head) return
    this.live = head.signature !== null
    if (head.length <= this.length) return
    this.length = head.length
    this.byteLength = head.byteLength
  }

  /** Blocks its tree tells of: the length when it is opened again. */
  get recordedLength(): number {
    return blocksOf(this.set)
  }
}
