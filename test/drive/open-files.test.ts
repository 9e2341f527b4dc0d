/** Files of ours that are open: what descriptors see of each other, and when others see it. */
import t from 'tap'
import type { Drive } from '../../src/drive/drive.ts'
import { constants } from '../../src/drive/open/constants.ts'
import { MemoryFolder } from '../../src/storage/index.ts'
import { code, memoryDrive, memoryDrives } from './drives.ts'

const { O_CREAT, O_EXCL, O_RDWR, O_SYNC, O_TRUNC } = constants

async function text(drive: Drive, fd: number, position: number | null = 0): Promise<string> {
  const buffer = Buffer.alloc(100)
  const { bytesRead } = await drive.read(fd, buffer, 0, 100, position)
  return buffer.toString('utf8', 0, bytesRead)
}

async function put(drive: Drive, fd: number, data: string, position: number | null = null) {
  await drive.write(fd, Buffer.from(data), 0, data.length, position)
}

t.test('bytes are written anywhere, and become a version at close', async (t) => {
  const drive = await memoryDrive(t)
  await drive.writeFile('f', 'hello world', { mode: 0o600, metadata: { k: 'v' } })
  const { version } = drive
  const fd = await drive.open('f', 'r+')
  await put(drive, fd, 'W', 6)
  await put(drive, fd, 'J')
  await put(drive, fd, '!!', 11)
  await put(drive, fd, 'E', null)
  t.equal(await text(drive, fd), 'JEllo World!!')
  t.equal(await drive.readFile('f', 'utf8'), 'hello world', 'readers see the version before')
  t.equal((await drive.stat('f')).size, 13, 'stat shows the size to come')
  t.equal((await drive.checkout(version).stat('f')).size, 11)
  t.equal(drive.version, version)
  await drive.close(fd)
  t.equal(drive.version, version + 1)
  t.equal(await drive.readFile('f', 'utf8'), 'JEllo World!!')
  const { mode, metadata } = await drive.stat('f')
  t.same([mode & 0o777, metadata['k']?.toString()], [0o600, 'v'])
  t.equal(await drive.checkout(version).readFile('f', 'utf8'), 'hello world')
})

t.test('all descriptors of a file see what one has written, at once', async (t) => {
  const drive = await memoryDrive(t)
  await drive.writeFile('f', '0123456789')
  await drive.symlink('f', 'link')
  const before = await drive.open('f', 'r')
  const [one, two] = [await drive.open('f', 'r+'), await drive.open('link', 'r+')]
  const after = await drive.open('f', 'r')
  await put(drive, one, 'ab', 2)
  await put(drive, two, 'cd', 3)
  for (const fd of [before, one, two, after]) t.equal(await text(drive, fd), '01acd56789')
  await drive.close(one)
  t.equal(await drive.readFile('f', 'utf8'), '01acd56789', 'a close stores what all have written')
  const { version } = drive
  await drive.close(two)
  t.equal(drive.version, version, 'which is not stored again')
  await drive.close(before)
  await drive.close(after)
  t.equal(drive.version, version)
})

t.test(
  'each descriptor has a position of its own, which reads and writes with one leave alone',
  async (t) => {
    const drive = await memoryDrive(t)
    await drive.writeFile('f', '0123456789')
    const [one, two] = [await drive.open('f', 'r+'), await drive.open('f', 'r+')]
    await put(drive, one, 'ab')
    await put(drive, one, 'X', 9)
    t.equal(await text(drive, one, 4), '45678X')
    await put(drive, one, 'cd')
    t.equal(await text(drive, two, null), 'abcd45678X')
    t.equal(await text(drive, one, null), '45678X')
    await drive.close(one)
    await drive.close(two)
  },
)

t.test('what is appended goes to the end, wherever that is by then', async (t) => {
  const drive = await memoryDrive(t)
  const content = await drive.getContent()
  await drive.writeFile('f', 'start ')
  const [one, two] = [await drive.open('f', 'a'), await drive.open('f', 'a+')]
  await put(drive, one, 'one ')
  await put(drive, two, 'two ', 0)
  await put(drive, one, 'on')
  await put(drive, two, 'e')
  t.equal(await text(drive, two, null), '', 'an append leaves its descriptor at the end')
  t.equal(await text(drive, two), 'start one two one')
  await drive.close(one)
  await drive.close(two)
  t.equal(await drive.readFile('f', 'utf8'), 'start one two one')
  t.equal(content.byteLength, 17, 'nothing is stored twice')
  await Promise.all(['a', 'b', 'c'].map((each) => drive.appendFile('f', each)))
  t.equal((await drive.stat('f')).size, 20)
})

