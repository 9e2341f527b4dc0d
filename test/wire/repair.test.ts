/**
 * What was damaged or cleared here is had again from those who hold it.
 */
import { test } from 'tap'
import { Log } from '../../src/log/index.ts'
import type { LogOptions } from '../../src/log/index.ts'
import { MemoryFolder } from '../../src/storage/index.ts'
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
