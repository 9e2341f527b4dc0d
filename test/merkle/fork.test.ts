/** Evidence that a key signed two histories: made, and refused when anything of it is changed. */
import fc from 'fast-check'
import t from 'tap'
import { fromUtf8 } from '../../src/bytes.ts'
import { type KeyPair, signingKeyPair } from '../../src/crypto.ts'
import {
  type SignedNode,
  type TreeNode,
  commonLength,
  flatTree,
  isFork,
  isSignedNode,
  siblingsUp,
} from '../../src/merkle/index.ts'
import { Source } from './models.ts'

/** Histories of one key that part after `common` blocks. */
function histories(keyPair: KeyPair, common: number, ...lengths: number[]): Source[] {
  return lengths.map(
    (length, which) =>
      new Source(
        Array.from({ length }, (_, i) => fromUtf8(i < common ? `same ${i}` : `${which} ${i}`)),
        keyPair,
      ),
  )
}

/** The leaf of a block, signed with the whole of a history. */
function signedLeaf(source: Source, block: number): SignedNode {
  const node = source.nodes.get(2 * block)
  const siblings = siblingsUp(2 * block, source.roots, (index) => source.nodes.get(index))
  const signature = source.signatures.get(source.blocks.length)
  if (!node || !siblings || !signature) throw new Error('no such block')
  return { node, siblings, length: source.blocks.length, roots: source.roots, signature }
}

t.test('two histories are a fork at every block that differs, and at no other', async () => {
  const keyPair = signingKeyPair()
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 0, max: 12 }),
      fc.integer({ min: 1, max: 12 }),
      fc.integer({ min: 1, max: 12 }),
      async (common, more, others) => {
        const sources = histories(keyPair, common, common + more, common + others)
        const [one, two] = sources as [Source, Source]
        for (let block = 0; block < common + Math.min(more, others); block++) {
          const [a, b] = [signedLeaf(one, block), signedLeaf(two, block)]
          if (!isSignedNode(a, keyPair.publicKey)) return false
          if (isFork(a, b, keyPair.publicKey) !== block >= common) return false
        }
        return true
      },
    ),
    { numRuns: 40 },
  )
})

t.test('evidence of which anything is changed proves nothing', async (t) => {
  const keyPair = signingKeyPair()
  const [one, two] = histories(keyPair, 2, 7, 6) as [Source, Source]
  const a = signedLeaf(one, 4)
  const b = signedLeaf(two, 4)
  const key = keyPair.publicKey
  t.equal(isFork(a, b, key), true)
  const other: TreeNode = { ...a.node, hash: new Uint8Array(32) }
  const [sibling = other, ...rest] = a.siblings
  const [root = other, ...roots] = a.roots
  const changed: [string, SignedNode][] = [
    ['another block', signedLeaf(one, 5)],
    ['another hash', { ...a, node: other }],
    ['another size', { ...a, node: { ...a.node, size: a.node.size + 1 } }],
    ['no length', { ...a, length: 0 }],
    ['a length that is no number of blocks', { ...a, length: 6.5 }],
    ['another length', { ...a, length: 6 }],
    ['a sibling too few', { ...a, siblings: rest }],
    ['a sibling from elsewhere', { ...a, siblings: [{ ...sibling, index: 0 }, ...rest] }],
    [
      'sizes past all numbers',
      { ...a, siblings: [{ ...sibling, size: Number.MAX_SAFE_INTEGER }, ...rest] },
    ],
    ['a root too few', { ...a, roots }],
    ['a root of another place', { ...a, roots: [{ ...root, index: 1 }, ...roots] }],
    ['a root of another size', { ...a, roots: a.roots.map((each) => ({ ...each, size: 1 })) }],
    ['no signature', { ...a, signature: new Uint8Array(64) }],
    ['the signature of the other', { ...a, signature: b.signature }],
  ]
  for (const [what, side] of changed) {
    t.equal(isFork(side, b, key), false, what)
    t.equal(isFork(b, side, key), false, what)
  }
  t.equal(isFork(a, a, key), false, 'one history is no fork')
  t.equal(isFork(a, b, signingKeyPair().publicKey), false, 'of another key')
})

t.test(
  'the way up ends at a root, and is none where a node is not at hand or above the roots',
  async (t) => {
    const [source] = histories(signingKeyPair(), 0, 7) as [Source]
    const lookup = (index: number): TreeNode | undefined => source.nodes.get(index)
    t.same(
      siblingsUp(2, source.roots, lookup)?.map(({ index }) => index),
      [0, 5],
    )
    t.same(siblingsUp(12, source.roots, lookup), [], 'a root has no siblings')
    t.equal(
      siblingsUp(2, source.roots, (index) => (index === 5 ? undefined : lookup(index))),
      null,
    )
    t.equal(siblingsUp(7, source.roots, lookup), null)
  },
)

t.test('what both share reaches as far as equal nodes cover it without a gap', async () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat(40)), fc.integer({ min: 0, max: 20 }), (nodes, limit) => {
      const equal = new Set(nodes)
      // Slowly: a block is shared when it is below an equal node that does not reach past the limit.
      let length = 0
      const covers = (node: number, block: number): boolean =>
        flatTree.leftSpan(node) <= 2 * block &&
        flatTree.rightSpan(node) >= 2 * block &&
        flatTree.leftSpan(node) >= 2 * length &&
        flatTree.rightSpan(node) < 2 * limit
      for (;;) {
        const at = length
        const best = nodes.filter((node) => covers(node, at) && flatTree.leftSpan(node) === 2 * at)
        if (best.length === 0) break
        length = Math.max(...best.map((node) => flatTree.rightSpan(node) / 2 + 1))
      }
      return commonLength(equal, limit) === length
    }),
  )
})
