import t from 'tap'
import type { Drive } from '../../src/drive/drive.ts'
import { code, memoryDrive, memoryDrives } from './drives.ts'

t.test('a copy names the same blocks and keeps everything', async (t) => {
  const drive = await memoryDrive(t)
  const content = await drive.getContent()
  await drive.writeFile('a', 'bytes', { mode: 0o600, metadata: { k: 'v' } })
  await drive.symlink('a', 'l')
  const { length } = content
  const stat = await drive.copy('l', 'b')
  t.equal(content.length, length, 'no content was written')
  t.same(stat, await drive.stat('a'))
  t.equal(await drive.readFile('b', 'utf8'), 'bytes')
})

t.test('a copy onto something changes nothing', async (t) => {
  const drive = await memoryDrive(t)
  await drive.writeFile('a', 'a')
  await drive.writeFile('b', 'bb')
  const { version } = drive
  t.equal((await drive.copy('a', 'b')).size, 2)
  t.equal(drive.version, version)
})

t.test('only a file can be copied', async (t) => {
  const drive = await memoryDrive(t)
  await drive.mkdir('d')
  await drive.writeFile('implied/f', '')
  await t.rejects(drive.copy('d', 'e'), code('EISDIR'))
  await t.rejects(drive.copy('implied', 'e'), code('EISDIR'))
  await t.rejects(drive.copy('nope', 'e'), { code: 'ENOENT', path: '/nope' })
})

t.test('a copy into another drive carries the bytes along', async (t) => {
  const [outer, inner] = await memoryDrives(t, 2)
  if (!outer || !inner) throw new Error('two drives')
  await outer.mount('m', inner.key ?? Buffer.alloc(0))
  await outer.writeFile('a', 'bytes', { uid: 5 })
  await outer.copy('a', 'm/b')
  t.equal(await inner.readFile('b', 'utf8'), 'bytes')
  t.equal((await inner.stat('b')).uid, 5)
  await outer.copy('m/b', 'back')
  t.equal(await outer.readFile('back', 'utf8'), 'bytes')
})

t.test('truncate makes a file exactly as long as asked for', async (t) => {
  const drive = await memoryDrive(t)
  await drive.writeFile('f', 'hello', { mode: 0o600, metadata: { k: 'v' } })
  await drive.truncate('f', 5)
  t.equal(drive.version, 2, 'its own length changes nothing')
  await drive.truncate('f', 3)
  t.equal(await drive.readFile('f', 'utf8'), 'hel')
  t.equal((await drive.stat('f')).mode & 0o777, 0o600)
  await drive.truncate('f', 6)
  t.equal(await drive.readFile('f', 'utf8'), 'hel\0\0\0')
  await drive.truncate('f')
  t.equal((await drive.stat('f')).size, 0)
  t.equal((await drive.readFile('f')).length, 0)
})

t.test('truncate makes a missing file of zeros', async (t) => {
  const drive = await memoryDrive(t)
  await drive.truncate('empty')
  t.equal((await drive.stat('empty')).size, 0)
  await drive.truncate('zeros', 100_000)
  t.ok((await drive.readFile('zeros')).equals(Buffer.alloc(100_000)))
})

t.test('truncate acts on what a link leads to', async (t) => {
  const drive = await memoryDrive(t)
  await drive.writeFile('real', 'REAL')
  await drive.symlink('/real', 'l')
  await drive.truncate('l', 2)
  t.equal(await drive.readFile('real', 'utf8'), 'RE')
  t.ok((await drive.lstat('l')).isSymbolicLink())
})

t.test('truncate refuses directories and what is no length', async (t) => {
  const drive = await memoryDrive(t)
  await drive.mkdir('d')
  await drive.writeFile('f', 'x')
  const { version } = drive
  await t.rejects(drive.truncate('d', 0), code('EISDIR'))
  await t.rejects(drive.truncate('/', 0), code('EISDIR'))
  await t.rejects(drive.truncate('f', -1), code('EINVAL'))
  await t.rejects(drive.truncate('f', 0.5), code('EINVAL'))
  await t.rejects(drive.checkout(version).truncate('f', 0), code('EPERM'))
  t.equal(drive.version, version)
})

t.test('under exact a file that is cut shorter loses its mode, as in v10', async (t) => {
  const drive = await memoryDrive(t, { exact: true })
  await drive.writeFile('f', 'hello', { mode: 0o600 })
  await drive.truncate('f', 3)
  t.equal((await drive.stat('f')).mode & 0o777, 0o644)
})

t.test(
  'a directory that is only implied is copied; a mount point is not copied over',
  async (t) => {
    const [drive, other] = (await memoryDrives(t, 2)) as [Drive, Drive]
    await drive.writeFile('dir/sub/f', 'x')
    await drive.mount('to/m', other.key ?? Buffer.alloc(0))
    await drive.writeFile('from/m', 'file')
    await t.rejects(drive.cp('dir', 'copy'), { code: 'EISDIR' })
    await drive.cp('dir', 'copy', { recursive: true })
    t.equal(await drive.readFile('copy/sub/f', 'utf8'), 'x')
    await drive.mkdir('made')
    await drive.cp('made', 'made too', { recursive: true })
    t.equal((await drive.stat('made too')).isDirectory(), true)
    await t.rejects(drive.cp('from', 'to', { recursive: true }), { code: 'EBUSY' })
    t.same(await drive.readdir('to/m'), [])
    await t.rejects(drive.cp('from/m', 'made'), { code: 'EISDIR' })
  },
)
