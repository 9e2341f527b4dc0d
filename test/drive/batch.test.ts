import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { Drive } from '../../src/drive/drive.ts'
import type { DriveBatch } from '../../src/drive/batch/batch.ts'
import { StagedLog, UNPLACED, UNPLACED_BYTES } from '../../src/drive/batch/staged-log.ts'
import { MemoryStorage, type RandomAccess } from '../../src/storage/index.ts'
import { NOW, cloneOf, code, memoryDrive, memoryDrives } from './drives.ts'

/** Blocks of the two logs. */
async function lengths(drive: Drive): Promise<[metadata: number, content: number]> {
  return [drive.version, (await drive.getContent()).length]
}

/** Counts the appends of both logs. */
async function appends(drive: Drive): Promise<() => [metadata: number, content: number]> {
  const counts: [number, number] = [0, 0]
  drive.metadata?.on('append', () => void counts[0]++)
  ;(await drive.getContent()).on('append', () => void counts[1]++)
  return () => counts
}

t.test('a batch of files is one append of each log', async (t) => {
  const drive = await memoryDrive(t)
  const counts = await appends(drive)
  const told: string[] = []
  drive.on('append', (path) => told.push(path))
  const batch = drive.batch()
  for (let i = 0; i < 50; i++)
    await batch.writeFile(`/d${i % 5}/f${i}`, `file ${i}`, { mode: 0o600 })
  t.strictSame(await lengths(drive), [1, 0], 'nothing is stored before the flush')
  t.strictSame(told, [])
  t.strictSame(await drive.readdir('/'), [])
  await batch.flush()
  t.strictSame(counts(), [1, 1])
  t.strictSame(await lengths(drive), [51, 50])
  t.equal(told.length, 50)
  t.equal(await drive.readFile('/d3/f13', 'utf8'), 'file 13')
  t.equal((await drive.stat('/d3/f13')).mode & 0o777, 0o600)
  t.ok(batch.ended)
  await t.rejects(batch.writeFile('/x', 'x'), code('DRIVE_BATCH_ENDED'))
  await t.rejects(batch.flush(), code('DRIVE_BATCH_ENDED'))
  batch.discard()
  t.end()
})

t.test(
  'a batch with every kind of change is one append of each log, and sees itself',
  async (t) => {
    const drive = await memoryDrive(t)
    await drive.writeFile('/old/a', 'a')
    await drive.writeFile('/old/sub/b', 'b')
    await drive.writeFile('/gone', 'gone')
    await drive.mkdir('/empty')
    await drive.symlink('x', '/link')
    const counts = await appends(drive)
    const batch = drive.batch()
    await batch.writeFile('/new', 'first')
    await batch.rename('/old', '/moved')
    t.equal(await batch.readFile('/moved/sub/b', 'utf8'), 'b')
    await batch.writeFile('/moved/c', 'c')
    await batch.appendFile('/moved/c', 'cc')
    await batch.appendFile('/moved/a', 'aa')
    await batch.appendFile('/made', Buffer.from('made'))
    await batch.cp('/moved', '/copied', { recursive: true })
    await batch.copy('/new', '/newer')
    await batch.mkdir('/dir', { mode: 0o700 })
    await batch.mkdir('/deep/er', { recursive: true })
    await batch.symlink('new', '/to-new')
    await batch.chmod('/new', 0o640)
    await batch.chown('/new', 3, 4)
    await batch.utimes('/new', 0, 5)
    await batch.update('/new', { metadata: { k: 'v' } })
    await batch.unlink('/gone')
    await batch.unlink('/link')
    await batch.rmdir('/empty')
    await batch.rm('/nothing', { force: true })
    await t.rejects(batch.rm('/moved'), code('EISDIR'))
    await t.rejects(batch.readFile('/gone'), code('ENOENT'))
    t.equal((await batch.lstat('/to-new')).isSymbolicLink(), true)
    t.equal((await batch.stat('/to-new')).uid, 3)
    t.equal(await batch.readlink('/to-new'), 'new')
    t.equal(await batch.exists('/old/a'), false)
    const names = (await batch.readdir('/', { recursive: true })) as string[]
    t.strictSame(counts(), [0, 0])
    await batch.flush()
    t.strictSame(counts(), [1, 1])
    t.strictSame((await drive.readdir('/', { recursive: true })).toSorted(), names.toSorted())
    const read = async (name: string): Promise<string> => drive.readFile(name, 'utf8')
    for (const place of ['/moved', '/copied']) {
      t.equal(await read(`${place}/a`), 'aaa')
      t.equal(await read(`${place}/c`), 'ccc')
      t.equal(await read(`${place}/sub/b`), 'b')
    }
    t.equal(await read('/made'), 'made')
    t.equal(await read('/newer'), 'first')
    const stat = await drive.stat('/new')
    t.match(stat, { uid: 3, gid: 4, mode: 0o100640 })
    t.equal(stat.mtimeMs, 5000)
    t.equal(stat.metadata['k']?.toString(), 'v')
    t.equal(await drive.exists('/gone'), false)
    const content = await drive.getContent()
    t.ok((await drive.stat('/dir')).offset <= content.length)
    t.end()
  },
)

