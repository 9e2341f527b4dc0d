import fc from 'fast-check'
import t from 'tap'
import { BlockRanges } from '../../src/drive/content/block-ranges.ts'
import type { Drive } from '../../src/drive/drive.ts'
import { cloneOf, code, memoryDrive, memoryDrives } from './drives.ts'

const NOTHING = { files: 0, totalFiles: 0, blocks: 0, totalBlocks: 0, bytes: 0, totalBytes: 0 }

t.test('of a drive of our own all is here', async (t) => {
  const drive = await memoryDrive(t)
  t.same(await drive.availability(), { metadata: 'all', isComplete: true, ...NOTHING })
  await drive.writeFile('dir/a', 'aaa')
  await drive.create('empty')
  await drive.symlink('dir/a', 'link')
  const all = { metadata: 'all', isComplete: true, files: 2, totalFiles: 2, bytes: 3, blocks: 1 }
  t.match(await drive.availability(), all)
  t.match(await drive.availability('link'), { files: 1, bytes: 3 })
  t.match(await drive.availability('/', { recursive: false }), { totalFiles: 1, bytes: 0 })
  t.match(await drive.checkout(2).availability('dir'), { files: 1, bytes: 3 })
  await t.rejects(drive.availability('nope'), { code: 'ENOENT', path: '/nope' })
})

t.test('a clone that knows nothing says so, with and without a peer', async (t) => {
  const writer = await memoryDrive(t)
  const clone = await memoryDrive(t, { keyPair: undefined })
  const unknown = await cloneOf(t, writer)
  await writer.close()
  t.match(await clone.availability(), { metadata: 'all' })
  const nothing = { metadata: 'none', isComplete: false, ...NOTHING }
  t.same(await unknown.availability(), nothing)
  t.same(await unknown.availability('some/file'), nothing)
})

t.test('what is known is counted beside what is not', async (t) => {
  const writer = await memoryDrive(t)
  for (let i = 0; i < 40; i++) await writer.writeFile(`d${i % 4}/f${i}`, 'x'.repeat(i + 1))
  const clone = await cloneOf(t, writer, { extension: false })
  await clone.stat('d1/f5')
  const some = await clone.availability()
  t.match(some, { metadata: 'some', isComplete: false, files: 0, blocks: 0, bytes: 0 })
  t.ok(some.totalFiles > 0 && some.totalFiles < 40, `${some.totalFiles} files are known`)
  t.match(await clone.availability('d1/f5'), { metadata: 'all', totalBytes: 6, isComplete: false })
  await clone.readdir('d1')
  t.match(await clone.availability('d1'), { metadata: 'all', totalFiles: 10 })
  await clone.download('d1')
  t.match(await clone.availability('d1'), { isComplete: true, files: 10, blocks: 10 })
  await clone.download()
  t.match(await clone.availability(), { isComplete: true, files: 40, totalFiles: 40, bytes: 820 })
})

t.test('mounts count, unless they are left out', async (t) => {
  const [outer, inner] = (await memoryDrives(t, 2)) as [Drive, Drive]
  await inner.writeFile('f', 'fff')
  await outer.writeFile('own', 'o')
  await outer.mount('m', inner.key ?? Buffer.alloc(0))
  t.match(await outer.availability(), { files: 2, bytes: 4, isComplete: true })
  t.match(await outer.availability('/', { noMounts: true }), { files: 1, bytes: 1 })
  t.match(await outer.availability('m/f'), { files: 1, bytes: 3 })
  const clone = await cloneOf(t, outer)
  await clone.readdir('/')
  t.match(await clone.availability(), { metadata: 'some', totalFiles: 1 })
  t.match(await clone.availability('m/f'), { metadata: 'none', totalFiles: 0 })
})

t.test('an availability that is aborted, or of a closed drive, says so', async (t) => {
  const drive = await memoryDrive(t)
  const reason = new Error('enough')
  await t.rejects(drive.availability('/', { signal: AbortSignal.abort(reason) }), reason)
  const byCallback = await new Promise((resolve) => {
    drive.availability((error, answer) => resolve(error ?? answer))
  })
  t.match(byCallback, { metadata: 'all' })
  await drive.close()
  await t.rejects(drive.availability(), code('DRIVE_CLOSED'))
})

t.test('clearing keeps blocks that other entries need, and says so', async (t) => {
  const drive = await memoryDrive(t)
  await drive.writeFile('a', 'aaaa')
  await drive.writeFile('alone', 'b')
  await drive.cp('a', 'copies/a')
  t.match(await drive.clear('a'), { blocks: 0, sharedBlocks: 1, bytesFreed: 0 })
  t.equal(await drive.readFile('copies/a', 'utf8'), 'aaaa')
  t.match(await drive.clear('alone'), { blocks: 1, sharedBlocks: 0 })
  await drive.rename('a', 'moved')
  t.match(await drive.clear('copies'), { blocks: 0, sharedBlocks: 1 })
  await drive.unlink('copies/a')
  t.match(await drive.clear('moved'), { blocks: 1, sharedBlocks: 0 })
  t.match(await drive.availability(), { files: 0, totalFiles: 2, blocks: 0 })
})

