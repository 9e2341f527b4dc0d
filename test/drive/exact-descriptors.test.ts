/** Open files under `exact`, and of drives of others: the rules of v10, which the vectors hold too. */
import t from 'tap'
import { cloneOf, code, memoryDrive } from './drives.ts'

t.test('writes are in order, and the old bytes count until the file is closed', async (t) => {
  const drive = await memoryDrive(t, { exact: true })
  await drive.writeFile('f', 'old')
  const fd = await drive.open('f', 'r+')
  await t.rejects(drive.write(fd, Buffer.from('x'), 0, 1, 1), code('EBADF'))
  await drive.write(fd, Buffer.from('ne'))
  t.equal((await drive.stat('f')).size, 5)
  await t.rejects(drive.write(fd, Buffer.from('x'), 0, 1, 0), code('EBADF'))
  await drive.close(fd)
  t.equal(await drive.readFile('f', 'utf8'), 'ne')
})

t.test('a position is where the next call goes on', async (t) => {
  const drive = await memoryDrive(t, { exact: true })
  await drive.writeFile('f', 'hello world')
  const fd = await drive.open('f', 'r')
  const buffer = Buffer.alloc(3)
  await drive.read(fd, buffer, 0, 3, 4)
  await drive.read(fd, buffer, 0, 3, null)
  t.equal(buffer.toString(), 'orl')
  await drive.close(fd)
})

t.test('writes to one content log wait for the descriptor that writes it', async (t) => {
  const drive = await memoryDrive(t, { exact: true })
  const fd = await drive.open('f', 'w')
  await drive.write(fd, Buffer.from('first'))
  let written = false
  const other = drive.writeFile('g', 'second').then(() => (written = true))
  await drive.stat('f')
  t.notOk(written)
  await drive.close(fd)
  await other
  t.same(
    [await drive.readFile('f', 'utf8'), await drive.readFile('g', 'utf8')],
    ['first', 'second'],
  )
})

t.test('pieces that wait too long become a block', async (t) => {
  const drive = await memoryDrive(t, { descriptorFlushMs: 1, exact: true })
  const content = await drive.getContent()
  const fd = await drive.open('f', 'w')
  const appended = new Promise<void>((resolve) => content.once('append', () => resolve()))
  await drive.write(fd, Buffer.from('a'))
  await appended
  t.equal(content.length, 1)
  await drive.write(fd, Buffer.from('b'))
  await drive.write(fd, Buffer.from('c'))
  await drive.close(fd)
  t.equal(content.length, 2)
  t.equal(await drive.readFile('f', 'utf8'), 'abc')
})

t.test('appending copies what is there, and ftruncate only empties', async (t) => {
  const drive = await memoryDrive(t, { exact: true })
  const content = await drive.getContent()
  await drive.writeFile('f', 'abc', { mode: 0o600 })
  const end = await drive.open('f', 'a')
  await drive.write(end, Buffer.from('def'))
  await drive.close(end)
  t.same([content.byteLength, await drive.readFile('f', 'utf8')], [9, 'abcdef'])
  const fd = await drive.open('f', 'r+')
  await t.rejects(drive.ftruncate(fd, 1), code('EINVAL'))
  await drive.ftruncate(fd)
  await drive.close(fd)
  const { size, mode } = await drive.stat('f')
  t.same([size, mode & 0o777], [0, 0o600])
})

t.test('truncate copies the first bytes, or appends zeros', async (t) => {
  const drive = await memoryDrive(t, { exact: true })
  await drive.writeFile('f', 'abcdef')
  await drive.truncate('f', 3)
  t.equal(await drive.readFile('f', 'utf8'), 'abc')
  await drive.truncate('f', 5)
  t.equal(await drive.readFile('f', 'utf8'), 'abc\0\0')
  await t.rejects(drive.truncate('/', 1), code('EISDIR'))
})

t.test('what v10 has no call for acts on what is stored', async (t) => {
  const drive = await memoryDrive(t, { exact: true })
  await drive.writeFile('f', 'old')
  const fd = await drive.open('f', 'a')
  await drive.write(fd, Buffer.from('er'))
  await drive.fsync(fd)
  t.equal(await drive.readFile('f', 'utf8'), 'old', 'what is written is stored at close')
  t.equal((await drive.fstat(fd)).size, 5)
  await drive.fchmod(fd, 0o600)
  t.equal((await drive.stat('f')).mode & 0o777, 0o600)
  await drive.close(fd)
  t.equal(await drive.readFile('f', 'utf8'), 'older')
  const read = await drive.open('f', 'r')
  await t.rejects(drive.ftruncate(read), code('EBADF'))
  await drive.close(read)
  await t.rejects(drive.open('f'), code('EINVAL'), 'flags have no default')
})

t.test('a file of others is read as it was when it was opened, and not changed', async (t) => {
  const drive = await memoryDrive(t)
  await drive.writeFile('f', 'one')
  const clone = await cloneOf(t, drive)
  const fd = await clone.open('f')
  await drive.writeFile('f', 'another')
  const buffer = Buffer.alloc(9)
  t.equal((await clone.read(fd, buffer)).bytesRead, 3)
  t.equal((await clone.fstat(fd)).size, 7)
  await clone.fsync(fd)
  await clone.fdatasync(fd)
  for (const work of [
    clone.fchmod(fd, 0o600),
    clone.fchown(fd, 1, 1),
    clone.futimes(fd, 1, 1),
    clone.open('f', 'r+').then(() => undefined),
    clone.truncate('f', 1),
  ]) {
    await t.rejects(work, { code: 'EROFS', path: '/f' })
  }
  await clone.close(fd)
})