t.test('ftruncate cuts, and fills up with zeros, as does a write past the end', async (t) => {
  const drive = await memoryDrive(t)
  await drive.writeFile('f', 'hello world')
  const fd = await drive.open('f', 'r+')
  await drive.ftruncate(fd, 5)
  t.equal(await text(drive, fd), 'hello')
  await drive.ftruncate(fd, 7)
  await put(drive, fd, 'x', 9)
  t.equal(await text(drive, fd), 'hello\0\0\0\0x')
  await drive.close(fd)
  t.equal(await drive.readFile('f', 'utf8'), 'hello\0\0\0\0x')
  await drive.ftruncate(await drive.open('f', 'r+'))
  await drive.truncate('f', 2)
  t.equal(await drive.readFile('f', 'utf8'), '\0\0', 'truncate by name acts on the open file too')
})

t.test('a file that is cut where a block ends stores nothing new', async (t) => {
  const drive = await memoryDrive(t)
  const stream = drive.createWriteStream('f')
  for (const chunk of ['one', 'two', 'three']) stream.write(chunk)
  await new Promise((done) => stream.end(() => done(null)))
  const content = await drive.getContent()
  await drive.truncate('f', 6)
  t.same([content.length, (await drive.stat('f')).blocks], [3, 2])
  await drive.truncate('f', 6)
  t.equal(await drive.readFile('f', 'utf8'), 'onetwo')
  await drive.truncate('f', 4)
  t.same([content.length, await drive.readFile('f', 'utf8')], [4, 'onet'], 'in a block: a new run')
})

t.test('fsync stores without closing, and what did not change is not stored again', async (t) => {
  const drive = await memoryDrive(t)
  const fd = await drive.open('f', 'w+')
  const { version } = drive
  await put(drive, fd, 'abc')
  await drive.fsync(fd)
  t.equal(await drive.readFile('f', 'utf8'), 'abc')
  await drive.fdatasync(fd)
  t.equal(drive.version, version + 1)
  await put(drive, fd, 'd')
  await drive.close(fd)
  t.equal(await drive.readFile('f', 'utf8'), 'abcd')
  t.equal(drive.version, version + 2)
})

t.test('with the flag for it each write is a version', async (t) => {
  const drive = await memoryDrive(t)
  const fd = await drive.open('f', 'as')
  const { version } = drive
  await put(drive, fd, 'a')
  await put(drive, fd, 'b')
  t.same([drive.version, await drive.readFile('f', 'utf8')], [version + 2, 'ab'])
  await drive.close(fd)
  t.equal(drive.version, version + 2)
})

t.test('a file opened to be emptied is empty for others from close on', async (t) => {
  const drive = await memoryDrive(t)
  await drive.writeFile('f', 'old')
  const fd = await drive.open('f', O_RDWR | O_TRUNC)
  t.equal(await text(drive, fd), '')
  t.equal(await drive.readFile('f', 'utf8'), 'old')
  await drive.close(fd)
  t.equal(await drive.readFile('f', 'utf8'), '')
  const { version } = drive
  await drive.close(await drive.open('f', 'w'))
  t.equal(drive.version, version, 'an empty file is not emptied again')
})

t.test('of two who make a file with the flag for it one fails', async (t) => {
  const drive = await memoryDrive(t)
  const opened = await Promise.allSettled([drive.open('f', 'wx', 0o640), drive.open('f', 'ax+')])
  t.same(
    opened.map(({ status }) => status),
    ['fulfilled', 'rejected'],
  )
  t.equal((await drive.stat('f')).mode & 0o777, 0o640)
  const made = await drive.open('g', O_CREAT | O_EXCL)
  t.equal(await text(drive, made), '')
  await t.rejects(put(drive, made, 'x'), code('EBADF'))
})

t.test('writes of several files do not wait for each other', async (t) => {
  const drive = await memoryDrive(t)
  const fds = await Promise.all(['a', 'b', 'c'].map((name) => drive.open(name, 'w')))
  for (let i = 0; i < 5; i++) for (const fd of fds) await put(drive, fd, `${i}`)
  await drive.writeFile('d', 'written')
  await Promise.all(fds.map((fd) => drive.close(fd)))
  for (const name of ['a', 'b', 'c']) t.equal(await drive.readFile(name, 'utf8'), '01234')
})

