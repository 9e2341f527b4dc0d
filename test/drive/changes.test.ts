import t from 'tap'
import type { Drive } from '../../src/drive/drive.ts'
import { NOW, code, memoryDrive, memoryDrives } from './drives.ts'

async function listing(drive: Drive): Promise<string[]> {
  return (await drive.readdir('/', { recursive: true })).toSorted()
}

t.test('a rename moves a file, its metadata and its blocks, in one append', async (t) => {
  const drive = await memoryDrive(t)
  const content = await drive.getContent()
  await drive.writeFile('a', 'bytes', { mode: 0o600, metadata: { k: 'v' } })
  const before = await drive.stat('a')
  const { length } = content
  let updates = 0
  drive.on('update', () => updates++)
  await drive.rename('a', 'dir/b')
  t.equal(updates, 1)
  t.equal(content.length, length)
  t.same(await drive.stat('dir/b'), before)
  t.equal(await drive.readFile('dir/b', 'utf8'), 'bytes')
  t.same(await listing(drive), ['dir/b'])
})

t.test('a rename moves a directory with everything below it', async (t) => {
  const drive = await memoryDrive(t)
  for (const name of ['d/a', 'd/sub/b', 'd/sub/deep/c', 'dd', 'e'])
    await drive.writeFile(name, name)
  await drive.mkdir('d/empty', { mode: 0o700 })
  await drive.symlink('a', 'd/link')
  const { version } = drive
  await drive.rename('/d/', 'x/y')
  t.same(await listing(drive), [
    'dd',
    'e',
    'x/y/a',
    'x/y/empty',
    'x/y/link',
    'x/y/sub/b',
    'x/y/sub/deep/c',
  ])
  t.equal(await drive.readFile('x/y/sub/deep/c', 'utf8'), 'd/sub/deep/c')
  t.equal((await drive.stat('x/y/empty')).mode & 0o777, 0o700)
  t.equal(await drive.readFile('x/y/link', 'utf8'), 'd/a')
  t.same(await drive.checkout(version).readdir('d/sub'), ['b', 'deep'], 'the past is kept')
})

t.test('a rename takes the place of what POSIX lets it', async (t) => {
  const drive = await memoryDrive(t)
  await drive.writeFile('f', 'new')
  await drive.writeFile('g', 'old')
  await drive.rename('f', 'g')
  t.equal(await drive.readFile('g', 'utf8'), 'new')
  await drive.writeFile('implied/x', 'x')
  await drive.mkdir('empty')
  await drive.rename('implied', 'empty')
  t.same(await listing(drive), ['empty/x', 'g'])
  await drive.rename('g', 'g')
  t.same(await listing(drive), ['empty/x', 'g'])
})

t.test('a rename that makes no sense is refused, and changes nothing', async (t) => {
  const [drive, other] = (await memoryDrives(t, 2)) as [Drive, Drive]
  await drive.writeFile('f', '')
  await drive.writeFile('d/x', '')
  await drive.mkdir('e')
  await drive.mount('m', other.key ?? Buffer.alloc(0))
  const { version } = drive
  await t.rejects(drive.rename('nope', 'x'), { code: 'ENOENT', errno: 2, syscall: 'rename' })
  await t.rejects(drive.rename('nope', 'nope'), code('ENOENT'))
  await t.rejects(drive.rename('f', 'd'), code('EISDIR'))
  await t.rejects(drive.rename('f', 'e'), code('EISDIR'))
  await t.rejects(drive.rename('d', 'f'), code('ENOTDIR'))
  await t.rejects(drive.rename('e', 'd'), code('ENOTEMPTY'))
  await t.rejects(drive.rename('d', 'd/y'), code('EINVAL'))
  await t.rejects(drive.rename('f', 'm/f'), code('EXDEV'))
  await t.rejects(drive.rename('f', 'm'), code('EBUSY'))
  await t.rejects(drive.rename('/', 'x'), code('EBUSY'))
  await t.rejects(drive.rename('f', '/'), code('EBUSY'))
  await t.rejects(drive.checkout(version).rename('f', 'x'), code('EPERM'))
  t.equal(drive.version, version)
})

t.test('a rename takes mounts along', async (t) => {
  const [outer, inner] = (await memoryDrives(t, 2)) as [Drive, Drive]
  await inner.writeFile('f', 'inside')
  const { version } = inner
  await outer.mount('d/m', inner.key ?? Buffer.alloc(0), { version })
  await outer.rename('d', 'e')
  t.equal(await outer.readFile('e/m/f', 'utf8'), 'inside')
  t.same([...(await outer.getAllMounts()).keys()], ['/', '/e/m'])
  await outer.rename('e/m', 'top')
  t.equal(await outer.readFile('top/f', 'utf8'), 'inside')
  t.same(await outer.readdir('/'), ['top'])
  t.equal((await outer.info('top/f')).mountInfo.version, version)
})

