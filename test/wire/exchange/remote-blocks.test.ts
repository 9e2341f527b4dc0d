import fc from 'fast-check'
import t from 'tap'
import {
  bitLength,
  MAX_BIT_PAGES,
  MAX_RUNS,
  RemoteBlocks,
} from '../../../src/wire/exchange/remote-blocks.ts'

type Step = readonly ['add' | 'remove', number, number] | readonly ['replace', number, Uint8Array]

const index = fc.oneof(fc.nat(40_000), fc.constantFrom(0, 8191, 8192, 16_384, 24_576))
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.tuple(fc.constantFrom('add' as const, 'remove' as const), index, fc.nat(20_000)),
  fc.tuple(
    fc.constant('replace' as const),
    fc.constantFrom(0, 8192, 16_384),
    fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      fc
        .tuple(fc.nat(3000), fc.constantFrom(0, 255))
        .map(([n, byte]) => new Uint8Array(n).fill(byte)),
    ),
  ),
)

t.test('the set agrees with a set of numbers after any steps', (t) => {
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 12 }),
      fc.array(index, { maxLength: 20 }),
      (steps, probes) => {
        const blocks = new RemoteBlocks()
        const twin = new Set<number>()
        for (const [what, start, value] of steps) {
          if (what === 'replace') {
            blocks.replace(start, value)
            for (let bit = 0; bit < 8 * value.length; bit++) {
              if ((value[bit >> 3] ?? 0) & (0x80 >> (bit & 7))) twin.add(start + bit)
              else twin.delete(start + bit)
            }
          } else {
            blocks[what](start, start + value)
            for (let i = start; i < start + value; i++) {
              if (what === 'add') twin.add(i)
              else twin.delete(i)
            }
          }
        }
        const sorted = [...twin].toSorted((a, b) => a - b)
        const absent = (from: number, to: number): number => {
          for (let i = from; i < to; i++) if (!twin.has(i)) return i
          return -1
        }
        const found: number[] = []
        for (let at = 0; (at = blocks.next(at, 70_000)) >= 0; at++) found.push(at)
        if (found.join() !== sorted.join()) return false
        return probes.every(
          (probe) =>
            blocks.has(probe) === twin.has(probe) &&
            blocks.next(probe, probe + 5000) ===
              (sorted.find((i) => i >= probe && i < probe + 5000) ?? -1) &&
            blocks.nextAbsent(probe, probe + 9000) === absent(probe, probe + 9000),
        )
      },
    ),
  )
  t.pass('held')
  t.end()
})

t.test('a span of 2 ** 52 blocks costs nothing, and can be cut', (t) => {
  const blocks = new RemoteBlocks()
  blocks.add(3, 2 ** 52)
  t.notOk(blocks.has(2))
  t.ok(blocks.has(2 ** 52 - 1))
  t.equal(blocks.next(2 ** 51, 2 ** 53), 2 ** 51)
  blocks.remove(100, 2 ** 52 - 5)
  t.equal(blocks.next(100, 2 ** 53), 2 ** 52 - 5)
  blocks.clear()
  t.equal(blocks.next(0, 2 ** 53), -1)
  t.end()
})

t.test('beyond its limits claims are forgotten, and none is invented', (t) => {
  const blocks = new RemoteBlocks()
  for (let i = 0; i < MAX_BIT_PAGES + 10; i++) blocks.add(i * 2 ** 30 + 5, i * 2 ** 30 + 6)
  t.ok(blocks.has((MAX_BIT_PAGES - 1) * 2 ** 30 + 5))
  t.notOk(blocks.has(MAX_BIT_PAGES * 2 ** 30 + 5))
  for (let i = 0; i < 6000; i++) blocks.add(2 ** 44 + i * 32_768, 2 ** 44 + i * 32_768 + 8192)
  t.ok(blocks.has(2 ** 44 + 5 * 32_768))
  t.notOk(blocks.has(2 ** 44 + 5999 * 32_768))
  // A hole in a full page needs bits, of which there are none left: the page is forgotten whole.
  blocks.remove(2 ** 44, 2 ** 44 + 1)
  t.notOk(blocks.has(2 ** 44 + 1))
  t.end()
})

t.test('the highest bit tells the length', (t) => {
  t.equal(bitLength(new Uint8Array(4)), 0)
  t.equal(bitLength(new Uint8Array([0x80])), 1)
  t.equal(bitLength(new Uint8Array([0, 0x01, 0])), 16)
  t.end()
})

t.test(
  'a hole in one run too many forgets the last run, and bits beyond the limit are forgotten',
  (t) => {
    const page = 8192
    const runs = new RemoteBlocks()
    for (let i = 0; i < MAX_RUNS; i++) runs.add(4 * i * page, (4 * i + 3) * page)
    const last = 4 * (MAX_RUNS - 1) * page
    t.ok(runs.has(last))
    runs.remove(page, 2 * page)
    t.same([runs.has(0), runs.has(page), runs.has(2 * page)], [true, false, true])
    t.notOk(runs.has(last))
    t.ok(runs.has(last - 4 * page))
    const bits = new RemoteBlocks()
    for (let i = 0; i < MAX_BIT_PAGES; i++) bits.add(i * page, i * page + 1)
    const patchwork = new Uint8Array(1024)
    patchwork[3] = 0x80
    bits.replace(MAX_BIT_PAGES * page, patchwork)
    t.equal(bits.next(MAX_BIT_PAGES * page, Infinity), -1)
    bits.replace(0, patchwork)
    t.same([bits.has(0), bits.has(24)], [false, true], 'a page that is known takes new bits')
    t.end()
  },
)
