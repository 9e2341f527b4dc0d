/** R68 to R71 and R79: open files. */
import t from 'tap'
import { cloneOf, code, memoryDrive } from '../drive/drives.ts'
import { called } from './called.ts'

/** What a callback of `read` or `write` gets. */
function counted(
  start: (done: (error: Error | null, count: number, buffer: Buffer) => void) => void,
): Promise<[number, Buffer]> {
  return new Promise((resolve, reject) => {
    start((error, count, buffer) => (error ? reject(error) : resolve([count, buffer])))
  })
}

t.test('R68: reads and writes go anywhere in a file, appends to its end', async (t) => {
  const drive = await memoryDrive(t)
  await drive.writeFile('f', '0123456789')
  const fd = await drive.open('f', 'r')
  const out = Buffer.alloc(3)
  for (const [position, expected] of [
    [7, '789'],
    [0, '012'],
    [4, '456'],
  ] as const) {
    t.equal((await drive.read(fd, out, 0, 3, position)).bytesRead, 3)
    t.equal(out.toString(), expected)
  }
  await drive.close(fd)
  const append = await drive.open('f', 'a')
  await drive.write(append, Buffer.from('ab'))
  await drive.close(append)
  t.equal(await drive.readFile('f', 'utf8'), '0123456789ab')
  const write = await drive.open('f', 'r+')
  await drive.write(write, Buffer.from('x'), 0, 1, 5)
  await drive.close(write)
  t.equal(await drive.readFile('f', 'utf8'), '01234x6789ab')
  const exact = await memoryDrive(t, { exact: true })
  await exact.writeFile('f', 'old')
  const ordered = await exact.open('f', 'r+')
  await t.rejects(exact.write(ordered, Buffer.from('x'), 0, 1, 1), code('EBADF'))
  await exact.close(ordered)
})

t.test('R69: open takes every flag that fs takes', async (t) => {
  const drive = await memoryDrive(t)
  await drive.writeFile('f', 'old')
  for (const [flags, expected] of [
    ['r', 'old'],
    ['r+', 'newold'.slice(0, 3)],
    ['w', 'new'],
    ['w+', 'new'],
    ['a', 'oldnew'],
    ['a+', 'oldnew'],
    ['as', 'oldnew'],
  ] as const) {
    await drive.writeFile('f', 'old')
    const fd = await called<number>((done) => drive.open('f', flags, done))
    if (flags === 'r') await t.rejects(drive.write(fd, Buffer.from('new')), code('EBADF'))
    else await drive.write(fd, Buffer.from('new'))
    await drive.close(fd)
    t.equal(await drive.readFile('f', 'utf8'), flags === 'r+' ? 'new' : expected, flags)
  }
  for (const flags of ['wx', 'ax', 'wx+']) await t.rejects(drive.open('f', flags), code('EEXIST'))
  await t.rejects(drive.open('nope', 'r'), code('ENOENT'))
  await t.rejects(drive.open('nope', 'r+'), code('ENOENT'))
  await t.rejects(drive.open('f', 'rw'), code('EINVAL'))
  const made = await drive.open('made', 'a')
  await drive.close(made)
  t.equal((await drive.stat('made')).size, 0)
})

t.test('R70: read fills a part of a buffer, from a position or from where it stands', async (t) => {
  const drive = await memoryDrive(t)
  await drive.writeFile('f', 'hello world')
  await drive.writeFile('next', 'other bytes')
  const fd = await drive.open('f', 'r')
  const buffer = Buffer.from('..........')
  t.same(await counted((done) => drive.read(fd, buffer, 2, 5, 6, done)), [5, buffer])
  t.equal(buffer.toString(), '..world...')
  t.equal((await counted((done) => drive.read(fd, buffer, 0, 10, null, done)))[0], 10)
  t.equal((await drive.read(fd, buffer)).bytesRead, 1, 'goes on where it stood')
  for (const position of [11, 12, 1_000_000]) {
    t.equal((await drive.read(fd, buffer, 0, 10, position)).bytesRead, 0, 'at and past the end')
  }
  await drive.close(fd)
  const clone = await cloneOf(t, drive)
  const remote = await clone.open('f', 'r')
  t.equal((await clone.read(remote, buffer, 0, 5, 6)).bytesRead, 5)
  t.equal(buffer.toString('utf8', 0, 5), 'world')
  await clone.close(remote)
})

t.test('R71: write takes the part of the buffer that it is told', async (t) => {
  const drive = await memoryDrive(t)
  const fd = await drive.open('f', 'w')
  const buffer = Buffer.from('..hello..world..')
  t.same(await counted((done) => drive.write(fd, buffer, 2, 5, 0, done)), [5, buffer])
  t.equal((await counted((done) => drive.write(fd, buffer, 9, 5, 5, done)))[0], 5)
  t.equal((await drive.stat('f')).size, 10, 'stat shows what was written so far')
  await drive.close(fd)
  t.equal(await drive.readFile('f', 'utf8'), 'helloworld')
})

t.test(
  'R79: close gives a number back; the file is stored, and the number means nothing more',
  async (t) => {
    const drive = await memoryDrive(t)
    const fd = await drive.open('f', 'w')
    await drive.write(fd, Buffer.from('x'))
    await called<void>((done) => drive.close(fd, done))
    t.equal(await drive.readFile('f', 'utf8'), 'x')
    await t.rejects(drive.read(fd, Buffer.alloc(1)), code('EBADF'))
    await t.rejects(drive.write(fd, Buffer.alloc(1)), code('EBADF'))
    await t.rejects(drive.close(fd), code('EBADF'))
    t.equal(await drive.open('f', 'r'), fd, 'the next one may have it')
  },
)
