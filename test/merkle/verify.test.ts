/** Proofs between a source and a replica: honest ones, altered ones, and lies that are well signed. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { copy, equals, fromUtf8 } from '../../src/bytes.ts'
import { sign, signingKeyPair } from '../../src/crypto.ts'
import {
  type BlockProof,
  MerkleError,
  SparseNodeSet,
  type TreeNode,
  flatTree,
  leafNode,
  parentNode,
  signable,
  treeHash,
  verifyProof,
} from '../../src/merkle/index.ts'
import { Replica, Source } from './models.ts'

fc.configureGlobal({ numRuns: process.env['SLOW'] ? 3000 : 100 })

const keyPair = signingKeyPair(new Uint8Array(32).fill(7))
const blocks = Array.from({ length: 41 }, (_, i) => fromUtf8('x'.repeat((i * 7) % 11) + i))
const whole = new Source(blocks, keyPair)
const sources = new Map<number, Source>()

function sourceOf(length: number): Source {
  const source = sources.get(length) ?? new Source(blocks.slice(0, length), keyPair)
  sources.set(length, source)
  return source
}

function nodeOf(source: Source, treeIndex: number): TreeNode {
  const node = source.nodes.get(treeIndex)
  assert.ok(node, `tree node ${treeIndex}`)
  return node
}

/** The code with which a proof is refused, or `null`. Holds that a refusal changes nothing. */
function refusal(replica: Replica, proof: BlockProof, options = {}): string | null {
  const before = stateOf(replica)
  try {
    replica.accept(proof, options)
    return null
  } catch (error) {
    assert.ok(error instanceof MerkleError, String(error))
    assert.deepEqual(stateOf(replica), before)
    return error.code
  }
}

function stateOf({ nodes, blocks, length, byteLength, live }: Replica): object {
  return { nodes: new Map(nodes), blocks: new Map(blocks), length, byteLength, live }
}

/** Nothing untrue is stored, and nothing is called known that is not stored. */
function assertTrue(replica: Replica): void {
  for (const [index, node] of replica.nodes) {
    assert.deepEqual(node, whole.nodes.get(index), `tree node ${index}`)
  }
  for (const [index, block] of replica.blocks) assert.ok(equals(block, blocks[index] ?? block))
  for (let i = 0; i < 2 * blocks.length; i++) {
    assert.equal(replica.set.has(i), replica.nodes.has(i), `tree node ${i}`)
  }
}

/** One request: of a source of that length, a block (by fraction), by hash or with its value. */
const request = fc.record({
  length: fc.integer({ min: 1, max: blocks.length }),
  at: fc.double({ min: 0, max: 0.999, noNaN: true }),
  hash: fc.boolean(),
  knows: fc.boolean(),
})

function ask(
  replica: Replica,
  { length, at, hash, knows }: typeof request extends fc.Arbitrary<infer R> ? R : never,
): BlockProof {
  const index = Math.floor(at * length)
  return sourceOf(length).prove(index, { digest: knows ? replica.digest(index) : 0, hash })
}

t.test('what a source proves of any length, a replica in any state accepts', async () => {
  fc.assert(
    fc.property(fc.array(request, { maxLength: 12 }), (requests) => {
      const replica = new Replica(keyPair.publicKey)
      let longest = 0
      for (const each of requests) {
        const proof = ask(replica, each)
        const planned = replica.plan(proof)
        const { asked } = replica.check(proof)
        for (const index of asked) assert.ok(planned.has(index), `asked for ${index} unplanned`)
        replica.accept(proof)
        longest = Math.max(longest, each.length)
        assert.ok(replica.length <= longest)
        if (replica.length > 0) {
          assert.equal(replica.byteLength, bytesIn(replica.length))
          assert.ok(replica.recordedLength >= replica.length)
        }
      }
      assertTrue(replica)
    }),
  )
})