t.test('what is shared among the files cleared goes', async (t) => {
  const drive = await memoryDrive(t)
  await drive.writeFile('d/a', 'aaaa')
  await drive.cp('d/a', 'd/b')
  t.match(await drive.clear('d'), { blocks: 1, sharedBlocks: 0 })
  await drive.writeFile('d/a', 'cccc')
  await drive.cp('d/a', 'c')
  t.match(await drive.clear('d/a', { keepShared: false }), { blocks: 1, sharedBlocks: 0 })
  t.match(await drive.availability('c'), { blocks: 0, totalBlocks: 1 })
})

t.test('clearing a checkout drops what only older versions need', async (t) => {
  const drive = await memoryDrive(t)
  await drive.writeFile('kept', 'kept')
  await drive.writeFile('changed', 'old')
  const old = drive.checkout(drive.version)
  await drive.writeFile('changed', 'new')
  t.match(await old.clear('/'), { blocks: 1, sharedBlocks: 1 })
  t.equal(await drive.readFile('kept', 'utf8'), 'kept')
  t.equal(await drive.readFile('changed', 'utf8'), 'new')
  t.match(await old.availability('changed'), { blocks: 0, totalBlocks: 1 })
})

t.test('clearing counts what mounts of one drive share', async (t) => {
  const [outer, inner] = (await memoryDrives(t, 2)) as [Drive, Drive]
  await inner.writeFile('f', 'fff')
  await inner.cp('f', 'g')
  await outer.mount('m', inner.key ?? Buffer.alloc(0))
  t.match(await outer.clear('m/f'), { blocks: 0, sharedBlocks: 1 })
  t.match(await outer.clear('m', { noMounts: false }), { blocks: 1, sharedBlocks: 0 })
})

t.test('ranges of blocks are a set', (t) => {
  const range = fc.tuple(fc.nat(30), fc.nat(8)).map(([start, length]) => [start, start + length])
  fc.assert(
    fc.property(fc.array(range, { maxLength: 12 }), range, (all, [start = 0, end = 0]) => {
      const set = new Set<number>()
      const ranges = new BlockRanges()
      for (const [first = 0, last = 0] of all) {
        ranges.add(first, last)
        for (let block = first; block < last; block++) set.add(block)
      }
      const missing: number[] = []
      for (const [first, last] of ranges.gaps(start, end)) {
        for (let block = first; block < last; block++) missing.push(block)
      }
      const wanted = Array.from({ length: end - start }, (_, i) => start + i)
      t.same(
        missing,
        wanted.filter((block) => !set.has(block)),
      )
      for (const [i, [first, last]] of ranges.ranges.entries()) {
        const before = ranges.ranges[i - 1]
        if (last <= first || (before && before[1] >= first)) throw new Error('not joined')
      }
    }),
  )
  t.end()
})

t.test('bytes of a file half here are those of its blocks, whichever they are', async (t) => {
  const writer = await memoryDrive(t)
  const file = writer.createWriteStream('f')
  for (let i = 0; i < 12; i++) file.write('x'.repeat(i + 1))
  await new Promise<void>((resolve) => file.end(resolve))
  const clone = await cloneOf(t, writer)
  await clone.stat('f')
  const content = await clone.getContent()
  let bytes = 0
  for (const block of [4, 0, 1, 3, 2, 9, 5, 11]) {
    await content.get(block)
    bytes += block + 1
    t.match(await clone.availability('f'), { bytes, totalBytes: 78 }, `with block ${block}`)
  }
  t.equal(await content.downloadedBytes(), bytes)
  t.equal(await content.downloadedBytes(2, 5), 3 + 4 + 5)
})

t.test('clearing a mounted log keeps it while another entry shows it', async (t) => {
  const [outer, inner] = (await memoryDrives(t, 2)) as [Drive, Drive]
  await inner.writeFile('f', 'hello')
  const { key } = await inner.getContent()
  for (const name of ['one', 'two']) {
    await outer.mount(name, key ?? Buffer.alloc(0), { hypercore: true })
  }
  // What is no entry needs nothing.
  await outer.db?.trie.put('broken', Buffer.from([255]))
  t.match(await outer.clear('one'), { blocks: 0, sharedBlocks: 1 })
  await outer.unmount('two')
  t.match(await outer.clear('one'), { blocks: 1, sharedBlocks: 0 })
})
