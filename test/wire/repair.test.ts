/**
 * What was damaged or cleared here is had again from those who hold it.
 */
import { test } from 'tap'
import { Log, LogError } from '../../src/log/index.ts'
import type { LogOptions } from '../../src/log/index.ts'
import { MemoryFolder, StorageError } from '../../src/storage/index.ts'
import { Replication } from '../../src/wire/replication.ts'
import { blockOf, holdsAll, numbers, World } from './exchange/world.ts'

const LENGTH = 20

/** A full copy of a writer's log, closed, and the files that it is in. */
async function copied(world: World): Promise<{ writer: Log; folder: MemoryFolder }> {
  const writer = await world.writer(LENGTH)
  const folder = new MemoryFolder()
  const copy = new Log(folder.open, writer.key, { durability: 'none' })
  world.join(writer, copy)
  await world.network.run(2000)
  await copy.close()
  return { writer, folder }
}

async function flip(folder: MemoryFolder, name: string, at: number): Promise<void> {
  const file = folder.open(name)
  const bytes = await file.read(at, 1)
  await file.write(at, Uint8Array.of((bytes[0] ?? 0) ^ 0x10))
}

async function reopen(folder: MemoryFolder, options: LogOptions = {}): Promise<Log> {
  const log = new Log(folder.open, null, { durability: 'none', sparse: true, ...options })
  await log.ready()
  return log
}

for (const [name, at] of [
  ['data', 70],
  ['tree', 32 + 40 * 6 + 3], // the leaf of block 3
  ['tree', 32 + 40 * 5 + 3], // a parent above it
  ['tree', 32 + 40 * 4 + 38], // a size
] as const) {
  test(`a read of a block whose ${name} is damaged at ${at} gives what peers have`, async (t) => {
    const world = new World(at)
    const { writer, folder } = await copied(world)
    await flip(folder, name, at)
    const log = await reopen(folder)
    let damaged = 0
    for (const index of numbers(0, LENGTH)) {
      // oxlint-disable-next-line no-await-in-loop
      const outcome = await log.get(index).catch((error: { code?: string }) => error.code)
      if (outcome === 'LOG_CORRUPT') damaged++
      else t.same(outcome, blockOf(index))
    }
    t.ok(damaged > 0, 'without peers it is an error')
    const pair = world.join(writer, log, { live: true })
    await world.network.run(1000)
    await t.rejects(log.getBatch(0, LENGTH, { wait: false }), { code: 'LOG_CORRUPT' })
    const batch = log.getBatch(0, LENGTH)
    await world.network.run(5000)
    t.same(await batch, numbers(0, LENGTH).map(blockOf))
    t.same(await log.audit(), { valid: LENGTH, invalid: 0 }, 'and is stored again')
    t.equal(log.fork, null)
    t.same(pair.errors, [])
    await log.close()
    const again = await reopen(folder)
    for (const index of numbers(0, LENGTH)) {
      // oxlint-disable-next-line no-await-in-loop
      t.same(await again.get(index, { wait: false }), blockOf(index))
    }
    await again.close()
    t.same(await world.close(), [])
  })
}

test('bytes across blocks are repaired as they are read', async (t) => {
  const world = new World(3)
  const { writer, folder } = await copied(world)
  await flip(folder, 'data', 70)
  const log = await reopen(folder)
  world.join(writer, log, { live: true })
  await world.network.run(1000)
  const read = (async () => {
    const pieces: Uint8Array[] = []
    for await (const piece of log.readBytes()) {
      pieces.push(piece)
      if (pieces.length === LENGTH) break
    }
    return Buffer.concat(pieces)
  })()
  await world.network.run(5000)
  t.same(await read, Buffer.concat(numbers(0, LENGTH).map(blockOf)))
  await log.close()
  t.same(await world.close(), [])
})

test('a peer that leaves before it gives the block makes the damage the answer', async (t) => {
  const world = new World(4)
  const { writer, folder } = await copied(world)
  await flip(folder, 'data', 70)
  const log = await reopen(folder)
  const pair = world.join(writer, log, { live: true }, { delay: [500, 500] })
  await world.network.run(5000)
  const reads = numbers(0, LENGTH).map((index) =>
    log.get(index).then(
      () => null,
      (error: { code?: string }) => error.code,
    ),
  )
  await world.network.run(100)
  pair.first.destroy()
  await world.network.run(2000)
  const answers = await Promise.all(reads)
  t.same(new Set(answers), new Set([null, 'LOG_CORRUPT']))
  t.equal(log.wishes.waiting.size, 0)
  await log.close()
  t.same(await world.close(), [])
})

