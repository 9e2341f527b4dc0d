/** The bits against plain sets, and their coding against itself. */
import fc from 'fast-check'
import t from 'tap'
import { toHex } from '../../src/bytes.ts'
import { Bitfield, PAGE_BLOCKS } from '../../src/log/bitfield.ts'
import { BlockMarks } from '../../src/log/block-marks.ts'
import { bitfieldHeader, readPageBytes } from '../../src/log/header.ts'
import { decodeRle, decodedRleLength, encodeRle, encodedRleLength } from '../../src/log/rle.ts'

const bits = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom(0, 255) },
    { weight: 1, arbitrary: fc.nat(255) },
  ),
  { maxLength: 200 },
)

t.test('what was coded decodes to the same bits, and the length is told beforehand', async (t) => {
  fc.assert(
    fc.property(bits, (values) => {
      const bytes = Uint8Array.from(values)
      const coded = encodeRle(bytes)
      t.equal(coded.length, encodedRleLength(bytes))
      const back = decodeRle(coded, bytes.length)
      t.equal(back.length, decodedRleLength(coded, bytes.length))
      const padded = new Uint8Array(bytes.length)
      padded.set(back)
      t.equal(toHex(padded), toHex(bytes))
    }),
  )
})

t.test('any bytes either decode within the bound or are refused', async (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 30 }), fc.nat(5000), (coded, maxBytes) => {
      try {
        t.ok(decodeRle(coded, maxBytes).length <= maxBytes)
      } catch (error) {
        t.match(error, { code: 'LOG_BAD_BITFIELD' })
      }
    }),
  )
})

t.test('the bits are a set of blocks, whatever the page', async (t) => {
  const span = 3 * PAGE_BLOCKS
  const index = fc.oneof(fc.nat(40), fc.nat(span), fc.integer({ min: 8180, max: 8200 }))
  const operation = fc.tuple(index, fc.nat(300), fc.boolean())
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 12 }), index, fc.nat(600), (steps, at, length) => {
      const bitfield = new Bitfield(3584)
      const model = new Set<number>()
      for (const [start, count, value] of steps) {
        let changed = 0
        for (let i = start; i < start + count; i++) {
          if (model.has(i) !== value) changed++
          if (value) model.add(i)
          else model.delete(i)
        }
        t.equal(bitfield.set(start, start + count, value), changed)
      }
      const end = at + length
      const range = Array.from({ length }, (_, i) => at + i)
      t.equal(bitfield.count(at, end), range.filter((i) => model.has(i)).length)
      t.equal(bitfield.nextMissing(at, end), range.find((i) => !model.has(i)) ?? -1)
      t.equal(bitfield.nextHeld(at, end), range.find((i) => model.has(i)) ?? -1)
      t.equal(bitfield.lastHeld(), Math.max(-1, ...model))
      t.equal(bitfield.has(at), model.has(at))
    }),
  )
})

t.test('far apart blocks and nodes cost only their pages', async (t) => {
  const bitfield = new Bitfield(3584)
  const far = 2 ** 33
  bitfield.setNode(far, true)
  t.equal(bitfield.hasNode(far), true)
  t.equal(bitfield.hasNode(far - 1), false)
  t.equal(bitfield.has(far), false)
  t.equal(bitfield.lastNode(), far)
  bitfield.setNode(far, false)
  t.equal(bitfield.lastNode(), -1)
  t.equal(bitfield.takeDirty().length, 1)
})

t.test('the first leaf that is not known is found, in every page', async (t) => {
  const bitfield = new Bitfield(3584)
  for (let block = 0; block < 9000; block++) bitfield.setNode(2 * block, true)
  t.equal(bitfield.firstUnknownLeaf(9000), -1)
  t.equal(bitfield.firstUnknownLeaf(9001), 9000)
  bitfield.setNode(2 * 8500, false)
  t.equal(bitfield.firstUnknownLeaf(9000), 8500)
  t.equal(bitfield.firstUnknownLeaf(8500), -1)
  t.equal(new Bitfield(3584).firstUnknownLeaf(1), 0)
})

t.test('only page sizes that hold whole indices are read from a header', async (t) => {
  t.equal(readPageBytes(bitfieldHeader(3584)), 3584)
  t.equal(readPageBytes(bitfieldHeader(3328)), 3328)
  for (const size of [0, 3072, 3073 + 1, 3600]) {
    t.equal(readPageBytes(bitfieldHeader(size)), size === 3074 ? 3074 : null)
  }
  t.equal(readPageBytes(bitfieldHeader(3584).subarray(0, 31)), null)
})

t.test('marks are set and unset block by block', async (t) => {
  const marks = new BlockMarks()
  marks.set(8191)
  marks.set(8192)
  t.equal(marks.has(8191) && marks.has(8192), true)
  marks.unset(8192, 20_000)
  t.strictSame([marks.has(8191), marks.has(8192), marks.has(5)], [true, false, false])
})
