/** What a power cut loses of writes that nobody had synced, and what opening costs then. */
import t from 'tap'
import { signingKeyPair } from '../../src/crypto.ts'
import { Log } from '../../src/log/index.ts'
import type { LogOptions } from '../../src/log/index.ts'
import { MemoryFolder, StorageError } from '../../src/storage/index.ts'
import type { OpenStorage } from '../../src/storage/index.ts'
import { FaultyFolder } from './faulty-folder.ts'
import { copyOf, message, writer } from './logs.ts'

const keys = signingKeyPair(new Uint8Array(32).fill(11))
const NEVER = 2 ** 31 - 1
const HEADER_BYTES = 32

function open(storage: OpenStorage, options: LogOptions = {}): Log {
  const { secretKey, publicKey } = keys
  return new Log(storage, publicKey, { secretKey, syncWindow: NEVER, sparse: true, ...options })
}

function full(start: number, count: number): Uint8Array[] {
  return Array.from({ length: count }, (_, i) => new Uint8Array(20).fill(start + i + 1))
}

/** A folder whose log was not closed: `flushed` blocks were synced, `later` more were not. */
async function interrupted(
  flushed: number,
  later: number,
): Promise<{ folder: FaultyFolder; files: Map<string, Uint8Array> }> {
  const folder = new FaultyFolder()
  const log = open(folder.open)
  await log.append(full(0, flushed))
  await log.flush()
  for (let block = flushed; block < flushed + later; block++) {
    // oxlint-disable-next-line no-await-in-loop
    await log.append(full(block, 1))
  }
  return { folder, files: folder.left().snapshot() }
}

/** Counts the bytes that are read of each file. */
function counted(inner: MemoryFolder): { open: OpenStorage; bytes: Map<string, number> } {
  const bytes = new Map<string, number>()
  return {
    bytes,
    open: (name) => {
      const file = inner.open(name)
      const read = file.read.bind(file)
      file.read = (offset, length) => {
        bytes.set(name, (bytes.get(name) ?? 0) + length)
        return read(offset, length)
      }
      return file
    },
  }
}

function part(files: ReadonlyMap<string, Uint8Array>, name: string): Uint8Array {
  return files.get(name) ?? new Uint8Array(0)
}

t.test('a writer ends before the first block that was lost, and goes on from there', async (t) => {
  const { files } = await interrupted(5, 4)
  part(files, 'data').fill(0, 7 * 20, 8 * 20)
  const folder = new MemoryFolder(files)
  const log = open(folder.open)
  await log.ready()
  t.equal(log.length, 7)
  t.strictSame(await log.audit(), { valid: 7, invalid: 0 })
  t.equal(await log.append(full(40, 1)), 7)
  const { copy } = await copyOf(log)
  for (let index = 0; index < 8; index++) {
    // oxlint-disable-next-line no-await-in-loop
    t.strictSame(await copy.receive([await message(log, copy, index)], null), [null])
  }
  await Promise.all([log.close(), copy.close()])
})

t.test('tree nodes that were lost are computed again from the data', async (t) => {
  const { files } = await interrupted(5, 4)
  // The parent of blocks 6 and 7, and the one above 4 to 7.
  for (const node of [13, 11]) {
    part(files, 'tree').fill(0, HEADER_BYTES + 40 * node, HEADER_BYTES + 40 * (node + 1))
  }
  const log = open(new MemoryFolder(files).open)
  await log.ready()
  t.equal(log.length, 9)
  t.equal((await log.proof(0)).nodes.length, 4)
  await log.close()
})

t.test('a log whose durable blocks are gone does not open as a shorter one', async (t) => {
  const { files } = await interrupted(5, 2)
  part(files, 'tree').fill(0, HEADER_BYTES) // all of it: no length above 0 is provable
  await t.rejects(open(new MemoryFolder(files).open).ready(), { code: 'LOG_CORRUPT' })
})

t.test('what was killed is compared from the last sync on, not from the start', async (t) => {
  const { files } = await interrupted(400, 3)
  const { open: storage, bytes } = counted(new MemoryFolder(files))
  const log = open(storage)
  await log.ready()
  t.equal(log.length, 403)
  t.ok((bytes.get('data') ?? 0) <= 10 * 20, `${bytes.get('data')} bytes of data`)
  await log.close()
})

t.test('what was closed is not compared, whoever wrote it since', async (t) => {
  const folder = new MemoryFolder()
  const log = open(folder.open)
  await log.append(full(0, 3))
  await log.close()
  const exact = open(folder.open, { exact: true }) // as v10: keeps no note
  await exact.append(full(3, 3))
  await exact.close()
  const files = folder.snapshot()
  part(files, 'data').fill(0, 4 * 20, 5 * 20) // damage, not a power cut
  const { open: storage, bytes } = counted(new MemoryFolder(files))
  const again = open(storage)
  await again.ready()
  t.equal(again.length, 6)
  t.notOk(bytes.has('data'))
  await t.rejects(again.get(4, { wait: false }), { code: 'LOG_CORRUPT' })
  await again.append(full(6, 1))
  await again.flush()
  await again.close()
  const { open: last, bytes: read } = counted(new MemoryFolder(folder.snapshot()))
  const whole = open(last)
  await whole.ready()
  t.notOk(read.has('data'))
  await whole.close()
})

