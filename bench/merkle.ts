/** The tree: growing it and proving blocks, beside the bare hash of the same bytes. */
import { hash, sign, signingKeyPair } from '../src/crypto.ts'
import {
  planProof,
  signable,
  SparseNodeSet,
  storedNode,
  TreeBuilder,
  treeHash,
  verifyProof,
  type TreeNode,
} from '../src/merkle/index.ts'
import type { Bench } from './measure.ts'

/** Grow a tree over many blocks, and verify a proof of each of them. */
export async function run(bench: Bench): Promise<void> {
  const count = bench.quick ? 100 : 10_000
  for (const size of [64, 1024, 65_536]) {
    const blocks = Array.from({ length: size > 1024 ? count / 10 : count }, (_, i) =>
      new Uint8Array(size).fill(i),
    )
    // oxlint-disable-next-line no-await-in-loop -- one bench after the other
    await bench.compare(`grow by ${blocks.length} blocks of ${size} B`, {
      ours: () => void new TreeBuilder().append(blocks),
      limit: {
        name: 'bare hash',
        round: () => {
          for (const block of blocks) hash(block)
        },
      },
    })
  }
  await benchProofs(bench, count / 10)
}

async function benchProofs(bench: Bench, count: number): Promise<void> {
  const blocks = Array.from({ length: count }, (_, i) => new Uint8Array(1024).fill(i))
  const { nodes, roots } = new TreeBuilder().append(blocks)
  const all = new Map(nodes.map((node) => [node.index, node]))
  const lookup = (treeIndex: number): TreeNode | undefined => all.get(treeIndex)
  const set = new SparseNodeSet()
  for (const { index } of nodes) set.set(index)
  const { publicKey, secretKey } = signingKeyPair()
  const signature = sign(signable(treeHash(roots), count), secretKey)
  const proofs = blocks.map((value, index) => {
    const indices = planProof(set, 2 * index)?.indices ?? []
    return { index, value, nodes: indices.map((i) => storedNode(lookup, i)), signature }
  })
  const empty = { key: publicKey, live: true, length: 0, set: new SparseNodeSet() }

  await bench.compare(`plan ${count} proofs`, {
    ours: () => {
      for (let i = 0; i < count; i++) planProof(set, 2 * i)
    },
  })
  // each as if it were the first block seen: the whole way up, and a signature
  await bench.compare(`verify ${count} first proofs of 1 KiB`, {
    ours: () => {
      for (const proof of proofs) verifyProof(proof, { ...empty, stored: () => undefined })
    },
    limit: {
      name: 'bare hash',
      round: () => {
        for (const block of blocks) hash(block)
      },
    },
  })
}
