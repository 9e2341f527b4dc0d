/**
 * Kind `wire/digest-proof`: what a requester tells of its nodes, which nodes answer it, and what it knows
 * afterwards. The blocks behind the vectors are not in them, so any blocks and any key will do.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { randomBytes, sign, signingKeyPair } from '../../../src/crypto.ts'
import {
  SparseNodeSet,
  TreeBuilder,
  addNode,
  digest,
  flatTree,
  planProof,
  signable,
  treeHash,
  verifyProof,
} from '../../../src/merkle/index.ts'
import type { TreeNode } from '../../../src/merkle/index.ts'
import type { ReceivedBlock } from '../../../src/log/replicator.ts'
import type { VectorKind } from '../vector.ts'

interface Step {
  readonly block: number
  readonly hash: boolean
  readonly digest: number
  readonly reply: {
    readonly nodes: readonly number[]
    readonly verifiedBy: number
    readonly signatureOfBlock: number | null
  } | null
  readonly lengthAfter?: number
}

interface Case {
  readonly name: string
  readonly length: number
  readonly relayBlocks?: readonly number[]
  readonly steps: readonly Step[]
  readonly requesterTreeNodes: readonly number[]
}

/** Handler of the file. */
export const kind: VectorKind = {
  name: 'wire/digest-proof',
  *cases({ json }) {
    for (const each of json.cases as readonly Case[]) {
      yield { name: each.name, run: () => check(each) }
    }
  },
}

function check({ length, relayBlocks, steps, requesterTreeNodes }: Case): void {
  const { publicKey, secretKey } = signingKeyPair()
  const writer = new Side(publicKey)
  writer.append(length, secretKey)
  let answerer = writer
  if (relayBlocks) {
    answerer = new Side(publicKey)
    const known = new SparseNodeSet()
    for (const block of relayBlocks) {
      const reply = writer.answer(block, false, answerer.digest(block), known)
      assert.ok(reply)
      answerer.store(reply)
    }
  }
  const requester = new Side(publicKey)
  const known = new SparseNodeSet()
  for (const step of steps) {
    assert.equal(requester.digest(step.block), step.digest)
    const reply = answerer.answer(step.block, step.hash, step.digest, known)
    if (step.reply === null) {
      assert.ok(reply === null || (reply.value === null && !step.hash))
      continue
    }
    assert.ok(reply)
    assert.deepEqual(
      reply.nodes.map((node) => node.index),
      step.reply.nodes,
    )
    const { signatureOfBlock } = step.reply
    assert.deepEqual(
      reply.signature,
      signatureOfBlock === null ? null : answerer.signature(signatureOfBlock),
    )
    requester.store(reply)
    assert.equal(requester.length, step.lengthAfter)
  }
  const nodes: number[] = []
  for (let index = 0; index < 2 * length; index++) if (requester.nodes.has(index)) nodes.push(index)
  assert.deepEqual(nodes, requesterTreeNodes)
}

/** One end: the nodes, blocks and signatures it knows. */
class Side {
  readonly nodes = new SparseNodeSet()
  length = 0
  readonly #key: Uint8Array
  readonly #contents = new Map<number, TreeNode>()
  readonly #blocks = new Map<number, Uint8Array>()
  readonly #signatures = new Map<number, Uint8Array>()

  constructor(key: Uint8Array) {
    this.#key = key
  }

  append(length: number, secretKey: Uint8Array): void {
    const builder = new TreeBuilder([])
    for (let index = 0; index < length; index++) {
      const block = randomBytes(1 + (index % 5))
      this.#blocks.set(index, block)
      const { nodes, roots } = builder.append([block])
      for (const node of nodes) this.#know(node)
      this.#signatures.set(index, sign(signable(treeHash(roots), index + 1), secretKey))
    }
    this.length = length
  }

  signature(index: number): Uint8Array | undefined {
    return this.#signatures.get(index)
  }

  digest(block: number): number {
    return digest(this.nodes, 2 * block, 2 * this.length)
  }

  answer(
    block: number,
    hash: boolean,
    told: number,
    remoteTree: SparseNodeSet,
  ): ReceivedBlock | null {
    const plan = planProof(this.nodes, 2 * block, { digest: told, hash, remoteTree })
    if (plan === null) return null
    const value = hash ? null : (this.#blocks.get(block) ?? null)
    const nodes = plan.indices.map((index) => {
      const node = this.#contents.get(index)
      assert.ok(node)
      return node
    })
    const signature = plan.verifiedBy === 0 ? null : this.#signatures.get(plan.verifiedBy / 2 - 1)
    return { index: block, value, nodes, signature: signature ?? null }
  }

  store(reply: ReceivedBlock): void {
    const { nodes, head } = verifyProof(reply, {
      key: this.#key,
      live: true,
      length: this.length,
      set: this.nodes,
      stored: (index) => this.#contents.get(index),
    })
    for (const node of nodes) this.#know(node)
    if (reply.value) {
      this.#blocks.set(reply.index, reply.value)
      addNode(this.nodes, flatTree.index(0, reply.index))
    }
    if (head === null) return
    for (const root of head.roots) this.#know(root)
    this.length = Math.max(this.length, head.length)
    if (head.signature) this.#signatures.set(head.length - 1, head.signature)
  }

  #know(node: TreeNode): void {
    this.#contents.set(node.index, node)
    addNode(this.nodes, node.index)
  }
}
