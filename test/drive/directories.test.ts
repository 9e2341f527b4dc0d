import t from 'tap'
import { code, memoryDrive } from './drives.ts'

t.test('mkdir recursive makes what is missing above, in one append', async (t) => {
  const drive = await memoryDrive(t)
  await drive.writeFile('implied/f', '')
  let updates = 0
  drive.on('update', () => updates++)
  const made = await drive.mkdir('implied/a/b/c', { recursive: true, mode: 0o700 })
  t.equal(updates, 1)
  t.ok(made.isDirectory())
  for (const path of ['implied', 'implied/a', 'implied/a/b', 'implied/a/b/c']) {
    t.equal((await drive.stat(path)).mode, 0o40700, path)
  }
  const again = await drive.mkdir('implied/a/b/c', { recursive: true })
  t.equal(updates, 1, 'what is there stays as it is')
  t.equal(again.mode, 0o40700)
  await drive.rmdir('implied/a/b/c')
  t.ok((await drive.stat('implied/a/b')).isDirectory(), 'parents stay when what is below goes')
  t.ok((await drive.mkdir('/', { recursive: true })).isDirectory())
})

t.test('mkdir recursive goes through links to directories, and into mounts', async (t) => {
  const drive = await memoryDrive(t)
  const other = await memoryDrive(t)
  await drive.mkdir('real')
  await drive.symlink('/real', 'link')
  t.ok((await drive.mkdir('link', { recursive: true })).isDirectory())
  await drive.mount('m', other.key ?? Buffer.alloc(0))
  await t.rejects(drive.mkdir('m/x', { recursive: true }), code('EROFS'))
})

t.test('mkdir recursive stops at files', async (t) => {
  const drive = await memoryDrive(t)
  await drive.writeFile('f', '')
  await drive.symlink('f', 'link')
  const { version } = drive
  await t.rejects(drive.mkdir('f', { recursive: true }), { code: 'EEXIST', errno: 17 })
  await t.rejects(drive.mkdir('f/a/b', { recursive: true }), { code: 'ENOTDIR', path: '/f' })
  await t.rejects(drive.mkdir('link/a', { recursive: true }), code('ENOTDIR'))
  await t.rejects(drive.checkout(version).mkdir('x', { recursive: true }), code('EPERM'))
  t.equal(drive.version, version)
})

t.test('under exact mkdir knows no recursion, as v10', async (t) => {
  const drive = await memoryDrive(t, { exact: true })
  await drive.mkdir('a/b', { recursive: true })
  t.equal(drive.version, 2)
  await t.rejects(drive.mkdir('a/b', { recursive: true }), code('EEXIST'))
})

t.test('readdir withFileTypes tells what each name is', async (t) => {
  const drive = await memoryDrive(t)
  await drive.writeFile('d/f', '')
  await drive.writeFile('d/implied/x', '')
  await drive.mkdir('d/explicit')
  await drive.symlink('f', 'd/link')
  const entries = await drive.readdir('d', { withFileTypes: true })
  const types = entries.map((entry) => {
    const is = [entry.isFile(), entry.isDirectory(), entry.isSymbolicLink()]
    const other = [
      entry.isSocket(),
      entry.isBlockDevice(),
      entry.isCharacterDevice(),
      entry.isFIFO(),
    ]
    t.notOk(other.includes(true))
    return `${entry.parentPath} ${entry.name} ${is.map(Number).join('')}`
  })
  t.same(types.toSorted(), ['/d explicit 010', '/d f 100', '/d implied 010', '/d link 001'])
  t.equal(entries[0]?.path, '/d')
  const deep = await drive.readdir('/', { withFileTypes: true, recursive: true })
  t.ok(deep.some(({ name, parentPath }) => name === 'x' && parentPath === '/d/implied'))
  t.same(
    await new Promise((resolve) => {
      drive.readdir('d', { withFileTypes: true }, (_, found) => resolve(found.length))
    }),
    4,
  )
})
