/** The pure parts of writing anywhere in a file, against plain byte arrays. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { Chunker } from '../../src/drive/content/chunker.ts'
import type { Run } from '../../src/drive/content/run.ts'
import { Segments, type Segment } from '../../src/drive/open/segments.ts'
import { Log } from '../../src/log/index.ts'
import { MemoryStorage } from '../../src/storage/index.ts'

const log = new Log(() => new MemoryStorage())
/** What the runs below are ranges of. */
const STORED = Uint8Array.from({ length: 1000 }, (_, i) => 1 + (i % 250))

function run(byteOffset: number, size: number): Run {
  return { log, start: byteOffset, end: byteOffset + size, byteOffset, size }
}

function bytesOf(segments: readonly Segment[], stored: Uint8Array): Uint8Array {
  return Buffer.concat(
    segments.map((segment) => {
      if (segment.type === 'bytes') return segment.bytes
      if (segment.type === 'zeros') return new Uint8Array(segment.length)
      const at = segment.run.byteOffset + segment.skip
      return stored.subarray(at, at + segment.length)
    }),
  )
}

type Step =
  | { readonly type: 'write'; readonly at: number; readonly bytes: Uint8Array }
  | { readonly type: 'next'; readonly bytes: Uint8Array }
  | { readonly type: 'resize'; readonly size: number }
  | { readonly type: 'store' }

const bytes = fc.uint8Array({ maxLength: 40 })
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ type: fc.constant('write' as const), at: fc.nat(300), bytes }),
  fc.record({ type: fc.constant('next' as const), bytes }),
  fc.record({ type: fc.constant('resize' as const), size: fc.nat(300) }),
  fc.constant<Step>({ type: 'store' }),
)

t.test('segments hold what a plain byte array would, whatever is done to them', async (t) => {
  fc.assert(
    fc.property(fc.nat(200), fc.array(step, { maxLength: 40 }), (size, steps) => {
      const segments = new Segments(size === 0 ? null : run(5, size))
      let stored: Uint8Array = STORED
      let model: Uint8Array = stored.slice(5, 5 + size)
      let next = 0
      const write = (at: number, piece: Uint8Array): void => {
        if (piece.length === 0) return
        const grown = new Uint8Array(Math.max(model.length, at + piece.length))
        grown.set(model)
        grown.set(piece, at)
        model = grown
        next = at + piece.length
        segments.write(at, piece)
      }
      for (const each of steps) {
        const held = segments.slice(0, Infinity)
        const before = bytesOf(held, stored)
        if (each.type === 'write') write(each.at, each.bytes)
        else if (each.type === 'next') write(next, each.bytes)
        else if (each.type === 'resize') {
          const resized = new Uint8Array(each.size)
          resized.set(model.subarray(0, each.size))
          model = resized
          segments.resize(each.size)
        } else {
          const memory = Buffer.concat(segments.memory())
          const place = run(stored.length, memory.length)
          stored = Buffer.concat([stored, memory])
          segments.stored(place)
          assert.equal(segments.heldBytes, 0)
        }
        assert.deepEqual(bytesOf(held, stored), before, 'what was read stays')
        assert.equal(segments.size, model.length)
        assert.deepEqual(Buffer.from(bytesOf(segments.all(), stored)), Buffer.from(model))
        const half = model.length >> 1
        assert.deepEqual(
          Buffer.from(bytesOf(segments.slice(half, half + 20), stored)),
          Buffer.from(model.subarray(half, half + 20)),
        )
        const held2 = segments.memory().reduce((sum, { length }) => sum + length, 0)
        assert.equal(segments.heldBytes, held2)
      }
    }),
    { numRuns: process.env['SLOW'] ? 20_000 : 500 },
  )
  t.end()
})

t.test(
  'small writes in a row are one segment, and runs that meet in the log are one run',
  async (t) => {
    const segments = new Segments(run(0, 10))
    for (let i = 0; i < 5000; i++) segments.write(10 + 2 * i, Uint8Array.of(1, 2))
    t.equal(segments.count, 2)
    segments.stored({ ...run(10, 10_000), log })
    t.same(
      segments.all().map(({ length }) => length),
      [10_010],
    )
    segments.write(5, Uint8Array.of(9))
    t.equal(segments.count, 3)
    segments.resize(5)
    t.equal(segments.count, 1)
  },
)

t.test('a cut piece does not hold the buffer that it was cut from', async (t) => {
  const segments = new Segments(null)
  segments.write(0, new Uint8Array(60_000))
  segments.resize(10)
  const [piece] = segments.memory()
  t.ok(piece && piece.buffer.byteLength < 20_000)
})

t.test('small pieces become blocks of 65536 bytes, large ones stay', async (t) => {
  const blocks = (sizes: readonly number[]): number[] => {
    const chunker = new Chunker()
    const out = sizes.flatMap((size) => chunker.push(new Uint8Array(size)))
    return [...out, ...chunker.flush()].map(({ length }) => length)
  }
  t.same(blocks([]), [])
  t.same(blocks([0, 1, 0]), [1])
  t.same(blocks([10, 100_000, 700_000, 5]), [65536, 65536, 524288, 144650, 5])
  t.same(blocks([524288, 10, 524278, 524288]), [524288, 65536, 458752, 524288])
  t.same(blocks([65535, 1, 65536]), [65536, 65536])
  fc.assert(
    fc.property(fc.array(fc.nat(200_000), { maxLength: 12 }), (sizes) => {
      const all = blocks(sizes)
      const total = (list: readonly number[]): number => list.reduce((sum, n) => sum + n, 0)
      assert.equal(total(all), total(sizes))
      assert.ok(all.slice(0, -1).every((size) => size >= 65536 && size <= 524288))
    }),
  )
})