t.test('what others write meanwhile stays, and places are right all the same', async (t) => {
  const drive = await memoryDrive(t)
  await drive.writeFile('/base', 'base')
  const batch = drive.batch()
  await batch.writeFile('/mine', 'mine')
  await drive.writeFile('/theirs', 'theirs')
  await batch.chmod('/base', 0o600)
  await batch.writeFile('/mine-too', 'mine too')
  await drive.writeFile('/theirs-too', 'theirs too')
  await drive.unlink('/theirs')
  await batch.flush()
  t.strictSame((await drive.readdir('/')).toSorted(), ['base', 'mine', 'mine-too', 'theirs-too'])
  for (const name of ['base', 'mine']) t.equal(await drive.readFile(name, 'utf8'), name)
  t.equal(await drive.readFile('/mine-too', 'utf8'), 'mine too')
  t.equal(await drive.readFile('/theirs-too', 'utf8'), 'theirs too')
  t.end()
})

t.test('of a batch that is discarded nothing is stored', async (t) => {
  const drive = await memoryDrive(t)
  const batch = drive.batch()
  await batch.writeFile('/a', 'a')
  await batch.mkdir('/b')
  batch.discard()
  batch.discard()
  await t.rejects(batch.readdir('/'), code('DRIVE_BATCH_ENDED'))
  t.strictSame(await lengths(drive), [1, 0])
  const late = drive.batch()
  const call = late.mkdir('/c')
  late.discard()
  await t.rejects(call, code('DRIVE_BATCH_ENDED'))
  const nothing = drive.batch()
  await nothing.flush()
  t.strictSame(await lengths(drive), [1, 0])
  t.end()
})

t.test(
  'a function makes a batch, which is stored when it is done and dropped when it fails',
  async (t) => {
    const drive = await memoryDrive(t)
    const given = await drive.batch(async (batch) => {
      void batch.writeFile('/a', 'a')
      void batch.rename('/a', '/b')
      await batch.symlink('b', '/c')
      return 'done'
    })
    t.equal(given, 'done')
    t.equal(await drive.readFile('/c', 'utf8'), 'a')
    const version = drive.version
    await t.rejects(
      drive.batch(async (batch) => {
        await batch.writeFile('/d', 'd')
        throw new Error('no more')
      }),
      { message: 'no more' },
    )
    t.equal(drive.version, version)
    await new Promise<void>((resolve, reject) => {
      drive.batch(
        (batch) => batch.writeFile('/e', null),
        (error) => (error ? reject(error) : resolve()),
      )
    })
    t.equal((await drive.stat('/e')).size, 0)
    t.end()
  },
)

t.test('every call of a batch takes a callback', async (t) => {
  const drive = await memoryDrive(t)
  const batch = drive.batch()
  const called = <T>(
    start: (done: (error: Error | null, result: T) => void) => unknown,
  ): Promise<T> =>
    new Promise((resolve, reject) => {
      start((error, result) => (error ? reject(error) : resolve(result)))
    })
  await called<void>((done) => batch.writeFile('/a', 'a', done))
  await called<void>((done) => batch.writeFile('/b', 'Yg==', 'base64', done))
  await called<void>((done) => batch.cp('/a', '/c', done))
  await called<void>((done) => batch.rm('/c', done))
  await called((done) => batch.mkdir('/d', done))
  t.equal(((await called<unknown>((done) => batch.readFile('/b', done))) as Buffer).toString(), 'b')
  t.strictSame(await called((done) => batch.readdir('/d', done)), [])
  t.ok((await called<{ isFile(): boolean }>((done) => batch.stat('/a', done))).isFile())
  t.ok((await called<{ isFile(): boolean }>((done) => batch.lstat('/a', done))).isFile())
  await t.rejects(
    called((done) => batch.unlink('/nope', done)),
    code('ENOENT'),
  )
  await called<void>((done) => batch.flush(done))
  t.strictSame((await drive.readdir('/')).toSorted(), ['a', 'b', 'd'])
  t.end()
})