t.test('a copy does not hold what was lost, and gets it again', async (t) => {
  const { log } = await writer(full(0, 20))
  const folder = new FaultyFolder()
  const copy = new Log(folder.open, log.key, { sparse: true, syncWindow: NEVER })
  await copy.ready()
  await copy.receive([await message(log, copy, 3)], null)
  await copy.flush()
  for (const index of [4, 11, 12]) {
    // oxlint-disable-next-line no-await-in-loop
    await copy.receive([await message(log, copy, index)], null)
  }
  const files = folder.left().snapshot()
  part(files, 'data').fill(0, 11 * 20, 12 * 20)
  const again = new Log(new MemoryFolder(files).open, log.key, { sparse: true })
  await again.ready()
  t.strictSame(
    [3, 4, 11, 12].map((index) => again.has(index)),
    [true, true, false, true],
  )
  t.strictSame(await again.receive([await message(log, again, 11)], null), [null])
  t.strictSame(await again.get(11), await log.get(11))
  await Promise.all([log.close(), again.close()])
})

t.test('a copy of which nothing was durable begins anew', async (t) => {
  const { log } = await writer(full(0, 20))
  const folder = new FaultyFolder()
  const copy = new Log(folder.open, log.key, { sparse: true, syncWindow: NEVER })
  await copy.ready()
  await copy.receive([await message(log, copy, 3)], null)
  const files = folder.left().snapshot()
  for (const name of ['tree', 'signatures', 'data']) part(files, name).fill(0)
  const again = new Log(new MemoryFolder(files).open, log.key, { sparse: true })
  await again.ready()
  t.equal(again.length, 0)
  t.strictSame(await again.receive([await message(log, again, 3)], null), [null])
  await Promise.all([log.close(), again.close()])
})

t.test('a block that was let go and came again is in doubt like any other', async (t) => {
  const { folder } = await interrupted(0, 0)
  const log = open(folder.open, { downloading: true })
  await log.append(full(0, 4))
  await log.flush()
  const again = await message(log, log, 1, { digest: 0 })
  await log.clear(1)
  t.strictSame(await log.receive([again], null), [null])
  const files = folder.left().snapshot()
  part(files, 'data').fill(0, 20, 40)
  const opened = open(new MemoryFolder(files).open)
  await opened.ready()
  t.equal(opened.length, 4)
  t.notOk(opened.has(1))
  t.ok(opened.has(2))
  await opened.close()
})

t.test('the note of another log, or one that does not read, is none', async (t) => {
  const { files } = await interrupted(3, 2)
  for (const at of [0, 20]) {
    const changed = new Map(files)
    const note = Uint8Array.from(part(files, 'durable'))
    note[at] = (note[at] ?? 0) ^ 1
    changed.set('durable', note)
    const folder = new MemoryFolder(changed)
    const log = open(folder.open)
    // oxlint-disable-next-line no-await-in-loop
    await log.ready()
    t.equal(log.length, 5)
    // oxlint-disable-next-line no-await-in-loop
    await log.append(full(5, 1))
    // oxlint-disable-next-line no-await-in-loop
    await log.close()
    t.strictSame(folder.snapshot().get('durable')?.subarray(0, 15), note.length > 0 && magic())
  }
})

function magic(): Uint8Array {
  return new TextEncoder().encode('varve durable 1')
}

t.test('a folder that cannot be written is compared each time it is opened', async (t) => {
  const { files } = await interrupted(3, 2)
  for (const code of ['EROFS', 'EIO']) {
    const inner = new MemoryFolder(files)
    const storage: OpenStorage = (name) => {
      const file = inner.open(name)
      file.write = async () => {
        throw new StorageError('STORAGE_IO', name, { cause: Object.assign(new Error(), { code }) })
      }
      return file
    }
    const log = open(storage)
    if (code === 'EIO') {
      // oxlint-disable-next-line no-await-in-loop
      await t.rejects(log.ready(), { code: 'STORAGE_IO' })
      continue
    }
    // oxlint-disable-next-line no-await-in-loop
    await log.ready()
    t.equal(log.length, 5)
    // oxlint-disable-next-line no-await-in-loop
    await log.close()
  }
})

t.test('an overwritten log leaves no note behind', async (t) => {
  const { files } = await interrupted(3, 2)
  const folder = new MemoryFolder(files)
  const log = open(folder.open, { overwrite: true })
  await log.ready()
  t.equal(log.length, 0)
  t.equal(folder.snapshot().get('durable')?.length, 0)
  await log.append(full(50, 2))
  await log.close()
  const again = open(folder.open)
  t.strictSame(await again.get(1), full(51, 1)[0])
  await again.close()
})

