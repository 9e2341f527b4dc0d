/** The tree: growing it, proving blocks and verifying proofs, beside the bare hashes and signatures. */
import { type KeyPair, hash, sign, signingKeyPair, verify } from '../src/crypto.ts'
import {
  type BlockProof,
  SparseNodeSet,
  TreeBuilder,
  type TreeNode,
  digest,
  planProof,
  planVerify,
  signable,
  storedNode,
  treeHash,
  verifyProof,
} from '../src/merkle/index.ts'
import type { Bench } from './measure.ts'

/** Grow a tree over many blocks, then plan and verify a proof of each. */
export async function run(bench: Bench): Promise<void> {
  const count = bench.quick ? 100 : 10_000
  for (const size of [64, 1024, 65_536]) {
    const blocks = blocksOf(size > 1024 ? count / 10 : count, size)
    // oxlint-disable-next-line no-await-in-loop -- one bench after the other
    await bench.compare(`grow by ${blocks.length} blocks of ${size} B`, {
      ours: () => void new TreeBuilder().append(blocks),
      limit: { name: 'bare hash', round: () => hashAll(blocks) },
    })
  }
  const source = new Source(blocksOf(count / 10, 1024))
  await bench.compare(`plan ${source.length} proofs`, {
    ours: () => {
      for (let i = 0; i < source.length; i++) planProof(source.set, 2 * i)
    },
  })
  await benchVerify(bench, source)
}

async function benchVerify(bench: Bench, source: Source): Promise<void> {
  const { blocks, length } = source
  const proofs = blocks.map((_, index) => source.prove(index, 0))
  // Each as if it were the first block seen: the whole way up, and a signature.
  await bench.compare(`verify ${length} first proofs of 1 KiB`, {
    ours: () => {
      for (const proof of proofs) new Replica(source.keyPair.publicKey).accept(proof)
    },
    limit: {
      name: 'bare hash and signature',
      round: () => {
        for (const block of blocks) {
          hash(block)
          verify(source.signature, source.head, source.keyPair.publicKey)
        }
      },
    },
  })
  // As in a download in order: but for the first, every way up soon ends at a known node.
  await bench.compare(`download ${length} proven blocks of 1 KiB`, {
    ours: () => {
      const replica = new Replica(source.keyPair.publicKey)
      for (const index of blocks.keys()) {
        replica.accept(source.prove(index, digest(replica.set, 2 * index, 4 * length)))
      }
    },
    limit: { name: 'bare hash', round: () => hashAll(blocks) },
  })
}

class Source {
  readonly keyPair: KeyPair = signingKeyPair()
  readonly set = new SparseNodeSet()
  readonly blocks: readonly Uint8Array[]
  readonly head: Uint8Array
  readonly signature: Uint8Array
  readonly #nodes = new Map<number, TreeNode>()

  constructor(blocks: readonly Uint8Array[]) {
    const { nodes, roots } = new TreeBuilder().append(blocks)
    for (const node of nodes) {
      this.#nodes.set(node.index, node)
      this.set.set(node.index)
    }
    this.blocks = blocks
    this.head = signable(treeHash(roots), blocks.length)
    this.signature = sign(this.head, this.keyPair.secretKey)
  }

  get length(): number {
    return this.blocks.length
  }

  prove(index: number, known: number): BlockProof {
    const plan = planProof(this.set, 2 * index, { digest: known })
    if (!plan) throw new Error(`no proof of block ${index}`)
    const nodes = plan.indices.map((i) => storedNode((at) => this.#nodes.get(at), i))
    const signature = plan.verifiedBy === 0 ? null : this.signature
    return { index, value: this.blocks[index] ?? null, nodes, signature }
  }
}

class Replica {
  readonly set = new SparseNodeSet()
  readonly #key: Uint8Array
  readonly #nodes = new Map<number, TreeNode>()
  #length = 0

  constructor(key: Uint8Array) {
    this.#key = key
  }

  accept(proof: BlockProof): void {
    const { set } = this
    planVerify(set, proof)
    const stored = (index: number): TreeNode | undefined => this.#nodes.get(index)
    const log = { key: this.#key, live: true, length: this.#length, set, stored }
    const { nodes, head } = verifyProof(proof, log)
    for (const node of nodes) {
      this.#nodes.set(node.index, node)
      set.add(node.index)
    }
    if (head) this.#length = head.length
  }
}

function blocksOf(count: number, size: number): Uint8Array[] {
  return Array.from({ length: count }, (_, i) => new Uint8Array(size).fill(i))
}

function hashAll(blocks: readonly Uint8Array[]): void {
  for (const block of blocks) hash(block)
}
