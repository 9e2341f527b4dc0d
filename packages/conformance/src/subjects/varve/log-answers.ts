/**
 * Varve's answers about the log.
 *
 * @module
 */
import type { Log, LogOptions } from 'varve/log'
import { bytesOf, hex } from '../../expect.ts'
import type { DataJson, Hex, NodeJson } from '../../operations.ts'
import type { Handlers } from '../answer.ts'
import type { Library } from './library.ts'

interface Node {
  readonly index: number
  readonly size: number
  readonly hash: Uint8Array
}

function nodeOf({ index, size, hash }: NodeJson): Node {
  return { index, size, hash: bytesOf(hash) }
}

function nodeJson({ index, size, hash }: Node): NodeJson {
  return { index, size, hash: hex(hash) }
}

/** Hashes, keys, signatures, numbering, bitfields, proofs. */
export function logAnswers({ crypto, merkle, storage, log, store }: Library): Handlers {
  const { flatTree } = merkle
  const open = (key: Hex, options: LogOptions = {}): Log =>
    new log.Log(new storage.MemoryFolder().open, bytesOf(key), { durability: 'none', ...options })
  const setOf = (nodes: readonly number[]): InstanceType<typeof merkle.SparseNodeSet> => {
    const set = new merkle.SparseNodeSet()
    for (const index of nodes) set.add(index)
    return set
  }
  return {
    leaf: ({ data }) => {
      const { hash, size } = merkle.leafNode(0, bytesOf(data))
      return { hash: hex(hash), size }
    },
    parent: ({ first, second }) => {
      const { hash, size } = merkle.parentNode(nodeOf(first), nodeOf(second))
      return { hash: hex(hash), size }
    },
    tree: ({ roots }) => ({ hash: hex(merkle.treeHash(roots.map(nodeOf))) }),
    signable: ({ hash, length }) => ({ bytes: hex(merkle.signable(bytesOf(hash), length)) }),
    keyPair: ({ seed }) => pairJson(crypto.signingKeyPair(bytesOf(seed))),
    discoveryKey: ({ publicKey }) => ({
      discoveryKey: hex(crypto.discoveryKey(bytesOf(publicKey))),
    }),
    deriveSeed: ({ masterKey, namespace, name }) => ({
      seed: hex(store.deriveSeed(bytesOf(masterKey), bytesOf(name), namespace)),
    }),
    sign: ({ secretKey, message }) => ({
      signature: hex(crypto.sign(bytesOf(message), bytesOf(secretKey))),
    }),
    verifyHead: ({ publicKey, hash, length, signature }) => ({
      valid: merkle.verifySignature(bytesOf(signature), bytesOf(hash), length, bytesOf(publicKey)),
    }),
    flatTree: ({ index }) => ({
      depth: flatTree.depth(index),
      offset: flatTree.offset(index),
      parent: flatTree.parent(index),
      sibling: flatTree.sibling(index),
      children: flatTree.children(index),
      leftSpan: flatTree.leftSpan(index),
      rightSpan: flatTree.rightSpan(index),
      count: flatTree.count(index),
    }),
    fullRoots: ({ index }) => ({ roots: flatTree.fullRoots(index) }),
    encodeBitfield: ({ bits }) => ({ bytes: hex(log.encodeRle(bytesOf(bits))) }),
    decodeBitfield: ({ bytes, maxBytes }) => ({
      bits: hex(log.decodeRle(bytesOf(bytes), maxBytes)),
    }),
    digest: ({ nodes, index }) => {
      const span = Math.max(0, ...nodes.map((node) => flatTree.nextLeaf(node)))
      return { digest: merkle.digest(setOf(nodes), index, span) }
    },
    planProof: ({ nodes, index, digest, hash }) => {
      const plan = merkle.planProof(setOf(nodes), index, { digest, hash })
      return plan && { nodes: plan.indices, verifiedBy: plan.verifiedBy }
    },
    prove: async ({ secretKey, blocks, index, digest, hash }) => {
      const whole = open(secretKey.slice(64), { secretKey })
      try {
        await whole.ready()
        for (const block of blocks) await whole.append(bytesOf(block))
        if (index >= whole.length) return null
        const { nodes, signature } = await whole.proof(index, { digest, hash })
        return { nodes: nodes.map(nodeJson), signature: signature ? hex(signature) : null }
      } finally {
        await whole.close()
      }
    },
    replica: async ({ publicKey, messages }) => {
      const copy = open(publicKey, { sparse: true })
      await copy.ready()
      const steps = []
      for (const message of messages) {
        const digest = copy.digest(message.index)
        const [error] = await copy.receive([proofOf(message)], null)
        const held = []
        for (let i = 0; i < copy.length; i++) if (copy.has(i)) held.push(i)
        const { length, byteLength } = copy
        steps.push({ digest, accepted: error === null, length, byteLength, held })
      }
      await copy.close()
      return { steps }
    },
    seek: async ({ sizes, bytes }) => {
      const pair = crypto.signingKeyPair(new Uint8Array(32))
      const whole = open(hex(pair.publicKey), { secretKey: pair.secretKey })
      try {
        await whole.append(sizes.map((size) => new Uint8Array(size)))
        const { index, offset } = await whole.seek(bytes, { wait: false })
        return { index, offset }
      } finally {
        await whole.close()
      }
    },
  }
}

function proofOf({ index, value, nodes, signature }: DataJson): {
  index: number
  value: Uint8Array | null
  nodes: Node[]
  signature: Uint8Array | null
} {
  return {
    index,
    value: value === null ? null : bytesOf(value),
    nodes: nodes.map(nodeOf),
    signature: signature === null ? null : bytesOf(signature),
  }
}

function pairJson(pair: { publicKey: Uint8Array; secretKey: Uint8Array }): {
  publicKey: Hex
  secretKey: Hex
} {
  return { publicKey: hex(pair.publicKey), secretKey: hex(pair.secretKey) }
}
