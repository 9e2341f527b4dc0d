import t from 'tap'
import { code, memoryDrive } from './drives.ts'

t.test('a link leads to its target, counted from its own directory', async (t) => {
  const drive = await memoryDrive(t)
  await drive.writeFile('dir/target', 'x')
  await drive.symlink('target', 'dir/near')
  await drive.symlink('../dir/target', 'other/far')
  await drive.symlink('/dir/near', 'twice')
  for (const name of ['dir/near', 'other/far', 'twice']) {
    t.equal(await drive.readFile(name, 'utf8'), 'x', name)
    t.ok((await drive.stat(name)).isFile())
    t.ok((await drive.lstat(name)).isSymbolicLink())
  }
  t.equal(await drive.readlink('other/far'), '../dir/target')
  t.equal(await drive.readlink('dir/target'), null)
  await t.rejects(drive.readlink('nope'), code('ENOENT'))
})

t.test('a link is not made where anything is', async (t) => {
  const drive = await memoryDrive(t)
  await drive.writeFile('full/f', 'x')
  for (const name of ['full', 'full/f', '/'])
    await t.rejects(drive.symlink('t', name), code('EEXIST'))
})

t.test('a broken link fails with the path that was not there, and heals', async (t) => {
  const drive = await memoryDrive(t)
  await drive.symlink('later', 'link')
  await t.rejects(drive.stat('link'), { code: 'ENOENT', path: '/later', syscall: 'stat' })
  await t.rejects(drive.access('link'), { code: 'ENOENT', syscall: 'access' })
  t.equal(await drive.exists('link'), false)
  await drive.writeFile('later', 'x')
  t.equal(await drive.exists('link'), true)
  await drive.access('link')
  await drive.unlink('link')
  t.equal(await drive.readFile('later', 'utf8'), 'x')
})

t.test('links that lead in a circle are ELOOP, not an endless loop', async (t) => {
  const drive = await memoryDrive(t)
  await drive.symlink('b', 'a')
  await drive.symlink('a', 'b')
  await drive.symlink('self/x', 'self')
  for (const name of ['a', 'b', 'self']) {
    await t.rejects(drive.stat(name), { code: 'ELOOP', errno: 40 }, name)
    await t.rejects(drive.readFile(name), code('ELOOP'))
    t.equal(await drive.exists(name), false)
  }
  await t.rejects(drive.lstat('self/y'), code('ELOOP'))
  t.same((await drive.readdir('/')).toSorted(), ['a', 'b', 'self'])
  t.same(await drive.readdir('/', { recursive: true }), [])
})

t.test('links in the middle of a path are followed, but stored keys win', async (t) => {
  const drive = await memoryDrive(t)
  await drive.writeFile('real/f', 'real')
  await drive.symlink('real', 'link')
  t.equal(await drive.readFile('link/f', 'utf8'), 'real')
  t.ok((await drive.lstat('link/f')).isFile())
  await drive.writeFile('link/f', 'stored')
  t.equal(await drive.readFile('link/f', 'utf8'), 'stored')
  const exact = await memoryDrive(t, { exact: true })
  await exact.writeFile('real/f', 'real')
  await exact.symlink('real', 'link')
  await t.rejects(exact.readFile('link/f'), code('ENOENT'))
})

t.test(
  'a listing shows links, and a recursive one what is in the directories they lead to',
  async (t) => {
    const drive = await memoryDrive(t)
    await drive.mkdir('dir')
    await drive.writeFile('dir/f', 'x')
    await drive.symlink('dir', 'link')
    await drive.symlink('dir/f', 'file')
    await drive.symlink('nowhere', 'broken')
    await drive.symlink('/', 'dir/up')
    t.same((await drive.readdir('/')).toSorted(), ['broken', 'dir', 'file', 'link'])
    t.same((await drive.readdir('link')).toSorted(), ['f', 'up'])
    const all = await drive.readdir('/', { recursive: true })
    t.equal(new Set(all).size, all.length, 'each name once')
    t.same(all.filter((name) => !name.includes('up')).toSorted(), [
      'dir',
      'dir/f',
      'file',
      'link',
      'link/f',
    ])
    await t.rejects(drive.readdir('broken'), code('ENOENT'))
  },
)
