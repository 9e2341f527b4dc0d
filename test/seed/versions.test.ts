/** R43 to R52: versions, their names, what is different between them, and fetching ahead. */
import { once } from 'node:events'
import t from 'tap'
import type { DiffRow } from '../../src/index.ts'
import { cloneOf, code, memoryDrive } from '../drive/drives.ts'
import { called } from './called.ts'

async function all<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const rows: T[] = []
  for await (const row of stream) rows.push(row)
  return rows
}

t.test('R43: a snapshot of a version is read-only, by whatever operation', async (t) => {
  const drive = await memoryDrive(t)
  await drive.writeFile('f', 'one')
  await drive.createTag('first')
  await drive.writeFile('f', 'two')
  const { version } = drive
  const old = drive.checkout(await drive.getTaggedVersion('first'))
  t.equal(await old.readFile('f', 'utf8'), 'one')
  for (const work of [
    () => old.writeFile('f', 'x'),
    () => old.appendFile('f', 'x'),
    () => old.truncate('f', 0),
    () => old.unlink('f'),
    () => old.mkdir('d'),
    () => old.rename('f', 'g'),
    () => old.copy('f', 'g'),
    () => old.rm('f'),
    () => old.chmod('f', 0o600),
    () => old.symlink('f', 'g'),
    () => old.setMetadata('f', 'k', 'v'),
    () => old.createTag('t'),
    () => old.mount('m', Buffer.alloc(32, 1)),
    () => old.open('f', 'w'),
  ]) {
    await t.rejects(Promise.resolve<unknown>(work()), code('EPERM'))
  }
  t.equal(drive.version, version)
  t.equal(await drive.readFile('f', 'utf8'), 'two')
})

t.test('R44: a checkout has the options of its drive, unless it is given others', async (t) => {
  const drive = await memoryDrive(t, { wait: false })
  await drive.writeFile('f', 'one')
  const clone = await cloneOf(t, drive, { wait: false, now: () => 7 })
  await clone.stat('f', { wait: true })
  const old = clone.checkout(2)
  t.equal(old.version, 2)
  await t.rejects(old.readFile('f'), code('EUNAVAILABLE'), 'does not wait, as its drive')
  t.equal((await old.stat('/')).mtime.getTime(), 7)
  t.equal(await clone.checkout(2, { wait: true }).readFile('f', 'utf8'), 'one')
  t.equal((await clone.checkout(2, { now: () => 8 }).stat('/')).mtime.getTime(), 8)
})

t.test('R45: a tag without a version names the current one, in both forms', async (t) => {
  const drive = await memoryDrive(t)
  await drive.writeFile('f', 'x')
  await drive.createTag('promise')
  t.equal(await drive.getTaggedVersion('promise'), 2)
  await called<void>((done) => drive.createTag('callback', done))
  t.equal(await drive.getTaggedVersion('callback'), 3)
  await called<void>((done) => drive.createTag('given', 1, done))
  t.equal(await drive.getTaggedVersion('given'), 1)
  await t.rejects(drive.createTag('negative', -1), RangeError)
})

t.test('R46: tags are no files, and come to a clone like everything else', async (t) => {
  const drive = await memoryDrive(t)
  await drive.writeFile('f', 'x')
  await drive.createTag('v1')
  t.same(await drive.readdir('/', { recursive: true }), ['f'])
  t.equal(await drive.exists('hyperdrive-tags/v1'), false)
  const clone = await cloneOf(t, drive)
  t.equal(await clone.getTaggedVersion('v1'), 2)
})

t.test('R47: the version of a name, or null', async (t) => {
  const drive = await memoryDrive(t)
  await drive.createTag('v1')
  t.equal(await called((done) => drive.getTaggedVersion('v1', done)), 1)
  t.equal(await drive.getTaggedVersion('nope'), null)
})

t.test('R48: deleting a tag forgets it; one that does not exist is no error', async (t) => {
  const drive = await memoryDrive(t)
  await drive.createTag('v1')
  await called<void>((done) => drive.deleteTag('v1', done))
  t.equal(await drive.getTaggedVersion('v1'), null)
  const { version } = drive
  await drive.deleteTag('v1')
  await drive.deleteTag('never')
  t.equal(drive.version, version)
})

t.test('R49: all tags are a Map, also when there are none', async (t) => {
  const drive = await memoryDrive(t)
  const none = await drive.getAllTags()
  t.ok(none instanceof Map)
  t.equal(none.size, 0)
  await drive.createTag('a', 1)
  await drive.createTag('b', 300)
  const tags = await called<Map<string, number>>((done) => drive.getAllTags(done))
  t.same(Object.fromEntries(tags), { a: 1, b: 300 })
})

t.test('R50: a diff lists what came and went since another version, below a prefix', async (t) => {
  const drive = await memoryDrive(t)
  await drive.writeFile('a/kept', 'x')
  await drive.writeFile('a/gone', 'x')
  await drive.writeFile('b', 'x')
  const old = drive.checkout(drive.version)
  await drive.unlink('a/gone')
  await drive.writeFile('a/new', 'y')
  await drive.writeFile('b', 'z')
  for (const other of [old.version, old]) {
    const rows = (await all(drive.createDiffStream(other, 'a'))) as DiffRow[]
    const found = rows.map(({ type, name }) => `${type} ${name}`)
    t.ok(found.includes('put a/new'))
    t.ok(found.includes('del a/gone'))
    t.notOk(
      found.some((row) => row.endsWith(' b')),
      'outside of the prefix',
    )
  }
  const since = (await all(drive.createDiffStream(old))) as DiffRow[]
  const put = since.find(({ name }) => name === 'b')
  t.match(put, { type: 'put', seq: drive.version - 1, value: { size: 1 } })
  t.same(await all(drive.createDiffStream(drive.version)), [], 'nothing since now')
})

t.test('R51: content comes when it is read, and earlier when it is downloaded', async (t) => {
  const drive = await memoryDrive(t)
  for (const name of ['read', 'want', 'leave']) await drive.writeFile(name, name)
  const clone = await cloneOf(t, drive)
  const heldOf = async (): Promise<unknown> => {
    const stats = (await clone.stats('/')) as Map<string, { downloadedBlocks: number }>
    return Object.fromEntries(
      [...stats].map(([name, { downloadedBlocks }]) => [name, downloadedBlocks]),
    )
  }
  await clone.readFile('read')
  t.same(await heldOf(), { '/read': 1, '/want': 0, '/leave': 0 })
  await clone.download('want')
  t.same(await heldOf(), { '/read': 1, '/want': 1, '/leave': 0 })
})

t.test(
  'R52: download takes a path or none, a callback or none, and works on a checkout',
  async (t) => {
    const drive = await memoryDrive(t)
    await drive.writeFile('f', 'old')
    const { version } = drive
    await drive.writeFile('f', 'new')
    await drive.writeFile('d/g', 'x')
    const clone = await cloneOf(t, drive)
    await called<void>((done) => void clone.download('d', done))
    t.match(await clone.stats('d/g'), { downloadedBlocks: 1 })
    await clone.checkout(version).download()
    const content = await clone.getContent()
    t.same(
      [0, 1, 2].map((block) => content.has(block)),
      [true, false, true],
    )
    await clone.download()
    t.ok(content.has(0, 3))
    const gone = once(clone, 'peer-remove')
    await drive.close()
    await gone
    t.equal(await clone.readFile('f', { encoding: 'utf8', wait: false }), 'new')
  },
)
