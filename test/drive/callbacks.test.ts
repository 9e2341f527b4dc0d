import { promisify } from 'node:util'
import t from 'tap'
import varve, { type Dir, type Dirent, Drive, type Stat, constants } from '../../src/index.ts'
import { MemoryFolder } from '../../src/storage/index.ts'
import { memoryDrive } from './drives.ts'

t.test('the default export opens a drive, with and without new', async (t) => {
  const plain = varve(new MemoryFolder().open)
  const made = new varve(new MemoryFolder().open, { exact: true })
  t.ok(plain instanceof Drive && made instanceof Drive)
  t.equal(varve.Drive, Drive)
  t.equal(varve.constants, constants)
  t.equal(Drive.constants, constants)
  await Promise.all([plain.close(), made.close()])
})

/** Calls a method with a callback as its last argument. */
function called<T>(call: (done: (error: Error | null, result: T) => void) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    call((error, result) => (error ? reject(error) : resolve(result)))
  })
}

t.test('every operation takes a callback in the place of its options, or after them', async (t) => {
  const drive = await memoryDrive(t)
  await called<void>((done) => drive.ready(done))
  await called<void>((done) => drive.writeFile('f', 'abc', done))
  await called<void>((done) => drive.writeFile('g', 'abc', { mode: 0o600 }, done))
  t.same(await called<Buffer>((done) => drive.readFile('f', done)), Buffer.from('abc'))
  t.equal(await called<string>((done) => drive.readFile('f', 'utf8', done)), 'abc')
  t.ok((await called<Stat>((done) => drive.mkdir('d', done))).isDirectory())
  t.ok((await called<Stat>((done) => drive.mkdir('e', 0o700, done))).isDirectory())
  t.ok((await called<Stat>((done) => drive.create('c', done))).isFile())
  t.ok((await called<Stat>((done) => drive.create('c2', {}, done))).isFile())
  t.ok((await called<Stat>((done) => drive.symlink('f', 'l', done))).isSymbolicLink())
  t.equal(await called<string | null>((done) => drive.readlink('l', done)), 'f')
  t.ok((await called<Stat>((done) => drive.stat('l', done))).isFile())
  t.ok((await called<Stat>((done) => drive.stat('l', { wait: false }, done))).isFile())
  t.ok((await called<Stat>((done) => drive.lstat('l', done))).isSymlink())
  t.ok((await called<Stat>((done) => drive.lstat('l', {}, done))).isSymlink())
  await called<void>((done) => drive.access('f', done))
  await called<void>((done) => drive.access('f', constants.W_OK, done))
  await called<void>((done) => drive.access('f', constants.R_OK, { wait: false }, done))
  t.equal(await called<string>((done) => drive.realpath('l', done)), '/f')
  t.equal(await called<string>((done) => drive.realpath('l', {}, done)), '/f')
  t.equal((await called<{ files: number }>((done) => drive.statfs('/', done))).files, 7)
  t.equal((await called<{ files: number }>((done) => drive.statfs('/', {}, done))).files, 7)
  const dir = await called<Dir>((done) => drive.opendir('/', {}, done))
  t.ok(await called<Dirent | null>((done) => dir.read(done)))
  await called<void>((done) => dir.close(done))
  await called<Dir>((done) => drive.opendir('/', done))
  await called<void>((done) => drive.copyFile('f', 'cf', done))
  await called<void>((done) => drive.copyFile('f', 'cf', 0, done))
  await called<void>((done) => drive.appendFile('cf', 'x', done))
  await called<void>((done) => drive.appendFile('cf', '78', 'hex', done))
  t.equal(await drive.readFile('cf', 'utf8'), 'abcxx')
  await called<void>((done) => drive.lchown('l', 1, 2, done))
  await called<void>((done) => drive.lutimes('l', 1, 2, done))
  await called<void>((done) => drive.unlink('cf', done))
  const made = await called<string>((done) => drive.mkdtemp('tmp', done))
  await called<void>((done) => drive.rmdir(made, done))
  await called<void>((done) => drive.access('f', {}, done))
  t.equal((await called<string[]>((done) => drive.readdir('/', done))).length, 7)
  t.equal(
    (await called<string[]>((done) => drive.readdir('/', { recursive: true }, done))).length,
    7,
  )
  t.equal(
    (await called<unknown[]>((done) => drive.readdir('/', { includeStats: true }, done))).length,
    7,
  )
  await called<Stat>((done) => drive.update('f', { uid: 5 }, done))
  await called<Stat>((done) => drive.setMetadata('f', 'k', 'v', done))
  await called<Stat>((done) => drive.removeMetadata('f', 'k', done))
  await called<Stat>((done) => drive.copy('f', 'copy', done))
  await called<void>((done) => drive.truncate('copy', 1, done))
  await called<void>((done) => drive.unlink('copy', done))
  await called<void>((done) => drive.rmdir('d', done))
  await called<void>((done) => drive.createTag('t', done))
  await called<void>((done) => drive.createTag('t2', 1, done))
  t.equal(await called<number | null>((done) => drive.getTaggedVersion('t2', done)), 1)
  t.equal((await called<Map<string, number>>((done) => drive.getAllTags(done))).size, 2)
  await called<void>((done) => drive.deleteTag('t', done))
  t.ok(await called<object>((done) => drive.getContent(done)))
  t.ok(await called<object>((done) => drive.info('f', done)))
  t.equal((await called<Map<string, object>>((done) => drive.getAllMounts(done))).size, 1)
  t.equal((await called<Map<string, object>>((done) => drive.getAllMounts({}, done))).size, 1)
  await called<void>((done) => void drive.download(done))
  await called<void>((done) => void drive.download('f', done))
  await called<void>((done) => void drive.download('f', {}, done))
  await called<unknown>((done) => void drive.clear('g', done))
  await called<unknown>((done) => void drive.clear('g', {}, done))
  t.match(await called<unknown>((done) => drive.stats('f', done)), { size: 3 })
  t.match(await called<unknown>((done) => drive.stats('f', {}, done)), { size: 3 })
  const read = await called<number>((done) => drive.open('f', done))
  await called<void>((done) => drive.close(read, done))
  const open = await called<number>((done) => drive.open('f', 'r+', 0o600, done))
  await called<void>((done) => drive.ftruncate(open, 3, done))
  await called<void>((done) => drive.fsync(open, done))
  await called<void>((done) => drive.fdatasync(open, done))
  t.equal((await called<Stat>((done) => drive.fstat(open, done))).size, 3)
  await called<void>((done) => drive.fchmod(open, 0o600, done))
  await called<void>((done) => drive.fchown(open, 5, 6, done))
  await called<void>((done) => drive.futimes(open, 1, 2, done))
  await called<void>((done) => drive.close(open, done))
  const fd = await called<number>((done) => drive.open('f', 'r+', done))
  const buffer = Buffer.alloc(3)
  t.equal(await called<number>((done) => drive.read(fd, buffer, 0, 3, done)), 3)
  t.equal(await called<number>((done) => drive.read(fd, buffer, 0, 3, 0, done)), 3)
  await called<void>((done) => drive.close(fd, done))
  const out = await called<number>((done) => drive.open('out', 'w', done))
  t.equal(await called<number>((done) => drive.write(out, buffer, 0, 3, done)), 3)
  t.equal(await called<number>((done) => drive.write(out, buffer, 0, 3, 3, done)), 3)
  await called<void>((done) => drive.ftruncate(out, 0, done))
  await called<void>((done) => drive.close(out, done))
  const inner = await memoryDrive(t)
  const key = inner.key ?? Buffer.alloc(0)
  t.ok(await called<unknown>((done) => drive.mount('m', key, done)))
  t.ok(await called<unknown>((done) => drive.mount('m2', key, {}, done)))
  await called<void>((done) => drive.unmount('m', done))
  await called<void>((done) => drive.destroyStorage(done))
  await called<void>((done) => drive.close(done))
})

