import t from 'tap'
import type { Drive } from '../../src/drive/drive.ts'
import { cloneOf, code, memoryDrive, memoryDrives } from './drives.ts'

t.test('an entry that names bytes outside its blocks gives an error, and no bytes', async (t) => {
  const drive = await memoryDrive(t)
  await drive.writeFile('f', 'abc')
  await drive.writeFile('g', 'defgh')
  await drive.update('g', { byteOffset: 0 })
  await t.rejects(drive.readFile('g', { start: 1 }), code('EIO'))
  const fd = await drive.open('g', 'r')
  await t.rejects(drive.read(fd, Buffer.alloc(1), 0, 1, 2), code('EIO'))
  await drive.close(fd)
  await drive.update('g', { offset: Number.MAX_SAFE_INTEGER, blocks: 2 })
  await t.rejects(drive.readFile('g'), code('DRIVE_BAD_STAT'))
  await t.rejects(drive.stats('g'), code('DRIVE_BAD_STAT'))
  await t.rejects(drive.download('g').done, code('DRIVE_BAD_STAT'))
})

t.test('a size that is larger than the blocks hold ends where they end', async (t) => {
  const drive = await memoryDrive(t)
  await drive.writeFile('f', 'abc')
  await drive.writeFile('g', 'secret')
  await drive.update('f', { size: 9 })
  t.equal(await drive.readFile('f', 'utf8'), 'abc')
  const fd = await drive.open('f', 'r')
  const buffer = Buffer.alloc(9)
  t.equal((await drive.read(fd, buffer)).bytesRead, 3)
  await drive.close(fd)
})

t.test(
  'a write that cannot read what comes first fails, and lets the next one write',
  async (t) => {
    const [outer, inner] = (await memoryDrives(t, 2, { wait: false })) as [Drive, Drive]
    await inner.writeFile('f', 'gone')
    await inner.writeFile('d/f', 'gone')
    await inner.writeFile('last', 'x')
    await outer.mount('m', inner.key ?? Buffer.alloc(0))
    await inner.clear('f')
    await inner.clear('d')
    const missing = code('EUNAVAILABLE')
    await t.rejects(outer.copy('m/f', 'copy'), missing)
    await t.rejects(outer.cp('m/d', 'tree', { recursive: true }), missing)
    await t.rejects(inner.truncate('f', 2), missing)
    await t.rejects(inner.truncate('f', 9), missing)
    await t.rejects(inner.appendFile('f', 'more'), missing)
    t.equal((await inner.stat('f')).size, 4)
    await inner.writeFile('after', 'y')
    await outer.writeFile('after', 'z')
    t.equal(await inner.readFile('after', 'utf8'), 'y')
  },
)

t.test('a listener that throws when a write begins does not hold the others up', async (t) => {
  const drive = await memoryDrive(t)
  drive.once('appending', () => {
    throw new Error('no')
  })
  await t.rejects(drive.appendFile('f', 'x'), { message: 'no' })
  await drive.appendFile('f', 'y')
  t.equal(await drive.readFile('f', 'utf8'), 'y')
})

t.test('a clone changes nothing of what it may not', async (t) => {
  const drive = await memoryDrive(t)
  await drive.writeFile('f', 'abc')
  await drive.writeFile('d/x', '')
  const clone = await cloneOf(t, drive)
  await clone.readFile('f')
  const { version } = drive
  const key = Buffer.alloc(32)
  const works: readonly Promise<unknown>[] = [
    clone.createTag('v1'),
    clone.setMetadata('f', 'k', 'v'),
    clone.rename('f', 'g'),
    clone.rm('f'),
    clone.cp('f', 'g'),
    clone.copy('f', 'g'),
    clone.mount('m', key),
    clone.chmod('f', 0),
    clone.truncate('f', 1),
    clone.appendFile('g', 'x'),
  ]
  await Promise.all(works.map((work) => t.rejects(work, { code: /EROFS|EINVAL/ })))
  t.equal(drive.version, version)
  t.equal(await clone.getTaggedVersion('v1'), null)
})

t.test('a clone reads through a descriptor what it fetches, and ahead of it', async (t) => {
  const drive = await memoryDrive(t)
  const bytes = Buffer.alloc(3 * 524288, 'varve')
  await drive.writeFile('big', bytes)
  const clone = await cloneOf(t, drive)
  const fd = await clone.open('big', 'r')
  const buffer = Buffer.alloc(1000)
  await clone.read(fd, buffer, 0, 1000, 524288 - 500)
  t.ok(buffer.equals(bytes.subarray(524288 - 500, 524288 + 500)))
  await clone.read(fd, buffer, 0, 1000, 10)
  t.ok(buffer.equals(bytes.subarray(10, 1010)))
  await clone.close(fd)
})

t.test('closing a descriptor ends its reads that wait', async (t) => {
  const drive = await memoryDrive(t)
  await drive.writeFile('f', 'abc')
  const clone = await cloneOf(t, drive)
  await clone.stat('f')
  await drive.clear('f')
  const fd = await clone.open('f', 'r')
  const read = clone.read(fd, Buffer.alloc(3))
  const outcome = t.rejects(read, code('EBADF'))
  await clone.close(fd)
  await outcome
})

t.test('what cannot be told from here is unavailable, not absent', async (t) => {
  const drive = await memoryDrive(t)
  await drive.createTag('v1')
  const clone = await cloneOf(t, drive, { wait: false })
  const metadata = clone.metadata
  if (!metadata) throw new Error('the clone is open')
  await metadata.update({ wait: true, ifAvailable: true })
  await t.rejects(clone.getTaggedVersion('v1'), code('EUNAVAILABLE'))
  await t.rejects(clone.getAllTags(), code('EUNAVAILABLE'))
})
