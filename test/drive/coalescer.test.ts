import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { concat } from '../../src/bytes.ts'
import { COALESCE_BYTES, Coalescer } from '../../src/drive/content/coalescer.ts'

function chunksOf(pieces: readonly Uint8Array[]): Uint8Array[] {
  const coalescer = new Coalescer()
  const chunks = pieces.flatMap((piece) => coalescer.push(piece))
  return [...chunks, ...coalescer.flush()]
}

t.test('the chunks of the example of the specification are its blocks', (t) => {
  const sizes = [10, 20, 65500, 10, 65536, 70000, 5, 65531, 1]
  const chunks = chunksOf(sizes.map((size) => new Uint8Array(size)))
  t.same(
    chunks.map((chunk) => chunk.length),
    [65530, 10, 65536, 70000, 65536, 1],
  )
  t.end()
})

t.test('an empty piece alone is an empty chunk', (t) => {
  t.same(chunksOf([new Uint8Array(0)]), [new Uint8Array(0)])
  t.end()
})

t.test('an empty piece counts as one byte', (t) => {
  const coalescer = new Coalescer()
  t.same(coalescer.push(new Uint8Array(COALESCE_BYTES - 1)), [])
  t.equal(coalescer.push(new Uint8Array(0))[0]?.length, COALESCE_BYTES - 1)
  t.notOk(coalescer.pending)
  t.end()
})

t.test('nothing pushed gives nothing', (t) => {
  const coalescer = new Coalescer()
  t.notOk(coalescer.pending)
  t.same(coalescer.flush(), [])
  t.end()
})

t.test(
  'chunks hold the bytes of the pieces in order, and only a piece is larger than a block',
  (t) => {
    const piece = fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      fc.nat({ max: 140_000 }).map((size) => new Uint8Array(size).fill(size % 251)),
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const chunks = chunksOf(pieces)
        assert.equal(chunks.length > 0, pieces.length > 0)
        assert.equal(Buffer.compare(concat(chunks), concat(pieces)), 0)
        for (const { length } of chunks) {
          assert.ok(length <= COALESCE_BYTES || pieces.some((each) => each.length === length))
        }
      }),
    )
    t.end()
  },
)