t.test('rm removes files, and directories when asked to, in one append', async (t) => {
  const drive = await memoryDrive(t)
  for (const name of ['f', 'd/a', 'd/sub/b', 'dd']) await drive.writeFile(name, '')
  await drive.rm('f')
  await t.rejects(drive.rm('d'), { code: 'EISDIR', errno: 21 })
  await t.rejects(drive.rm('f'), code('ENOENT'))
  await drive.rm('f', { force: true })
  let updates = 0
  drive.on('update', () => updates++)
  await drive.rm('d', { recursive: true })
  t.equal(updates, 1)
  t.same(await listing(drive), ['dd'])
  await t.rejects(drive.rm('/', { recursive: true }), code('EBUSY'))
  await t.rejects(drive.checkout(1).rm('dd'), code('EPERM'))
  await drive.rm('dd')
  t.same(await listing(drive), [])
})

t.test('rm removes a link and not its target, and unmounts what is below', async (t) => {
  const [outer, inner] = (await memoryDrives(t, 2)) as [Drive, Drive]
  await inner.writeFile('f', '')
  await outer.writeFile('real', '')
  await outer.symlink('real', 'link')
  await outer.rm('link')
  t.same(await listing(outer), ['real'])
  await outer.mount('d/m', inner.key ?? Buffer.alloc(0))
  await t.rejects(outer.rm('d/m', { recursive: true }), code('EBUSY'))
  await outer.rm('d', { recursive: true })
  t.same([...(await outer.getAllMounts()).keys()], ['/'])
  t.same(await inner.readdir('/'), ['f'])
})

t.test('cp copies trees without copying content', async (t) => {
  const drive = await memoryDrive(t)
  const content = await drive.getContent()
  for (const name of ['d/a', 'd/sub/b', 'f']) await drive.writeFile(name, name)
  await drive.symlink('a', 'd/link')
  const { length } = content
  let updates = 0
  drive.on('update', () => updates++)
  await drive.cp('d', 'e', { recursive: true })
  t.equal(updates, 1)
  await drive.cp('f', 'g')
  t.equal(content.length, length)
  t.same(await listing(drive), ['d/a', 'd/link', 'd/sub/b', 'e/a', 'e/link', 'e/sub/b', 'f', 'g'])
  t.equal(await drive.readFile('e/sub/b', 'utf8'), 'd/sub/b')
  t.equal((await drive.lstat('e/link')).linkname, 'a')
})

t.test('cp merges into a directory, and spares what is there when told to', async (t) => {
  const drive = await memoryDrive(t)
  await drive.writeFile('d/a', 'new')
  await drive.writeFile('d/b', 'new')
  await drive.writeFile('e/a', 'old')
  await drive.cp('d', 'e', { recursive: true, force: false })
  t.same([await drive.readFile('e/a', 'utf8'), await drive.readFile('e/b', 'utf8')], ['old', 'new'])
  const strict = { recursive: true, force: false, errorOnExist: true }
  await t.rejects(drive.cp('d', 'e', strict), { code: 'EEXIST', errno: 17 })
  await drive.cp('d', 'e', { recursive: true })
  t.equal(await drive.readFile('e/a', 'utf8'), 'new')
})

t.test('cp refuses what it cannot copy', async (t) => {
  const drive = await memoryDrive(t)
  await drive.writeFile('f', '')
  await drive.writeFile('d/x', '')
  const { version } = drive
  await t.rejects(drive.cp('nope', 'x'), code('ENOENT'))
  await t.rejects(drive.cp('d', 'x'), code('EISDIR'))
  await t.rejects(drive.cp('f', 'd'), code('EISDIR'))
  await t.rejects(drive.cp('d', 'f', { recursive: true }), code('ENOTDIR'))
  await t.rejects(drive.cp('d', 'd/y', { recursive: true }), code('EINVAL'))
  await t.rejects(drive.cp('f', 'f'), code('EINVAL'))
  await t.rejects(drive.cp('/', 'x', { recursive: true }), code('EINVAL'))
  await t.rejects(drive.checkout(version).cp('f', 'x'), code('EPERM'))
  t.equal(drive.version, version)
})