t.test('proofs asked for together are accepted in any order', async () => {
  const flight = fc.record({ requests: fc.array(request, { maxLength: 12 }), order: fc.nat() })
  fc.assert(
    fc.property(flight, fc.integer({ min: 1, max: 6 }), ({ requests, order }, most) => {
      const replica = new Replica(keyPair.publicKey)
      const remoteTree = new SparseNodeSet()
      const inFlight: BlockProof[] = []
      const land = (k: number): void =>
        replica.accept(inFlight.splice(k % inFlight.length, 1)[0] ?? fail())
      // A source only ever grows, and remembers what every digest told.
      for (const { length, at, hash } of requests.toSorted((a, b) => a.length - b.length)) {
        const index = Math.floor(at * length)
        const digest = replica.digest(index)
        inFlight.push(sourceOf(length).prove(index, { digest, hash, remoteTree }))
        if (inFlight.length === most) land(order)
      }
      while (inFlight.length > 0) land(order)
      assertTrue(replica)
    }),
  )
})

function fail(): never {
  throw new Error('nothing in flight')
}

function bytesIn(length: number): number {
  return blocks.slice(0, length).reduce((sum, block) => sum + block.length, 0)
}

t.test('stored nodes that are not at hand are asked for one by one, and no other', async () => {
  fc.assert(
    fc.property(fc.array(request, { maxLength: 8 }), request, (before, last) => {
      const replica = new Replica(keyPair.publicKey)
      for (const each of before) replica.accept(ask(replica, each))
      const proof = ask(replica, last)
      const { key, live, length, set } = replica
      const atHand = new Map<number, TreeNode>()
      const stored = (treeIndex: number): TreeNode | undefined => atHand.get(treeIndex)
      for (;;) {
        try {
          const verified = verifyProof(proof, { key, live, length, set, stored })
          assert.deepEqual(verified, replica.check(proof).verified)
          break
        } catch (error) {
          assert.ok(error instanceof MerkleError && error.code === 'MERKLE_MISSING_NODE')
          const missing = error.treeIndex ?? -1
          assert.ok(set.has(missing) && !atHand.has(missing), `tree node ${missing}`)
          const node = replica.nodes.get(missing)
          assert.ok(node, `tree node ${missing}`)
          atHand.set(missing, node)
        }
      }
    }),
  )
})

function flip(bytes: Uint8Array, at: number): Uint8Array {
  const out = copy(bytes)
  const i = at % out.length
  out[i] = (out[i] ?? 0) ^ (1 << (at % 8))
  return out
}

function replaced<T>(list: readonly T[], at: number, ...by: T[]): T[] {
  return list.toSpliced(at, 1, ...by)
}

/** All mutations of a proof at place `at` of its nodes, by name. Each says something else. */
function mutations(proof: BlockProof, at: number): Record<string, BlockProof> {
  const { nodes, value, signature, index } = proof
  const out: Record<string, BlockProof> = {
    'index shifted': { ...proof, index: index + 1 },
    'node appended': { ...proof, nodes: [...nodes, nodeOf(whole, 100 % (2 * index + 2))] },
  }
  if (value) {
    out['value longer'] = { ...proof, value: new Uint8Array([...value, 0]) }
    if (value.length > 0) out['value altered'] = { ...proof, value: flip(value, at) }
    if (value.length > 0) out['value empty'] = { ...proof, value: new Uint8Array(0) }
  }
  if (signature) {
    out['signature missing'] = { ...proof, signature: null }
    out['signature altered'] = { ...proof, signature: flip(signature, at) }
    out['signature short'] = { ...proof, signature: signature.subarray(1) }
    out['signature long'] = { ...proof, signature: new Uint8Array(65) }
  }
  const i = nodes.length === 0 ? 0 : at % nodes.length
  const node = nodes[i]
  if (!node) return out
  const next = nodes[i + 1]
  const set = (name: string, ...by: TreeNode[]): void => {
    out[name] = { ...proof, nodes: replaced(nodes, i, ...by) }
  }
  set('node dropped')
  set('node repeated', node, node)
  set('node hash altered', { ...node, hash: flip(node.hash, at) })
  set('node hash short', { ...node, hash: node.hash.subarray(1) })
  set('node hash long', { ...node, hash: new Uint8Array(33) })
  set('node size altered', { ...node, size: node.size + 1 })
  set('node size negative', { ...node, size: -1 })
  set('node size unsafe', { ...node, size: 2 ** 53 })
  set('node size huge', { ...node, size: Number.MAX_SAFE_INTEGER })
  set('node index altered', { ...node, index: node.index + 2 })
  set('node index huge', { ...node, index: 2 ** 53 - 1 })
  set('node index broken', { ...node, index: 0.5 })
  if (next) out['nodes swapped'] = { ...proof, nodes: nodes.toSpliced(i, 2, next, node) }
  return out
}

