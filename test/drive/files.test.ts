import { finished } from 'node:stream/promises'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import fc from 'fast-check'
import t from 'tap'
import { EMPTY } from '../../src/bytes.ts'
import { Drive } from '../../src/drive/index.ts'
import { MemoryStorage, StorageError } from '../../src/storage/index.ts'
import { cloneOf, code, memoryDrive } from './drives.ts'

async function blocksOf(drive: Drive): Promise<number[]> {
  const content = await drive.getContent()
  return (await content.getBatch(0, content.length)).map((block) => block.length)
}

async function read(stream: Readable): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

t.test('a file is one append of blocks of at most 524288 bytes, and one entry', async (t) => {
  const drive = await memoryDrive(t)
  const data = Buffer.alloc(1048577, 7)
  await drive.writeFile('/big', data)
  t.same(await blocksOf(drive), [524288, 524288, 1])
  t.equal(drive.version, 2)
  t.same(await drive.readFile('/big'), data)
  t.match(await drive.stat('/big'), { size: 1048577, blocks: 3, offset: 0, byteOffset: 0 })
})

t.test('an empty file has an empty block, and a file of nothing has none', async (t) => {
  const drive = await memoryDrive(t)
  await drive.writeFile('empty', '')
  await drive.writeFile('nothing', null)
  t.match(await drive.stat('empty'), { size: 0, blocks: 1 })
  t.match(await drive.stat('nothing'), { size: 0, blocks: 0, offset: 1 })
  t.equal((await drive.readFile('empty')).length + (await drive.readFile('nothing')).length, 0)
})

t.test('text is written and read in any of Node s encodings', async (t) => {
  const drive = await memoryDrive(t)
  await drive.writeFile('hex', '00ff', 'hex')
  await drive.writeFile('utf16', 'ü', { encoding: 'utf16le', mode: 0o600 })
  t.same(await drive.readFile('hex'), Buffer.from([0, 255]))
  t.equal(await drive.readFile('utf16', 'utf16le'), 'ü')
  t.equal(await drive.readFile('hex', { encoding: 'base64' }), 'AP8=')
  t.same(await drive.readFile('hex', 'binary'), Buffer.from([0, 255]))
  t.match(await drive.stat('utf16'), { mode: 0o100600 })
  const view = new DataView(new Uint8Array([1, 2, 3, 4]).buffer, 1, 2)
  await drive.writeFile('view', view)
  t.same(await drive.readFile('view'), Buffer.from([2, 3]))
  // @ts-expect-error: a caller without types
  await t.rejects(drive.writeFile('x', 7), TypeError)
})

t.test(
  'files written at the same time become the same blocks as one after the other',
  async (t) => {
    const [together, apart] = [await memoryDrive(t), await memoryDrive(t)]
    const names = Array.from({ length: 40 }, (_, i) => `d${i % 3}/f${i}`)
    await Promise.all(names.map((name) => together.writeFile(name, name)))
    for (const name of names) await apart.writeFile(name, name)
    for (const log of ['metadata', 'content'] as const) {
      const [ours, theirs] = [together[log], apart[log]]
      t.equal(ours?.length, theirs?.length)
      const blocks = await ours?.getBatch(1, ours.length)
      t.same(blocks, await theirs?.getBatch(1, theirs.length), log)
    }
  },
)

t.test('a file that cannot be stored fails alone, and writes nothing', async (t) => {
  const drive = await memoryDrive(t)
  const outcomes = await Promise.allSettled([
    drive.writeFile('a', 'a'),
    drive.writeFile('bad', 'bad', { mode: -1 }),
    drive.writeFile('bad2', 'bad', { metadata: { k: 7 as never } }),
    drive.writeFile('b', 'b'),
  ])
  t.same(
    outcomes.map(({ status }) => status),
    ['fulfilled', 'rejected', 'rejected', 'fulfilled'],
  )
  t.same(await blocksOf(drive), [1, 1])
  t.equal(await drive.readFile('b', 'utf8'), 'b')
})

t.test('a stream writes a block a chunk and stores the entry at its end', async (t) => {
  const drive = await memoryDrive(t)
  const stream = drive.createWriteStream('s', { metadata: { k: 'v' } })
  for (const chunk of ['one', Buffer.from('two'), '', Buffer.alloc(524289)]) stream.write(chunk)
  stream.end()
  await finished(stream)
  t.same(await blocksOf(drive), [3, 3, 0, 524288, 1])
  t.match((await drive.stat('s')).metadata, { k: Buffer.from('v') })
  t.equal((await drive.readFile('s')).length, 524295)
})

t.test('empty chunks that were written last behind others are dropped, as in v10', async (t) => {
  const drive = await memoryDrive(t, { exact: true })
  for (const [chunks, blocks] of [
    [['', 'z', ''], 2],
    [['z', '', ''], 1],
    [['', ''], 1],
    [['z', '', 'y'], 3],
    [[Buffer.alloc(16384), '', ''], 2],
  ] as const) {
    const stream = drive.createWriteStream('s')
    for (const chunk of chunks) stream.write(chunk)
    stream.end()
    await finished(stream)
    t.equal((await drive.stat('s')).blocks, blocks, JSON.stringify(chunks).slice(0, 20))
  }
})

