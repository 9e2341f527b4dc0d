/** Finding bytes against counting them. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { signingKeyPair } from '../../src/crypto.ts'
import {
  type SeekLog,
  type SeekResult,
  SparseNodeSet,
  byteRange,
  flatTree,
  nodesBefore,
  seek,
} from '../../src/merkle/index.ts'
import { Replica, Source } from './models.ts'

fc.configureGlobal({ numRuns: process.env['SLOW'] ? 3000 : 100 })

const keyPair = signingKeyPair(new Uint8Array(32).fill(3))

function sourceOf(sizes: readonly number[]): Source {
  return new Source(
    sizes.map((size) => new Uint8Array(size)),
    keyPair,
  )
}

function whole({ nodes, set, blocks }: Source): SeekLog {
  const byteLength = blocks.reduce((sum, block) => sum + block.length, 0)
  return { length: blocks.length, byteLength, set, stored: (index) => nodes.get(index) }
}

/** The block that holds a byte, by walking over all of them. */
function count(sizes: readonly number[], byteOffset: number): SeekResult {
  let start = 0
  for (const [index, size] of sizes.entries()) {
    if (byteOffset === 0 && index === 0) return { type: 'block', index, offset: 0 }
    if (byteOffset < start + size) return { type: 'block', index, offset: byteOffset - start }
    start += size
  }
  return { type: 'block', index: sizes.length, offset: 0 }
}

const sizesOf = fc.array(fc.nat(4), { maxLength: 30 })

t.test('every byte of a whole log is found in its block', async () => {
  fc.assert(
    fc.property(sizesOf, (sizes) => {
      const log = whole(sourceOf(sizes))
      if (log.byteLength === 0) return
      for (let at = 0; at <= log.byteLength; at++) {
        assert.deepEqual(seek(log, at), count(sizes, at), `byte ${at}`)
      }
      assert.throws(() => seek(log, log.byteLength + 1), { code: 'MERKLE_OUT_OF_BOUNDS' })
    }),
  )
})

t.test('a replica finds the block, or a node that the block lies below', async () => {
  fc.assert(
    fc.property(sizesOf, fc.array(fc.tuple(fc.nat(29), fc.boolean())), (sizes, puts) => {
      const source = sourceOf(sizes)
      const replica = new Replica(keyPair.publicKey)
      for (const [index, hash] of puts) {
        if (index >= sizes.length) continue
        replica.accept(source.prove(index, { digest: replica.digest(index), hash }))
      }
      const { length, byteLength, set, nodes } = replica
      const log = { length, byteLength, set, stored: (index: number) => nodes.get(index) }
      for (let at = 1; at < byteLength; at++) {
        const found = seek(log, at)
        const block = count(sizes, at)
        assert.ok(block.type === 'block')
        if (found.type === 'block') {
          assert.deepEqual(found, block)
          continue
        }
        const start = flatTree.leftSpan(found.treeIndex) / 2
        assert.ok(start <= block.index && block.index < flatTree.nextLeaf(found.treeIndex) / 2)
        const before = sizes.slice(0, start).reduce((sum, size) => sum + size, 0)
        assert.equal(found.offset, at - before)
        assert.ok(!set.has(2 * block.index), 'a known leaf is found')
      }
    }),
  )
})

t.test('a block lies where the blocks before it end', async () => {
  fc.assert(
    fc.property(sizesOf, (sizes) => {
      const { nodes } = sourceOf(sizes)
      let start = 0
      for (const [index, size] of sizes.entries()) {
        const range = byteRange((treeIndex) => nodes.get(treeIndex), index)
        assert.deepEqual(range, { start, end: start + size })
        start += size
      }
    }),
  )
  t.strictSame(nodesBefore(7), [3, 9, 12])
})

t.test('what is no offset is the caller’s mistake', async (t) => {
  const log = whole(sourceOf([3, 4]))
  for (const offset of [-1, 0.5, Number.NaN, 2 ** 53]) {
    t.throws(() => seek(log, offset), RangeError)
  }
})

t.test('a known node that is not at hand is asked for by its index', async (t) => {
  const log = { ...whole(sourceOf([3, 4, 5])), stored: () => undefined }
  t.throws(() => seek(log, 4), { code: 'MERKLE_MISSING_NODE', treeIndex: 1 })
  t.throws(() => byteRange(() => undefined, 2), { code: 'MERKLE_MISSING_NODE', treeIndex: 1 })
})

t.test('an empty log holds no byte', async (t) => {
  const log = { length: 0, byteLength: 0, set: new SparseNodeSet(), stored: () => undefined }
  t.strictSame(seek(log, 0), { type: 'block', index: 0, offset: 0 })
  t.throws(() => seek(log, 1), { code: 'MERKLE_OUT_OF_BOUNDS' })
})