t.test('every mutation of a first proof is refused and changes nothing', async () => {
  for (const length of [1, 2, 3, 7, 8, 11, 24, 41]) {
    for (const hash of [false, true]) {
      for (let index = 0; index < length; index++) {
        const proof = sourceOf(length).prove(index, { hash })
        for (let at = 0; at <= proof.nodes.length; at++) {
          for (const [name, mutated] of Object.entries(mutations(proof, at))) {
            const code = refusal(new Replica(keyPair.publicKey), mutated)
            assert.notEqual(code, null, `block ${index} of ${length}, hash ${hash}, ${at}: ${name}`)
            assert.notEqual(code, 'MERKLE_MISSING_NODE', name)
          }
        }
      }
    }
  }
})

t.test('a mutated proof never makes a replica in any state store what is not true', async () => {
  fc.assert(
    fc.property(fc.array(request, { maxLength: 6 }), request, fc.nat(300), (before, last, at) => {
      const proof = ((): BlockProof => {
        const replica = new Replica(keyPair.publicKey)
        for (const each of before) replica.accept(ask(replica, each))
        return ask(replica, last)
      })()
      for (const mutated of Object.values(mutations(proof, at))) {
        const replica = new Replica(keyPair.publicKey)
        for (const each of before) replica.accept(ask(replica, each))
        refusal(replica, mutated)
        assertTrue(replica)
      }
    }),
  )
})

t.test('any heap of true and untrue nodes leaves a replica with true ones', async () => {
  const anyNode = fc.oneof(
    fc.constantFrom(...whole.nodes.values()),
    fc.record({
      index: fc.oneof(fc.nat(90), fc.maxSafeNat()),
      size: fc.nat(20),
      hash: fc.constant(new Uint8Array(32)),
    }),
  )
  const message = fc.record({
    index: fc.oneof(fc.nat(45), fc.maxSafeNat()),
    value: fc.oneof(fc.constantFrom(null, ...blocks), fc.uint8Array({ maxLength: 3 })),
    nodes: fc.array(anyNode, { maxLength: 8 }),
    signature: fc.oneof(fc.constant(null), fc.constantFrom(...whole.signatures.values())),
  })
  fc.assert(
    fc.property(fc.array(request, { maxLength: 5 }), message, (before, proof) => {
      const replica = new Replica(keyPair.publicKey)
      for (const each of before) replica.accept(ask(replica, each))
      refusal(replica, proof)
      assertTrue(replica)
    }),
  )
})

t.test('a proof without its leaf, or of another one, is malformed', async (t) => {
  const replica = new Replica(keyPair.publicKey)
  const proof = whole.prove(3, { hash: true })
  t.equal(refusal(replica, { ...proof, nodes: [] }), 'MERKLE_BAD_PROOF')
  t.equal(refusal(replica, { ...proof, index: 4 }), 'MERKLE_BAD_PROOF')
  t.equal(refusal(replica, { ...proof, index: -1 }), 'MERKLE_BAD_PROOF')
  t.equal(refusal(replica, { ...proof, index: 2 ** 52 }), 'MERKLE_BAD_PROOF')
  t.equal(refusal(replica, { ...proof, index: Number.NaN }), 'MERKLE_BAD_PROOF')
  t.throws(() => replica.plan({ ...proof, index: Number.NaN }), { code: 'MERKLE_BAD_PROOF' })
})

t.test(
  'two hashes cut at another place are refused, though their parent is the same',
  async (t) => {
    const proof = sourceOf(7).prove(0, { hash: true })
    const [a, b, ...rest] = proof.nodes
    if (!a || !b) throw new Error('want a pair of leaves')
    const joined = new Uint8Array([...a.hash, ...b.hash])
    const cut = [
      { ...a, hash: joined.subarray(0, 40) },
      { ...b, hash: joined.subarray(40) },
    ]
    const replica = new Replica(keyPair.publicKey)
    t.equal(refusal(replica, { ...proof, nodes: [...cut, ...rest] }), 'MERKLE_BAD_PROOF')
  },
)

