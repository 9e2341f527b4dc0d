/** Messages: the codecs against messages.proto, and against anything. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import protobuf from 'protobufjs'
import { test } from 'tap'
import { fromHex, toHex } from '../../src/bytes.ts'
import type { OutgoingMessages } from '../../src/wire/channel.ts'
import { decode, decodeExtension, decodeOptions } from '../../src/wire/decode.ts'
import { WireError } from '../../src/wire/errors.ts'
import { decodePayload, encodePayload } from '../../src/wire/handshake.ts'
import { MessageType } from '../../src/wire/messages.ts'
import { Outbox } from '../../src/wire/outbox.ts'

const schema = protobuf.parse(
  readFileSync(join(import.meta.dirname, '../../src/wire/messages.proto'), 'utf8'),
  { keepCase: true },
).root

type Name = keyof OutgoingMessages
const names = Object.keys(decode) as Name[]

const uint = fc.nat(Number.MAX_SAFE_INTEGER)
const key = fc.uint8Array({ minLength: 32, maxLength: 32 })
const signature = fc.uint8Array({ minLength: 64, maxLength: 64 })
const bytes = fc.uint8Array({ maxLength: 3000 })
/** A field that may be left out. */
const maybe = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(value, { nil: undefined })
const span = fc.record({ start: uint, length: maybe(uint) })
const name = fc.string({ unit: 'grapheme', maxLength: 20 })

const messages: { readonly [N in Name]: fc.Arbitrary<OutgoingMessages[N]> } = {
  Open: fc.record({ discoveryKey: key, capability: maybe(fc.uint8Array({ maxLength: 40 })) }),
  Options: fc.record({ extensions: fc.array(name), ack: maybe(fc.boolean()) }),
  Status: fc.record({ uploading: maybe(fc.boolean()), downloading: maybe(fc.boolean()) }),
  Have: fc.record({
    start: uint,
    length: maybe(uint),
    bitfield: maybe(bytes),
    ack: maybe(fc.boolean()),
  }),
  Unhave: span,
  Want: span,
  Unwant: span,
  Request: fc.record({
    index: uint,
    bytes: maybe(uint),
    hash: maybe(fc.boolean()),
    nodes: maybe(uint),
  }),
  Cancel: fc.record({ index: uint, bytes: maybe(uint), hash: maybe(fc.boolean()) }),
  Data: fc.record({
    index: uint,
    value: maybe(bytes),
    nodes: fc.array(fc.record({ index: uint, hash: key, size: uint })),
    signature: maybe(signature),
  }),
  Close: fc.record({ discoveryKey: maybe(key) }),
}

/** The payload that our encoder makes, without its frame. */
function payloadOf<N extends Name>(type: N, message: OutgoingMessages[N]): Uint8Array {
  const outbox = new Outbox()
  outbox.message(1, type, message)
  const frame = outbox.take(null)
  // Length and header are one to four bytes and one.
  let at = 0
  while ((frame[at] ?? 0) >= 128) at++
  return frame.subarray(at + 2)
}

/** What the schema reads, in the form of our decoder: defaults put in, numbers as numbers. */
function throughSchema(type: Name, payload: Uint8Array): Record<string, unknown> {
  const message = schema.lookupType(`varve.wire.${type}`)
  return message.toObject(message.decode(payload), { longs: Number, defaults: true, arrays: true })
}

/** Byte strings as text; what is empty or absent in a byte field counts the same for the schema. */
function comparable(value: unknown): unknown {
  if (value === null || (value instanceof Uint8Array && value.length === 0)) return ''
  if (value instanceof Uint8Array) return toHex(value)
  if (Array.isArray(value)) return value.length === 0 ? '' : value.map(comparable)
  if (typeof value !== 'object') return value
  return Object.fromEntries(Object.entries(value).map(([field, of]) => [field, comparable(of)]))
}

function codeOf(work: () => unknown): string | null {
  try {
    work()
    return null
  } catch (error) {
    if (error instanceof WireError) return error.code
    throw error
  }
}

