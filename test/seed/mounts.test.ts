/** R73 to R78: drives in drives. */
import t, { type Test } from 'tap'
import varve, { type Drive } from '../../src/index.ts'
import { code, memoryDrives } from '../drive/drives.ts'
import { called } from './called.ts'

async function drives(t: Test, count: number): Promise<[Drive, Drive, Drive]> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- at least three
  return (await memoryDrives(t, Math.max(3, count))) as [Drive, Drive, Drive]
}

function keyOf(drive: Drive): Buffer {
  if (!drive.key) throw new Error('an open drive has a key')
  return drive.key
}

t.test('R73: another drive is shown at any path, whose parents need not be there', async (t) => {
  const [mine, friend] = await drives(t, 2)
  await friend.writeFile('beach.jpg', 'picture')
  await mine.mount('photos/my-friends-album', keyOf(friend))
  t.equal(await mine.readFile('photos/my-friends-album/beach.jpg', 'utf8'), 'picture')
  t.same(await mine.readdir('photos'), ['my-friends-album'])
  t.same((await mine.stat('photos/my-friends-album')).mount?.key, friend.key)
})

t.test('R74: one recursive readdir lists what all members of a group have', async (t) => {
  const [group, a, b] = await drives(t, 3)
  await a.writeFile('docs/one', 'x')
  await b.writeFile('docs/two', 'y')
  await group.mount('userA', keyOf(a))
  await group.mount('userB', keyOf(b))
  const names = await group.readdir('/', { recursive: true })
  t.same(names.filter((name) => name.includes('/docs/')).toSorted(), [
    'userA/docs/one',
    'userB/docs/two',
  ])
})

t.test(
  'R75: a mount at a version never changes; what can not be mounted is an error',
  async (t) => {
    const [outer, inner] = await drives(t, 2)
    await inner.writeFile('f', 'old')
    await called((done) => outer.mount('live', keyOf(inner), done))
    await called((done) => outer.mount('fixed', keyOf(inner), { version: inner.version }, done))
    await inner.writeFile('f', 'new')
    t.equal(await outer.readFile('live/f', 'utf8'), 'new')
    t.equal(await outer.readFile('fixed/f', 'utf8'), 'old')
    const { version } = outer
    await t.rejects(outer.mount('short', Buffer.alloc(31)), code('DRIVE_BAD_KEY'))
    await t.rejects(outer.mount('live', keyOf(inner)), code('EEXIST'))
    t.equal(outer.version, version, 'and nothing is written')
  },
)

t.test('R76: unmount shows nothing any more, and leaves the other drive as it is', async (t) => {
  const [outer, inner] = await drives(t, 2)
  await inner.writeFile('f', 'x')
  await outer.mount('m', keyOf(inner))
  await called<void>((done) => outer.unmount('m', done))
  t.equal(await outer.exists('m'), false)
  t.same([...(await outer.getAllMounts()).keys()], ['/'])
  t.equal(await inner.readFile('f', 'utf8'), 'x')
  await outer.mkdir('d')
  await t.rejects(outer.unmount('d'), code('EINVAL'))
})

t.test('R77: a stream has path, metadata and content of the drive and of each mount', async (t) => {
  const [outer, inner] = await drives(t, 2)
  await outer.mount('m', keyOf(inner))
  const rows: unknown[][] = []
  for await (const row of outer.createMountStream()) {
    const { path, metadata, content } = row as Record<string, unknown>
    rows.push([path, metadata, content])
  }
  t.same(
    rows.map(([path]) => path),
    ['/', '/m'],
  )
  t.equal(rows[0]?.[1], outer.metadata)
  t.equal(rows[0]?.[2], outer.content)
  t.equal(rows[1]?.[1], inner.metadata)
  t.equal(rows[1]?.[2], inner.content)
})

t.test(
  'R78: a Map of all mounts by path always has the drive itself; memory lists the open ones',
  async (t) => {
    const [outer, inner, innermost] = await drives(t, 3)
    t.same([...(await outer.getAllMounts()).keys()], ['/'])
    await inner.mount('n', keyOf(innermost))
    await outer.mount('m', keyOf(inner))
    const all = await called<Map<string, { metadata: unknown }>>((done) => outer.getAllMounts(done))
    t.ok(all instanceof Map)
    t.same([...all.keys()], ['/', '/m'])
    t.equal(all.get('/m')?.metadata, inner.metadata)
    t.same([...(await outer.getAllMounts({ recursive: true })).keys()], ['/', '/m', '/m/n'])
    const folder = t.testdir()
    const before = varve(folder)
    await before.mount('m', Buffer.alloc(32, 1))
    await before.close()
    const drive = varve(folder)
    t.same([...(await drive.getAllMounts({ memory: true })).keys()], ['/'], 'not open yet')
    t.same([...(await drive.getAllMounts()).keys()], ['/', '/m'])
    t.same([...(await drive.getAllMounts({ memory: true })).keys()], ['/', '/m'])
    await drive.close()
  },
)
