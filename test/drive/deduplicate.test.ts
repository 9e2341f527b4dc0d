import assert from 'node:assert/strict'
import * as fs from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import { Drive } from '../../src/drive/drive.ts'
import { Stat } from '../../src/drive/entries/stat.ts'
import { MemoryFolder } from '../../src/storage/index.ts'
import { memoryDrive } from './drives.ts'

const A = Buffer.alloc(1000, 'a')
const LARGE = Buffer.alloc(1_200_000, 'large')

async function blocks(drive: Drive): Promise<number> {
  return (await drive.getContent()).length
}

t.test('a file whose bytes are there is stored by its entry alone', async (t) => {
  const drive = await memoryDrive(t, { deduplicate: true })
  await drive.writeFile('/a', A)
  await drive.writeFile('/large', LARGE)
  t.equal(await blocks(drive), 4)
  await drive.writeFile('/a-again', A, { mode: 0o600 })
  await drive.writeFile('/large-again', LARGE)
  t.equal(await blocks(drive), 4)
  // The first blocks alone are a file too.
  await drive.writeFile('/begin', LARGE.subarray(0, 524_288))
  t.equal(await blocks(drive), 4)
  t.ok((await drive.readFile('/a-again')).equals(A))
  t.ok((await drive.readFile('/large-again')).equals(LARGE))
  t.ok((await drive.readFile('/begin')).equals(LARGE.subarray(0, 524_288)))
  t.equal((await drive.stat('/a-again')).mode & 0o777, 0o600)
  await drive.writeFile('/other', Buffer.concat([A, A]))
  await drive.writeFile('/empty', '')
  await drive.writeFile('/empty-again', '')
  t.equal(await blocks(drive), 7)
  await drive.unlink('/a')
  t.ok((await drive.readFile('/a-again')).equals(A))
  t.end()
})

t.test('files that are written at once, or in a batch, share as well', async (t) => {
  const drive = await memoryDrive(t, { deduplicate: true })
  await Promise.all(['a', 'b', 'c'].map((name) => drive.writeFile(name, A)))
  t.equal(await blocks(drive), 1)
  await drive.batch(async (batch) => {
    for (const name of ['d', 'e', 'f']) await batch.writeFile(name, A)
    for (const name of ['g', 'h']) await batch.writeFile(name, 'new')
    await drive.writeFile('/between', 'between')
  })
  t.equal(await blocks(drive), 3)
  for (const name of ['a', 'c', 'd', 'f']) t.ok((await drive.readFile(name)).equals(A))
  for (const name of ['g', 'h']) t.equal(await drive.readFile(name, 'utf8'), 'new')
  // And with a view, when others write meanwhile.
  await drive.batch(async (batch) => {
    await batch.writeFile('i', 'newer')
    await batch.writeFile('j', 'newer')
    await batch.mkdir('/dir')
    await drive.writeFile('/between', 'more between')
    await batch.writeFile('k', A)
    await batch.writeFile('l', 'newest')
  })
  t.equal(await blocks(drive), 6)
  for (const name of ['i', 'j']) t.equal(await drive.readFile(name, 'utf8'), 'newer')
  t.ok((await drive.readFile('k')).equals(A))
  await drive.writeFile('/m', 'newest')
  await drive.writeFile('/n', 'newer')
  t.equal(await drive.readFile('/n', 'utf8'), 'newer')
  t.end()
})

t.test('an import stores what is the same once, and knows what was stored before', async (t) => {
  const root = t.testdir({ a: A, b: A, c: 'c', d: { a: A, none: '', also: '' } })
  const folder = new MemoryFolder()
  const open = (): Drive => new Drive((name) => folder.open(name), { deduplicate: true })
  const first = open()
  const report = await first.importDirectory(root)
  t.equal(report.writtenBytes, A.length + 1)
  t.equal(await blocks(first), 2)
  const stream = first.createWriteStream('/streamed')
  await new Promise((resolve) => {
    stream.end(LARGE.subarray(0, 60_000), () => resolve(null))
  })
  await first.writeFile('/written', LARGE.subarray(0, 60_000))
  t.equal(await blocks(first), 3)
  await first.close()
  const drive = open()
  t.teardown(() => drive.close())
  fs.writeFileSync(join(root, 'e'), LARGE.subarray(0, 60_000))
  const again = await drive.importDirectory(root, '/again')
  t.equal(again.writtenBytes, 0)
  t.equal(await blocks(drive), 3)
  t.ok((await drive.readFile('/again/e')).equals(LARGE.subarray(0, 60_000)))
  t.ok((await drive.readFile('/again/d/a')).equals(A))
  t.end()
})

t.test('of thousands of files all but few are found again', async (t) => {
  const folder = new MemoryFolder()
  const write = async (path: string): Promise<number> => {
    const drive = new Drive((name) => folder.open(name), { deduplicate: true })
    await drive.batch(async (batch) => {
      for (let i = 0; i < 3000; i++) await batch.writeFile(`${path}/${i}`, `content ${i}`)
    })
    const length = await blocks(drive)
    await drive.close()
    return length
  }
  t.equal(await write('/first'), 3000)
  // Three files for one pair of places: the third displaces one.
  t.ok((await write('/again')) < 3000 + 20)
  t.end()
})

