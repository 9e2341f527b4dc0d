import * as fs from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { RealFolder, isPlain } from '../../src/storage/index.ts'

const IO = { code: 'STORAGE_IO' }
const ATTRIBUTES = { mode: 0o640, mtime: 1_500_000_000_123 }

t.test('a path is plain when each part is a name and stands for nothing else', (t) => {
  for (const path of ['a', 'a/b', '..a', 'a..', ' a', 'ü/é', 'a b/c:d', 'con']) {
    t.ok(isPlain(path, 'linux'), path)
  }
  for (const path of ['', '.', '..', 'a/', '/a', 'a//b', 'a/..', './a', '../a', 'a/./b', 'a\0b']) {
    t.notOk(isPlain(path, 'linux'), path)
  }
  t.ok(isPlain('a b/c-d.e', 'win32'))
  for (const path of ['a\\b', 'c:d', 'con', 'x/NUL.txt', 'a.', 'a ', 'a?', 'lpt1', 'a|b']) {
    t.notOk(isPlain(path, 'win32'), path)
  }
  t.end()
})

t.test('nothing outside the folder has a name in it', (t) => {
  const folder = RealFolder.open(t.testdir({ in: {}, out: 'out' }) + '/in')
  for (const path of ['../out', '/out', 'a/../../out', '.', '..']) {
    t.throws(() => folder.look(path), IO, path)
    t.throws(() => folder.read(path, 3), IO)
    t.throws(() => folder.create(path), IO)
    t.throws(() => folder.makeDirectory(path), IO)
    t.throws(() => folder.link(path, 'x'), IO)
    t.throws(() => folder.remove(path), IO)
  }
  t.end()
})

t.test('a folder is there, or is made, or it is an error', (t) => {
  const root = t.testdir({ file: 'x', real: { f: 'f' } })
  t.throws(() => RealFolder.open(join(root, 'none')), IO)
  t.throws(() => RealFolder.open(join(root, 'file')), IO)
  t.throws(() => RealFolder.open(join(root, 'file'), true), IO)
  t.equal(RealFolder.open(join(root, 'new/deep'), true).list('').length, 0)
  fs.symlinkSync('real', join(root, 'link'))
  t.match([...RealFolder.open(join(root, 'link')).list('')], [{ path: 'f', type: 'file', size: 1 }])
  t.end()
})

t.test('entries are listed by name, without what an export left', (t) => {
  const root = t.testdir({ b: 'bb', a: {}, '.varve-partial-0': 'left' })
  fs.symlinkSync('nowhere', join(root, 'c'))
  fs.utimesSync(join(root, 'b'), 0, 0)
  fs.chmodSync(join(root, 'b'), 0o4755)
  const folder = RealFolder.open(root)
  t.match(
    [...folder.list('')],
    [
      { path: 'a', type: 'directory' },
      { path: 'b', type: 'file', size: 2, mtime: 1, mode: 0o4755 },
      { path: 'c', type: 'link' },
    ],
  )
  t.equal(folder.target('c'), 'nowhere')
  t.equal(folder.look('d'), null)
  t.throws(() => folder.list('b'), IO)
  t.end()
})

t.test(
  'a file is read to its end, whatever it was listed with, and never through a link',
  async (t) => {
    const root = t.testdir({ f: 'x'.repeat(1000), out: 'out', in: {} })
    fs.symlinkSync('f', join(root, 'l'))
    const folder = RealFolder.open(root)
    for (const size of [0, 1, 999, 1000, 1001, 5000]) t.equal(folder.read('f', size).length, 1000)
    t.throws(() => folder.read('l', 1000), { code: 'STORAGE_IO', cause: { code: 'ELOOP' } })
    for (const length of [1, 300, 500, 1000, 1001]) {
      const sizes: number[] = []
      for await (const piece of folder.pieces('f', length)) sizes.push(piece.length)
      t.equal(
        sizes.reduce((a, b) => a + b),
        1000,
      )
      t.ok(sizes.slice(0, -1).every((size) => size === length))
    }
    await t.rejects(async () => {
      for await (const piece of folder.pieces('l', 10)) t.fail(`read ${piece.length}`)
    }, IO)
    await t.rejects(async () => {
      for await (const piece of folder.pieces('in', 10)) t.fail(`read ${piece.length}`)
    }, IO)
    t.end()
  },
)

