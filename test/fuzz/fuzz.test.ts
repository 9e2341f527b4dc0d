/** A short run of the fuzzer, and inputs that once were findings. */
import t from 'tap'
import { concat, fromHex } from '../../src/bytes.ts'
import { decodeRle } from '../../src/log/index.ts'
import { decode } from '../../src/wire/decode.ts'
import { FrameParser } from '../../src/wire/frame.ts'
import { targets } from './decoders.ts'
import { inputFor, once, randomOf } from './fuzz.ts'
import { Finding } from './target.ts'

t.test('a hundred inputs a decoder find nothing', async (t) => {
  const random = randomOf(1)
  for (const target of await targets()) {
    const tally = { inputs: 0, accepted: 0, findings: 0 }
    for (let i = 0; i < 100; i++) {
      t.equal(await once(target, tally, inputFor(target, random), random), null)
    }
    t.equal(tally.inputs, 100)
  }
})

t.test('every decoder takes its valid inputs', async (t) => {
  const random = randomOf(2)
  for (const target of await targets()) {
    // What its bytes mean is decided by chance.
    if (target.name === 'Have and Unhave, many') continue
    for (const input of target.valid) {
      await t.resolves(async () => target.run(Uint8Array.from(input), random), target.name)
    }
  }
})

t.test(
  'an error that is no refusal is a finding, and so is one caused by an accident',
  async (t) => {
    const random = randomOf(3)
    const run = (error: Error): Promise<string | null> => {
      const target = {
        name: 'broken',
        valid: [],
        run(): void {
          throw error
        },
      }
      return once(target, { inputs: 0, accepted: 0, findings: 0 }, Uint8Array.of(1, 2), random)
    }
    t.match(await run(new TypeError('x')), /broken: TypeError[^]*0102/)
    t.match(await run(new Finding('wrong')), /wrong/)
    const { WireError } = await import('../../src/wire/index.ts')
    t.equal(await run(new WireError('WIRE_BAD_FRAME', 'refused')), null)
    const accident = new WireError('WIRE_BAD_FRAME', 'x', { cause: new TypeError('oops') })
    t.match(await run(accident), /oops/)
  },
)

t.test('a Data with more nodes than a proof can have is refused before they are all read', (t) => {
  const node = concat([fromHex('1a2608001220'), new Uint8Array(32), fromHex('1801')])
  const data = concat([fromHex('0800'), ...Array.from({ length: 129 }, () => node)])
  t.throws(() => decode.Data(data), { code: 'WIRE_LIMIT' })
  t.equal(decode.Data(data.subarray(0, -node.length)).nodes.length, 128)
  t.end()
})

t.test('keepalives in any number are passed over, and a frame after them is read', (t) => {
  const seen: number[] = []
  const parser = new FrameParser((channel) => seen.push(channel) > 0)
  parser.receive(
    concat([new Uint8Array(100_000), fromHex('011a'), new Uint8Array(3), fromHex('01')]),
  )
  parser.receive(fromHex('2a'))
  t.same(seen, [1, 2])
  t.end()
})

t.test('empty runs without end are refused by their number of bytes', (t) => {
  const runs = concat([new Uint8Array(100_000).fill(1), fromHex('04')])
  t.throws(() => decodeRle(runs, 131_072), { code: 'LOG_BAD_BITFIELD' })
  t.end()
})
