import { once } from 'node:events'
import type { DirectoryEntry } from '../../src/drive/index.ts'
import t from 'tap'
import { code, memoryDrive, memoryDrives } from './drives.ts'

t.test('a listing has each name once, whether it has an entry or is implied', async (t) => {
  const drive = await memoryDrive(t)
  await drive.mkdir('a')
  for (const name of ['a/x', 'a/y/z', 'b/c/d', 'f']) await drive.writeFile(name, name)
  t.same((await drive.readdir('/')).toSorted(), ['a', 'b', 'f'])
  t.same((await drive.readdir('a')).toSorted(), ['x', 'y'])
  t.same((await drive.readdir('b')).toSorted(), ['c'])
  const all = ['a', 'a/x', 'a/y/z', 'b/c/d', 'f']
  t.same((await drive.readdir('/', { recursive: true })).toSorted(), all)
  t.same((await drive.readdir('/', { recursive: true, reverse: true })).toSorted(), all)
})

t.test('an empty directory has no names; what is missing, or a file, is none', async (t) => {
  const drive = await memoryDrive(t)
  t.same(await drive.readdir('/'), [])
  await drive.writeFile('f', 'x')
  await drive.mkdir('d')
  await drive.symlink('/d', 'link')
  await drive.symlink('/nowhere', 'broken')
  for (const name of ['d', 'link']) t.same(await drive.readdir(name), [], name)
  for (const options of [{}, { recursive: true }, { includeStats: true }] as const) {
    await t.rejects(drive.readdir('f', options), { code: 'ENOTDIR', errno: 20, path: '/f' })
    await t.rejects(drive.readdir('nope', options), { code: 'ENOENT', errno: 2, path: '/nope' })
  }
  await t.rejects(drive.readdir('broken'), { code: 'ENOENT', path: '/nowhere' })
  const failed = once(drive.createDirectoryStream('nope').resume(), 'end')
  await t.rejects(failed, { code: 'ENOENT', syscall: 'readdir' })
  const exact = await memoryDrive(t, { exact: true })
  await exact.writeFile('f', 'x')
  for (const name of ['nope', 'f']) t.same(await exact.readdir(name), [], `exact: ${name}`)
  // @ts-expect-error: a caller without types
  await t.rejects(drive.readdir(7), TypeError)
})

t.test('with stats a directory shows its own entry, or what implies it', async (t) => {
  const drive = await memoryDrive(t)
  await drive.mkdir('own', 0o700)
  await drive.writeFile('own/deep/f', 'x')
  await drive.writeFile('implied/deep/f', 'x', { mtime: 5 })
  await drive.symlink('f', 'link')
  const rows = await drive.readdir('/', { includeStats: true })
  const byName = new Map(rows.map((row) => [row.name, row]))
  t.match(byName.get('own'), { path: '/own', innerPath: 'own', stat: { mode: 0o040700 } })
  t.match(byName.get('implied'), {
    path: '/implied',
    innerPath: 'implied',
    stat: { mode: 0o040755 },
  })
  t.equal(byName.get('implied')?.stat.mtime.getTime(), 5)
  t.match(byName.get('link'), { stat: { linkname: 'f' } })
  t.same(byName.get('own')?.mount.key, drive.key)
})

t.test('a directory stream gives the same, as it is found', async (t) => {
  const drive = await memoryDrive(t)
  for (let i = 0; i < 300; i++) await drive.writeFile(`n/${i}`, '')
  const names: string[] = []
  for await (const row of drive.createDirectoryStream('n')) names.push((row as DirectoryEntry).name)
  t.same(names, await drive.readdir('n'))
  t.equal(names.length, 300)
})

t.test('a recursive listing goes into mounts unless it must not', async (t) => {
  const [outer, inner] = await memoryDrives(t, 2)
  if (!outer || !inner) throw new Error('two drives')
  await inner.writeFile('in/side', 'x')
  await outer.writeFile('top', 'x')
  await outer.mount('m', inner.key ?? Buffer.alloc(0))
  t.same((await outer.readdir('/', { recursive: true })).toSorted(), ['m', 'm/in/side', 'top'])
  t.same((await outer.readdir('/', { recursive: true, noMounts: true })).toSorted(), ['m', 'top'])
  t.same(await outer.readdir('m'), ['in'])
  const [row] = await outer.readdir('m', { includeStats: true, recursive: true })
  t.same(row?.mount.key, inner.key)
  t.equal(row?.innerPath, 'in/side')
})

t.test('a value that is no stat stops the listing with a typed error', async (t) => {
  const drive = await memoryDrive(t)
  await drive.writeFile('good', 'x')
  await drive.db?.put('/bad', Buffer.from([0xff]))
  await drive.db?.put('/null', null)
  await t.rejects(drive.readdir('/'), code('DRIVE_BAD_STAT'))
  await t.rejects(drive.stat('bad'), code('DRIVE_BAD_STAT'))
  await t.rejects(drive.stat('null'), code('DRIVE_BAD_STAT'))
  t.equal(await drive.readFile('good', 'utf8'), 'x')
})