t.test('a file takes the place of its old self when it is finished, and not before', async (t) => {
  const root = t.testdir({ f: 'old', out: 'out' })
  const folder = RealFolder.open(root)
  const file = folder.create('f')
  file.writeNow(Buffer.from('ne'), 0)
  await file.write(Buffer.from('w!'), 2)
  t.equal(fs.readFileSync(join(root, 'f'), 'utf8'), 'old')
  file.finish({ ...ATTRIBUTES, mode: 0o7640 })
  t.equal(fs.readFileSync(join(root, 'f'), 'utf8'), 'new!')
  t.match(folder.look('f'), ATTRIBUTES)
  const given = folder.create('f')
  given.writeNow(Buffer.from('x'), 0)
  given.abort()
  given.abort()
  t.equal(fs.readFileSync(join(root, 'f'), 'utf8'), 'new!')
  t.strictSame(fs.readdirSync(root).toSorted(), ['f', 'out'])
  await t.rejects(given.write(Buffer.from('x'), 0), IO)
  // A link in the way is replaced, not followed.
  fs.symlinkSync('out', join(root, 'l'))
  folder.create('l').finish(ATTRIBUTES)
  t.ok(fs.lstatSync(join(root, 'l')).isFile())
  t.equal(fs.readFileSync(join(root, 'out'), 'utf8'), 'out')
  t.end()
})

t.test('what an export that was cut short left, also as a link, is made anew', (t) => {
  const root = t.testdir({ out: 'out' })
  const folder = RealFolder.open(root)
  folder.create('f').writeNow(Buffer.from('half'), 0)
  const [partial = ''] = fs.readdirSync(root).filter((name) => name !== 'out')
  folder.create('f').finish(ATTRIBUTES)
  t.strictSame(fs.readdirSync(root).toSorted(), ['f', 'out'])
  fs.symlinkSync('out', join(root, partial))
  folder.create('f').finish(ATTRIBUTES)
  t.equal(fs.readFileSync(join(root, 'out'), 'utf8'), 'out')
  t.throws(() => folder.create('none/f'), IO)
  t.end()
})

t.test(
  'a directory is made where a link or file was, and nothing is written through a link',
  (t) => {
    const root = t.testdir({ in: { file: 'x' }, out: { keep: 'keep' } })
    const folder = RealFolder.open(join(root, 'in'))
    fs.symlinkSync('../out', join(root, 'in/link'))
    folder.makeDirectory('link/deep')
    folder.makeDirectory('file/deep')
    folder.create('link/keep').finish(ATTRIBUTES)
    t.strictSame(fs.readdirSync(join(root, 'out')), ['keep'])
    t.equal(fs.readFileSync(join(root, 'out/keep'), 'utf8'), 'keep')
    t.ok(fs.lstatSync(join(root, 'in/file/deep')).isDirectory())
    folder.remove('link')
    fs.symlinkSync('../out', join(root, 'in/link'))
    folder.makeDirectory('link')
    t.ok(fs.lstatSync(join(root, 'in/link')).isDirectory())
    folder.link('link/l', '../../out')
    folder.link('link/l', '../..')
    t.equal(folder.target('link/l'), '../..')
    folder.remove('link')
    t.equal(fs.existsSync(join(root, 'out/keep')), true)
    t.end()
  },
)

t.test('a directory that lets nobody in is opened while it is filled', (t) => {
  const root = t.testdir({ d: {} })
  fs.chmodSync(join(root, 'd'), 0o500)
  const folder = RealFolder.open(root)
  folder.makeDirectory('d/e')
  folder.setAttributes('d', { mode: 0o555, mtime: 5000 })
  t.match(folder.look('d'), { mode: 0o555, mtime: 5000 })
  fs.chmodSync(join(root, 'd'), 0o700)
  t.end()
})
