/** R53 to R67 and R72: reading and writing files, directories, links, and what is known of them. */
import { once } from 'node:events'
import t, { type Test } from 'tap'
import type { Readable } from 'node:stream'
import type { Drive, NamesOptions, PathInfo, Stat } from '../../src/index.ts'
import { Drive as OpenDrive } from '../../src/index.ts'
import { MemoryStorage } from '../../src/storage/index.ts'
import { NOW, cloneOf, code, memoryDrive, memoryDrives } from '../drive/drives.ts'
import { called } from './called.ts'

async function bytesOf(stream: Readable): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of stream as AsyncIterable<Buffer>) chunks.push(chunk)
  return Buffer.concat(chunks)
}

/** A clone that has the metadata of `f`, of a writer that has left. */
async function aloneWith(t: Test, drive: Drive): Promise<Drive> {
  const clone = await cloneOf(t, drive)
  await clone.stat('f')
  const gone = once(clone, 'peer-remove')
  await drive.close()
  await gone
  return clone
}

t.test('R53: a stream of a file, or of a range whose end is inclusive', async (t) => {
  const drive = await memoryDrive(t)
  const out = drive.createWriteStream('f')
  for (const chunk of ['hello ', 'big ', 'world']) out.write(chunk)
  out.end()
  await once(out, 'finish')
  await drive.writeFile('next', 'NEXT FILE')
  for (const [options, expected] of [
    [{}, 'hello big world'],
    [{ start: 6 }, 'big world'],
    [{ start: 6, end: 8 }, 'big'],
    [{ start: 4, end: 10 }, 'o big w'],
    [{ end: 0 }, 'h'],
    [{ start: 6, length: 5 }, 'big w'],
    [{ length: 0 }, ''],
    [{ start: 10, length: 1000 }, 'world'],
    [{ start: 10, end: 1000 }, 'world'],
    [{ start: 15 }, ''],
    [{ start: 1000, length: 5 }, ''],
  ] as const) {
    const text = (await bytesOf(drive.createReadStream('f', options))).toString()
    t.equal(text, expected, JSON.stringify(options))
  }
  await t.rejects(bytesOf(drive.createReadStream('f', { start: -1 })), code('EINVAL'))
  await t.rejects(bytesOf(drive.createReadStream('nope')), code('ENOENT'))
})

t.test('R54: readFile gives bytes, or text with an encoding in either form', async (t) => {
  const drive = await memoryDrive(t)
  await drive.writeFile('f', 'wörld')
  t.same(await called((done) => drive.readFile('f', done)), Buffer.from('wörld'))
  t.equal(await called((done) => drive.readFile('f', 'utf-8', done)), 'wörld')
  t.equal(await called((done) => drive.readFile('f', { encoding: 'utf8' }, done)), 'wörld')
  t.equal(await drive.readFile('f', 'hex'), Buffer.from('wörld').toString('hex'))
  t.same(await drive.readFile('f', { encoding: 'binary' }), Buffer.from('wörld'))
})

t.test(
  'R55: createWriteStream stores chunks and metadata; cached reads only what is here',
  async (t) => {
    const drive = await memoryDrive(t)
    const stream = drive.createWriteStream('f', {
      metadata: { type: Buffer.from('text') },
      mode: 0o600,
    })
    stream.write('one ')
    stream.end('two')
    await once(stream, 'finish')
    t.equal(await drive.readFile('f', 'utf8'), 'one two')
    const { metadata, mode, blocks } = await drive.stat('f')
    t.same([metadata['type'], mode, blocks], [Buffer.from('text'), 0o100600, 2])
    const clone = await aloneWith(t, drive)
    t.equal((await clone.stat('f', { cached: true })).size, 7)
    await t.rejects(clone.readFile('f', { cached: true }), code('EUNAVAILABLE'))
    await t.rejects(bytesOf(clone.createReadStream('f', { cached: true })), code('EUNAVAILABLE'))
  },
)

t.test('R56: writeFile replaces the whole file, with bytes or text', async (t) => {
  const drive = await memoryDrive(t)
  await called<void>((done) => drive.writeFile('f', Buffer.from('a long content'), done))
  await called<void>((done) => drive.writeFile('f', 'short', { uid: 7 }, done))
  t.equal(await drive.readFile('f', 'utf8'), 'short')
  t.match(await drive.stat('f'), { size: 5, uid: 7 })
  await drive.writeFile('f', '616263', 'hex')
  t.equal(await drive.readFile('f', 'utf8'), 'abc')
  // @ts-expect-error: a caller without types
  await t.rejects(drive.writeFile('f', 7), TypeError)
  t.equal(await drive.readFile('f', 'utf8'), 'abc', 'what was refused changed nothing')
})

