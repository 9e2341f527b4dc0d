import t from 'tap'
import type { Drive } from '../../src/drive/drive.ts'
import type { DriveTrie } from '../../src/drive/context.ts'
import { NOW, code, memoryDrive } from './drives.ts'

/** The trie of a drive. */
async function lookUp(drive: Drive): Promise<{ trie: DriveTrie }> {
  await drive.ready()
  if (!drive.db) throw new Error('open')
  return { trie: drive.db }
}

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
  // v10 stores below the link's own name.
  const { trie } = await lookUp(drive)
  await trie.put('link/f', (await drive.stat('real/f')).with({ uid: 7 }, NOW).encode())
  t.equal((await drive.stat('link/f')).uid, 7)
  await drive.writeFile('link/f', 'stored')
  t.equal(await drive.readFile('link/f', 'utf8'), 'stored')
  t.equal(await drive.readFile('real/f', 'utf8'), 'real')
  const exact = await memoryDrive(t, { exact: true })
  await exact.writeFile('real/f', 'real')
  await exact.symlink('real', 'link')
  await t.rejects(exact.readFile('link/f'), code('ENOENT'))
})

t.test('writes follow links above the last name, as reads do', async (t) => {
  const drive = await memoryDrive(t)
  await drive.mkdir('real')
  await drive.symlink('real', 'link')
  await drive.symlink('/link', 'far')
  await drive.writeFile('link/written', 'x')
  await drive.appendFile('far/appended', 'x')
  await new Promise<void>((done) => drive.createWriteStream('far/streamed').end('x', () => done()))
  await drive.close(await drive.open('link/opened', 'w'))
  await drive.create('link/created')
  await drive.mkdir('link/made')
  await drive.mkdir('far/deep/er', { recursive: true })
  await drive.symlink('written', 'link/linked')
  await drive.copy('real/written', 'link/copied')
  await drive.cp('link/deep', 'far/again', { recursive: true })
  await drive.rename('link/created', 'far/moved')
  await drive.truncate('link/cut', 3)
  await drive.chmod('link/written', 0o600)
  await drive.setMetadata('link/written', 'k', 'v')
  const { mode, metadata } = await drive.stat('real/written')
  t.same([mode & 0o777, metadata['k']?.toString()], [0o600, 'v'])
  const made = 'again appended copied cut deep linked made moved opened streamed written'.split(' ')
  t.same((await drive.readdir('real')).toSorted(), made)
  t.ok((await drive.lstat('link')).isSymbolicLink(), 'the link stays one')
  await drive.unlink('link/linked')
  await drive.rmdir('link/made')
  await drive.rm('far/deep', { recursive: true })
  t.equal((await drive.readdir('real')).length, made.length - 3)
})

t.test(
  'a link at the end is followed by what writes a file, and not by what names it',
  async (t) => {
    const drive = await memoryDrive(t)
    await drive.writeFile('file', 'old')
    await drive.symlink('file', 'link')
    await drive.symlink('missing', 'broken')
    await drive.writeFile('link', 'new')
    await drive.writeFile('broken', 'made')
    t.equal(await drive.readFile('file', 'utf8'), 'new')
    t.equal(await drive.readFile('missing', 'utf8'), 'made')
    await drive.rename('link', 'moved')
    t.equal(await drive.readlink('moved'), 'file')
    await drive.rm('moved')
    t.ok(await drive.exists('file'))
    await drive.symlink('loop', 'loop')
    await t.rejects(drive.writeFile('loop', 'x'), { code: 'ELOOP', path: '/loop', syscall: 'open' })
    await t.rejects(drive.mkdir('loop/x'), { code: 'ELOOP', path: '/loop/x', syscall: 'mkdir' })
    await drive.symlink('/', 'up')
    for (const work of [
      drive.mkdir('up/file'),
      drive.symlink('x', 'up/file'),
      drive.mkdir('up/up/file', { recursive: true }),
    ]) {
      await t.rejects(work, { code: 'EEXIST', path: '/file' })
    }
    t.ok((await drive.mkdir('up', { recursive: true })).isDirectory())
    await t.rejects(drive.mkdir('file/below/it', { recursive: true }), {
      code: 'ENOTDIR',
      path: '/file',
    })
    const exact = await memoryDrive(t, { exact: true })
    await exact.writeFile('file', 'old')
    await exact.symlink('file', 'link')
    await exact.writeFile('link', 'new')
    t.equal(await exact.readFile('file', 'utf8'), 'old')
  },
)

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