t.test('a file that is replaced is as if truncated and written', async (t) => {
  const drive = await memoryDrive(t)
  await drive.writeFile('f', 'first')
  const [fd, end] = [await drive.open('f', 'r+'), await drive.open('f', 'a')]
  await put(drive, fd, 'lost')
  await drive.writeFile('f', 'second')
  t.equal((await drive.stat('f')).size, 6)
  t.equal(await text(drive, fd), 'second')
  await put(drive, end, '!')
  await drive.close(fd)
  t.equal(await drive.readFile('f', 'utf8'), 'second', 'it had nothing to store')
  await drive.close(end)
  t.equal(await drive.readFile('f', 'utf8'), 'second!')
})

t.test(
  'a file that is removed stays with its descriptors; one that is moved takes them along',
  async (t) => {
    const drive = await memoryDrive(t)
    await drive.writeFile('d/f', 'one')
    await drive.writeFile('g', 'two')
    const [moved, gone] = [await drive.open('d/f', 'r+'), await drive.open('g', 'r+')]
    await put(drive, moved, 'O')
    await put(drive, gone, 'T')
    await drive.rename('d', 'e')
    await drive.unlink('g')
    await drive.writeFile('g', 'another')
    t.equal(await text(drive, gone), 'Two')
    t.equal((await drive.fstat(gone)).size, 3)
    await drive.fchmod(gone, 0o600)
    await drive.close(gone)
    t.equal(await drive.readFile('g', 'utf8'), 'another')
    t.equal((await drive.stat('g')).mode & 0o777, 0o644)
    await drive.close(moved)
    t.equal(await drive.readFile('e/f', 'utf8'), 'One')
    t.notOk(await drive.exists('d/f'))
    const [under, over] = [await drive.open('g', 'r+'), await drive.open('e/f', 'r+')]
    await put(drive, under, 'A')
    await put(drive, over, 'U')
    await drive.rename('e/f', 'g')
    await drive.close(under)
    await drive.close(over)
    t.equal(await drive.readFile('g', 'utf8'), 'Une')
    const last = await drive.open('g', 'r+')
    await put(drive, last, 'x')
    await drive.rm('g', { recursive: true })
    await drive.close(last)
    t.notOk(await drive.exists('g'))
  },
)

t.test('what is not moved or removed after all keeps its descriptors', async (t) => {
  const drive = await memoryDrive(t)
  await drive.writeFile('d/f', 'one')
  const fd = await drive.open('d/f', 'r+')
  await put(drive, fd, 'O')
  const { metadata } = drive
  if (!metadata) throw new Error('open')
  const append = metadata.append.bind(metadata)
  for (const change of [
    () => drive.rename('d', 'e'),
    () => drive.unlink('d/f'),
    () => drive.rm('d', { recursive: true }),
  ]) {
    metadata.append = () => Promise.reject(new Error('no space'))
    await t.rejects(change(), { message: 'no space' })
    metadata.append = append
  }
  await drive.close(fd)
  t.equal(await drive.readFile('d/f', 'utf8'), 'One')
})

t.test('a file that is taken away by others than this process knows of is gone too', async (t) => {
  const drive = await memoryDrive(t)
  await drive.writeFile('f', 'one')
  const fd = await drive.open('f', 'r+')
  await put(drive, fd, 'O')
  await drive.db?.trie.del('f')
  t.equal(await text(drive, fd), 'One')
  await drive.close(fd)
  t.notOk(await drive.exists('f'))
})

t.test('drives of one store share open files, also through mounts', async (t) => {
  const [outer, inner] = (await memoryDrives(t, 2)) as [Drive, Drive]
  await inner.writeFile('f', 'hello')
  await outer.mount('m', inner.key ?? Buffer.alloc(0))
  const [there, here] = [await outer.open('m/f', 'r+'), await inner.open('f', 'r')]
  await put(outer, there, 'J')
  t.equal(await text(inner, here), 'Jello')
  await outer.close(there)
  t.equal(await inner.readFile('f', 'utf8'), 'Jello')
  await inner.close(here)
})

