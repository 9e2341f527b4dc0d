/** What the storage fault replay (test/torture) found once, each by itself. */
import t, { type Test } from 'tap'
import { toHex } from '../../src/bytes.ts'
import { signingKeyPair } from '../../src/crypto.ts'
import { Log } from '../../src/log/index.ts'
import type { LogOptions } from '../../src/log/index.ts'
import { MemoryFolder, StorageError } from '../../src/storage/index.ts'
import type { OpenStorage } from '../../src/storage/index.ts'
import { FaultyFolder } from './faulty-folder.ts'
import { blocksOf, copyOf, message, writer } from './logs.ts'

const keys = signingKeyPair(new Uint8Array(32).fill(9))
const NODE_BYTES = 40
const HEADER_BYTES = 32
/** Where tree bits begin in the bitfield file. */
const TREE_BITS = HEADER_BYTES + 1024

/** A closed log of blocks that all have bytes, appended in these batches, and its files. */
async function filesOf(
  batches: readonly number[],
  options: LogOptions = {},
): Promise<Map<string, Uint8Array>> {
  const folder = new MemoryFolder()
  const log = new Log(folder.open, keys.publicKey, { secretKey: keys.secretKey, ...options })
  for (const count of batches) {
    // oxlint-disable-next-line no-await-in-loop
    await log.append(full(log.length, count))
  }
  await log.close()
  return folder.snapshot()
}

function full(start: number, count: number): Uint8Array[] {
  return Array.from({ length: count }, (_, i) => new Uint8Array(20 + i).fill(start + i + 1))
}

function file(files: ReadonlyMap<string, Uint8Array>, name: string): Uint8Array {
  return files.get(name) ?? new Uint8Array(0)
}

function blank(
  files: ReadonlyMap<string, Uint8Array>,
  treeIndex: number,
  bytes = NODE_BYTES,
): void {
  const at = HEADER_BYTES + NODE_BYTES * treeIndex
  file(files, 'tree').fill(0, at + NODE_BYTES - bytes, at + NODE_BYTES)
}

async function assertWhole(t: Test, files: Map<string, Uint8Array>, length: number): Promise<void> {
  const folder = new MemoryFolder(files)
  const log = new Log(folder.open, keys.publicKey)
  await log.ready()
  t.equal(log.length, length)
  t.strictSame(await log.audit(), { valid: length, invalid: 0 })
  const { copy } = await copyOf(log)
  for (let index = 0; index < length; index++) {
    // oxlint-disable-next-line no-await-in-loop
    t.strictSame(await copy.receive([await message(log, copy, index)], null), [null])
  }
  await log.close()
}

t.test('a key file that kept its size and lost its bytes is none', async (t) => {
  const files = await filesOf([3])
  for (const name of ['key', 'secret_key']) {
    const damaged = new Map(files).set(name, new Uint8Array(file(files, name).length))
    const log = new Log(new MemoryFolder(damaged).open, name === 'key' ? null : keys.publicKey)
    await log.ready()
    t.strictSame(log.key, keys.publicKey)
    t.equal(log.length, 3)
    t.equal(log.writable, name === 'key')
    await log.close()
  }
})

t.test('a read that ends early does not change who the log is', async (t) => {
  const files = await filesOf([3])
  for (const name of ['key', 'secret_key']) {
    const inner = new MemoryFolder(files)
    const open: OpenStorage = (each) => {
      const storage = inner.open(each)
      if (each === name)
        storage.read = () => Promise.reject(new StorageError('STORAGE_SHORT', each))
      return storage
    }
    const log = new Log(open)
    await t.rejects(log.ready(), { code: 'STORAGE_SHORT' })
    t.strictSame(inner.snapshot(), files)
  }
})

t.test('a key pair made at opening does not sign what it finds', async (t) => {
  const files = await filesOf([3])
  files.delete('key')
  files.delete('secret_key')
  const folder = new MemoryFolder(files)
  await t.rejects(new Log(folder.open).ready(), { code: 'LOG_CORRUPT' })
  t.strictSame(folder.snapshot(), files)
})

t.test('flush makes the key of a copy survive a power cut', async (t) => {
  const { log } = await writer(full(0, 3))
  const folder = new FaultyFolder()
  const copy = new Log(folder.open, log.key, { sparse: true })
  await copy.ready()
  t.strictSame(await copy.receive([await message(log, copy, 1)], null), [null])
  await copy.flush()
  const again = new Log(folder.afterPowerCut(() => false).open)
  await again.ready()
  t.strictSame(again.key, log.key)
  t.ok(again.has(1))
  await Promise.all([log.close(), copy.close(), again.close()])
})

t.test('a batch that is rolled forward gets the parents that did not arrive', async (t) => {
  const before = await filesOf([5])
  const files = await filesOf([5, 12])
  files.set('bitfield', file(before, 'bitfield'))
  blank(files, 9) // completes a pair with the batch before
  blank(files, 7, 16) // arrived in part
  blank(files, 19)
  await assertWhole(t, files, 17)
})