test('a cleared block is had again by whoever reads it', async (t) => {
  const world = new World(6)
  const writer = await world.writer(LENGTH)
  const reader = await world.reader()
  world.join(writer, reader, { live: true })
  await world.network.run(2000)
  t.ok(holdsAll(reader, LENGTH))
  await reader.clear(3, 9)
  await world.network.run(2000)
  t.notOk(reader.has(3), 'the copy as a whole leaves it alone')
  const read = reader.getBatch(2, 10)
  await world.network.run(2000)
  t.same(await read, numbers(2, 10).map(blockOf))
  t.equal(Replication.of(reader).reserved.size, 0)
  t.same(await world.close(), [])
})

test('what a source finds damaged when it is asked is fetched anew, and given then', async (t) => {
  const world = new World(6)
  const { writer, folder } = await copied(world)
  await flip(folder, 'data', 70)
  const relay = await reopen(folder, { sparse: false })
  const reader = await world.reader({ sparse: true })
  const pair = world.join(relay, reader, { live: true })
  await world.network.run(1000)
  const reads = numbers(0, LENGTH).map((index) => reader.get(index))
  await world.network.run(3000)
  const missing = numbers(0, LENGTH).filter((index) => !relay.has(index))
  t.equal(missing.length, 1, 'the damaged block is let go')
  t.same(
    numbers(0, LENGTH).filter((index) => !reader.has(index)),
    missing,
    'and all others are given',
  )
  world.join(writer, relay, { live: true })
  await world.network.run(3000)
  t.same(await Promise.all(reads), numbers(0, LENGTH).map(blockOf))
  t.same(await relay.audit(), { valid: LENGTH, invalid: 0 })
  t.same(pair.errors, [])
  await relay.close()
  t.same(await world.close(), [])
})

test('a writer keeps what is damaged, and sends its readers elsewhere', async (t) => {
  const world = new World(7)
  const { folder } = await copied(world)
  await flip(folder, 'data', 70)
  const source = await reopen(folder)
  source.setDownloading(false)
  const reader = await world.reader({ sparse: true })
  const pair = world.join(source, reader, { live: true })
  await world.network.run(1000)
  const found = await outcomes(world, reader)
  t.equal(found.filter((code) => code === 'LOG_UNAVAILABLE').length, 1)
  t.ok(holdsAll(source, LENGTH))
  t.same(pair.errors, [])
  await source.close()
  t.same(await world.close(), [])
})

for (const [what, endings, spoil] of [
  [
    'a disk that does not give a block',
    [],
    (log: Log) => {
      log.readBlocks = () => Promise.reject(new StorageError('STORAGE_IO', 'EIO'))
    },
  ],
  [
    'a log that fails while it answers',
    ['WIRE_LOG_FAILED'],
    (log: Log) => {
      log.readBlocks = () => Promise.reject(new Error('out of luck'))
    },
  ],
  [
    'a disk that does not take a block',
    ['WIRE_LOG_FAILED'],
    (_log: Log, reader: Log) => {
      reader.receive = (blocks) =>
        Promise.resolve(blocks.map(() => new LogError('LOG_STORAGE', 'no space left')))
    },
  ],
] as const) {
  test(`${what} is not held against the remote`, async (t) => {
    const world = new World(8)
    const writer = await world.writer(LENGTH)
    const reader = await world.reader({ sparse: true })
    const pair = world.join(writer, reader, { live: true })
    await world.network.run(1000)
    spoil(writer, reader)
    const read = reader.get(1, { wait: 'peers' }).catch((error: { code?: string }) => error.code)
    await world.network.run(3000)
    t.same(
      pair.errors.map((error: Error & { code?: string }) => error.code),
      endings,
    )
    t.equal(await read, 'LOG_UNAVAILABLE')
    t.same(await world.close(), [])
  })
}

/** The code that each read of a block ends with, or `null`. */
async function outcomes(world: World, log: Log): Promise<(string | undefined | null)[]> {
  const reads = numbers(0, LENGTH).map((index) =>
    log.get(index, { wait: 'peers' }).then(
      () => null,
      (error: { code?: string }) => error.code,
    ),
  )
  await world.network.run(5000)
  return Promise.all(reads)
}
