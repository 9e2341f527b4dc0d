/** What `fs` has besides reading and writing, where there is no Node to compare with (test/drive/like-fs.test.ts). */
import { text } from 'node:stream/consumers'
import { finished } from 'node:stream/promises'
import t from 'tap'
import { constants } from '../../src/drive/open/constants.ts'
import { cloneOf, code, memoryDrive, memoryDrives } from './drives.ts'

t.test('an open directory gives its names once, and nothing after it is closed', async (t) => {
  const drive = await memoryDrive(t)
  for (let i = 0; i < 600; i++) await drive.create(`d/${i}`)
  await drive.create('d/sub/deep')
  const dir = await drive.opendir('d')
  t.equal(dir.path, 'd')
  const names = new Set<string>()
  for (let entry = await dir.read(); entry; entry = await dir.read()) names.add(entry.name)
  t.equal(names.size, 601)
  t.equal(await dir.read(), null)
  await dir.close()
  await t.rejects(dir.read(), { code: 'EBADF', syscall: 'readdir' })
  await t.rejects(dir.close(), { code: 'EBADF', syscall: 'close' })
  const left = await drive.opendir('d')
  for await (const _ of left) break
  await t.rejects(left.read(), code('EBADF'), 'leaving the loop closes it')
  await left[Symbol.asyncDispose]()
  const kept = await drive.opendir('d', { recursive: true })
  let count = 0
  for await (const entry of kept) if (entry.isFile()) count++
  t.equal(count, 601)
  const disposed = await drive.opendir('d')
  await disposed[Symbol.asyncDispose]()
  await t.rejects(disposed.read(), code('EBADF'))
})

t.test('a name that nobody has is made, also where it is only implied', async (t) => {
  const drive = await memoryDrive(t)
  const made = await Promise.all(Array.from({ length: 20 }, () => drive.mkdtemp('tmp/x-')))
  t.equal(new Set(made).size, 20)
  for (const name of made) t.match(name, /^tmp\/x-[A-Za-z0-9]{6}$/u)
  t.ok((await drive.stat(made[0] ?? '')).isDirectory())
  // @ts-expect-error a number is no name
  await t.rejects(drive.mkdtemp(5), TypeError)
  await t.rejects(drive.checkout(1).mkdtemp('x'), code('EPERM'))
})

t.test('totals count what a version holds, what is stored, and what is here', async (t) => {
  const [drive, inner] = await memoryDrives(t, 2)
  if (!drive || !inner) throw new Error('two drives')
  await drive.writeFile('f', Buffer.alloc(1000))
  await drive.writeFile('f', Buffer.alloc(500))
  await drive.symlink('f', 'link')
  await inner.writeFile('g', Buffer.alloc(70))
  await drive.mount('m', inner.key ?? Buffer.alloc(0))
  const content = await drive.getContent()
  const stored = content.byteLength + (drive.metadata?.byteLength ?? 0)
  const totals = await drive.statfs()
  t.match(totals, { files: 3, logicalBytes: 500, storedBytes: stored, downloadedBytes: stored })
  t.match(await drive.statfs('link'), totals)
  t.match(await drive.statfs('m'), { files: 1, logicalBytes: 70 })
  await drive.clear('f')
  t.equal((await drive.statfs('/')).downloadedBytes, stored - 500)
  await drive.writeFile('here', Buffer.alloc(10))
  const clone = await cloneOf(t, drive)
  await clone.readFile('here')
  const there = await clone.statfs('/')
  const metadata = drive.metadata?.byteLength ?? 0
  t.match(there, { files: 4, logicalBytes: 510, storedBytes: content.byteLength + metadata })
  t.ok(there.downloadedBytes > 10 && there.downloadedBytes < there.storedBytes)
})

