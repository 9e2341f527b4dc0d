/** R1 to R16 and R82: what the document says of the whole, and that each requirement has its test here. */
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import fs from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join as joinPath } from 'node:path'
import { PassThrough } from 'node:stream'
import t from 'tap'
import { Drive, Store } from '../../src/index.ts'
import varve from '../../src/index.ts'
import { MemoryStorage } from '../../src/storage/index.ts'
import { cloneOf, code, join, memoryDrive, memoryDrives } from '../drive/drives.ts'
import { called } from './called.ts'

const readme = readFileSync('README.md', 'utf8')
const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as {
  name: string
  license: string
  exports: Record<string, unknown>
  dependencies: Record<string, string>
}

function contentOf(file: MemoryStorage): Buffer {
  return Buffer.from(file.snapshot() ?? [])
}

/** All requirements of the document, R1 to R82. */
const requirements = Array.from({ length: 82 }, (_, i) => `R${i + 1}`)

t.test('every requirement of the document has one test here', (t) => {
  const titles = readdirSync('test/seed')
    .filter((name) => name.endsWith('.test.ts'))
    .flatMap((name) => [
      ...readFileSync(joinPath('test/seed', name), 'utf8').matchAll(
        /^t\.test\(\s*['"`](R\d+): (.+)/gmu,
      ),
    ])
    .map(([, number = '', title = '']) => ({ number, title }))
  for (const requirement of requirements) {
    const own = titles.filter(({ number }) => number === requirement)
    t.equal(own.length, 1, requirement)
  }
  t.equal(titles.length, requirements.length)
  t.end()
})

t.test('R1: what is shared is signed, enciphered on the way, and seen as it is made', async (t) => {
  const files = new Map<string, MemoryStorage>()
  const open = (path: string): MemoryStorage => {
    const file = files.get(path) ?? new MemoryStorage()
    files.set(path, file)
    return new MemoryStorage(file)
  }
  const drive = new Drive(open)
  await drive.writeFile('f', 'what is written here')
  const reader = new Drive(() => new MemoryStorage(), drive.key)
  t.teardown(() => reader.close())
  const wire: Buffer[] = []
  const tap = new PassThrough()
  tap.on('data', (chunk: Buffer) => wire.push(chunk))
  const left = drive.replicate(true, { live: true })
  left
    .pipe(tap)
    .pipe(reader.replicate(false, { live: true }))
    .pipe(left)
  t.equal(await reader.readFile('f', 'utf8'), 'what is written here')
  t.ok(Buffer.concat(wire).length > 100)
  t.notOk(Buffer.concat(wire).includes('what is written'), 'enciphered')
  const seen = once(reader.watch('/g'), 'change')
  await drive.writeFile('g', 'genuine')
  await seen
  await drive.close()
  // Whoever stores a drive can not change it: what is not the signed block is never handed on.
  const forged = [...files.values()].filter((file) => contentOf(file).includes('genuine'))
  t.equal(forged.length, 1)
  for (const file of forged) {
    await new MemoryStorage(file).write(contentOf(file).indexOf('genuine'), Buffer.from('falsely'))
  }
  const liar = new Drive(open)
  t.teardown(() => liar.close())
  join(t, liar, reader)
  await t.rejects(reader.readFile('g', { wait: 'peers' }), code('EUNAVAILABLE'))
})

t.test('R2: what was written once stays readable, whatever is written later', async (t) => {
  const drive = await memoryDrive(t)
  await drive.writeFile('f', 'first')
  const { version } = drive
  await drive.writeFile('f', 'second')
  await drive.unlink('f')
  t.equal(await drive.checkout(version).readFile('f', 'utf8'), 'first')
  t.equal(await drive.checkout(version + 1).readFile('f', 'utf8'), 'second')
  await t.rejects(drive.readFile('f'), code('ENOENT'))
  await t.rejects(drive.checkout(version).writeFile('f', 'x'), code('EPERM'))
  await t.rejects(drive.writeFile('/', 'x'), code('EISDIR'))
  t.equal(drive.version, version + 2, 'what was refused wrote nothing')
})

t.test('R3: drives can be nested, and each is written by who owns it', async (t) => {
  const [group, member] = await memoryDrives(t, 2)
  if (!group || !member) throw new Error('two drives')
  await group.mount('members/a', member.key ?? Buffer.alloc(0))
  await member.writeFile('docs/f', 'of the member')
  t.equal(await group.readFile('members/a/docs/f', 'utf8'), 'of the member')
  await group.writeFile('members/a/g', 'through the group')
  t.equal(await member.readFile('g', 'utf8'), 'through the group')
  const stranger = await memoryDrive(t)
  await stranger.writeFile('f', 'x')
  await group.mount('other', stranger.key ?? Buffer.alloc(0))
  join(t, group, stranger)
  t.equal(await group.readFile('other/f', 'utf8'), 'x')
  await t.rejects(group.writeFile('other/f', 'y'), code('EROFS'))
})

t.test('R4: 32 bytes are enough to read a whole drive, and share a part by a mount', async (t) => {
  const [drive, part] = await memoryDrives(t, 2)
  if (!drive || !part) throw new Error('two drives')
  await part.writeFile('public', 'x')
  await drive.writeFile('private', 'y')
  await drive.mount('part', part.key ?? Buffer.alloc(0))
  t.equal(drive.key?.length, 32)
  const whole = await cloneOf(t, drive)
  t.equal(await whole.readFile('private', 'utf8'), 'y')
  t.equal(await whole.readFile('part/public', 'utf8'), 'x')
  const finer = await cloneOf(t, part)
  t.same(await finer.readdir('/', { recursive: true }), ['public'])
})

t.test('R5: a reader fetches what it reads, and a range of a file alone', async (t) => {
  const drive = await memoryDrive(t)
  const stream = drive.createWriteStream('film')
  for (let i = 0; i < 100; i++) stream.write(Buffer.alloc(1000, i))
  await new Promise<void>((resolve) => {
    stream.end(resolve)
  })
  await drive.writeFile('other', Buffer.alloc(1000))
  const clone = await cloneOf(t, drive)
  t.same(await clone.readFile('film', { start: 50_000, length: 1000 }), Buffer.alloc(1000, 50))
  const content = await clone.getContent()
  const here = content.downloaded(0, content.length)
  t.ok(here <= 2, `${here} of 101 blocks: what was read, and one ahead`)
})

t.test('R6: a file is found in a drive of many with few blocks of metadata', async (t) => {
  const drive = await memoryDrive(t)
  for (let i = 0; i < 500; i++) await drive.create(`folder ${i % 10}/file ${i}`)
  const clone = await cloneOf(t, drive, { extension: false })
  await clone.stat('folder 7/file 327')
  const { metadata } = clone
  const here = metadata?.downloaded(0, metadata.length) ?? Infinity
  t.ok(here >= 2 && here <= 20, `${here} of ${metadata?.length} blocks`)
})

t.test('R7: versions have names that are stored in the drive', async (t) => {
  const drive = await memoryDrive(t)
  await drive.writeFile('f', 'release')
  await drive.createTag('v1')
  await drive.writeFile('f', 'later')
  const clone = await cloneOf(t, drive)
  const version = await clone.getTaggedVersion('v1')
  t.equal(await clone.checkout(version).readFile('f', 'utf8'), 'release')
})

t.test('R8: the daemon is still to come, and the drive has what it stands on', async (t) => {
  t.match(readme, /^## Still to come$[^#]*\bdaemon\b/mu)
  t.notOk(existsSync('packages/daemon'), 'once it is there, its tests take the place of this one')
  const drive = await memoryDrive(t)
  await drive.writeFile('f', 'x', { uid: 1 })
  await drive.update('f', { mode: 0o100600 })
  t.match(await drive.stat('f'), { mode: 0o100600, uid: 1, size: 1 })
})

t.test('R9: the client of the daemon is still to come', (t) => {
  t.match(readme, /^## Still to come$[^#]*\bclient\b/mu)
  t.notOk(existsSync('packages/client'), 'once it is there, its tests take the place of this one')
  t.end()
})

t.test('R10: Beaker is a program on top: nothing of it is here or to come', (t) => {
  t.match(readme, /^## Still to come$[^#]*\bBeaker\b[^#]*\bnothing\b/mu)
  t.notOk(existsSync('packages/beaker'))
  t.end()
})

t.test('R11: any random-access storage, and any duplex stream, will do', async (t) => {
  type Storage = Parameters<typeof varve>[0]
  const RandomAccessMemory = createRequire(import.meta.url)(
    'random-access-memory',
  ) as new () => never
  const store = new Store(() => new MemoryStorage())
  t.teardown(() => store.close())
  const storages: Record<string, Storage> = {
    folder: t.testdir(),
    'old style objects': () => new RandomAccessMemory(),
    'own objects': () => new MemoryStorage(),
    store,
  }
  for (const [name, storage] of Object.entries(storages)) {
    const drive = varve(storage)
    await drive.writeFile('f', name)
    const clone = await memoryDrive(t)
    t.ok(clone.writable)
    const reader = varve(() => new MemoryStorage(), drive.key)
    const [left, right] = [drive.replicate(true), reader.replicate(false)]
    // Two one-way streams, and one that cuts everything into single bytes.
    const cut = new PassThrough({ highWaterMark: 1 })
    left.pipe(cut).pipe(right).pipe(new PassThrough()).pipe(left)
    t.equal(await reader.readFile('f', 'utf8'), name)
    await reader.close()
    await drive.close()
  }
})

t.test('R12: it is a package that is installed by its name', (t) => {
  t.equal(manifest.name, 'varve')
  t.match(readme, /^ {4}npm install varve$/mu)
  t.ok('.' in manifest.exports)
  for (const name of Object.keys(manifest.dependencies)) t.notMatch(name, /hyper|random-access/)
  t.end()
})

t.test('R13: a program written for fs.promises does the same on a drive', async (t) => {
  type Fs = Pick<
    typeof fs,
    | 'writeFile'
    | 'readFile'
    | 'appendFile'
    | 'mkdir'
    | 'rmdir'
    | 'readdir'
    | 'stat'
    | 'lstat'
    | 'symlink'
    | 'readlink'
    | 'unlink'
    | 'rename'
    | 'chmod'
    | 'truncate'
    | 'access'
    | 'rm'
    | 'cp'
    | 'utimes'
  >
  const failure = (work: Promise<unknown>): Promise<unknown> =>
    work.then(
      () => null,
      (error: NodeJS.ErrnoException) => error.code,
    )
  const program = async (fs: Fs, root: string): Promise<unknown[]> => {
    await fs.mkdir(`${root}/a/b`, { recursive: true })
    await fs.writeFile(`${root}/a/f`, 'hello')
    await fs.appendFile(`${root}/a/f`, ' world')
    await fs.symlink('f', `${root}/a/link`)
    await fs.chmod(`${root}/a/f`, 0o600)
    await fs.utimes(`${root}/a/f`, 1, 2)
    await fs.rename(`${root}/a`, `${root}/c`)
    await fs.cp(`${root}/c`, `${root}/d`, { recursive: true })
    await fs.truncate(`${root}/d/f`, 5)
    const stat = await fs.stat(`${root}/c/link`)
    const link = await fs.lstat(`${root}/c/link`)
    const names = await fs.readdir(`${root}/c`)
    return [
      names.toSorted(),
      await fs.readFile(`${root}/c/link`, 'utf8'),
      await fs.readFile(`${root}/d/f`, 'utf8'),
      [stat.isFile(), stat.size, stat.mode.toString(8), stat.mtimeMs, link.isSymbolicLink()],
      await fs.readlink(`${root}/c/link`),
      await failure(fs.access(`${root}/a`)),
      await failure(fs.mkdir(`${root}/c`)),
      await failure(fs.rmdir(`${root}/c`)),
      await failure(fs.rmdir(`${root}/c/f`)),
      await failure(fs.readdir(`${root}/c/f`)),
      await failure(fs.readdir(`${root}/nope`)),
      await failure(fs.readFile(`${root}/c`)),
      await failure(fs.readFile(`${root}/nope`)),
      await failure(fs.writeFile(`${root}/c`, 'x')),
      await failure(fs.unlink(`${root}/nope`)),
      await failure(fs.rename(`${root}/nope`, `${root}/x`)),
      await failure(fs.rename(`${root}/c`, `${root}/c/b/c`)),
      await failure(fs.symlink('x', `${root}/c`)),
      await failure(fs.rm(`${root}/nope`)),
      await failure(fs.rm(`${root}/c`, { recursive: true })),
      await failure(fs.rm(`${root}/c`, { force: true })),
      (await fs.readdir(root)).toSorted(),
    ]
  }
  const folder = mkdtempSync(joinPath(tmpdir(), 'varve-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  const drive = await memoryDrive(t)
  await drive.mkdir('root')
  t.same(await program(drive.promises as unknown as Fs, '/root'), await program(fs, folder))
})

t.test('R14: a drive is opened with and without new, and its methods call back', async (t) => {
  for (const drive of [varve(t.testdir()), new varve(() => new MemoryStorage())]) {
    await called<void>((done) => drive.writeFile('/hello.txt', 'world', done))
    t.same(await called<string[]>((done) => drive.readdir('/', done)), ['hello.txt'])
    t.equal(await called<string>((done) => drive.readFile('/hello.txt', 'utf-8', done)), 'world')
    await called<void>((done) => drive.close(done))
  }
})

t.test(
  'R15: two ends replicate without being told their roles, or told by either form',
  async (t) => {
    const drive = await memoryDrive(t)
    await drive.writeFile('f', 'x')
    const roles = [
      [drive.replicate(), (clone: Drive) => clone.replicate()],
      [drive.replicate(true), (clone: Drive) => clone.replicate(false)],
      [
        drive.replicate({ initiator: false }),
        (clone: Drive) => clone.replicate({ initiator: true }),
      ],
    ] as const
    for (const [left, other] of roles) {
      const clone = new Drive(() => new MemoryStorage(), drive.key)
      const right = other(clone)
      left.pipe(right).pipe(left)
      t.equal(await clone.readFile('f', 'utf8'), 'x')
      await clone.close()
    }
    // @ts-expect-error: a caller without types
    t.throws(() => drive.replicate('initiator'), TypeError)
  },
)

t.test('R16: a live clone sees new versions, also in a mounted drive', async (t) => {
  const [outer, inner] = await memoryDrives(t, 2)
  if (!outer || !inner) throw new Error('two drives')
  await outer.mount('m', inner.key ?? Buffer.alloc(0))
  await inner.writeFile('f', 'one')
  const clone = await cloneOf(t, outer)
  t.equal(await clone.readFile('m/f', 'utf8'), 'one')
  const { version } = outer
  const news = clone.watch('/')
  await outer.writeFile('g', 'new')
  for await (const _ of news) if (await clone.exists('g')) break
  t.equal(await clone.readFile('g', 'utf8'), 'new')
  t.equal(clone.version, version + 1)
  const inside = clone.watch('/m')
  await inner.writeFile('f', 'two')
  for await (const _ of inside) if ((await clone.readFile('m/f', 'utf8')) === 'two') break
  t.notOk(await clone.checkout(version).exists('g'), 'and the old version is still there')
})

t.test('R82: the licence is MIT', (t) => {
  t.equal(manifest.license, 'MIT')
  t.match(readFileSync('LICENSE', 'utf8'), /^MIT License/u)
  t.end()
})
