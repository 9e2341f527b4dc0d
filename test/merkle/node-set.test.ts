/** Node sets against the definition: a parent is known when both of its children are. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import {
  SparseNodeSet,
  blocksOf,
  digest,
  flatTree,
  planProof,
  verifiedBy,
} from '../../src/merkle/index.ts'

fc.configureGlobal({ numRuns: process.env['SLOW'] ? 3000 : 100 })

/** What a set of added nodes implies, by repeating the definition until nothing is new. */
function closure(added: readonly number[]): Set<number> {
  const known = new Set(added)
  for (let grown = true; grown;) {
    grown = false
    for (const index of known) {
      const parent = flatTree.parent(index)
      if (known.has(parent) || !known.has(flatTree.sibling(index))) continue
      known.add(parent)
      grown = true
    }
  }
  return known
}

const indices = fc.array(fc.nat(62), { maxLength: 30 })

t.test('a known pair implies its parent', async () => {
  fc.assert(
    fc.property(indices, (added) => {
      const set = new SparseNodeSet()
      const before = new Set<number>()
      for (const index of added) {
        const implied = closure([...before, index])
        assert.equal(set.add(index), !before.has(index))
        for (const each of implied) before.add(each)
      }
      assert.equal(set.size, before.size)
      for (let i = 0; i < 200; i++) assert.equal(set.has(i), before.has(i), `node ${i}`)
    }),
  )
})

t.test('a whole log is covered by the signature of its own length', async () => {
  for (let length = 1; length <= 70; length++) {
    const set = new SparseNodeSet()
    for (let block = 0; block < length; block++) set.add(2 * block)
    assert.equal(blocksOf(set), length)
    for (let i = 0; i < 2 * length; i++) {
      assert.equal(verifiedBy(set, i), set.has(i) ? 2 * length : 0, `node ${i} of ${length} blocks`)
    }
  }
})

t.test('whoever tells by a digest that it knows nothing or all is believed', async (t) => {
  const set = new SparseNodeSet()
  t.equal(blocksOf(set), 0)
  t.equal(digest(set, 0, 0), 0)
  for (const index of [0, 2, 4, 6]) set.add(index)
  t.equal(digest(set, 0, 8), 1)
  t.strictSame(planProof(set, 0, { digest: 1 }), { indices: [], verifiedBy: 0 })
  t.strictSame(planProof(set, 0, { digest: 0 }), { indices: [2, 5], verifiedBy: 8 })
  t.equal(planProof(set, 8), null)
})

t.test('a digest says of every level what is known there', async () => {
  fc.assert(
    fc.property(indices, fc.nat(31), (added, block) => {
      const set = new SparseNodeSet()
      for (const index of added) set.add(index)
      const told = digest(set, 2 * block, 128)
      if (set.has(2 * block)) return assert.equal(told, 1)
      let at = 2 * block
      let known = told
      const rooted = told % 2 === 1
      for (known = Math.floor(told / 2); known > (rooted ? 1 : 0); known = Math.floor(known / 2)) {
        assert.equal(known % 2 === 1, set.has(flatTree.sibling(at)), `sibling of ${at}`)
        at = flatTree.parent(at)
        if (!(rooted && known < 4)) assert.ok(!set.has(at), `ancestor ${at}`)
      }
      if (rooted && told > 1) assert.ok(set.has(at), `ancestor ${at}`)
    }),
  )
})

t.test('any digest is answered, and what it claims is only ever left out', async () => {
  fc.assert(
    fc.property(indices, fc.nat(31), fc.maxSafeNat(), fc.boolean(), (added, block, told, hash) => {
      const set = new SparseNodeSet()
      for (const index of added) set.add(index)
      const remoteTree = new SparseNodeSet()
      const plan = planProof(set, 2 * block, { digest: told, hash, remoteTree })
      const whole = planProof(set, 2 * block, { hash })
      assert.equal(plan === null, !set.has(2 * block))
      if (!plan || !whole) return
      assert.deepEqual(
        plan.indices,
        whole.indices.filter((index) => plan.indices.includes(index)),
      )
      assert.ok(plan.verifiedBy === 0 || plan.verifiedBy === whole.verifiedBy)
      for (let i = 0; i < 200; i++) if (remoteTree.has(i)) assert.ok(set.has(i), `node ${i}`)
    }),
  )
})