t.test('bytes that were given may be reused before the flush', async (t) => {
  const drive = await memoryDrive(t)
  const bytes = Buffer.from('right')
  const batch = drive.batch()
  await batch.writeFile('/a', bytes)
  await batch.mkdir('/d')
  await batch.writeFile('/b', bytes)
  await batch.appendFile('/b', bytes)
  bytes.write('wrong')
  await batch.flush()
  t.equal(await drive.readFile('/a', 'utf8'), 'right')
  t.equal(await drive.readFile('/b', 'utf8'), 'rightright')
  t.end()
})

t.test(
  'content beyond the bound goes to the log ahead, and the batch is whole all the same',
  async (t) => {
    const drive = await memoryDrive(t)
    const large = (i: number): Buffer => Buffer.alloc(3 * 1024 * 1024, i)
    const batch = drive.batch()
    for (let i = 0; i < 9; i++) await batch.writeFile(`/f${i}`, large(i))
    const content = await drive.getContent()
    t.ok(content.length > 0 && content.byteLength < 27 * 1024 * 1024)
    t.equal(drive.version, 1)
    await drive.writeFile('/between', 'between')
    t.ok(((await batch.readFile('/f1')) as Buffer).equals(large(1)), 'read back from the log')
    t.ok(((await batch.readFile('/f8')) as Buffer).equals(large(8)), 'read back from memory')
    const part = (await batch.readFile('/f6', { start: 2 ** 21, end: 2 ** 21 + 9 })) as Buffer
    t.ok(part.equals(Buffer.alloc(10, 6)))
    await batch.appendFile('/f0', 'and more')
    for (let i = 0; i < 6; i++) await batch.writeFile(`/g${i}`, large(i))
    await batch.appendFile('/g5', 'and more')
    await batch.flush()
    for (let i = 0; i < 6; i++) {
      const tail = Buffer.from('and more')
      const f = await drive.readFile(`/f${i}`)
      t.ok(f.equals(i === 0 ? Buffer.concat([large(0), tail]) : large(i)), `f${i}`)
      const g = await drive.readFile(`/g${i}`)
      t.ok(g.equals(i === 5 ? Buffer.concat([large(5), tail]) : large(i)), `g${i}`)
    }
    t.equal(await drive.readFile('/between', 'utf8'), 'between')
    t.end()
  },
)

t.test('a batch changes one drive, and reads what is mounted in it', async (t) => {
  const [drive, other] = await memoryDrives(t, 2)
  if (!drive || !other) throw new Error('no drives')
  await other.writeFile('/in', 'inside')
  await drive.mount('/m', other.key as Buffer)
  const batch = drive.batch()
  await t.rejects(batch.writeFile('/m/x', 'x'), code('EROFS'))
  t.equal(await batch.readFile('/m/in', 'utf8'), 'inside')
  await t.rejects(batch.writeFile('/m/x', 'x'), code('EROFS'))
  await t.rejects(batch.mkdir('/m/d'), code('EROFS'))
  await t.rejects(batch.unlink('/m/in'), code('EROFS'))
  await batch.cp('/m/in', '/out')
  await batch.rename('/m', '/n').catch((error: unknown) => t.match(error, code('EXDEV')))
  await batch.flush()
  t.equal(await drive.readFile('/out', 'utf8'), 'inside')
  t.equal((await other.readdir('/')).length, 1)
  t.end()
})

t.test('what may not be written fails at the call, and the batch goes on', async (t) => {
  const drive = await memoryDrive(t)
  await drive.mkdir('/d')
  await drive.writeFile('/f', 'f')
  const batch = drive.batch()
  await t.rejects(batch.writeFile('/', 'x'), code('EISDIR'))
  await t.rejects(batch.writeFile('/d', 'x'), code('EISDIR'))
  await t.rejects(batch.writeFile('/x', 'x', { mode: -1 }), RangeError)
  await t.rejects(batch.writeFile('/x', 7 as never), TypeError)
  await t.rejects(batch.mkdir('/d'), code('EEXIST'))
  await t.rejects(batch.rmdir('/f'), code('ENOTDIR'))
  await batch.writeFile('/g', 'g')
  await batch.flush()
  t.strictSame((await drive.readdir('/')).toSorted(), ['d', 'f', 'g'])
  await t.rejects(drive.checkout(1).batch().writeFile('/x', 'x'), code('EPERM'))
  await t.rejects(drive.checkout(1).batch().readdir('/'), code('EPERM'))
  const clone = await cloneOf(t, drive)
  await t.rejects(clone.batch().writeFile('/x', 'x'), code('EROFS'))
  const late = drive.batch()
  await late.writeFile('/late', 'late')
  await drive.close()
  await t.rejects(late.writeFile('/x', 'x'), code('DRIVE_CLOSED'))
  await t.rejects(late.flush(), code('DRIVE_CLOSED'))
  t.end()
})

