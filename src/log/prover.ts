/**
 * Proofs for others, and finding a byte for them: what is answered from the stored tree alone.
 *
 * @see spec/10-log.md 3.2, 3.3 and 3.7
 * @module
 */
import { MerkleError, digest, flatTree, planProof, seek } from '../merkle/index.ts'
import type { Proof, ProofPlan, ProofRequest, SeekResult } from '../merkle/index.ts'
import type { Core } from './core.ts'
import { LogError } from './errors.ts'
import type { Receiver } from './receiver.ts'

/** Proves what one log knows. */
export class Prover {
  readonly #core: Core
  readonly #receiver: Receiver

  /** @param receiver - whose nodes on their way to disk count in digests */
  constructor(core: Core, receiver: Receiver) {
    this.#core = core
    this.#receiver = receiver
  }

  /** What we know of the way up from a block, as a request for it says. */
  digest(index: number): number {
    if (this.#receiver.distrusts(index)) return 0
    const span = Math.max(2 * this.#core.length, this.#core.bitfield.span * 2)
    return digest(this.#receiver.nodes, 2 * index, span)
  }

  /**
   * The proof of a block for somebody who told its digest. Planned at once, so that `remoteTree` grows in
   * the order of the calls; at once, too, when nodes and signature are in memory.
   *
   * @throws {@link LogError} `LOG_NOT_PROVABLE` when the leaf, or a signature, is not here
   */
  proof(index: number, request: ProofRequest): Proof | Promise<Proof> {
    const plan = planProof(this.#core.bitfield.nodes, 2 * index, request)
    if (!plan) throw notProvable(index)
    const nodes = this.#core.tree.walk((node) => {
      this.#core.tree.require(plan.indices)
      return plan.indices.map(node)
    })
    const length = plan.verifiedBy / 2
    if (length === 0 || !this.#core.live) {
      return nodes instanceof Promise ? nodes.then(unsigned) : unsigned(nodes)
    }
    const signature = this.#core.signatures.cached(length)
    if (!signature || nodes instanceof Promise) return this.#proofLater(index, plan, nodes)
    return { nodes, signature }
  }

  /**
   * Where a byte is, as far as the stored tree tells; `null` when it is past the end.
   */
  seek(byteOffset: number): SeekResult | null | Promise<SeekResult | null> {
    const { tree, bitfield, length, byteLength } = this.#core
    return tree.walk((stored) => {
      try {
        return seek({ length, byteLength, set: bitfield.nodes, stored }, byteOffset)
      } catch (error) {
        if (error instanceof MerkleError && error.code === 'MERKLE_OUT_OF_BOUNDS') return null
        throw error
      }
    })
  }

  async #proofLater(
    index: number,
    plan: ProofPlan,
    nodes: Proof['nodes'] | Promise<Proof['nodes']>,
  ): Promise<Proof> {
    const signature = await this.#core.signatures.read(plan.verifiedBy / 2)
    if (!signature) throw notProvable(index)
    return { nodes: await nodes, signature }
  }
}

/** Blocks that lie below a tree node, as a half-open range. */
export function blocksBelow(treeIndex: number): [start: number, end: number] {
  return [flatTree.leftSpan(treeIndex) / 2, flatTree.rightSpan(treeIndex) / 2 + 1]
}

function unsigned(nodes: Proof['nodes']): Proof {
  return { nodes, signature: null }
}

function notProvable(index: number): LogError {
  return new LogError(
    'LOG_NOT_PROVABLE',
    `no proof of block ${index} can be made from what is here`,
  )
}
