import t from 'tap'
import { code, memoryDrive } from './drives.ts'

t.test('a descriptor reads on from where it stands, or at a position', async (t) => {
  const drive = await memoryDrive(t)
  const stream = drive.createWriteStream('f')
  for (const chunk of ['hel', 'lo wo', 'rld']) stream.write(chunk)
  await new Promise((resolve) => stream.end(resolve))
  const fd = await drive.open('f', 'r')
  const read = async (length: number, position: number | null): Promise<string> => {
    const buffer = Buffer.alloc(length)
    const { bytesRead } = await drive.read(fd, buffer, 0, length, position)
    return buffer.toString('utf8', 0, bytesRead)
  }
  t.equal(await read(4, null), 'hell')
  t.equal(await read(4, null), 'o wo')
  t.equal(await read(100, null), 'rld')
  t.equal(await read(1, null), '')
  t.equal(await read(3, 4), 'o w', 'a position in the middle of a block')
  t.equal(await read(3, null), '', 'as in Node, a position moves nothing')
  t.equal(await read(5, 11), '', 'the end')
  t.equal(await read(5, 9999), '', 'far past the end, also of the content log')
  const parts = await Promise.all([read(2, 0), read(2, 5), read(2, 9)])
  t.same(parts, ['he', ' w', 'ld'], 'reads at the same time do not disturb each other')
  await drive.close(fd)
})

t.test('what cannot be read is refused, and leaves the descriptor usable', async (t) => {
  const drive = await memoryDrive(t)
  await drive.writeFile('f', 'abc')
  const fd = await drive.open('f', 'r')
  const buffer = Buffer.alloc(3)
  await t.rejects(drive.read(fd, buffer, 0, 3, -1), code('EINVAL'))
  await t.rejects(drive.read(fd, buffer, 0, 3, 0.5), code('EINVAL'))
  await t.rejects(drive.read(fd, buffer, 4, 1, 0), RangeError)
  await t.rejects(drive.read(fd, buffer, 0, -1, 0), RangeError)
  await t.rejects(drive.read(99, buffer, 0, 3, 0), { code: 'EBADF', errno: 9, syscall: 'read' })
  t.equal((await drive.read(fd, buffer, 0, 3, 0)).bytesRead, 3)
  await drive.close(fd)
  await t.rejects(drive.close(fd), code('EBADF'))
})

t.test('a write takes its slice of the buffer, and the buffer may be reused', async (t) => {
  const drive = await memoryDrive(t)
  const fd = await drive.open('f', 'w')
  const buffer = Buffer.from('123456')
  t.equal((await drive.write(fd, buffer, 1, 3)).bytesWritten, 3)
  buffer.fill('x')
  t.equal((await drive.write(fd, Buffer.from('56'))).bytesWritten, 2)
  await drive.close(fd)
  t.equal(await drive.readFile('f', 'utf8'), '23456')
})

t.test('opening for appending makes a missing file', async (t) => {
  const drive = await memoryDrive(t)
  const fd = await drive.open('f', 'a')
  await drive.write(fd, Buffer.from('new'))
  await drive.close(fd)
  t.equal(await drive.readFile('f', 'utf8'), 'new')
})

t.test('a descriptor opened on a link writes what the link leads to', async (t) => {
  const drive = await memoryDrive(t)
  await drive.writeFile('real', 'old')
  await drive.symlink('/real', 'link')
  await drive.symlink('missing', 'dir/broken')
  for (const [name, target] of [
    ['link', 'real'],
    ['dir/broken', 'dir/missing'],
  ] as const) {
    const fd = await drive.open(name, 'w')
    await drive.write(fd, Buffer.from('through'))
    await drive.close(fd)
    t.equal(await drive.readFile(target, 'utf8'), 'through')
    t.ok((await drive.lstat(name)).isSymbolicLink(), 'the link stays one')
  }
})