t.test('what was cleared here, or never was there, is not shared', async (t) => {
  const drive = await memoryDrive(t, { deduplicate: true })
  const content = await drive.getContent()
  await drive.writeFile('/a', A)
  await content.clear(0, 1)
  await drive.writeFile('/b', A)
  t.equal(content.length, 2)
  t.ok((await drive.readFile('/b')).equals(A))
  // Entries that lie about their place, as v10's copies across mounts do.
  const liar = new MemoryFolder()
  const plain = new Drive((name) => liar.open(name))
  await plain.writeFile('/x', 'x')
  await plain.writeFile('/y', A)
  for (const [key, offset, byteOffset] of [
    ['z', 1, 0],
    ['far', 99, 9],
  ] as const) {
    await plain.db?.trie.put(
      key,
      Stat.file({ offset, byteOffset, size: 1000, blocks: 1 }, 1).encode(),
    )
  }
  await plain.unlink('/y')
  await plain.close()
  const sharing = new Drive((name) => liar.open(name), { deduplicate: true })
  t.teardown(() => sharing.close())
  await sharing.writeFile('/a', A)
  t.equal(await blocks(sharing), 3, 'the byte at which z begins is not that of its block')
  t.ok((await sharing.readFile('/a')).equals(A))
  t.end()
})

t.test('a first look that fails is taken again, and what is no entry is passed over', async (t) => {
  const drive = await memoryDrive(t, { deduplicate: true })
  await drive.db?.trie.put('trash', Buffer.from([0xff]))
  const content = await drive.getContent()
  await content.append(A)
  const entry = Stat.file({ offset: 0, byteOffset: 0, size: 1000, blocks: 1 }, 1)
  await drive.db?.trie.put('a', entry.encode())
  const look = content.getBlockInfo.bind(content)
  content.getBlockInfo = () => Promise.reject(new Error('not now'))
  await t.rejects(drive.writeFile('/b', A), { message: 'not now' })
  content.getBlockInfo = look
  await drive.writeFile('/b', A)
  t.equal(content.length, 1)
  // A look that fails later costs no more than the place.
  content.getBlockInfo = () => Promise.reject(new Error('not now'))
  await drive.writeFile('/c', A)
  content.getBlockInfo = look
  t.equal(content.length, 2)
  t.ok((await drive.readFile('/c')).equals(A))
  t.end()
})

t.test('nothing is shared unless it is asked for, and never under exact', async (t) => {
  for (const options of [{}, { deduplicate: true, exact: true }]) {
    const drive = await memoryDrive(t, options)
    await drive.writeFile('/a', A)
    await drive.writeFile('/b', A)
    t.equal(await blocks(drive), 2)
  }
  t.end()
})

t.test('clear keeps what another file needs', async (t) => {
  const drive = await memoryDrive(t, { deduplicate: true })
  await drive.writeFile('/a', A)
  await drive.writeFile('/b', A)
  await drive.clear('/a')
  t.ok((await drive.readFile('/b', { wait: false })).equals(A))
  t.end()
})

t.test('a file that cannot be stored leaves no trace in the index', async (t) => {
  const drive = await memoryDrive(t, { deduplicate: true })
  await t.rejects(drive.writeFile('/a', A, { mode: -1 }), RangeError)
  await drive.writeFile('/b', A)
  await drive.writeFile('/c', A)
  t.equal(await blocks(drive), 1)
  t.ok((await drive.readFile('/c')).equals(A))
  t.end()
})

t.test('any files, written any way, read as they were written', async (t) => {
  const bytes = fc
    .tuple(fc.constantFrom(0, 1, 3, 524_288, 524_289), fc.nat(1))
    .map(([length, fill]) => Buffer.alloc(length, fill))
  const write = fc.record({ name: fc.nat(5), bytes, how: fc.nat(3) })
  await fc.assert(
    fc.asyncProperty(fc.array(write, { maxLength: 12 }), async (writes) => {
      const drive = await memoryDrive({ teardown: () => undefined }, { deduplicate: true })
      try {
        const model = new Map<string, Buffer>()
        for (const { name, bytes: content, how } of writes) {
          const path = `f${name}`
          model.set(path, content)
          if (how === 0) await drive.writeFile(path, content)
          if (how === 1) await drive.batch((batch) => batch.writeFile(path, content))
          if (how === 2) {
            await drive.batch(async (batch) => {
              await batch.writeFile('other', content)
              await batch.rename('other', path)
            })
          }
          if (how === 3) {
            const fd = await drive.open(path, 'w')
            await drive.write(fd, content)
            await drive.close(fd)
          }
        }
        for (const [path, content] of model) {
          assert.ok((await drive.readFile(path)).equals(content), path)
          const half = content.length >> 1
          assert.ok((await drive.readFile(path, { start: half })).equals(content.subarray(half)))
        }
      } finally {
        await drive.close()
      }
    }),
    { numRuns: process.env['SLOW'] ? 1000 : 40 },
  )
  t.end()
})