t.test('a copy replaces what is there, with the mode, and shares blocks', async (t) => {
  const [drive, inner] = await memoryDrives(t, 2)
  if (!drive || !inner) throw new Error('two drives')
  await drive.writeFile('f', 'content', { mode: 0o600 })
  await drive.writeFile('to', 'old')
  await drive.symlink('to', 'link')
  const content = await drive.getContent()
  const { length } = content
  await drive.copyFile('f', 'link', constants.COPYFILE_FICLONE)
  t.equal(content.length, length)
  t.same(
    [await drive.readFile('to', 'utf8'), (await drive.stat('to')).mode & 0o777],
    ['content', 0o600],
  )
  await t.rejects(drive.copyFile('f', 'link', constants.COPYFILE_EXCL), code('EEXIST'))
  await drive.mount('m', inner.key ?? Buffer.alloc(0))
  await drive.copyFile('f', 'm/f')
  t.equal(await inner.readFile('f', 'utf8'), 'content')
})

t.test('a stream with flags or a start writes as fs does', async (t) => {
  const drive = await memoryDrive(t)
  await drive.writeFile('f', '0123456789')
  await finished(drive.createWriteStream('f', { flags: 'a' }).end('ab'))
  await finished(drive.createWriteStream('f', { flags: 'r+', start: 2 }).end('XY'))
  t.equal(await drive.readFile('f', 'utf8'), '01XY456789ab')
  await finished(drive.createWriteStream('new', { flags: 'wx', mode: 0o600 }).end('x'))
  t.equal((await drive.stat('new')).mode & 0o777, 0o600)
  await t.rejects(finished(drive.createWriteStream('f', { flags: 'wx' }).end('x')), code('EEXIST'))
  const given = drive.createWriteStream('f', { flags: 'r+' })
  given.write('lost')
  given.destroy(new Error('given up'))
  await t.rejects(finished(given), { message: 'given up' })
  let chunks = ''
  for await (const chunk of drive.createReadStream('f', { start: 2, end: 3 }))
    chunks += String(chunk)
  t.equal(chunks, 'XY', 'a read stream can be iterated over')
})

t.test(
  'streams of a handle go on where it stands, and close it unless they are told',
  async (t) => {
    const drive = await memoryDrive(t)
    await drive.writeFile('f', '0123456789')
    const handle = await drive.promises.open('f', 'r+')
    await handle.read(Buffer.alloc(3))
    t.equal(await text(handle.createReadStream({ autoClose: false, highWaterMark: 2 })), '3456789')
    await finished(handle.createWriteStream({ autoClose: false, start: 1 }).end('ab'))
    await handle.sync()
    t.equal(await drive.readFile('f', 'utf8'), '0ab3456789')
    t.equal(await text(handle.createReadStream({ start: 8 })), '89')
    await t.rejects(handle.read(), code('EBADF'))
    await t.rejects(text(handle.createReadStream()), code('EBADF'))
    await t.rejects(finished(handle.createWriteStream().end('x')), code('EBADF'))
    const closed = await drive.promises.open('f', 'r')
    await closed[Symbol.asyncDispose]()
    await t.rejects(closed.stat(), code('EBADF'))
    const failing = await drive.promises.open('f', 'w')
    const stream = failing.createWriteStream()
    stream.destroy(new Error('given up'))
    await t.rejects(finished(stream), { message: 'given up' })
    t.equal(await drive.readFile('f', 'utf8'), '', 'what had been done by then is stored at close')
    const reading = await drive.promises.open('f', 'r')
    await drive.close(reading.fd)
    const late = reading.createReadStream()
    late.destroy()
    await t.rejects(finished(late), code('EBADF'))
  },
)

t.test('a mode that is asked for says whether a write would be let through', async (t) => {
  const drive = await memoryDrive(t)
  await drive.writeFile('f', 'x', { mode: 0o755 })
  await drive.access('f', constants.R_OK | constants.W_OK | constants.X_OK)
  await t.rejects(drive.checkout(drive.version).access('f', constants.W_OK), code('EPERM'))
  const clone = await cloneOf(t, drive)
  await clone.access('f', constants.R_OK)
  await clone.access('f', { wait: 'peers' })
  await t.rejects(clone.access('f', constants.W_OK), {
    code: 'EROFS',
    path: '/f',
    syscall: 'access',
  })
})
