/** The numbering against a table that is built from its picture: a parent stands halfway. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { Cursor, flatTree } from '../../src/merkle/index.ts'

fc.configureGlobal({ numRuns: process.env['SLOW'] ? 3000 : 100 })

/** Tree indices by depth, then from the left, of a full tree over `2 ** height` leaves. */
function picture(height: number): number[][] {
  const levels = [Array.from({ length: 2 ** height }, (_, block) => 2 * block)]
  for (let depth = 0; depth < height; depth++) {
    const below = levels[depth] ?? []
    const row = []
    for (let i = 0; i < below.length; i += 2) row.push(((below[i] ?? 0) + (below[i + 1] ?? 0)) / 2)
    levels.push(row)
  }
  return levels
}

const HEIGHT = 9
const levels = picture(HEIGHT)

t.test('every function agrees with the picture of a full tree', async () => {
  for (const [depth, row] of levels.entries()) {
    for (const [offset, index] of row.entries()) {
      const leaves = levels[0]?.slice(offset * 2 ** depth, (offset + 1) * 2 ** depth) ?? []
      const below = levels[depth - 1]
      const children = below?.slice(2 * offset, 2 * offset + 2) ?? null
      const seen = {
        index: flatTree.index(depth, offset),
        depth: flatTree.depth(index),
        offset: flatTree.offset(index),
        children: flatTree.children(index),
        leftChild: flatTree.leftChild(index),
        rightChild: flatTree.rightChild(index),
        leftSpan: flatTree.leftSpan(index),
        rightSpan: flatTree.rightSpan(index),
        nextLeaf: flatTree.nextLeaf(index),
        countLeaves: flatTree.countLeaves(index),
        count: flatTree.count(index),
        isLeaf: flatTree.isLeaf(index),
        isLeft: flatTree.isLeft(index),
      }
      assert.deepEqual(seen, {
        index,
        depth,
        offset,
        children,
        leftChild: children?.[0] ?? -1,
        rightChild: children?.[1] ?? -1,
        leftSpan: leaves[0],
        rightSpan: leaves.at(-1),
        nextLeaf: (leaves.at(-1) ?? 0) + 2,
        countLeaves: leaves.length,
        count: 2 * leaves.length - 1,
        isLeaf: depth === 0,
        isLeft: offset % 2 === 0,
      })
      if (depth === HEIGHT) continue
      const parent = levels[depth + 1]?.[Math.floor(offset / 2)]
      const sibling = row[offset % 2 === 0 ? offset + 1 : offset - 1]
      assert.deepEqual([flatTree.parent(index), flatTree.sibling(index)], [parent, sibling])
    }
  }
})

t.test('the roots of a length are the largest full subtrees that fit, left to right', async () => {
  for (let length = 0; length <= 2 ** HEIGHT; length++) {
    const roots = []
    for (let start = 0; start < length;) {
      let depth = HEIGHT
      while (start % 2 ** depth !== 0 || start + 2 ** depth > length) depth--
      roots.push(levels[depth]?.[start / 2 ** depth])
      start += 2 ** depth
    }
    assert.deepEqual(flatTree.fullRoots(2 * length), roots)
  }
  assert.throws(() => flatTree.fullRoots(3), RangeError)
})

const anyNode = fc
  .tuple(fc.nat(51), fc.nat(2 ** 31))
  .chain(([depth, seed]) =>
    fc.nat(Math.min(seed, 2 ** (51 - depth) - 1)).map((offset) => ({ depth, offset })),
  )
const hugeNode = fc
  .tuple(fc.nat(51), fc.maxSafeNat())
  .map(([depth, seed]) => ({ depth, offset: seed % 2 ** (51 - depth) }))

t.test('indices up to 2 ** 52 are exact', async () => {
  fc.assert(
    fc.property(fc.oneof(anyNode, hugeNode), ({ depth, offset }) => {
      const exact = (d: number, o: bigint): number => Number((2n * o + 1n) * 2n ** BigInt(d) - 1n)
      const o = BigInt(offset)
      const index = exact(depth, o)
      const end = Number(2n * (o + 1n) * 2n ** BigInt(depth))
      const seen = [
        flatTree.index(depth, offset),
        flatTree.depth(index),
        flatTree.offset(index),
        flatTree.parent(index),
        flatTree.sibling(index),
        flatTree.nextLeaf(index),
      ]
      assert.deepEqual(seen, [
        index,
        depth,
        offset,
        exact(depth + 1, o / 2n),
        exact(depth, o ^ 1n),
        end,
      ])
      assert.equal(flatTree.fullRoots(end).includes(index), offset % 2 === 0)
    }),
  )
})

t.test('a cursor stands where the functions lead', async () => {
  const moves = ['next', 'prev', 'parent', 'sibling', 'leftChild', 'rightChild'] as const
  const step = (index: number, move: (typeof moves)[number]): number => {
    const distance = 2 * flatTree.countLeaves(index)
    if (move === 'next') return index + distance
    if (move === 'prev') return flatTree.offset(index) === 0 ? index : index - distance
    if (move === 'parent') return flatTree.parent(index)
    if (move === 'sibling') return flatTree.sibling(index)
    if (flatTree.isLeaf(index)) return index
    return move === 'leftChild' ? flatTree.leftChild(index) : flatTree.rightChild(index)
  }
  fc.assert(
    fc.property(fc.nat(2 ** 30), fc.array(fc.constantFrom(...moves)), (start, path) => {
      const cursor = new Cursor(start)
      let index = start
      for (const move of path) {
        index = step(index, move)
        assert.equal(cursor[move](), index)
        assert.equal(cursor.index, index)
        assert.equal(cursor.offset, flatTree.offset(index))
        assert.equal(cursor.factor, 2 * flatTree.countLeaves(index))
        assert.equal(cursor.isLeft, flatTree.isLeft(index))
      }
    }),
  )
  assert.equal(new Cursor().index, 0)
})
