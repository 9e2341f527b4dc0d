import assert from 'node:assert/strict'
import fc from 'fast-check'
import protobuf from 'protobufjs/minimal.js'
import { test } from 'tap'
import { fromHex, toHex } from '../src/bytes.ts'
import { ProtobufError, ProtobufReader, ProtobufWriter } from '../src/protobuf.ts'

function reader(hex: string): ProtobufReader {
  return new ProtobufReader(fromHex(hex))
}

const safe = fc.nat(Number.MAX_SAFE_INTEGER)
const rejects = { code: 'PROTOBUF_INVALID' }

test('fields are read one by one, and 0 is the end', async (t) => {
  const fields = reader('08011202616218002a0101')
  t.equal(fields.next(), 1)
  t.equal(fields.uint(), 1)
  t.equal(fields.next(), 2)
  t.equal(fields.string(), 'ab')
  t.equal(fields.next(), 3)
  t.equal(fields.bool(), false)
  t.equal(fields.next(), 5)
  fields.ignore()
  t.equal(fields.next(), 0)
  t.equal(fields.more, false)
})

test('a reader stays in its part of the bytes', async (t) => {
  const fields = new ProtobufReader(fromHex('ff0801ff'), 1, 3)
  t.equal(fields.next(), 1)
  t.equal(fields.uint(), 1)
  t.equal(fields.next(), 0)
  t.throws(() => {
    const cut = new ProtobufReader(fromHex('0a02ffff'), 0, 3)
    cut.next()
    cut.bytes()
  }, rejects)
})

test('integers of any length up to ten bytes are read, up to 2 ** 53 - 1', async (t) => {
  const uint = (hex: string): number => {
    const fields = reader(`08${hex}`)
    fields.next()
    return fields.uint()
  }
  t.equal(uint('ffffffffffffff0f'), Number.MAX_SAFE_INTEGER)
  t.equal(uint('85808080808080808000'), 5)
  for (const hex of [
    '8080808080808010',
    '80808080808080808001',
    '8080808080808080808000',
    '',
    '80',
    'ffffffffffffffffffff01',
  ]) {
    t.throws(() => uint(hex), rejects, hex)
  }
})

test('a boolean is one byte', async (t) => {
  const bool = (hex: string): boolean => {
    const fields = reader(`08${hex}`)
    fields.next()
    return fields.bool()
  }
  t.equal(bool('00'), false)
  t.equal(bool('02'), true)
  for (const hex of ['8001', '80', '']) t.throws(() => bool(hex), rejects, hex)
})

test('wrong wire types, field 0, groups and lengths past the end are rejected', async (t) => {
  const read = (hex: string, value: (fields: ProtobufReader) => unknown): void => {
    const fields = reader(hex)
    fields.next()
    value(fields)
  }
  t.throws(() => read('0a05', (fields) => fields.uint()), rejects)
  t.throws(() => read('0a05', (fields) => fields.bool()), rejects)
  t.throws(() => read('0805', (fields) => fields.bytes()), rejects)
  t.throws(() => read('0805', (fields) => fields.enter()), rejects)
  t.throws(() => read('0001', (fields) => fields.ignore()), rejects)
  t.throws(() => read('80', () => {}), rejects)
  for (const hex of ['7b', '7c', '7e', '7f', '7a05', '790000', '7d00', '7880', '78ff']) {
    t.throws(() => read(hex, (fields) => fields.ignore()), rejects, hex)
  }
  t.throws(() => read('0a05aabb', (fields) => fields.bytes()), rejects)
})

test('unknown fields of every wire type are stepped over, negative numbers included', async (t) => {
  for (const hex of ['78ffffffffffffffffff01', '7a02aabb', '790102030405060708', '7d01020304']) {
    const fields = reader(`${hex}0807`)
    fields.next()
    fields.ignore()
    t.equal(fields.next(), 1)
    t.equal(fields.uint(), 7)
  }
})

test('a nested part ends where it says', async (t) => {
  const fields = reader('0a0308011002')
  fields.next()
  t.throws(() => {
    fields.enter()
    fields.next()
    fields.uint()
    fields.next()
    fields.uint()
  }, rejects)
  const packed = reader('0a0301ac021007')
  packed.next()
  const outer = packed.enter()
  const values: number[] = []
  while (packed.more) values.push(packed.varint())
  packed.leave(outer)
  t.strictSame(values, [1, 300])
  t.equal(packed.next(), 2)
  t.equal(packed.uint(), 7)
})

test('what is written is read again', async () => {
  fc.assert(
    fc.property(
      safe,
      fc.boolean(),
      fc.uint8Array(),
      fc.string({ unit: 'grapheme' }),
      fc.array(safe),
      (uint, bool, bytes, text, list) => {
        const fields = new ProtobufReader(
          new ProtobufWriter()
            .uintField(1, uint)
            .boolField(2, bool)
            .bytesField(3, bytes)
            .stringField(4, text)
            .messageField(5, (writer) => writer.uintField(9, uint))
            .packedField(6, list)
            .finish(),
        )
        const read: unknown[] = []
        for (let field = fields.next(); field !== 0; field = fields.next()) {
          if (field === 1) read.push(fields.uint())
          else if (field === 2) read.push(fields.bool())
          else if (field === 3) read.push(new Uint8Array(fields.bytes()))
          else if (field === 4) read.push(fields.string())
          else {
            const outer = fields.enter()
            while (fields.more)
              read.push(field === 5 ? [fields.next(), fields.uint()] : fields.varint())
            fields.leave(outer)
          }
        }
        assert.deepEqual(read, [uint, bool, bytes, text, [9, uint], ...list])
      },
    ),
  )
})

test('what is absent is left out, and a default is written', async (t) => {
  const absent = new ProtobufWriter()
    .uintField(1, null)
    .boolField(2, undefined)
    .bytesField(3, null)
    .stringField(4, undefined)
    .packedField(5, [])
  t.equal(absent.finish().length, 0)
  const defaults = new ProtobufWriter().uintField(1, 0).boolField(2, false).stringField(3, '')
  t.equal(toHex(defaults.finish()), '080010001a00')
})

test('a lone surrogate is one replacement character, in texts of any length', async (t) => {
  for (const padding of ['', 'x'.repeat(100)]) {
    const bytes = new ProtobufWriter().stringField(1, `${padding}\ud800`).finish()
    t.ok(toHex(bytes).endsWith('efbfbd'))
  }
})

test('any bytes are read or rejected, and nothing else happens', async (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      const fields = new ProtobufReader(bytes)
      try {
        for (let field = fields.next(); field !== 0; field = fields.next()) {
          if (field % 2 === 0) fields.ignore()
          else fields.bytes()
        }
        assert.equal(fields.pos, bytes.length)
      } catch (error) {
        if (!(error instanceof ProtobufError)) throw error
      }
    }),
    { numRuns: 1000 },
  )
  t.ok(new ProtobufReader(new Uint8Array(1)) instanceof protobuf.Reader)
})
