import t from 'tap'
import type { MountRow } from '../../src/drive/mounts.ts'
import { cloneOf, code, memoryDrive, memoryDrives } from './drives.ts'
import type { Drive } from '../../src/drive/drive.ts'

function keyOf(drive: Drive): Buffer {
  if (!drive.key) throw new Error('the drive is not open')
  return drive.key
}

t.test('a mounted drive is read and written through its mount', async (t) => {
  const [outer, inner] = (await memoryDrives(t, 2)) as [Drive, Drive]
  await inner.writeFile('f', 'inside')
  const { trie, info } = await outer.mount('m', keyOf(inner))
  t.equal(trie?.log, inner.metadata)
  t.equal(info?.localPath, 'm')
  t.equal(await outer.readFile('m/f', 'utf8'), 'inside')
  await outer.writeFile('m/g', 'from outside')
  t.equal(await inner.readFile('g', 'utf8'), 'from outside')
  const { mount, uid } = await outer.stat('m')
  t.same([mount?.key, uid], [keyOf(inner), 0])
})

t.test('a mount at a version stays there and cannot be written', async (t) => {
  const [outer, inner] = (await memoryDrives(t, 2)) as [Drive, Drive]
  await inner.writeFile('old', '')
  const { version } = inner
  await inner.writeFile('new', '')
  await outer.mount('m', keyOf(inner), { version, uid: 4, gid: 5 })
  t.same(await outer.readdir('m'), ['old'])
  await t.rejects(outer.writeFile('m/x', ''), code('EROFS'))
  await t.rejects(outer.mkdir('m/x'), code('EROFS'))
  t.equal(inner.version, 3)
  const { uid, gid, mount } = await outer.stat('m')
  t.same([uid, gid, mount?.version], [4, 5, version])
})

t.test('what cannot be mounted is refused, and nothing is written', async (t) => {
  const drive = await memoryDrive(t)
  const key = Buffer.alloc(32, 7)
  await drive.writeFile('f', '')
  await drive.writeFile('dir/f', '')
  const { version } = drive
  await t.rejects(drive.mount('m', Buffer.alloc(31)), code('DRIVE_BAD_KEY'))
  const text: unknown = 'text'
  await t.rejects(drive.mount('m', text as Buffer), code('DRIVE_BAD_KEY'))
  for (const path of ['f', 'dir', '/']) await t.rejects(drive.mount(path, key), code('EEXIST'))
  const remotePath: object = { remotePath: 'x' }
  await t.rejects(drive.mount('m', key, remotePath), code('EINVAL'))
  await t.rejects(drive.checkout(version).mount('m', key), code('EPERM'))
  t.equal(drive.version, version)
})

t.test('unmounting leaves what was mounted, and works on mounts alone', async (t) => {
  const [outer, inner, innermost] = (await memoryDrives(t, 3)) as [Drive, Drive, Drive]
  await outer.mount('m', keyOf(inner))
  await outer.mount('m/n', keyOf(innermost))
  await innermost.writeFile('f', 'x')
  await outer.unmount('m/n')
  t.same(await outer.readdir('m'), [])
  await outer.unmount('m')
  t.same(await outer.readdir('/'), [])
  t.same(await innermost.readdir('/'), ['f'])
  await outer.writeFile('f', '')
  await t.rejects(outer.unmount('f'), code('EINVAL'))
  await t.rejects(outer.unmount('nope'), { code: 'ENOENT', errno: 2 })
})

t.test('info tells which drive holds a path, whether or not anything is there', async (t) => {
  const [outer, inner] = (await memoryDrives(t, 2)) as [Drive, Drive]
  await outer.mount('a/m', keyOf(inner))
  await inner.writeFile('f', '')
  const { version } = inner
  await outer.mount('fixed', keyOf(inner), { version })
  const infoOf = async (path: string): Promise<unknown> => {
    const { feed, mountPath, mountInfo } = await outer.info(path)
    t.same(mountInfo.key, feed.key)
    return [feed === inner.metadata ? 'inner' : 'outer', mountPath, mountInfo.version]
  }
  t.same(await infoOf('/'), ['outer', '/', null])
  t.same(await infoOf('a/nope'), ['outer', '/', null])
  t.same(await infoOf('a/m'), ['inner', '/a/m', null])
  t.same(await infoOf('a/m/f'), ['inner', '/a/m', null])
  t.same(await infoOf('fixed/f'), ['inner', '/fixed', version])
})

t.test('all mounts are listed, those of mounts when asked for, and circles end', async (t) => {
  const [outer, inner] = (await memoryDrives(t, 2)) as [Drive, Drive]
  await outer.mount('m', keyOf(inner))
  t.same([...(await outer.getAllMounts()).keys()], ['/', '/m'])
  await inner.mount('back', keyOf(outer))
  const all = await outer.getAllMounts({ recursive: true })
  t.ok(all.has('/m/back'))
  t.equal(all.get('/m')?.metadata, inner.metadata)
  t.equal(all.get('/m')?.content, await inner.getContent())
  const rows: string[] = []
  for await (const row of outer.createMountStream() as AsyncIterable<MountRow>) rows.push(row.path)
  t.same(rows, ['/', '/m'])
})

