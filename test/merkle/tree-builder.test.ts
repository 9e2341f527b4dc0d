/** Hashes and growth against the definitions, written out. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { concat, equals, writeUint64 } from '../../src/bytes.ts'
import { hash, sign, signingKeyPair } from '../../src/crypto.ts'
import {
  TreeBuilder,
  type TreeNode,
  flatTree,
  leafHash,
  parentNode,
  signable,
  treeHash,
  verifySignature,
} from '../../src/merkle/index.ts'

fc.configureGlobal({ numRuns: process.env['SLOW'] ? 3000 : 100 })

function uint64(value: number): Uint8Array {
  const out = new Uint8Array(8)
  writeUint64(value, out, 0)
  return out
}

const LEAF = new Uint8Array([0])
const PARENT = new Uint8Array([1])
const TREE = new Uint8Array([2])

/** The node over `blocks[start, start + count)`, by the definition of its hash. */
function naiveNode(blocks: readonly Uint8Array[], start: number, count: number): TreeNode {
  if (count === 1) {
    const block = blocks[start] ?? new Uint8Array(0)
    const message = concat([LEAF, uint64(block.length), block])
    return { index: 2 * start, hash: hash(message), size: block.length }
  }
  const left = naiveNode(blocks, start, count / 2)
  const right = naiveNode(blocks, start + count / 2, count / 2)
  const size = left.size + right.size
  const message = concat([PARENT, uint64(size), left.hash, right.hash])
  return { index: 2 * start + count - 1, hash: hash(message), size }
}

function naiveRoots(blocks: readonly Uint8Array[]): TreeNode[] {
  return flatTree.fullRoots(2 * blocks.length).map((root) => {
    const start = flatTree.leftSpan(root) / 2
    return naiveNode(blocks, start, flatTree.countLeaves(root))
  })
}

const blocksOf = fc.array(fc.uint8Array({ maxLength: 12 }), { maxLength: 40 })

t.test('a tree that grows in batches is the tree of all blocks', async () => {
  fc.assert(
    fc.property(fc.array(blocksOf, { maxLength: 4 }), (batches) => {
      const builder = new TreeBuilder()
      const nodes: TreeNode[] = []
      const all: Uint8Array[] = []
      for (const batch of batches) {
        const growth = builder.append(batch)
        nodes.push(...growth.nodes)
        all.push(...batch)
        assert.deepEqual(growth.roots, naiveRoots(all))
        assert.equal(growth.length, all.length)
        assert.equal(growth.byteLength, concat(all).length)
      }
      assert.deepEqual(builder.roots, naiveRoots(all))
      assert.equal(builder.length, all.length)
      assert.equal(builder.byteLength, concat(all).length)
      // Each full subtree once, and nothing else.
      const indices = nodes.map(({ index }) => index)
      assert.equal(new Set(indices).size, indices.length)
      for (const { index, ...node } of nodes) {
        const count = flatTree.countLeaves(index)
        assert.deepEqual({ index, ...node }, naiveNode(all, flatTree.leftSpan(index) / 2, count))
      }
      assert.equal(indices.length, 2 * all.length - builder.roots.length)
    }),
  )
})

t.test('a builder goes on from given roots, and undoes nothing of them', async (t) => {
  const first = [new Uint8Array([1]), new Uint8Array([2]), new Uint8Array([3])]
  const before = new TreeBuilder().append(first)
  const builder = new TreeBuilder(before.roots)
  t.equal(builder.length, 3)
  t.equal(builder.byteLength, 3)
  const after = builder.append([new Uint8Array(5)])
  t.strictSame(after.roots, naiveRoots([...first, new Uint8Array(5)]))
  t.strictSame(before.roots, naiveRoots(first))
})

t.test('an append that throws leaves the builder as it was', async (t) => {
  const builder = new TreeBuilder()
  builder.append([new Uint8Array(3)])
  const broken = new Proxy(new Uint8Array(1), {
    get: () => {
      throw new Error('no bytes')
    },
  })
  t.throws(() => builder.append([new Uint8Array(1), broken]))
  t.equal(builder.length, 1)
  t.strictSame(builder.roots, naiveRoots([new Uint8Array(3)]))
})

t.test('the hash of a leaf does not depend on how its block is passed on', async (t) => {
  for (const length of [0, 1, 2047, 2048, 2049, 70_000]) {
    const block = new Uint8Array(length).map((_, i) => i)
    t.strictSame(leafHash(block), hash(concat([LEAF, uint64(length), block])), `${length} bytes`)
  }
})

t.test('siblings may be given in either order', async (t) => {
  const [left, right] = [naiveNode([LEAF, TREE], 0, 1), naiveNode([LEAF, TREE], 1, 1)]
  t.strictSame(parentNode(right, left), parentNode(left, right))
  t.strictSame(parentNode(left, right), naiveNode([LEAF, TREE], 0, 2))
})

t.test('a signature covers roots and length, and of an old log the roots alone', async (t) => {
  const { publicKey, secretKey } = signingKeyPair(new Uint8Array(32))
  const other = signingKeyPair(new Uint8Array(32).fill(1))
  const roots = naiveRoots([LEAF, PARENT, TREE])
  const parts = roots.flatMap((root) => [root.hash, uint64(root.index), uint64(root.size)])
  const head = treeHash(roots)
  t.strictSame(head, hash(concat([TREE, ...parts])))
  t.ok(equals(signable(head, 3), concat([head, uint64(3)])))
  const signature = sign(signable(head, 3), secretKey)
  t.ok(verifySignature(signature, head, 3, publicKey))
  t.ok(verifySignature(sign(head, secretKey), head, 3, publicKey))
  t.notOk(verifySignature(signature, head, 4, publicKey))
  t.notOk(verifySignature(signature, treeHash([]), 3, publicKey))
  t.notOk(verifySignature(signature, head, 3, other.publicKey))
  t.notOk(verifySignature(signature.subarray(1), head, 3, publicKey))
})
