/** A disk that does not read, reads late, or holds more than memory does. */
import t from 'tap'
import { Log } from '../../src/log/index.ts'
import { StorageError } from '../../src/storage/index.ts'
import type { MemoryFolder, RandomAccess } from '../../src/storage/index.ts'
import { blocksOf, copyOf, message, writer } from './logs.ts'

/** Files of `folder` whose reads `before` may delay or fail. */
function slowed(
  folder: MemoryFolder,
  before: (name: string) => Promise<void>,
): (name: string) => RandomAccess {
  return (name) => {
    const file = folder.open(name)
    return {
      read: async (offset, length) => {
        await before(name)
        return file.read(offset, length)
      },
      write: (offset, bytes) => file.write(offset, bytes),
      truncate: (length) => file.truncate(length),
      punch: (offset, length) => file.punch(offset, length),
      size: () => file.size(),
      sync: () => file.sync(),
      close: () => file.close(),
      destroy: () => file.destroy(),
    }
  }
}

/** A folder that holds a copy of the first blocks of a log, and the log. */
async function stored(count: number, held: number): Promise<{ log: Log; folder: MemoryFolder }> {
  const { log } = await writer(blocksOf(count, 1))
  const { copy, folder } = await copyOf(log)
  for (let i = 0; i < held; i++) await copy.receive([await message(log, copy, i)], null)
  await copy.close()
  return { log, folder }
}

t.test(
  'a disk that does not read fails what needs it with its own error, and only that',
  async (t) => {
    const { log, folder } = await stored(1100, 514)
    let broken: string | null = null
    const open = slowed(folder, async (name) => {
      if (name === broken) throw new StorageError('STORAGE_IO', 'broken')
    })
    const copy = new Log(open, null, { sparse: true })
    await copy.ready()
    const next = await message(log, copy, 290)
    const io = { code: 'STORAGE_IO' }
    broken = 'tree'
    // Opening has read pages of roots, and of the end: that of blocks 256 to 383 is neither.
    await t.rejects(copy.get(290), io)
    await t.rejects(copy.receive([next], null), io)
    await t.rejects(copy.seek(Math.floor((log.byteLength * 290) / 1100), { wait: false }), io)
    await t.rejects(copy.clear(290), io)
    broken = 'data'
    await t.rejects(copy.get(3), io)
    await t.rejects(copy.audit(), io)
    broken = null
    t.strictSame(await copy.get(3), await log.get(3))
    t.strictSame(await copy.receive([next], null), [null])
    t.strictSame(await copy.get(290), await log.get(290))
    await Promise.all([log.close(), copy.close()])
  },
)

t.test('a read that its file no longer takes says that the log is closed', async (t) => {
  const { log, folder } = await stored(4, 4)
  let closed = false
  const open = slowed(folder, async (name) => {
    if (closed && name === 'data') throw new StorageError('STORAGE_CLOSED', name)
  })
  const copy = new Log(open, null, { sparse: true })
  await copy.ready()
  closed = true
  await t.rejects(copy.get(1), { code: 'LOG_CLOSED' })
  await Promise.all([log.close(), copy.close()])
})

t.test('what a storage throws that is no error of storage is passed on as it is', async (t) => {
  const { log, folder } = await stored(4, 4)
  let strange = false
  const open = slowed(folder, async (name) => {
    if (strange && name === 'data') throw new RangeError('strange')
  })
  const copy = new Log(open, null, { sparse: true })
  await copy.ready()
  strange = true
  await t.rejects(copy.get(1), RangeError)
  await Promise.all([log.close(), copy.close()])
})

t.test('a block that is cleared while it is read is not held, rather than damaged', async (t) => {
  const { log, folder } = await stored(6, 6)
  let gate: Promise<void> | null = null
  const open = slowed(folder, async (name) => {
    if (name === 'data' && gate) await gate
  })
  const copy = new Log(open, null, { sparse: true })
  await copy.ready()
  for (const [start, end] of [
    [4, 6], // the tail: the file ends before it
    [1, 2], // in between: zeros
  ] as const) {
    let release = (): void => undefined
    gate = new Promise((resolve) => (release = resolve))
    const reading = copy.get(start)
    reading.catch(() => undefined)
    await new Promise((resolve) => setImmediate(resolve))
    await copy.clear(start, end)
    if (start === 1) await folder.open('data').write(0, new Uint8Array(9))
    gate = null
    release()
    await t.rejects(reading, { code: 'LOG_NOT_HELD' })
  }
  await Promise.all([log.close(), copy.close()])
})

t.test('sizes that no data can have are damage, and nothing is read for them', async (t) => {
  const { log, folder } = await stored(4, 4)
  await log.close()
  // Block 0 is said to have 2 ** 53 - 1 bytes, so block 1 would begin and end past all numbers.
  await folder.open('tree').write(32 + 32, Uint8Array.of(0, 0x1f, 255, 255, 255, 255, 255, 255))
  const reads: string[] = []
  const open = slowed(folder, async (name) => void reads.push(name))
  const copy = new Log(open, null, { sparse: true })
  await copy.ready()
  reads.length = 0
  await t.rejects(copy.get(1), { code: 'LOG_CORRUPT' })
  t.notOk(reads.includes('data'))
  await copy.close()
})

t.test('proofs and offsets are the same from a disk as from memory', async (t) => {
  const { log, folder } = await writer(blocksOf(1500, 1), { nodeCacheBytes: 0 })
  const fromMemory = await log.proof(777)
  await log.close()
  const again = new Log(folder.open)
  await again.ready()
  // Both at once: what they need of the tree is read once.
  const [one, other] = await Promise.all([again.proof(777), again.proof(777)])
  t.strictSame(one, fromMemory)
  t.strictSame(other, fromMemory)
  const where = await again.seek(3000)
  t.ok(where.index > 0)
  const leaf = await again.getBlockInfo(where.index)
  t.ok(where.offset < leaf.size)
  await t.rejects(again.getBlockInfo(1500), { code: 'LOG_NOT_PROVABLE' })
  await again.close()
})

t.test('a block finds its place also where the tree to its left is on disk alone', async (t) => {
  // 512 + 128 + 2 blocks: the last two have a root of their own, far from the roots to their left.
  const { log } = await writer(blocksOf(642, 1))
  const { copy, folder } = await copyOf(log)
  await copy.receive([await message(log, copy, 640)], null)
  await copy.close()
  const again = new Log(folder.open, null, { sparse: true })
  await again.ready()
  t.strictSame(await again.receive([await message(log, again, 641)], null), [null])
  t.strictSame(await again.get(641), await log.get(641))
  t.strictSame(await again.audit(), { valid: 2, invalid: 0 })
  await Promise.all([log.close(), again.close()])
})

t.test('a proof that says again what is known moves nothing', async (t) => {
  const { log } = await writer(blocksOf(6, 1))
  const { copy } = await copyOf(log)
  await copy.receive([await message(log, copy, 2)], null)
  // Not planned by what the copy has: the whole way up comes once more.
  t.strictSame(await copy.receive([await message(log, copy, 3, { digest: 0 })], null), [null])
  t.strictSame(await copy.getBatch(2, 4), await log.getBatch(2, 4))
  t.strictSame(await copy.audit(), { valid: 2, invalid: 0 })
  await Promise.all([log.close(), copy.close()])
})