t.test('a stream given up leaves no entry and lets the next writer go on', async (t) => {
  const drive = await memoryDrive(t)
  const stream = drive.createWriteStream('gone')
  stream.write('half')
  await new Promise(setImmediate)
  stream.destroy()
  await drive.writeFile('next', 'next')
  t.equal(await drive.exists('gone'), false)
  t.equal(await drive.readFile('next', 'utf8'), 'next')
  const controller = new AbortController()
  const aborted = drive.createWriteStream('aborted', { signal: controller.signal })
  controller.abort()
  await t.rejects(finished(aborted), { name: 'AbortError' })
  await drive.writeFile('next', 'again')
})

t.test('a stream may refuse to wait for another writer', async (t) => {
  const drive = await memoryDrive(t)
  const first = drive.createWriteStream('first')
  first.write('x')
  await new Promise<void>((resolve) => drive.once('appending', () => resolve()))
  const second = drive.createWriteStream('second', { wait: false })
  await t.rejects(finished(second.end()), code('DRIVE_LOCKED'))
  const waiting = drive.createWriteStream('third')
  waiting.end('third')
  first.end()
  await finished(waiting)
  t.equal(await drive.readFile('third', 'utf8'), 'third')
})

t.test('ranges are those of Node, cut to what the file has', async (t) => {
  const drive = await memoryDrive(t)
  await drive.writeFile('before', 'before')
  const stream = drive.createWriteStream('f')
  const parts = ['hel', 'lo wo', '', 'rld']
  for (const part of parts) stream.write(part)
  await finished(stream.end())
  await drive.writeFile('after', 'after')
  const text = Buffer.from(parts.join(''))
  await fc.assert(
    fc.asyncProperty(
      fc.option(fc.nat(15), { nil: undefined }),
      fc.option(fc.nat(15), { nil: undefined }),
      fc.option(fc.nat(15), { nil: undefined }),
      async (start, end, length) => {
        const from = start ?? 0
        const to = end === undefined ? (length === undefined ? Infinity : from + length) : end + 1
        const wanted = text.subarray(from, Math.max(from, to))
        const options = { start, end, length }
        const got = [
          await read(drive.createReadStream('f', options)),
          await drive.readFile('f', options),
        ]
        return got.every((bytes) => bytes.equals(wanted))
      },
    ),
  )
  for (const options of [{ start: -1 }, { end: 1.5 }, { length: Number.NaN }]) {
    await t.rejects(drive.readFile('f', options), code('EINVAL'))
    await t.rejects(read(drive.createReadStream('f', options)), code('EINVAL'))
  }
})

t.test('a read stream may give text, be given up, and be aborted', async (t) => {
  const drive = await memoryDrive(t)
  await drive.writeFile('f', Buffer.alloc(3_000_000, 97))
  const text = drive.createReadStream('f', { encoding: 'utf8', end: 2 })
  for await (const chunk of text) t.equal(chunk, 'aaa')
  const early = drive.createReadStream('f')
  for await (const chunk of early) {
    t.ok((chunk as Buffer).length > 0)
    break
  }
  t.ok(early.destroyed)
  const controller = new AbortController()
  const aborted = drive.createReadStream('f', { signal: controller.signal })
  controller.abort(new Error('enough'))
  await t.rejects(read(aborted), { name: 'AbortError', cause: { message: 'enough' } })
})

t.test('a large file goes through streams whole', async (t) => {
  const drive = await memoryDrive(t)
  const source = Array.from({ length: 200 }, (_, i) => Buffer.alloc(10_000 + i, i))
  await pipeline(Readable.from(source), drive.createWriteStream('big'))
  t.same(await read(drive.createReadStream('big')), Buffer.concat(source))
})

t.test('reading what is no file fails with the code that says why', async (t) => {
  const drive = await memoryDrive(t)
  await drive.mkdir('dir')
  await drive.writeFile('implied/f', '')
  for (const [name, wanted] of [
    ['nope', 'ENOENT'],
    ['dir', 'EISDIR'],
    ['implied', 'EISDIR'],
    ['/', 'EISDIR'],
  ] as const) {
    await t.rejects(drive.readFile(name), { code: wanted, syscall: 'open' })
    await t.rejects(read(drive.createReadStream(name)), { code: wanted })
  }
  for (const name of ['dir', '/']) {
    await t.rejects(drive.writeFile(name, 'x'), code('EISDIR'))
    await t.rejects(finished(drive.createWriteStream(name).end('x')), code('EISDIR'))
  }
})