t.test('a close that fails leaves the file as it was, and lets the next one write', async (t) => {
  const drive = await memoryDrive(t)
  await drive.writeFile('f', 'old')
  await drive.writeFile('last', 'x')
  const content = await drive.getContent()
  const append = content.append.bind(content)
  content.append = () => Promise.reject(new Error('no space'))
  const [fd, kept] = [await drive.open('f', 'r+'), await drive.open('f', 'r+')]
  await put(drive, fd, 'new')
  await t.rejects(drive.fsync(fd), { message: 'no space' })
  await t.rejects(drive.close(fd), { message: 'no space' })
  t.equal(await drive.readFile('f', 'utf8'), 'old')
  content.append = append
  t.equal(await text(drive, kept), 'new', 'others who have it open still have what was written')
  await drive.fsync(kept)
  t.equal(await drive.readFile('f', 'utf8'), 'new')
  await drive.close(kept)
})

t.test('what was not stored when the process ended is not there; what was, is', async (t) => {
  const folder = new MemoryFolder()
  const drive = await memoryDrive(t, {})
  const stored = new (drive.constructor as typeof Drive)(folder.open)
  await stored.writeFile('f', 'old')
  const fd = await stored.open('f', 'r+')
  await put(stored, fd, 'synced')
  await stored.fsync(fd)
  await put(stored, fd, 'lost', 0)
  const copy = new (drive.constructor as typeof Drive)(folder.open, { lock: false })
  t.teardown(async () => {
    await copy.close()
    await stored.close()
  })
  t.equal(await copy.readFile('f', 'utf8'), 'synced')
})

t.test('attributes are set on open files, after what was written', async (t) => {
  let now = 1000
  const drive = await memoryDrive(t, { now: () => now })
  await drive.writeFile('f', 'abc')
  now = 2000
  const fd = await drive.open('f', 'r+')
  await put(drive, fd, 'x')
  await drive.futimes(fd, 0, new Date(5000))
  await drive.fchmod(fd, 0o600)
  await drive.fchown(fd, 3, 4)
  now = 3000
  await drive.close(fd)
  const { mtimeMs, mode, uid, gid, size } = await drive.stat('f')
  t.same([mtimeMs, mode & 0o777, uid, gid, size], [5000, 0o600, 3, 4, 3])
  const again = await drive.open('f', 'r+')
  await put(drive, again, 'y')
  await drive.close(again)
  t.equal((await drive.stat('f')).mtimeMs, 3000, 'a write is a modification')
})

t.test('several buffers are read and written as one', async (t) => {
  const drive = await memoryDrive(t)
  const fd = await drive.open('f', 'w+')
  const { bytesWritten } = await drive.writev(fd, [
    Buffer.from('abc'),
    new Uint8Array(0),
    Buffer.from('defg'),
  ])
  t.equal(bytesWritten, 7)
  const into = [Buffer.alloc(2), Buffer.alloc(4), Buffer.alloc(4, '.')]
  t.equal((await drive.readv(fd, into, 0)).bytesRead, 7)
  t.equal(Buffer.concat(into).toString(), 'abcdefg...')
  await new Promise<void>((resolve, reject) => {
    drive.writev(fd, [Buffer.from('x')], 0, (error, count, buffers) =>
      error || count !== 1 || buffers.length !== 1 ? reject(error) : resolve(),
    )
  })
  await new Promise<void>((resolve, reject) => {
    drive.readv(fd, [into[0] ?? Buffer.alloc(0)], (error, count) =>
      error || count !== 0 ? reject(error ?? new Error(String(count))) : resolve(),
    )
  })
  await drive.close(fd)
  t.equal(await drive.readFile('f', 'utf8'), 'xbcdefg')
})

t.test('a write that is under way when its descriptor is closed is stored', async (t) => {
  const drive = await memoryDrive(t)
  const fd = await drive.open('f', 'w')
  const work = [put(drive, fd, 'a'), put(drive, fd, 'b'), put(drive, fd, 'c', 2), drive.close(fd)]
  await Promise.all(work)
  t.equal(await drive.readFile('f', 'utf8'), 'abc')
})

/** Bytes that differ from each other. */
function pattern(length: number): Buffer {
  return Buffer.from(Uint8Array.from({ length }, (_, i) => (i * 7 + (i >> 8)) & 255))
}