t.test('a mount that nobody can give is listed without content', async (t) => {
  const drive = await memoryDrive(t)
  await drive.mount('m', Buffer.alloc(32, 7))
  const all = await drive.getAllMounts()
  t.equal(all.get('/m')?.content, null)
  t.same(await drive.readdir('m'), [])
  await t.rejects(drive.getAllMounts({ content: true, wait: false }), code('EUNAVAILABLE'))
})

t.test('a plain log is a file as long as the log is now', async (t) => {
  const [outer, inner] = (await memoryDrives(t, 2)) as [Drive, Drive]
  await inner.writeFile('f', 'hello')
  const log = await inner.getContent()
  const announced: unknown[] = []
  outer.on('content-feed', (feed) => announced.push(feed))
  const { trie } = await outer.mount('log', log.key ?? Buffer.alloc(0), { hypercore: true, uid: 3 })
  t.equal(trie, null)
  const { size, blocks, uid, mount } = await outer.stat('log')
  t.same([size, blocks, uid, mount?.hypercore], [5, 1, 3, true])
  await inner.writeFile('g', ' world')
  t.equal(await outer.readFile('log', 'utf8'), 'hello world')
  t.ok(announced.includes(log))
  await outer.unmount('log')
  t.same(await outer.readdir('/'), [])
})

/** Resolves when all of both logs of `drive` is in `clone`'s store too. */
async function mirrored(clone: Drive, path: string, length: () => number): Promise<void> {
  for (;;) {
    const content = (await clone.getAllMounts()).get(path)?.content
    if (content && content.downloaded(0, content.length) === length()) return
    await new Promise((resolve) => setImmediate(resolve))
  }
}

t.test('fifty mounted drives go over one connection', async (t) => {
  const [outer, ...inner] = (await memoryDrives(t, 51)) as [Drive, ...Drive[]]
  for (const [i, drive] of inner.entries()) {
    await drive.writeFile('name', `drive ${i}`)
    await outer.mount(`mounts/${i}`, drive.key ?? Buffer.alloc(0))
  }
  const clone = await cloneOf(t, outer)
  const read = inner.map((_, i) => clone.readFile(`mounts/${i}/name`, 'utf8'))
  t.same(
    await Promise.all(read),
    inner.map((_, i) => `drive ${i}`),
  )
  const all = await clone.getAllMounts({ content: true })
  t.equal(all.size, 51)
  t.ok([...all.values()].every(({ metadata, content }) => metadata.length > 1 && content))
  t.equal((await clone.readdir('mounts', { recursive: true })).length, 100)
  t.equal(outer.peers.length, 1, 'one connection')
  t.match(await clone.availability(), { isComplete: true, files: 50 })
})

t.test('a mirror has mounts of mounts, and those made later, whatever cannot be had', async (t) => {
  const [outer, first, nested, later] = (await memoryDrives(t, 4)) as [Drive, Drive, Drive, Drive]
  for (const drive of [first, nested, later]) await drive.writeFile('f', 'f')
  await outer.mount('a-nobody', Buffer.alloc(32, 7))
  await outer.mount('first', first.key ?? Buffer.alloc(0))
  await first.mount('nested', nested.key ?? Buffer.alloc(0))
  await first.mount('back', outer.key ?? Buffer.alloc(0))
  const clone = await cloneOf(t, outer)
  const stop = clone.mirror()
  const one = (): number => 1
  await mirrored(clone, '/first', one)
  const paths = [...(await clone.getAllMounts({ recursive: true })).keys()]
  t.ok(paths.includes('/first/nested') && paths.includes('/first/back'), paths.join())
  while (!(await clone.availability('first/nested/f')).isComplete) {
    await new Promise((resolve) => setImmediate(resolve))
  }
  await outer.mount('later', later.key ?? Buffer.alloc(0))
  await clone.readdir('/')
  await mirrored(clone, '/later', one)
  t.ok((clone.metadata?.listenerCount('append') ?? 0) > 0)
  const listeners = clone.metadata?.listenerCount('append') ?? 0
  stop()
  t.equal(clone.metadata?.listenerCount('append'), listeners - 1, 'it listens no more')
  t.same([...(clone.metadata?.wishes.selections ?? [])], [])
})

t.test('what a mirror cannot make out is told, not swallowed', async (t) => {
  const [outer, inner] = (await memoryDrives(t, 2)) as [Drive, Drive]
  await inner.writeFile('f', 'hello')
  const content = await inner.getContent()
  // A log of content is no drive: its first block is no header.
  await outer.mount('m', content.key ?? Buffer.alloc(0))
  const told = new Promise((resolve) => outer.once('error', resolve))
  outer.mirror()
  t.type(await told, Error)
  await t.rejects(outer.getAllMounts({ content: true }), Error)
})

t.test('a mount may have a name of letters and a colon', async (t) => {
  const [outer, inner] = (await memoryDrives(t, 2)) as [Drive, Drive]
  await outer.mount('http:/c:d', keyOf(inner))
  await outer.writeFile('http:/c:d/e:f', 'x')
  t.same(await inner.readdir('/'), ['e:f'])
  t.same(
    [...(await outer.getAllMounts())].map(([path]) => path),
    ['/', '/http:/c:d'],
  )
  await outer.unmount('http:/c:d')
  t.same(await outer.readdir('/'), [])
})