t.test('a drive that is full stores nothing of a batch, which may be flushed later', async (t) => {
  for (const file of ['data', 'tree', 'signatures']) {
    for (const log of ['content', 'metadata'] as const) {
      const failing = { log: '', is: false }
      const drive = new Drive(
        (name: string): RandomAccess => {
          const storage = new MemoryStorage()
          const write = storage.write.bind(storage)
          storage.write = (offset, bytes) =>
            failing.is && name.includes(failing.log) && name.endsWith(`/${file}`)
              ? Promise.reject(Object.assign(new Error('full'), { code: 'ENOSPC' }))
              : write(offset, bytes)
          return storage
        },
        { now: () => NOW },
      )
      t.teardown(() => drive.close())
      await drive.writeFile('/before', 'before')
      const own = log === 'content' ? await drive.getContent() : drive.metadata
      failing.log = Buffer.from(own?.discoveryKey ?? []).toString('hex')
      const version = drive.version
      const batch = drive.batch()
      await batch.writeFile('/a', 'a')
      await batch.rm('/before')
      failing.is = true
      await t.rejects(batch.flush(), `${file} of the ${log} log`)
      t.equal(drive.version, version)
      t.strictSame(await drive.readdir('/'), ['before'])
      t.notOk(batch.ended)
      failing.is = false
      await batch.writeFile('/b', 'b')
      await batch.flush()
      t.strictSame((await drive.readdir('/')).toSorted(), ['a', 'b'])
      t.equal(await drive.readFile('/a', 'utf8'), 'a')
      t.equal(await drive.readFile('/b', 'utf8'), 'b')
    }
  }
  t.end()
})

t.test('a call that fails half-way leaves the batch as it was', async (t) => {
  const drive = await memoryDrive(t, { wait: false })
  await drive.writeFile('/a', 'gone here')
  const content = await drive.getContent()
  await content.clear(0, 1)
  const batch = drive.batch()
  await t.rejects(batch.appendFile('/a', 'more'), code('EUNAVAILABLE'))
  await batch.writeFile('/b', 'b')
  await batch.flush()
  t.strictSame((await drive.readdir('/')).toSorted(), ['a', 'b'])
  t.equal(await drive.readFile('/b', 'utf8'), 'b')
  t.end()
})

t.test('what a batch sees of a log', async (t) => {
  const drive = await memoryDrive(t)
  for (const text of ['zero', 'one']) await drive.writeFile(`/${text}`, text)
  const base = await drive.getContent()
  const text = async (log: StagedLog, index: number): Promise<string> =>
    Buffer.from(await log.get(index)).toString()

  const beside = StagedLog.beside(base)
  t.equal(beside.length, UNPLACED)
  t.equal(await beside.append([Buffer.from('two'), Buffer.from('three')]), UNPLACED)
  await drive.writeFile('/other', 'other')
  t.equal(await text(beside, 2), 'other', 'the base as it is at any time')
  t.equal(await text(beside, UNPLACED + 1), 'three')
  const place = { index: UNPLACED + 1, offset: 2 }
  t.strictSame(await beside.seek(UNPLACED_BYTES + 5), place)
  t.strictSame(await beside.seek(UNPLACED_BYTES + 8), { index: UNPLACED + 2, offset: 0 })
  t.strictSame(await beside.seek(5), { index: 1, offset: 1 })
  await beside.commit()
  await beside.commit()
  t.equal(base.length, 5)
  t.equal(await text(beside, UNPLACED), 'two')
  t.strictSame(await beside.seek(UNPLACED_BYTES + 5), place)
  t.strictSame(beside.placeOf({ offset: UNPLACED + 1, byteOffset: UNPLACED_BYTES + 3 }), {
    offset: 4,
    byteOffset: 15,
  })
  t.ok(beside.has(UNPLACED, UNPLACED + 2))
  t.notOk(beside.has(UNPLACED + 1, UNPLACED + 3))
  const small = await beside.readBlocks(UNPLACED, UNPLACED + 2, 4)
  t.equal(small.length, 1)
  await beside.download({ start: 0, end: 5 }).done

  const onTop = StagedLog.onTopOf(base)
  await onTop.append(Buffer.from('five'))
  t.equal(await text(onTop, 4), 'three')
  t.equal(await text(onTop, 5), 'five')
  t.equal((await onTop.readBlocks(3, 6)).length, 3)
  const frozen = StagedLog.frozen(base)
  await base.append(Buffer.from('later'))
  await t.rejects(frozen.append(Buffer.from('x')), code('LOG_NOT_WRITABLE'))
  await t.rejects(frozen.get(5), code('LOG_NOT_HELD'))
  t.notOk(frozen.has(5))
  t.ok(frozen.has(4))
  await t.rejects(frozen.flush(), code('LOG_CLOSED'), 'what is not answered fails')
  t.end()
})