t.test(
  'an entry may lie about its content, and no byte of another file is read for it',
  async (t) => {
    const drive = await memoryDrive(t)
    await drive.writeFile('secret', 'secret')
    await drive.writeFile('f', 'abc')
    await drive.update('f', { size: 100 })
    t.equal(await drive.readFile('f', 'utf8'), 'abc')
    await drive.update('f', { size: 2 })
    t.equal(await drive.readFile('f', 'utf8'), 'ab')
    await drive.update('f', { size: 3, byteOffset: 0 })
    await t.rejects(drive.readFile('f', { start: 1 }), code('EIO'))
    await drive.update('f', { blocks: 2 ** 53 - 1, byteOffset: 2 ** 52, size: 2 ** 53 - 1 })
    await t.rejects(drive.readFile('f'), code('DRIVE_BAD_STAT'))
  },
)

t.test('what is not here is fetched, or told to be unavailable, as the read says', async (t) => {
  const drive = await memoryDrive(t)
  for (let i = 0; i < 5; i++) await drive.writeFile(`f${i}`, Buffer.alloc(2000, i))
  const clone = await cloneOf(t, drive)
  t.same(await clone.readFile('f3'), Buffer.alloc(2000, 3))
  await t.rejects(clone.readFile('f1', { wait: false }), { code: 'EUNAVAILABLE', peersAsked: 0 })
  await t.rejects(clone.readFile('f1', { cached: true }), code('EUNAVAILABLE'))
  t.equal((await clone.readFile('f1')).length, 2000)
  t.equal((await clone.readFile('f1', { cached: true })).length, 2000)
  const signal = AbortSignal.abort(new Error('enough'))
  await t.rejects(clone.readFile('f2', { signal }), { message: 'enough' })
  await t.rejects(clone.writeFile('x', 'x'), { code: 'EROFS', errno: 30 })
  await t.rejects(finished(clone.createWriteStream('x').end('x')), code('EROFS'))
})

t.test('a disk that fails fails every file that was written with it, and no other', async (t) => {
  let failing = ''
  const drive = new Drive((path, { discoveryKey }) => {
    const file = new MemoryStorage()
    const write = file.write.bind(file)
    file.write = (offset, bytes) => {
      const isMeta = Buffer.compare(discoveryKey ?? EMPTY, drive.discoveryKey ?? EMPTY) === 0
      const isHit = path.endsWith('/data') && failing === (isMeta ? 'metadata' : 'content')
      return isHit
        ? Promise.reject(new StorageError('STORAGE_IO', 'disk full'))
        : write(offset, bytes)
    }
    return file
  })
  await drive.writeFile('good', 'good')
  for (const which of ['content', 'metadata']) {
    failing = which
    const outcomes = await Promise.allSettled([
      drive.writeFile('a', 'a'),
      drive.writeFile('b', 'b'),
    ])
    const codes = outcomes.map((outcome) =>
      outcome.status === 'rejected' ? (outcome.reason as { code?: string }).code : 'none',
    )
    t.same(codes, ['EIO', 'EIO'])
    failing = ''
    t.equal(await drive.exists('a'), false)
    await drive.writeFile('after', which)
    t.equal(await drive.readFile('after', 'utf8'), which)
  }
  t.equal(await drive.readFile('good', 'utf8'), 'good')
  await drive.close()
})

t.test(
  'what no peer has is unavailable, at once or in time, unless the read waits for ever',
  async (t) => {
    const drive = await memoryDrive(t)
    await drive.writeFile('f', 'gone')
    const clone = await cloneOf(t, drive)
    await clone.stat('f')
    await drive.clear('f')
    await t.rejects(clone.readFile('f', { wait: 'peers' }), {
      code: 'EUNAVAILABLE',
      peersAsked: 1,
      waitedMs: Number,
      path: '/f',
    })
    await t.rejects(clone.readFile('f', { timeout: 20 }), { code: 'ETIMEDOUT', errno: 110 })
    const controller = new AbortController()
    const reading = clone.readFile('f', { signal: controller.signal })
    const aborted = t.rejects(reading, { message: 'enough' })
    setImmediate(() => controller.abort(new Error('enough')))
    await aborted
    const patient = clone.readFile('f')
    await drive.writeFile('g', 'else')
    const closed = t.rejects(patient, code('DRIVE_CLOSED'))
    await clone.close()
    await closed
  },
)

t.test('the drive s own defaults say whether reads wait', async (t) => {
  const drive = await memoryDrive(t)
  await drive.writeFile('f', 'x')
  await drive.writeFile('g', 'x')
  const clone = await cloneOf(t, drive, { wait: 'peers' })
  t.equal(await clone.readFile('f', 'utf8'), 'x')
  await clone.stat('g', { wait: true })
  await drive.clear('g')
  await t.rejects(clone.readFile('g'), code('EUNAVAILABLE'))
  const hasty = await cloneOf(t, drive, { timeout: 20 })
  await hasty.stat('g', { timeout: 0 })
  await t.rejects(hasty.readFile('g'), code('ETIMEDOUT'))
})