t.test(
  'a large file that is written in order leaves memory as it goes, and is stored once',
  async (t) => {
    const drive = await memoryDrive(t)
    const content = await drive.getContent()
    const bytes = pattern(3_000_000)
    const fd = await drive.open('f', 'w+')
    for (let at = 0; at < bytes.length; at += 70_000) {
      await drive.write(fd, bytes, at, Math.min(70_000, bytes.length - at))
      t.ok(content.byteLength >= at - 1_100_000, 'no more than a mebibyte waits')
    }
    const buffer = Buffer.alloc(bytes.length)
    await drive.read(fd, buffer, 0, buffer.length, 0)
    t.ok(buffer.equals(bytes), 'read while some is stored and some is not')
    await drive.close(fd)
    t.equal(content.byteLength, bytes.length)
    t.ok((await drive.readFile('f')).equals(bytes))
    const whole = await drive.open('g', 'w')
    await drive.write(whole, bytes)
    await drive.close(whole)
    t.equal(content.byteLength, 2 * bytes.length, 'in one piece too')
    t.ok((await drive.readFile('g')).equals(bytes))
  },
)

t.test('a large file beside which others write is laid out anew', async (t) => {
  const drive = await memoryDrive(t)
  const bytes = pattern(3_000_000)
  const fd = await drive.open('f', 'w')
  for (let at = 0; at < bytes.length; at += 500_000) {
    await drive.write(fd, bytes, at, 500_000)
    await drive.writeFile(`other/${at}`, 'between')
  }
  await drive.close(fd)
  t.ok((await drive.readFile('f')).equals(bytes))
  const edit = await drive.open('f', 'r+')
  await drive.write(edit, Buffer.from('changed'), 0, 7, 1_500_000)
  await drive.close(edit)
  Buffer.from('changed').copy(bytes, 1_500_000)
  t.ok((await drive.readFile('f')).equals(bytes))
  const { blocks } = await drive.stat('f')
  t.ok(blocks <= 46, `${blocks} blocks: no small ones`)
})

t.test('very many scattered writes stay within bounds', async (t) => {
  const drive = await memoryDrive(t)
  const fd = await drive.open('f', 'w+')
  const bytes = Buffer.alloc(80_000)
  for (let at = 1; at < bytes.length; at += 2) {
    bytes[at] = at % 251
    await drive.write(fd, bytes, at, 1, at)
  }
  await drive.close(fd)
  t.ok((await drive.readFile('f')).equals(bytes))
})

t.test('a failure to make room is told by the write that needed it', async (t) => {
  const drive = await memoryDrive(t)
  const content = await drive.getContent()
  const append = content.append.bind(content)
  const fd = await drive.open('f', 'w')
  content.append = () => Promise.reject(new Error('no space'))
  await t.rejects(drive.write(fd, Buffer.alloc(2_000_000)), { message: 'no space' })
  content.append = append
  await drive.ftruncate(fd, 0)
  await put(drive, fd, 'fits', 0)
  await drive.close(fd)
  t.equal(await drive.readFile('f', 'utf8'), 'fits')
})

t.test('a file cannot be longer than numbers can say', async (t) => {
  const drive = await memoryDrive(t)
  const fd = await drive.open('f', 'w')
  const last = Number.MAX_SAFE_INTEGER
  await t.rejects(drive.write(fd, Buffer.alloc(2), 0, 2, last), { code: 'EINVAL', path: '/f' })
  await drive.ftruncate(fd, last)
  t.equal((await drive.stat('f')).size, last)
  await drive.ftruncate(fd, 0)
  await drive.close(fd)
})

t.test('a file that cannot be emptied is not left open', async (t) => {
  const drive = await memoryDrive(t)
  await drive.writeFile('f', 'old')
  const content = await drive.getContent()
  const flush = content.flush.bind(content)
  content.flush = () => Promise.reject(new Error('no disk'))
  await t.rejects(drive.open('f', O_RDWR | O_TRUNC | O_SYNC), { message: 'no disk' })
  content.flush = flush
  await drive.writeFile('f', 'new')
  const fd = await drive.open('f', 'r')
  t.equal(await text(drive, fd), 'new')
  await drive.close(fd)
})

t.test('an entry that says more than its blocks hold ends where they end', async (t) => {
  const drive = await memoryDrive(t)
  await drive.writeFile('f', 'abc')
  await drive.update('f', { size: 9 })
  const fd = await drive.open('f', 'r')
  t.equal(await text(drive, fd), 'abc')
  await drive.close(fd)
})