const PATHS = ['a', 'b', 'd/a', 'd/b', 'd/e/a', 'x/a', 'x/e/f', 'a/a', 'b/e/a'] as const
const path = fc.constantFrom(...PATHS)
const data = fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes))

/** A change of a drive or a batch alike. */
type Change = (target: DriveBatch | Drive) => Promise<unknown>

const change: fc.Arbitrary<Change> = fc.oneof(
  fc.tuple(path, data).map(
    ([name, bytes]): Change =>
      (target) =>
        target.writeFile(name, bytes),
  ),
  fc.tuple(path, data).map(
    ([name, bytes]): Change =>
      (target) =>
        target.appendFile(name, bytes),
  ),
  fc.tuple(path, path).map(
    ([from, to]): Change =>
      (target) =>
        target.rename(from, to),
  ),
  fc.tuple(path, path).map(
    ([from, to]): Change =>
      (target) =>
        target.cp(from, to),
  ),
  fc.tuple(path, path).map(
    ([from, to]): Change =>
      (target) =>
        target.symlink(from, to),
  ),
  path.map(
    (name): Change =>
      (target) =>
        target.unlink(name),
  ),
  path.map(
    (name): Change =>
      (target) =>
        target.rm(name, { recursive: true }),
  ),
  fc.constantFrom('d', 'x', 'y').map(
    (name): Change =>
      (target) =>
        target.mkdir(name),
  ),
  fc.constantFrom('d', 'x', 'y').map(
    (name): Change =>
      (target) =>
        target.rmdir(name),
  ),
  fc.constantFrom('d', 'x').map(
    (name): Change =>
      (target) =>
        target.rename(name, 'y'),
  ),
  fc.tuple(path, fc.nat(0o777)).map(
    ([name, mode]): Change =>
      (target) =>
        target.chmod(name, mode),
  ),
)

async function outcome(work: Promise<unknown>): Promise<string> {
  try {
    await work
    return 'done'
  } catch (error) {
    return (error as { code?: string }).code ?? String(error)
  }
}

/** What can be seen of a drive: entries by path, and content. */
async function seen(target: DriveBatch | Drive): Promise<Map<string, string>> {
  const out = new Map<string, string>()
  for (const name of (await target.readdir('/', { recursive: true })) as string[]) {
    const { mode, size, linkname, mtimeMs } = await target.lstat(name)
    const isFile = (mode & 0o170000) === 0o100000
    const bytes = isFile ? ((await target.readFile(name)) as Buffer).toString('hex') : ''
    out.set(name, `${mode} ${size} ${linkname} ${mtimeMs} ${bytes}`)
  }
  return out
}

t.test('a drive after a batch is what it is after the same calls one by one', async (t) => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(change, { maxLength: 6 }),
      fc.array(change, { maxLength: 14 }),
      fc.nat(14),
      async (before, changes, look) => {
        const [one, together] = await Promise.all([memoryDrive(t), memoryDrive(t)])
        try {
          for (const each of before) {
            await outcome(each(one))
            await outcome(each(together))
          }
          const batch = together.batch()
          const version = together.version
          const past = await seen(one)
          for (const [i, each] of changes.entries()) {
            const expected = await outcome(each(one))
            assert.equal(await outcome(each(batch)), expected)
            if (i === look) assert.deepEqual(sorted(await seen(batch)), sorted(await seen(one)))
          }
          assert.equal(together.version, version)
          await batch.flush()
          assert.deepEqual(sorted(await seen(together)), sorted(await seen(one)))
          assert.deepEqual(sorted(await seen(together.checkout(version))), sorted(past))
        } finally {
          await Promise.all([one.close(), together.close()])
        }
      },
    ),
    { numRuns: process.env['SLOW'] ? 2000 : 80 },
  )
  t.end()
})

function sorted(map: Map<string, string>): [string, string][] {
  return [...map].toSorted(([a], [b]) => (a < b ? -1 : 1))
}