t.test('cp into and out of a mount carries content and mounts along', async (t) => {
  const [outer, inner, third] = (await memoryDrives(t, 3)) as [Drive, Drive, Drive]
  await outer.writeFile('d/a', 'bytes', { mode: 0o600 })
  await outer.writeFile('d/empty', '')
  await outer.mkdir('d/sub')
  await outer.symlink('a', 'd/link')
  await third.writeFile('t', 'third')
  await outer.mount('d/t', third.key ?? Buffer.alloc(0))
  await outer.mount('m', inner.key ?? Buffer.alloc(0))
  await outer.cp('d', 'm/d', { recursive: true })
  t.equal(await inner.readFile('d/a', 'utf8'), 'bytes')
  t.equal((await inner.stat('d/a')).mode & 0o777, 0o600)
  t.equal(await inner.readFile('d/link', 'utf8'), 'bytes')
  t.equal(await inner.readFile('d/t/t', 'utf8'), 'third')
  t.equal((await inner.readFile('d/empty')).length, 0)
  t.ok((await inner.stat('d/sub')).isDirectory())
  await outer.cp('m/d', '/', { recursive: true })
  t.equal(await outer.readFile('a', 'utf8'), 'bytes')
})

t.test('appending to what ends the content log stores the new bytes alone', async (t) => {
  const drive = await memoryDrive(t)
  const content = await drive.getContent()
  for (let i = 0; i < 100; i++) await drive.appendFile('log', `line ${i}\n`)
  const expected = Array.from({ length: 100 }, (_, i) => `line ${i}\n`).join('')
  t.equal(await drive.readFile('log', 'utf8'), expected)
  t.equal(content.byteLength, expected.length)
  t.equal((await drive.stat('log')).blocks, 100)
  await drive.writeFile('other', 'x')
  await drive.appendFile('log', Buffer.from('end'))
  t.equal(await drive.readFile('log', 'utf8'), `${expected}end`)
  t.equal(content.byteLength, 2 * expected.length + 4, 'no longer the last: written again, once')
})

t.test('two who append to one file at the same time are both heard', async (t) => {
  const drive = await memoryDrive(t)
  await drive.writeFile('f', '0')
  await Promise.all(['1', '2', '3'].map((text) => drive.appendFile('f', text)))
  const text = await drive.readFile('f', 'utf8')
  t.same(text.split('').toSorted(), ['0', '1', '2', '3'])
})

t.test('under exact an append writes the whole file again, as v10', async (t) => {
  const drive = await memoryDrive(t, { exact: true })
  const content = await drive.getContent()
  await drive.writeFile('f', 'one')
  await drive.appendFile('f', 'two')
  t.equal(await drive.readFile('f', 'utf8'), 'onetwo')
  t.equal(content.byteLength, 9)
})

t.test('mode, owners and times are changed through links, and on directories', async (t) => {
  const drive = await memoryDrive(t)
  await drive.writeFile('f', 'x')
  await drive.symlink('f', 'link')
  await drive.writeFile('d/x', '')
  await drive.chmod('link', 0o755)
  await drive.chown('link', 5, 6)
  await drive.utimes('link', 0, 12.5)
  const { mode, uid, gid, mtime, ctime } = await drive.stat('f')
  t.same([mode, uid, gid, mtime.getTime()], [0o100755, 5, 6, 12500])
  t.equal(ctime.getTime(), NOW)
  t.ok((await drive.lstat('link')).isSymbolicLink())
  await drive.utimes('f', new Date(0), new Date(7))
  t.equal((await drive.stat('f')).mtime.getTime(), 7)
  await drive.chmod('d', 0o700)
  t.equal((await drive.stat('d')).mode, 0o40700)
  t.same(await listing(drive), ['d', 'd/x', 'f', 'link'])
})

t.test('what is not there, or no time, is refused', async (t) => {
  const drive = await memoryDrive(t)
  await drive.writeFile('f', 'x')
  const { version } = drive
  await t.rejects(drive.chmod('nope', 0o700), { code: 'ENOENT', syscall: 'chmod' })
  await t.rejects(drive.chown('/', 1, 1), code('EBUSY'))
  await t.rejects(drive.utimes('f', 0, 'yesterday'), code('EINVAL'))
  await t.rejects(drive.checkout(version).chmod('f', 0), code('EPERM'))
  t.equal(drive.version, version)
})

t.test('changes tell their callbacks', async (t) => {
  const drive = await memoryDrive(t)
  await new Promise<void>((resolve) => drive.appendFile('a', 'x', () => resolve()))
  await new Promise<void>((resolve) => drive.cp('a', 'b', () => resolve()))
  await new Promise<void>((resolve) => drive.rename('b', 'c', () => resolve()))
  await new Promise<void>((resolve) => drive.chmod('c', 0o600, () => resolve()))
  await new Promise<void>((resolve) => drive.chown('c', 1, 2, () => resolve()))
  await new Promise<void>((resolve) => drive.utimes('c', 1, 2, () => resolve()))
  const error = await new Promise((resolve) => drive.rm('nope', resolve))
  t.match(error, { code: 'ENOENT' })
  t.same(await listing(drive), ['a', 'c'])
})