t.test('true roots vouch for no block that does not lead to one of them', async (t) => {
  const seven = sourceOf(7)
  for (const hash of [true, false]) {
    const replica = new Replica(keyPair.publicKey)
    replica.accept(seven.prove(2, { hash }))
    const nodes = [3, 9, 12].map((index) => nodeOf(seven, index))
    const forged = {
      index: 2,
      value: fromUtf8('lies'),
      nodes,
      signature: seven.signatures.get(7) ?? null,
    }
    t.equal(refusal(replica, forged), 'MERKLE_MISSING_ROOTS')
    const leaf = leafNode(2, forged.value)
    t.equal(
      refusal(replica, { ...forged, value: null, nodes: [leaf, ...nodes] }),
      'MERKLE_MISSING_ROOTS',
    )
  }
})

/** A proof of hashes in which two leaves trade bytes: the parent's hash covers but their sum. */
function withTradedBytes(source: Source, index: number): BlockProof {
  const proof = source.prove(index, { hash: true })
  const [leaf, sibling, ...rest] = proof.nodes
  if (!leaf || !sibling) throw new Error('want a pair of leaves')
  const lie = [
    { ...leaf, size: leaf.size + 2 },
    { ...sibling, size: sibling.size - 2 },
  ]
  return { ...proof, nodes: [...lie, ...rest] }
}

t.test('leaf sizes that a bare proof lied about are set right by the block itself', async (t) => {
  for (const index of [2, 3]) {
    const replica = new Replica(keyPair.publicKey)
    replica.accept(withTradedBytes(whole, index))
    t.not(replica.nodes.get(4)?.size, whole.nodes.get(4)?.size, 'the lie cannot be seen')
    replica.accept(whole.prove(index, { digest: 1 }))
    assertTrue(replica)
    t.equal(replica.blocks.size, 1)
  }
  const replica = new Replica(keyPair.publicKey)
  replica.accept(withTradedBytes(whole, 2))
  replica.accept(whole.prove(2), { trust: false })
  assertTrue(replica)
})

t.test(
  'a wrong leaf size that the stored nodes cannot set right asks for a full proof',
  async (t) => {
    const replica = new Replica(keyPair.publicKey)
    replica.accept(whole.prove(2))
    replica.nodes.set(4, { ...nodeOf(whole, 4), size: 999 })
    replica.nodes.set(5, { ...nodeOf(whole, 5), size: 1 })
    t.equal(refusal(replica, whole.prove(2, { digest: 1 })), 'MERKLE_WRONG_SIZE')
    const single = new Replica(keyPair.publicKey)
    single.accept(sourceOf(1).prove(0))
    single.nodes.set(0, { ...nodeOf(whole, 0), size: 999 })
    t.equal(refusal(single, sourceOf(1).prove(0, { digest: 1 })), 'MERKLE_WRONG_SIZE')
    t.equal(refusal(single, sourceOf(1).prove(0), { trust: false }), null)
    assertTrue(single)
  },
)

t.test('a bare proof cannot move the bytes of a leaf that is held', async (t) => {
  const replica = new Replica(keyPair.publicKey)
  replica.accept(sourceOf(3).prove(2))
  t.notOk(replica.set.has(6))
  const honest = sourceOf(4).prove(3, { hash: true })
  t.equal(refusal(replica, withTradedBytes(sourceOf(4), 3)), 'MERKLE_BAD_PROOF')
  t.equal(refusal(replica, honest), null)
  assertTrue(replica)
})

const forked = new Source(
  blocks.map((block, i) => (i < 2 ? block : fromUtf8(`other ${i}`))),
  keyPair,
)

t.test('a signed proof against a stored node is a fork', async (t) => {
  for (const [from, index] of [
    [sourceOf(41), 5],
    [sourceOf(11), 9],
    [sourceOf(4), 2],
  ] as const) {
    const replica = new Replica(keyPair.publicKey)
    replica.accept(from.prove(index))
    t.equal(refusal(replica, forked.prove(index)), 'MERKLE_FORK')
    t.equal(refusal(replica, forked.prove(index, { hash: true })), 'MERKLE_FORK')
    t.equal(refusal(replica, forked.prove(index), { trust: false }), null, 'unless told otherwise')
  }
})