t.test('a failure comes to the callback alone', async (t) => {
  const drive = await memoryDrive(t)
  const args = await new Promise<unknown[]>((resolve) => {
    drive.stat('nope', (...all: unknown[]) => resolve(all))
  })
  t.equal(args.length, 1)
  t.match(args[0], { code: 'ENOENT', path: '/nope' })
  await t.rejects(
    promisify((name: string, done: (error: Error | null) => void) => drive.unlink(name, done))(
      'nope',
    ),
    {
      code: 'ENOENT',
    },
  )
})

t.test('exists calls back with the boolean alone, and never with an error', async (t) => {
  const drive = await memoryDrive(t)
  await drive.writeFile('f', 'x')
  const told = (name: string): Promise<unknown> =>
    new Promise((resolve) => drive.exists(name, (...all: unknown[]) => resolve(all)))
  t.same(await told('f'), [true])
  t.same(await told('nope'), [false])
  await drive.close()
  t.same(await told('f'), [false])
  await t.rejects(drive.exists('f'), { code: 'DRIVE_CLOSED' })
})

t.test('the promises view has the operations as functions of their own', async (t) => {
  const drive = await memoryDrive(t)
  const { promises } = drive
  t.equal(drive.promises, promises)
  const { writeFile, readFile, readdir, stat, checkout, createReadStream } = promises
  await writeFile('f', 'x')
  t.equal(await readFile('f', 'utf8'), 'x')
  t.same(await readdir('/'), ['f'])
  t.ok((await stat('f')).isFile())
  t.same(await checkout(1).readdir('/'), [])
  for await (const chunk of createReadStream('f')) t.same(chunk, Buffer.from('x'))
  t.same(promises.key, drive.key)
  t.same(promises.discoveryKey, drive.discoveryKey)
  t.match(promises, { version: 2, writable: true, peers: [] })
  t.equal(promises.metadata, drive.metadata)
  await promises.close()
  t.ok(drive.closed)
})
