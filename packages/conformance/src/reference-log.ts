/**
 * The two ends of a proof as the chapters describe them, small and slow: a log that is held in whole,
 * and a copy that holds what it was given. What a subject says is held against these.
 *
 * @see docs/protocol/10-log.md 3.1 to 3.7
 * @module
 */
import { sign, type KeyPair } from 'varve/crypto'
import {
  addNode,
  digest,
  planProof,
  signable,
  SparseNodeSet,
  storedNode,
  TreeBuilder,
  treeHash,
  verifyProof,
  type BlockProof,
  type ProofRequest,
  type TreeNode,
} from 'varve/merkle'
import { present } from './expect.ts'

/** All nodes of a log of some length, and the signature of every length. */
export class WholeLog {
  readonly keyPair: KeyPair
  readonly nodes = new Map<number, TreeNode>()
  readonly set = new SparseNodeSet()
  readonly #blocks: Uint8Array[] = []
  readonly #signatures = new Map<number, Uint8Array>()
  readonly #builder = new TreeBuilder()

  constructor(keyPair: KeyPair, blocks: readonly Uint8Array[] = []) {
    this.keyPair = keyPair
    this.append(blocks)
  }

  /** The blocks. */
  get blocks(): readonly Uint8Array[] {
    return this.#blocks
  }

  /** How many. */
  get length(): number {
    return this.#blocks.length
  }

  /** Sum of their sizes. */
  get byteLength(): number {
    return this.#blocks.reduce((sum, block) => sum + block.length, 0)
  }

  /** The roots, left to right. */
  get roots(): readonly TreeNode[] {
    return this.#builder.roots
  }

  /** Add blocks; every length is signed. */
  append(blocks: readonly Uint8Array[]): void {
    for (const block of blocks) {
      for (const node of this.#builder.append([block]).nodes) {
        this.nodes.set(node.index, node)
        this.set.add(node.index)
      }
      this.#blocks.push(block)
      const head = signable(treeHash(this.#builder.roots), this.length)
      this.#signatures.set(this.length, sign(head, this.keyPair.secretKey))
    }
  }

  /** The signature of the log when it had `length` blocks. */
  signature(length: number = this.length): Uint8Array {
    return present(this.#signatures.get(length), `no signature of length ${length}`)
  }

  /** The message that proves block `index`, or with `hash` its leaf alone. */
  prove(index: number, request: ProofRequest = {}): BlockProof {
    const plan = present(
      planProof(this.set, 2 * index, request),
      `there is no proof of block ${index}`,
    )
    return {
      index,
      value: request.hash ? null : present(this.#blocks[index], `there is no block ${index}`),
      nodes: plan.indices.map((i) => storedNode((at) => this.nodes.get(at), i)),
      signature: plan.verifiedBy === 0 ? null : this.signature(plan.verifiedBy / 2),
    }
  }
}

/** A read-only copy in memory, which believes nothing. */
export class PartialLog {
  readonly key: Uint8Array
  readonly nodes = new Map<number, TreeNode>()
  readonly set = new SparseNodeSet()
  readonly blocks = new Map<number, Uint8Array>()
  length = 0
  byteLength = 0

  constructor(key: Uint8Array) {
    this.key = key
  }

  /** The digest of block `index`. */
  digest(index: number): number {
    return digest(this.set, 2 * index, Math.max(2 * this.length, 2 * index + 2))
  }

  /** Verify and keep. Throws, changed in nothing, when the proof is refused. */
  accept(proof: BlockProof): void {
    const { key, length, set } = this
    const known = { key, live: true, length, set, stored: (at: number) => this.nodes.get(at) }
    const { nodes, head } = verifyProof(proof, known)
    for (const node of nodes) {
      this.nodes.set(node.index, node)
      addNode(this.set, node.index)
    }
    addNode(this.set, 2 * proof.index)
    if (proof.value) this.blocks.set(proof.index, proof.value)
    if (!head) return
    for (const root of head.roots) {
      this.nodes.set(root.index, root)
      addNode(this.set, root.index)
    }
    if (head.length <= this.length) return
    this.length = head.length
    this.byteLength = head.byteLength
  }
}
