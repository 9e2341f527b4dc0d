import t from 'tap'
import { NOW, code, memoryDrive, memoryDrives } from './drives.ts'

t.test('a directory has an entry of its own, which is made once', async (t) => {
  const drive = await memoryDrive(t)
  t.match(await drive.mkdir('dir', 0o700), { mode: 0o040700, size: 0 })
  t.match(await drive.mkdir('dir/sub', { uid: 5, metadata: { k: 'v' } }), { uid: 5 })
  await t.rejects(drive.mkdir('dir'), { code: 'EEXIST', errno: 17, syscall: 'mkdir', path: '/dir' })
  await drive.writeFile('implied/f', '')
  t.match(await drive.mkdir('implied'), { mode: 0o040755 })
  await t.rejects(drive.mkdir('/'), code('EEXIST'))
})

t.test('create makes an empty file, or gives what is there', async (t) => {
  const drive = await memoryDrive(t)
  t.match(await drive.create('f', { mode: 0o600 }), { mode: 0o100600, size: 0, blocks: 0 })
  await drive.writeFile('f', 'abc')
  const { version } = drive
  t.match(await drive.create('f'), { size: 3 })
  t.equal(drive.version, version)
  await t.rejects(drive.create('/'), code('EEXIST'))
})

t.test('options of the caller are not changed', async (t) => {
  const drive = await memoryDrive(t)
  const options = Object.freeze({ uid: 1 })
  await drive.create('a', options)
  await drive.mkdir('b', options)
  await drive.writeFile('c', 'c', options)
  t.same(options, { uid: 1 })
})

t.test('files go by unlink, directories by rmdir, and only empty ones', async (t) => {
  const drive = await memoryDrive(t)
  await drive.mkdir('dir')
  await drive.writeFile('full/f', 'x')
  await drive.writeFile('file', 'x')
  await t.rejects(drive.unlink('dir'), { code: 'EISDIR', errno: 21, syscall: 'unlink' })
  await t.rejects(drive.unlink('full'), code('EISDIR'))
  await t.rejects(drive.unlink('/'), code('EISDIR'))
  await t.rejects(drive.unlink('nope'), { code: 'ENOENT', path: '/nope' })
  await t.rejects(drive.rmdir('file'), { code: 'ENOTDIR', errno: 20 })
  await t.rejects(drive.rmdir('full'), { code: 'ENOTEMPTY', errno: 39 })
  await t.rejects(drive.rmdir('/'), code('ENOTEMPTY'))
  await t.rejects(drive.rmdir('nope'), code('ENOENT'))
  await drive.rmdir('dir')
  await drive.unlink('file')
  t.same(await drive.readdir('/'), ['full'])
})

t.test('exact lets pass what v10 lets pass', async (t) => {
  const drive = await memoryDrive(t, { exact: true })
  await drive.mkdir('dir')
  await drive.writeFile('file', 'x')
  await drive.unlink('dir')
  await drive.rmdir('file')
  t.same(await drive.readdir('/'), [])
})

t.test('a mount point is neither unlinked, nor removed, nor written over', async (t) => {
  const [outer, inner] = await memoryDrives(t, 2)
  if (!outer || !inner) throw new Error('two drives')
  await outer.mount('m', inner.key ?? Buffer.alloc(0))
  await t.rejects(outer.unlink('m'), code('EISDIR'))
  await t.rejects(outer.rmdir('m'), { code: 'EBUSY', errno: 16 })
  await t.rejects(outer.writeFile('m', 'x'), code('EISDIR'))
  t.same(await outer.readdir('m'), [])
})

t.test('a checkout is not written, by any operation', async (t) => {
  const drive = await memoryDrive(t)
  await drive.writeFile('f', 'x')
  const old = drive.checkout(drive.version)
  await old.ready()
  t.equal(old.writable, false)
  const { version } = drive
  for (const attempt of [
    old.writeFile('g', 'x'),
    old.mkdir('d'),
    old.create('g'),
    old.symlink('a', 'b'),
    old.unlink('f'),
    old.rmdir('f'),
    old.destroyStorage(),
  ]) {
    await t.rejects(Promise.resolve<unknown>(attempt), { code: 'EPERM', errno: 1 })
  }
  t.equal(drive.version, version)
})

t.test('an implied directory has the times of what implies it', async (t) => {
  const drive = await memoryDrive(t)
  await drive.writeFile('a/b/c', 'x', { uid: 7, mtime: 5, ctime: 6, metadata: { k: 'v' } })
  const stat = await drive.stat('a')
  t.ok(stat.isDirectory())
  t.match(stat, { mode: 0o040755, uid: 0, size: 0, linkname: null })
  t.same([stat.mtime.getTime(), stat.ctime.getTime()], [5, 6])
  t.same(Object.keys(stat.metadata), [])
  const root = await drive.stat('/')
  t.ok(root.isDirectory())
  t.equal(root.mtime.getTime(), NOW)
})