t.test('R57: unlink removes a file or a link, and nothing else', async (t) => {
  const drive = await memoryDrive(t)
  await drive.writeFile('f', 'x')
  await drive.symlink('f', 'link')
  await drive.mkdir('d')
  await drive.unlink('link')
  t.equal(await drive.readFile('f', 'utf8'), 'x')
  await called<void>((done) => drive.unlink('f', done))
  await t.rejects(drive.unlink('f'), code('ENOENT'))
  await t.rejects(drive.unlink('d'), code('EISDIR'))
  t.same(await drive.readdir('/'), ['d'])
})

t.test('R58: mkdir makes a directory that stays when it is empty', async (t) => {
  const drive = await memoryDrive(t)
  const made = await called<Stat>((done) => drive.mkdir('d', done))
  t.ok(made.isDirectory())
  await drive.mkdir('private', 0o700)
  await drive.mkdir('mine', { uid: 3 })
  t.match(await drive.stat('private'), { mode: 0o40700 })
  t.match(await drive.stat('mine'), { uid: 3, mode: 0o40755 })
  await drive.writeFile('d/f', 'x')
  await drive.unlink('d/f')
  t.same((await drive.readdir('/')).toSorted(), ['d', 'mine', 'private'])
  await t.rejects(drive.mkdir('d'), code('EEXIST'))
})

t.test('R59: rmdir removes an empty directory, and nothing else', async (t) => {
  const drive = await memoryDrive(t)
  await drive.mkdir('empty')
  await drive.mkdir('full')
  await drive.writeFile('full/f', 'x')
  await called<void>((done) => drive.rmdir('empty', done))
  t.equal(await drive.exists('empty'), false)
  await t.rejects(drive.rmdir('full'), code('ENOTEMPTY'))
  await t.rejects(drive.rmdir('full/f'), code('ENOTDIR'))
  await t.rejects(drive.rmdir('empty'), code('ENOENT'))
  t.equal(await drive.readFile('full/f', 'utf8'), 'x')
})

t.test(
  'R60: readdir lists one level; recursive goes down and into mounts, unless noMounts',
  async (t) => {
    const [drive, inner] = await memoryDrives(t, 2)
    if (!drive || !inner) throw new Error('two drives')
    await inner.writeFile('deep/f', 'x')
    await drive.writeFile('a/b/f', 'x')
    await drive.writeFile('g', 'x')
    await drive.mount('m', inner.key ?? Buffer.alloc(0))
    const list = async (name: string, options?: NamesOptions): Promise<string[]> =>
      (await drive.readdir(name, options)).toSorted()
    t.same(await list('/'), ['a', 'g', 'm'])
    t.same(await list('a'), ['b'])
    t.same(await list('/', { recursive: true }), ['a/b/f', 'g', 'm', 'm/deep/f'])
    t.same(await list('/', { recursive: true, noMounts: true }), ['a/b/f', 'g', 'm'])
    t.same(await called((done) => drive.readdir('m', { recursive: true }, done)), ['deep/f'])
  },
)

t.test('R61: stat has the fields that the document lists, with these defaults', async (t) => {
  const drive = await memoryDrive(t)
  await drive.mkdir('d')
  const stat = await called<Stat>((done) => drive.stat('d', done))
  t.match(stat, {
    dev: 0,
    nlink: 1,
    rdev: 0,
    blksize: 0,
    ino: 0,
    mode: 16877,
    uid: 0,
    gid: 0,
    size: 0,
    offset: 0,
    blocks: 0,
    linkname: null,
  })
  for (const time of [stat.atime, stat.mtime, stat.ctime]) t.same(time, new Date(NOW))
  t.same([stat.atimeMs, stat.mtimeMs, stat.ctimeMs], [NOW, NOW, NOW])
  await drive.writeFile('one', 'x')
  await drive.writeFile('two', 'yy')
  t.match(await drive.stat('two'), { mode: 33188, size: 2, offset: 1, byteOffset: 1, blocks: 1 })
})

t.test('R62: stat has the metadata given to writeFile and createWriteStream', async (t) => {
  const drive = await memoryDrive(t)
  await drive.writeFile('f', 'x', { metadata: { a: Buffer.from('1'), __proto__x: 'text' } })
  const stream = drive.createWriteStream('g', { metadata: { b: Buffer.from('2') } })
  stream.end('y')
  await once(stream, 'finish')
  t.same(
    { ...(await drive.stat('f')).metadata },
    { a: Buffer.from('1'), __proto__x: Buffer.from('text') },
  )
  t.same({ ...(await drive.stat('g')).metadata }, { b: Buffer.from('2') })
})