t.test('of a static log that has no key yet the whole blocks stay', async (t) => {
  const folder = new FaultyFolder()
  const log = new Log(folder.open, null, { live: false, syncWindow: NEVER })
  await log.append(full(0, 3))
  await log.flush()
  await log.append(full(3, 3))
  const files = folder.left().snapshot()
  part(files, 'data').fill(0, 4 * 20, 5 * 20)
  const again = new Log(new MemoryFolder(files).open, null, { live: false })
  await again.ready()
  t.equal(again.length, 4)
  t.equal(await again.append(full(9, 1)), 4)
  t.equal((await again.finalize()).length, 32)
  t.strictSame(await again.audit(), { valid: 5, invalid: 0 })
  await again.close()
})

t.test(
  'a static log that was cut and lost a node does not take one of before the cut',
  async (t) => {
    const blocks = [...full(0, 3), ...full(9, 1)]
    const folder = new FaultyFolder()
    const log = new Log(folder.open, null, { live: false, syncWindow: NEVER })
    await log.append(full(0, 4))
    await log.flush()
    const old = folder.left().snapshot()
    await log.truncate(3)
    await log.append(full(9, 1))
    const files = folder.left().snapshot()
    // The node above all four blocks was written in the place of the old one, and did not arrive.
    const at = HEADER_BYTES + 40 * 3
    t.notSame(part(files, 'tree').subarray(at, at + 40), part(old, 'tree').subarray(at, at + 40))
    part(files, 'tree').set(part(old, 'tree').subarray(at, at + 40), at)
    const again = new Log(new MemoryFolder(files).open, null, { live: false })
    await again.ready()
    t.equal(again.length, 4)
    const whole = new Log(new MemoryFolder().open, null, { live: false })
    await whole.append(blocks)
    t.strictSame(await again.finalize(), await whole.finalize())
    t.strictSame(await again.audit(), { valid: 4, invalid: 0 })
    await Promise.all([again.close(), whole.close()])
  },
)

t.test('what was not durable is told from the copy, where bits of it were lost too', async (t) => {
  // The bits of the leaves from block 2048 on lie in another sector than those of the leaves before.
  const [flushed, later] = [2047, 3]
  for (const live of [true, false]) {
    const folder = new FaultyFolder()
    const make = (storage: OpenStorage): Log =>
      live ? open(storage) : new Log(storage, null, { live: false, syncWindow: NEVER })
    const log = make(folder.open)
    // oxlint-disable-next-line no-await-in-loop
    await log.append(full(0, flushed))
    // oxlint-disable-next-line no-await-in-loop
    await log.flush()
    // oxlint-disable-next-line no-await-in-loop
    await log.append(full(flushed, later))
    const files = folder.left().snapshot()
    const bits = part(files, 'bitfield')
    bits[HEADER_BYTES + 255] = 0xfe // the data bit of block 2047
    bits[HEADER_BYTES + 1024 + 511] = 0xfd // its leaf's
    const again = make(new MemoryFolder(files).open)
    // oxlint-disable-next-line no-await-in-loop
    await again.ready()
    t.equal(again.length, flushed + later)
    t.equal(again.downloaded(), flushed + later, 'all of them are held')
    // oxlint-disable-next-line no-await-in-loop
    await again.close()
    if (live) continue
    // Of the tree the root over blocks 0 to 2047 arrived, and nothing else that was new.
    for (const node of [4094, 4093, 4096, 4098]) {
      part(files, 'tree').fill(0, HEADER_BYTES + 40 * node, HEADER_BYTES + 40 * (node + 1))
    }
    const shorter = make(new MemoryFolder(files).open)
    // oxlint-disable-next-line no-await-in-loop
    await shorter.ready()
    t.equal(shorter.length, flushed)
    t.equal(shorter.downloaded(), flushed)
    // oxlint-disable-next-line no-await-in-loop
    await shorter.close()
  }
})

t.test('of a static log in mode none that lost blocks those before them stay', async (t) => {
  const folder = new FaultyFolder()
  const log = new Log(folder.open, null, { live: false, durability: 'none' })
  await log.append(full(0, 9))
  const files = folder.left().snapshot()
  files.set('tree', part(files, 'tree').slice(0, HEADER_BYTES + 40 * 11)) // up to block 5
  part(files, 'tree').fill(0, HEADER_BYTES + 40 * 3, HEADER_BYTES + 40 * 4)
  part(files, 'data').fill(0, 5 * 20)
  const again = new Log(new MemoryFolder(files).open, null, { live: false, durability: 'none' })
  await again.ready()
  t.equal(again.length, 5)
  t.equal(await again.append(full(20, 1)), 5)
  const whole = new Log(new MemoryFolder().open, null, { live: false })
  await whole.append([...full(0, 5), ...full(20, 1)])
  t.strictSame(await again.finalize(), await whole.finalize())
  t.strictSame(await again.audit(), { valid: 6, invalid: 0 })
  await Promise.all([again.close(), whole.close()])
  part(files, 'data').fill(0) // nothing is left
  const empty = new Log(new MemoryFolder(files).open, null, { live: false, durability: 'none' })
  await t.rejects(empty.ready(), { code: 'LOG_CORRUPT' })
})
