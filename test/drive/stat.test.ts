import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import protobuf from 'protobufjs'
import t from 'tap'
import { ProtobufWriter } from '../../src/protobuf.ts'
import { decodeStat, encodeStat } from '../../src/drive/entries/stat-codec.ts'
import { Stat } from '../../src/drive/entries/stat.ts'
import { code } from './drives.ts'

const schema = readFileSync(join(import.meta.dirname, '../../src/drive/entries/stat.proto'), 'utf8')
const Message = protobuf.parse(schema, { keepCase: true }).root.lookupType('Stat')
const NOW = 1_600_000_000_000

const number = fc.integer({ min: 1, max: 2 ** 31 })
const bytes = fc.uint8Array({ maxLength: 40 })
const record = fc.record({
  mode: number,
  uid: number,
  gid: number,
  size: number,
  blocks: number,
  offset: number,
  byteOffset: number,
  mtime: number,
  ctime: number,
  linkname: fc.option(fc.string({ minLength: 1, unit: 'grapheme' })),
  mount: fc.option(
    fc.record({
      key: fc.uint8Array({ minLength: 32, maxLength: 32 }),
      version: fc.option(number),
      hash: fc.option(fc.uint8Array({ minLength: 1, maxLength: 32 })),
      hypercore: fc.boolean(),
    }),
  ),
  metadata: fc.dictionary(fc.string({ unit: 'grapheme', maxLength: 8 }), bytes, { maxKeys: 4 }),
})

t.test('the codec writes what the schema says', (t) => {
  fc.assert(
    fc.property(record, (stat) => {
      const read = Message.toObject(Message.decode(encodeStat(stat)), { longs: Number })
      for (const name of ['mode', 'uid', 'size', 'offset', 'mtime'] as const) {
        if (read[name] !== stat[name]) return false
      }
      if ((read['linkname'] ?? null) !== stat.linkname) return false
      const { mount } = read as {
        mount?: { key: Uint8Array; version?: number; hypercore: boolean }
      }
      if ((mount?.version ?? null) !== (stat.mount?.version ?? null)) return false
      if (mount && mount.hypercore !== stat.mount?.hypercore) return false
      return Object.keys(stat.metadata).length === Object.keys(read['metadata'] ?? {}).length
    }),
  )
  t.end()
})

t.test('what is encoded decodes to the same', (t) => {
  fc.assert(
    fc.property(record, (stat) => {
      const encoded = encodeStat(stat)
      const decoded = Stat.decode(encoded, NOW)
      // A version that was left out reads as 0, and is written from then on.
      if (stat.mount && stat.mount.version === null) return decoded.mount?.version === 0
      return Buffer.compare(decoded.encode(), encoded) === 0
    }),
  )
  t.end()
})

t.test('a type is told by all of its bits, so a link is no file', (t) => {
  const link = Stat.link({ linkname: 'x' }, NOW)
  t.same(
    [link.isFile(), link.isDirectory(), link.isSymbolicLink(), link.isSymlink()],
    [false, false, true, true],
  )
  const directory = Stat.directory({}, NOW)
  t.same([directory.isFile(), directory.isDirectory(), directory.isSymlink()], [false, true, false])
  const file = Stat.file({ mode: 0o600 }, NOW)
  t.same([file.mode, file.isFile(), file.isSocket(), file.isFIFO()], [0o100600, true, false, false])
  t.same([file.isBlockDevice(), file.isCharacterDevice()], [false, false])
  t.end()
})

t.test('a stat has the fields of fs.Stats that v10 gives', (t) => {
  const stat = Stat.file({ mtime: new Date(5), size: 3 }, NOW)
  t.match(stat, { dev: 0, nlink: 1, rdev: 0, blksize: 0, ino: 0, uid: 0, gid: 0, size: 3 })
  t.equal(stat.mtime.getTime(), 5)
  t.equal(stat.ctime.getTime(), NOW)
  t.equal(stat.atime.getTime(), NOW)
  t.end()
})

t.test('a metadata key may be named like a prototype', (t) => {
  const input = JSON.parse('{"__proto__": "data"}') as Record<string, string>
  const { metadata } = Stat.decode(Stat.file({ metadata: input }, NOW).encode(), NOW)
  t.same(Object.keys(metadata), ['__proto__'])
  t.equal(Object.getPrototypeOf(metadata), null)
  t.end()
})

t.test('bytes that hold no stat are refused by a typed error', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
      try {
        Stat.decode(bytes, NOW)
        return true
      } catch (error) {
        return (error as { code?: string }).code === 'DRIVE_BAD_STAT'
      }
    }),
  )
  // A known field of another wire type; a length past the end; a mount and metadata without a key.
  for (const hex of ['0a00', '080552ff61', '08055a022001', '080562021201', '08055a00']) {
    t.throws(() => Stat.decode(Buffer.from(hex, 'hex'), NOW), code('DRIVE_BAD_STAT'), hex)
  }
  t.end()
})

t.test('a field that cannot be stored is a RangeError or TypeError of the caller', (t) => {
  t.throws(() => Stat.file({ size: -1 }, NOW).encode(), RangeError)
  t.throws(() => Stat.file({ uid: 2 ** 53 }, NOW).encode(), RangeError)
  t.throws(
    () => Stat.directory({ mount: { key: Buffer.alloc(32), version: 1.5 } }, NOW).encode(),
    RangeError,
  )
  // @ts-expect-error: a caller without types
  t.throws(() => Stat.file({ metadata: { a: 7 } }, NOW), TypeError)
  t.end()
})

t.test('fields that mean nothing here are stepped over, and an empty link is none', (t) => {
  const plain = Stat.file({}, NOW).encode()
  const more = (write: (writer: ProtobufWriter) => void): Buffer => {
    const writer = new ProtobufWriter()
    write(writer)
    return Buffer.concat([plain, writer.finish()])
  }
  const unknown = more((writer) => writer.uintField(99, 5).stringField(10, ''))
  t.equal(Stat.decode(unknown, NOW).linkname, null)
  const key = new Uint8Array(32).fill(3)
  const mounted = more((writer) =>
    writer.messageField(11, (nested) => nested.bytesField(1, key).stringField(9, 'x')),
  )
  t.match(Stat.decode(mounted, NOW).mount, { version: 0, hypercore: false })
  const entry = more((writer) =>
    writer.messageField(12, (nested) =>
      nested.stringField(1, 'k').uintField(9, 1).bytesField(2, key),
    ),
  )
  t.same(Object.keys(Stat.decode(entry, NOW).metadata), ['k'])
  t.end()
})

t.test('what is left out of a record is not written', (t) => {
  const file = decodeStat(Stat.file({}, NOW).encode(), NOW)
  const record = { ...file, mount: { key: new Uint8Array(32) } }
  const bytes = encodeStat({ ...record, metadata: null })
  t.same(bytes, encodeStat({ ...record, metadata: {} }))
  t.equal(Stat.decode(bytes, NOW).mount?.version, 0)
  t.end()
})