t.test('what cannot be written is not opened for it', async (t) => {
  const drive = await memoryDrive(t)
  await drive.mkdir('d')
  await drive.writeFile('f', 'abc')
  const { version } = drive
  await t.rejects(drive.open('d', 'w'), code('EISDIR'))
  await t.rejects(drive.open('/', 'w'), code('EISDIR'))
  await t.rejects(drive.open('nope', 'r+'), { code: 'ENOENT', errno: 2, path: '/nope' })
  await t.rejects(drive.open('f', 'wx'), { code: 'EEXIST', errno: 17 })
  await t.rejects(drive.open('f', 'rw'), { code: 'EINVAL', errno: 22 })
  const checkout = drive.checkout(version)
  await t.rejects(checkout.open('f', 'r+'), code('EPERM'))
  t.equal(drive.version, version, 'nothing was written')
})

t.test(
  'the size of a file that is being written grows, and its content changes at close',
  async (t) => {
    const drive = await memoryDrive(t)
    await drive.writeFile('f', 'old')
    const fd = await drive.open('f', 'a')
    await drive.write(fd, Buffer.from(' and new'))
    t.equal((await drive.stat('f')).size, 11)
    t.equal(await drive.readFile('f', 'utf8'), 'old')
    await drive.close(fd)
    t.equal(await drive.readFile('f', 'utf8'), 'old and new')
    t.equal((await drive.stat('f')).size, 11)
  },
)

t.test('closing the drive makes what was written through open descriptors files', async (t) => {
  const drive = await memoryDrive(t)
  const seen: string[] = []
  drive.on('append', (path) => seen.push(path))
  const fd = await drive.open('f', 'w')
  await drive.write(fd, Buffer.from('kept'))
  await drive.close()
  t.same(seen, ['/f'])
  await t.rejects(drive.read(fd, Buffer.alloc(1)), code('EBADF'))
})

t.test('a descriptor reads a mounted plain log as a file', async (t) => {
  const drive = await memoryDrive(t)
  await drive.writeFile('f', 'content')
  const { key } = await drive.getContent()
  await drive.mount('log', key ?? Buffer.alloc(0), { hypercore: true })
  const fd = await drive.open('log', 'r')
  const buffer = Buffer.alloc(7)
  t.equal((await drive.read(fd, buffer, 0, 7, 3)).bytesRead, 4)
  t.equal(buffer.toString('utf8', 0, 4), 'tent')
  await drive.close(fd)
  await t.rejects(drive.open('log', 'w'), code('EPERM'))
})

t.test('promises.open gives a handle with the calls of a descriptor', async (t) => {
  const drive = await memoryDrive(t)
  const { open } = drive.promises
  const out = await open('f', 'w')
  await out.writeFile('hello ')
  t.equal((await out.write(Buffer.from('..world..'), 2, 5)).bytesWritten, 5)
  await out.appendFile('21', 'hex')
  t.equal((await out.stat()).size, 12)
  await Promise.all([out.close(), out.close()])
  const handle = await open('f')
  const buffer = Buffer.alloc(5)
  t.equal((await handle.read(buffer, 0, 5, 6)).bytesRead, 5)
  t.equal(buffer.toString(), 'world')
  t.equal((await handle.read(Buffer.alloc(11))).bytesRead, 11)
  t.equal(await handle.readFile('utf8'), '!', 'goes on where it stands')
  t.same(await (await open('f')).readFile(), Buffer.from('hello world!'))
  t.equal(typeof handle.fd, 'number')
  t.equal((await drive.read(handle.fd, buffer, 0, 5, 0)).bytesRead, 5)
  await t.rejects(handle.writeFile('x'), code('EBADF'))
  await handle.close()
  await t.rejects(handle.read(buffer), code('EBADF'))
  const cut = await open('f', 'r+')
  await t.rejects(cut.truncate(-3), code('EINVAL'))
  await cut.truncate()
  await cut.close()
  t.equal((await drive.stat('f')).size, 0)
  await t.rejects(open('nope'), { code: 'ENOENT', syscall: 'open' })
})