t.test('R63: a stat says of one type that it is it, by both names for links', async (t) => {
  const drive = await memoryDrive(t)
  await drive.writeFile('f', 'x')
  await drive.mkdir('d')
  await drive.symlink('f', 'link')
  const typesOf = (stat: Stat): boolean[] => [
    stat.isDirectory(),
    stat.isFile(),
    stat.isSymlink(),
    stat.isSymbolicLink(),
  ]
  t.same(typesOf(await drive.stat('f')), [false, true, false, false])
  t.same(typesOf(await drive.stat('d')), [true, false, false, false])
  t.same(typesOf(await drive.lstat('link')), [false, false, true, true])
  t.same(typesOf(await drive.stat('link')), [false, true, false, false])
})

t.test('R64: stat waits for what is not here, or with wait: false fails at once', async (t) => {
  const drive = await memoryDrive(t)
  await drive.writeFile('g', 'x')
  await drive.writeFile('f', 'x')
  const empty = new OpenDrive(() => new MemoryStorage(), drive.key)
  t.teardown(() => empty.close())
  for (const wait of [false, 'peers'] as const) {
    const unknown = { code: 'EUNAVAILABLE', path: '/f', peersAsked: 0 }
    await t.rejects(empty.stat('f', { wait }), unknown, 'nothing is known of it')
    await t.rejects(empty.lstat('f', { wait }), unknown)
    await t.rejects(empty.readFile('f', { wait }), { ...unknown, syscall: 'open' })
  }
  await t.rejects(empty.stat('f'), code('ENOENT'), 'as v10 says')
  const clone = await cloneOf(t, drive, { extension: false })
  await clone.stat('f')
  const gone = once(clone, 'peer-remove')
  await drive.close()
  await gone
  await t.rejects(clone.stat('g', { wait: false }), {
    code: 'EUNAVAILABLE',
    syscall: 'stat',
    path: '/g',
    peersAsked: 0,
  })
  await t.rejects(clone.stat('g', { timeout: 1 }), code('ETIMEDOUT'))
  t.equal((await clone.stat('f', { wait: false })).size, 1)
})

t.test('R65: lstat is of the link itself', async (t) => {
  const drive = await memoryDrive(t)
  await drive.writeFile('f', 'xyz')
  await drive.symlink('f', 'link')
  await drive.symlink('nowhere', 'broken')
  const link = await called<Stat>((done) => drive.lstat('link', done))
  t.same([link.linkname, link.size, link.mode], ['f', 0, 0o120644])
  t.equal((await drive.stat('link')).size, 3)
  t.equal((await drive.lstat('broken')).linkname, 'nowhere')
  await t.rejects(drive.stat('broken'), { code: 'ENOENT', path: '/nowhere' })
  const clone = await cloneOf(t, drive)
  t.equal((await clone.lstat('link', { wait: true })).linkname, 'f')
})

t.test('R66: info says which drive holds a path, in mounts of a version too', async (t) => {
  const [outer, inner] = await memoryDrives(t, 2)
  if (!outer || !inner) throw new Error('two drives')
  await inner.writeFile('f', 'x')
  await outer.mount('m', inner.key ?? Buffer.alloc(0))
  await outer.mount('old', inner.key ?? Buffer.alloc(0), { version: 2 })
  const inside = await called<PathInfo>((done) => outer.info('m/f', done))
  t.same([inside.feed, inside.mountPath], [inner.metadata, '/m'])
  t.same(inside.mountInfo.key, inner.key)
  const own = await outer.info('top')
  t.same([own.feed, own.mountPath], [outer.metadata, '/'])
  t.match(await outer.info('old/f'), { mountPath: '/old', mountInfo: { version: 2 } })
})

t.test('R67: access fails when nothing is there, and does not wait with wait: false', async (t) => {
  const drive = await memoryDrive(t)
  await drive.writeFile('implied/g', 'x')
  await drive.writeFile('f', 'x')
  t.equal(await called((done) => drive.access('f', done)), undefined)
  await drive.access('implied')
  await t.rejects(drive.access('nope'), { code: 'ENOENT', syscall: 'access' })
  const clone = await cloneOf(t, drive, { extension: false })
  await clone.access('f')
  const gone = once(clone, 'peer-remove')
  await drive.close()
  await gone
  await t.rejects(clone.access('implied/g', { wait: false }), code('EUNAVAILABLE'))
})

t.test('R72: a link leads from linkname to target, which need not be there yet', async (t) => {
  const drive = await memoryDrive(t)
  await called<Stat>((done) => drive.symlink('../f', 'd/link', done))
  t.equal(await drive.readlink('d/link'), '../f')
  await t.rejects(drive.readFile('d/link'), code('ENOENT'))
  await drive.writeFile('f', 'x')
  t.equal(await drive.readFile('d/link', 'utf8'), 'x')
  await drive.symlink('/d', 'dir')
  t.same(await drive.readdir('dir'), ['link'])
  await t.rejects(drive.symlink('f', 'd/link'), code('EEXIST'))
})