for (const type of names) {
  test(`what we encode as ${type}, messages.proto decodes, and so do we`, async () => {
    fc.assert(
      fc.property(messages[type] as fc.Arbitrary<OutgoingMessages[typeof type]>, (message) => {
        const payload = payloadOf(type, message)
        const decoded = decode[type](payload)
        assert.deepEqual(comparable(decoded), comparable(throughSchema(type, payload)))
        const given = Object.entries(message).filter(([, value]) => value !== undefined)
        for (const [field, value] of given) {
          assert.deepEqual(comparable(decoded[field as keyof typeof decoded]), comparable(value))
        }
      }),
    )
  })

  test(`what messages.proto encodes as ${type} is what we encode`, async () => {
    fc.assert(
      fc.property(messages[type] as fc.Arbitrary<OutgoingMessages[typeof type]>, (message) => {
        const ofSchema = schema.lookupType(`varve.wire.${type}`)
        const payload = ofSchema.encode(ofSchema.create({ ...message })).finish()
        assert.equal(toHex(payloadOf(type, message)), toHex(payload))
      }),
    )
  })

  test(`any bytes are a ${type} or a WireError, wherever they lie`, async () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), fc.nat(9), (payload, offset) => {
        const code = codeOf(() => decode[type](payload))
        assert.ok(code === null || code === 'WIRE_BAD_MESSAGE' || code === 'WIRE_LIMIT')
        const shifted = new Uint8Array(payload.length + offset + 5).fill(0xff)
        shifted.set(payload, offset)
        const again = codeOf(() => decode[type](shifted, offset, offset + payload.length))
        assert.equal(again, code)
      }),
      { numRuns: 400 },
    )
  })

  test(`a ${type} with one byte changed is a message or a WireError`, async () => {
    fc.assert(
      fc.property(
        messages[type] as fc.Arbitrary<OutgoingMessages[typeof type]>,
        fc.nat(),
        fc.nat(255),
        (message, place, byte) => {
          const payload = payloadOf(type, message)
          if (payload.length === 0) return
          payload[place % payload.length] = byte
          assert.doesNotThrow(() => codeOf(() => decode[type](payload)))
        },
      ),
    )
  })
}

test('the schema names the messages by the numbers in the headers', async (t) => {
  t.strictSame(
    names.map((each) => MessageType[each]),
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
  )
  for (const each of names) t.ok(schema.lookupType(`varve.wire.${each}`))
})

test('too many and too long extension names are a limit, and exactly as many are not', async (t) => {
  const options = (count: number, length: number): Uint8Array =>
    payloadOf('Options', { extensions: Array.from({ length: count }, () => 'n'.repeat(length)) })
  t.equal(
    codeOf(() => decode.Options(options(256, 255))),
    null,
  )
  t.equal(
    codeOf(() => decode.Options(options(257, 1))),
    'WIRE_LIMIT',
  )
  t.equal(
    codeOf(() => decode.Options(options(1, 256))),
    'WIRE_LIMIT',
  )
  const two = options(2, 1)
  t.equal(
    codeOf(() => decodeOptions(two, 0, two.length, 1)),
    'WIRE_LIMIT',
  )
})

test('an extension message begins with a whole number', async (t) => {
  t.strictSame(decodeExtension(fromHex('ac0201'), 0, 3), { id: 300, at: 2 })
  for (const hex of ['', '80', 'ffffffffffffffffffffff01', 'ffffffffffffffff7f']) {
    const payload = fromHex(hex)
    t.equal(
      codeOf(() => decodeExtension(payload, 0, payload.length)),
      'WIRE_BAD_MESSAGE',
      hex,
    )
  }
})

test('a handshake payload carries 24 bytes of nonce, whatever else is in it', async (t) => {
  const nonce = new Uint8Array(24).fill(7)
  t.equal(toHex(encodePayload(nonce)), `0a18${toHex(nonce)}`)
  t.equal(toHex(decodePayload(encodePayload(nonce))), toHex(nonce))
  t.equal(toHex(decodePayload(fromHex(`0a18${toHex(nonce)}7801`))), toHex(nonce))
  for (const hex of [
    '',
    '0a00',
    `0a17${'07'.repeat(23)}`,
    `0a19${'07'.repeat(25)}`,
    '0aff',
    '0800',
  ]) {
    t.equal(
      codeOf(() => decodePayload(fromHex(hex))),
      'WIRE_HANDSHAKE_PAYLOAD',
      hex,
    )
  }
})
