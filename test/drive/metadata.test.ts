import t from 'tap'
import { code, memoryDrive } from './drives.ts'

t.test('an update changes the given fields and merges metadata', async (t) => {
  const drive = await memoryDrive(t)
  await drive.writeFile('f', 'abc', { mode: 0o600, uid: 7, metadata: { a: 'one', b: 'two' } })
  const before = await drive.stat('f')
  const after = await drive.update('f', { gid: 9, mtime: 5, metadata: { b: 'new' } })
  t.same({ ...after.metadata }, { a: Buffer.from('one'), b: Buffer.from('new') })
  t.same([after.mode, after.uid, after.gid, after.size], [before.mode, 7, 9, 3])
  t.equal((await drive.stat('f')).mtime.getTime(), 5)
  t.equal(await drive.readFile('f', 'utf8'), 'abc')
})

t.test('metadata is set and removed key by key; a removed key reads as null', async (t) => {
  const drive = await memoryDrive(t)
  await drive.writeFile('f', '')
  await drive.setMetadata('f', 'k', Buffer.from('v'))
  await drive.setMetadata('f', '__proto__', 'data')
  t.same((await drive.stat('f')).metadata['k'], Buffer.from('v'))
  t.same(
    Object.getOwnPropertyDescriptor((await drive.stat('f')).metadata, '__proto__')?.value,
    Buffer.from('data'),
  )
  await drive.removeMetadata('f', 'k')
  t.equal((await drive.stat('f')).metadata['k'], null)
})

t.test('only what has an entry can be updated', async (t) => {
  const drive = await memoryDrive(t)
  await drive.writeFile('dir/f', '')
  const { version } = drive
  for (const name of ['nope', 'dir', '/']) {
    await t.rejects(drive.setMetadata(name, 'k', 'v'), { code: 'ENOENT', errno: 2 })
  }
  // @ts-expect-error: a caller without types
  await t.rejects(drive.setMetadata('dir/f', 'k', 7), TypeError)
  await t.rejects(drive.update('dir/f', { mode: -1 }), RangeError)
  await t.rejects(drive.checkout(version).update('dir/f', {}), code('EPERM'))
  t.equal(drive.version, version)
})

t.test('a link is updated itself, and a mount point remains one', async (t) => {
  const drive = await memoryDrive(t)
  const other = await memoryDrive(t)
  await drive.symlink('nowhere', 'l')
  await drive.update('l', { uid: 3 })
  t.equal((await drive.lstat('l')).uid, 3)
  await drive.mount('m', other.key ?? Buffer.alloc(0))
  await drive.update('m', { uid: 4 })
  const { uid, mount } = await drive.stat('m')
  t.equal(uid, 4)
  t.same(mount?.key, other.key)
  t.same([...(await drive.getAllMounts()).keys()], ['/', '/m'])
})