t.test('bits of blocks whose tree bits did not arrive are noticed', async (t) => {
  const files = await filesOf([9])
  files.delete('secret_key')
  file(files, 'bitfield').fill(0, TREE_BITS + 1, TREE_BITS + 3)
  await assertWhole(t, files, 9)
})

t.test('data bits that did not arrive are set, those of cleared blocks are not', async (t) => {
  const torn = await filesOf([4, 3])
  const bits = file(torn, 'bitfield')
  bits[HEADER_BYTES] = 0xf0
  await assertWhole(t, torn, 7)

  const folder = new MemoryFolder(await filesOf([4, 3]))
  const log = new Log(folder.open)
  await log.clear(5, 7)
  await log.close()
  const again = new Log(folder.open)
  await again.ready()
  t.equal(again.downloaded(), 5)
  await again.close()
})

t.test('a copy that is rolled forward forgets what it cannot prove', async (t) => {
  const { log } = await writer(full(0, 13))
  const { copy, folder } = await copyOf(log)
  t.strictSame(await copy.receive([await message(log, copy, 2)], null), [null])
  await copy.close()
  const files = folder.snapshot()
  files.set('bitfield', file(files, 'bitfield').slice(0, HEADER_BYTES))
  blank(files, 11)
  const again = new Log(new MemoryFolder(files).open, log.key, { sparse: true })
  await again.ready()
  t.equal(again.length, 13)
  t.notOk(again.has(2))
  t.strictSame(await again.receive([await message(log, again, 2)], null), [null])
  t.strictSame(await again.get(2), await log.get(2))
  await Promise.all([log.close(), again.close()])
})

t.test('nodes left on disk by a write that failed make no genuine block be refused', async (t) => {
  const { log } = await writer(full(0, 10))
  const { copy, folder } = await copyOf(log)
  for (const index of [8, 9]) await copy.receive([await message(log, copy, index)], null)
  await copy.close()
  await log.append(full(10, 20))
  // As if a batch had been written, and its bits had not.
  const files = folder.snapshot()
  const whole = new Uint8Array(HEADER_BYTES + 59 * NODE_BYTES)
  whole.set(file(files, 'tree'))
  for (let treeIndex = 19; treeIndex < 30; treeIndex++) {
    const found = await log.getBlockInfo(treeIndex / 2).catch(() => null)
    if (found === null || treeIndex % 2 === 1) continue
    whole.set(found.hash, HEADER_BYTES + treeIndex * NODE_BYTES)
    new DataView(whole.buffer).setUint32(HEADER_BYTES + treeIndex * NODE_BYTES + 36, found.size)
  }
  files.set('tree', whole)
  const again = new Log(new MemoryFolder(files).open, log.key, { sparse: true })
  await again.ready()
  for (const index of [10, 13, 29]) {
    t.strictSame(await again.receive([await message(log, again, index)], null), [null])
  }
  await Promise.all([log.close(), again.close()])
})

t.test('a power cut after clear loses no other block', async (t) => {
  const folder = new FaultyFolder()
  const log = new Log(folder.open, keys.publicKey, { secretKey: keys.secretKey })
  await log.append(full(0, 3))
  await log.append(full(3, 9))
  await log.flush()
  await log.clear(9, 12)
  await log.append(full(12, 1))
  const files = folder.afterPowerCut(() => false)
  const again = new Log(files.open)
  await again.ready()
  t.equal(again.length, 12)
  for (let index = 0; index < 9; index++) await again.get(index, { wait: false })
  await Promise.all([log.close(), again.close()])
})

t.test('an empty block at the end needs no data, though all before it were cleared', async (t) => {
  const folder = new MemoryFolder()
  const log = new Log(folder.open)
  await log.append(full(0, 5))
  await log.append(new Uint8Array(0))
  await log.clear(0, 5)
  await log.close()
  const before = folder.snapshot()
  const again = new Log(folder.open)
  await again.ready()
  t.equal(again.length, 6)
  t.equal((await again.get(5)).length, 0)
  await again.close()
  t.strictSame(folder.snapshot(), before)
})

t.test('shortening leaves no bit of what was there', async (t) => {
  const folder = new MemoryFolder()
  const log = new Log(folder.open)
  await log.append(blocksOf(40))
  await log.truncate(25)
  await log.close()
  const bits = file(folder.snapshot(), 'bitfield')
  t.equal(toHex(bits.subarray(TREE_BITS, TREE_BITS + 8)), 'fffffffefffe8000')
  const again = new Log(folder.open)
  await again.ready()
  t.equal(again.length, 25)
  await again.close()
})

t.test(
  'a first append to a static log, of which half a page of bits arrived, is none',
  async (t) => {
    const folder = new MemoryFolder()
    const log = new Log(folder.open, null, { live: false })
    await log.append(full(0, 3))
    await log.close()
    const files = folder.snapshot()
    files.delete('durable')
    file(files, 'bitfield').fill(0, TREE_BITS)
    const again = new Log(new MemoryFolder(files).open, null, { live: false })
    await again.ready()
    t.equal(again.length, 0)
    t.equal(await again.append(full(0, 2)), 0)
    t.strictSame(await again.audit(), { valid: 2, invalid: 0 })
    await again.close()
  },
)
