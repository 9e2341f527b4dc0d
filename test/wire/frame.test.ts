/** Frames in and out: any cut of a stream gives the same frames, and nothing announced is believed. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { test } from 'tap'
import { concat, fromHex, toHex } from '../../src/bytes.ts'
import { StreamCipher } from '../../src/crypto.ts'
import { WireError } from '../../src/wire/errors.ts'
import { FrameParser } from '../../src/wire/frame.ts'
import { MAX_PAYLOAD_BYTES } from '../../src/wire/limits.ts'
import { Outbox } from '../../src/wire/outbox.ts'

function collect(): { parser: FrameParser; frames: string[] } {
  const frames: string[] = []
  const parser = new FrameParser((channel, type, bytes, start, end) => {
    frames.push(`${channel}/${type}/${toHex(bytes.subarray(start, end))}`)
    return true
  })
  return { parser, frames }
}

/** Cut `bytes` at the given places, in any order and beyond the end. */
function cut(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const sorted = [...places, 0, bytes.length].map((at) => Math.min(at, bytes.length))
  sorted.sort((a, b) => a - b)
  return sorted.slice(1).map((end, i) => bytes.subarray(sorted[i] ?? 0, end))
}

const values = fc.array(
  fc.record({ index: fc.nat(2 ** 40), value: fc.uint8Array({ maxLength: 4000 }) }),
  { maxLength: 8 },
)

test('frames are the same however the stream is cut', async (t) => {
  fc.assert(
    fc.property(values, fc.array(fc.nat(20_000)), (messages, places) => {
      const outbox = new Outbox()
      for (const message of messages) {
        outbox.message(3, 'Data', message)
        outbox.ping()
      }
      const bytes = outbox.take(null)
      const [whole, pieces] = [collect(), collect()]
      whole.parser.receive(bytes)
      for (const piece of cut(bytes, places)) pieces.parser.receive(piece)
      assert.equal(whole.frames.length, messages.length)
      assert.deepEqual(pieces.frames, whole.frames)
    }),
  )
  t.pass('any cut')
})

test('a frame within one chunk is a view of it', async (t) => {
  const chunk = fromHex('03130804')
  let seen: Uint8Array | null = null
  new FrameParser((_channel, _type, bytes) => {
    seen = bytes
    return true
  }).receive(chunk)
  t.equal(seen, chunk)
})

test('a sink that says stop gets nothing more, in this chunk or a later one', async (t) => {
  let count = 0
  const parser = new FrameParser(() => ++count > 1)
  parser.receive(fromHex('0313080403130805'))
  parser.receive(fromHex('03130806'))
  t.equal(count, 1)
})

test('a payload of 8 MiB passes, in one chunk and in many, and one byte more does not', async (t) => {
  const lengths: number[] = []
  const sink = (_c: number, _t: number, _b: Uint8Array, start: number, end: number): boolean =>
    lengths.push(end - start) > 0
  const outbox = new Outbox()
  outbox.extension(1, 0, new Uint8Array(MAX_PAYLOAD_BYTES - 1))
  const frame = outbox.take(null)
  new FrameParser(sink).receive(frame)
  const parser = new FrameParser(sink)
  for (let at = 0; at < frame.length; at += 65_536) parser.receive(frame.subarray(at, at + 65_536))
  t.strictSame(lengths, [MAX_PAYLOAD_BYTES, MAX_PAYLOAD_BYTES])
  t.throws(() => outbox.extension(1, 0, new Uint8Array(MAX_PAYLOAD_BYTES)), {
    code: 'WIRE_FRAME_TOO_LARGE',
  })
  t.equal(outbox.length, 0)
  t.throws(() => new FrameParser(sink).receive(fromHex('8280800413')), {
    code: 'WIRE_FRAME_TOO_LARGE',
  })
  t.throws(
    () => new FrameParser(sink, { payloadBytes: 10, messageBytes: 20 }).receive(fromHex('0c13')),
    {
      code: 'WIRE_FRAME_TOO_LARGE',
    },
  )
})

test('what is announced is not allocated before it comes', async (t) => {
  const before = process.memoryUsage().arrayBuffers
  const parsers = Array.from({ length: 50 }, () => collect().parser)
  for (const parser of parsers) parser.receive(fromHex('818080041300'))
  t.ok(process.memoryUsage().arrayBuffers - before < 50 * (2 ** 20 + 2 ** 16))
})

test('any bytes are frames or a WireError', async (t) => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 40 })), (chunks) => {
      const [pieces, whole] = [collect(), collect()]
      const run = (work: () => void): string | null => {
        try {
          work()
          return null
        } catch (error) {
          if (error instanceof WireError) return error.code
          throw error
        }
      }
      const code = run(() => chunks.forEach((chunk) => pieces.parser.receive(chunk)))
      assert.equal(
        run(() => whole.parser.receive(concat(chunks))),
        code,
      )
      assert.deepEqual(whole.frames, pieces.frames)
    }),
    { numRuns: 1000 },
  )
  t.pass('any bytes')
})

test('what leaves is the same, enciphered or not, and a block is not changed by it', async (t) => {
  fc.assert(
    fc.property(values, (messages) => {
      const [plain, sealed] = [new Outbox(), new Outbox()]
      const kept = messages.map(({ value }) => toHex(value))
      for (const box of [plain, sealed]) {
        for (const message of messages) {
          box.message(1, 'Data', message)
          box.message(1, 'Have', { start: message.index })
        }
      }
      const length = sealed.length
      const key = new Uint8Array(32).fill(1)
      const bytes = sealed.take(new StreamCipher(new Uint8Array(24), key))
      assert.equal(bytes.length, length)
      new StreamCipher(new Uint8Array(24), key).update(bytes, bytes)
      assert.equal(toHex(bytes), toHex(plain.take(null)))
      assert.deepEqual(
        messages.map(({ value }) => toHex(value)),
        kept,
      )
      assert.equal(sealed.take(null).length, 0)
    }),
  )
  t.pass('any messages')
})

test('frames are the same when each byte is written where it belongs', async (t) => {
  const large = fc.record({ index: fc.nat(2 ** 40), length: fc.integer({ min: 0, max: 80_000 }) })
  fc.assert(
    fc.property(fc.array(large, { maxLength: 6 }), fc.array(fc.nat(200_000)), (made, places) => {
      const outbox = new Outbox()
      for (const { index, length } of made) {
        outbox.message(3, 'Data', { index, value: new Uint8Array(length).fill(index) })
      }
      const bytes = outbox.take(null)
      const [whole, pieces] = [collect(), collect()]
      whole.parser.receive(bytes)
      let written = 0
      for (const piece of cut(bytes, places)) {
        pieces.parser.receiveThrough(piece, (from, to) => {
          to.set(from)
          written += from.length
        })
      }
      assert.deepEqual(pieces.frames, whole.frames)
      assert.equal(written, bytes.length)
    }),
  )
  t.pass('any cut')
})

test('nothing is written for a sink that said stop', (t) => {
  const parser = new FrameParser(() => false)
  const outbox = new Outbox()
  for (let i = 0; i < 2; i++) outbox.message(1, 'Data', { index: 1, value: new Uint8Array(40_000) })
  const bytes = outbox.take(null)
  let written = 0
  const write = (from: Uint8Array, to: Uint8Array): void => {
    to.set(from)
    written += from.length
  }
  for (let at = 0; at < bytes.length; at += 100) {
    parser.receiveThrough(bytes.subarray(at, at + 100), write)
  }
  t.ok(written < bytes.length / 2 + 100)
  t.end()
})