t.test('a damaged node below a trusted one is replaced', async (t) => {
  const replica = new Replica(keyPair.publicKey)
  replica.accept(sourceOf(1).prove(0))
  replica.accept(sourceOf(4).prove(2))
  t.ok(replica.set.has(1) && !replica.set.has(2))
  replica.nodes.set(0, { ...nodeOf(whole, 0), hash: new Uint8Array(32) })
  const second = { ...whole.prove(1), nodes: [nodeOf(whole, 0)], signature: null }
  t.equal(refusal(replica, second), null)
  assertTrue(replica)
})

t.test('a damaged leaf is replaced by a proof that trusts nothing', async (t) => {
  const replica = new Replica(keyPair.publicKey)
  replica.accept(whole.prove(0))
  const proof = { ...whole.prove(0, { digest: 1 }), nodes: [nodeOf(whole, 2)] }
  replica.nodes.set(0, { ...nodeOf(whole, 0), hash: new Uint8Array(32) })
  t.equal(refusal(replica, proof), 'MERKLE_NO_SIGNATURE', 'the stored leaf is believed')
  t.equal(refusal(replica, whole.prove(0)), 'MERKLE_FORK', 'and cannot be told from a fork')
  t.equal(refusal(replica, whole.prove(0), { trust: false }), null)
  assertTrue(replica)
})

t.test('a static log is vouched for by its key alone', async (t) => {
  const source = sourceOf(7)
  const key = treeHash(source.roots)
  const unsigned = (index: number): BlockProof => ({ ...source.prove(index), signature: null })
  const replica = new Replica(key)
  replica.accept(unsigned(4))
  t.equal(replica.length, 7)
  t.notOk(replica.live)
  replica.accept(unsigned(6))
  t.equal(refusal(replica, { ...forked.prove(5), signature: null }), 'MERKLE_BAD_CHECKSUM')
  t.equal(refusal(new Replica(key), source.prove(5)), 'MERKLE_BAD_SIGNATURE')
  assertTrue(replica)
})

t.test('a signature of the bare tree hash, as older writers made it, is accepted', async (t) => {
  const source = sourceOf(11)
  const signature = sign(treeHash(source.roots), keyPair.secretKey)
  t.equal(refusal(new Replica(keyPair.publicKey), { ...source.prove(3), signature }), null)
})

t.test('a head is given with its roots, whatever its length', async (t) => {
  const replica = new Replica(keyPair.publicKey)
  const { verified } = replica.check(sourceOf(7).prove(2))
  t.strictSame(verified.head?.roots, sourceOf(7).roots)
  t.equal(verified.head?.length, 7)
  replica.accept(sourceOf(11).prove(9))
  replica.accept(sourceOf(3).prove(2))
  t.equal(replica.length, 11)
  t.equal(replica.check(sourceOf(11).prove(9, { digest: 1 })).verified.head, null)
})

t.test('sizes that do not add up to a safe integer are refused', async (t) => {
  const size = Number.MAX_SAFE_INTEGER
  const leaf = { index: 0, size, hash: new Uint8Array(32) }
  const sibling = { index: 2, size, hash: new Uint8Array(32) }
  const root = { index: 4, size, hash: new Uint8Array(32) }
  const headOf = (length: number, ...roots: TreeNode[]): Uint8Array =>
    sign(signable(treeHash(roots), length), keyPair.secretKey)
  const replica = new Replica(keyPair.publicKey)
  const pair = { index: 0, value: null, nodes: [leaf, sibling], signature: headOf(2, leaf) }
  t.equal(refusal(replica, pair), 'MERKLE_BAD_PROOF')
  const small = { ...sibling, size: 0 }
  const top = parentNode(leaf, small)
  const signature = headOf(3, top, root)
  const three = { index: 0, value: null, nodes: [leaf, small, root], signature }
  t.equal(refusal(replica, three), 'MERKLE_BAD_PROOF')
  t.equal(flatTree.parent(leaf.index), top.index)
})
