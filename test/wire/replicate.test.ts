import { test } from 'tap'
import { Log, LogError } from '../../src/log/index.ts'
import { MemoryFolder } from '../../src/storage/index.ts'
import { Connection } from '../../src/wire/connection.ts'
import { replicate } from '../../src/wire/replicate.ts'
import { Replication } from '../../src/wire/replication.ts'
import { blockOf, holdsAll, numbers, World } from './exchange/world.ts'

test('a log that is still opening is attached once it is open', async (t) => {
  const world = new World()
  const writer = await world.writer(4)
  const reader = new Log(new MemoryFolder().open, writer.key, { durability: 'none' })
  t.notOk(reader.opened)
  const pair = world.join(writer, reader)
  await world.network.run(1000)
  t.ok(holdsAll(reader, 4))
  t.ok(pair.first.destroyed && pair.second.destroyed)
  await reader.close()
  t.same(await world.close(), [])
})

test('a log that does not open ends the connection, with the reason', async (t) => {
  const world = new World()
  const noDisk = (): never => {
    throw new Error('no disk')
  }
  const broken = new Log(noDisk, new Uint8Array(32))
  const connection = replicate(broken, true, { timers: world.network })
  connection.resume()
  await world.network.settle()
  t.ok(connection.destroyed)
  t.equal((connection.errored as { code?: string } | null)?.code, 'WIRE_LOG_FAILED')
  t.ok(connection.errored?.cause)
  t.notOk(broken.guard.isHeld)
  t.equal(world.network.timers, 0)
})

test('the role, the options and an existing connection may each come first', async (t) => {
  const world = new World()
  const log = await world.writer(1)
  const timers = world.network
  const first = replicate(log, { initiator: true, encrypt: false, noise: false, timers })
  t.ok(first instanceof Connection)
  t.notOk(first.hasHandshake)
  t.equal(replicate(log, first), first, 'attaching twice does nothing')
  t.equal(replicate(log, true, { stream: first }), first)
  t.equal(replicate(log, { stream: first }), first)
  t.equal(log.peers.length, 1)
  const undecided = replicate(log, undefined, { timers })
  t.equal(undecided.initiator, null)
  const second = replicate(log, false, { timers })
  t.equal(second.initiator, false)
  t.throws(() => replicate(log, 'yes' as unknown as boolean), TypeError)
  for (const connection of [first, undecided, second]) connection.destroy()
  t.same(await world.close(), [])
})

test('several logs share a connection, and one that closes leaves the others alone', async (t) => {
  const [world, other] = [new World(2), new World(3)]
  const [a1, a2] = [await world.writer(5), await other.writer(30)]
  const [b1, b2] = [await world.reader(), await other.reader()]
  const pair = world.join(a1, b1, { live: true })
  await world.network.settle()
  replicate(b2, pair.second, { live: true })
  replicate(a2, pair.first, { live: true })
  await world.network.settle()
  t.ok(holdsAll(b1, 5) && holdsAll(b2, 30))
  await a1.close()
  await world.network.settle()
  t.equal(b1.peers.length, 0)
  await a2.append(blockOf(30))
  await world.network.settle()
  t.ok(holdsAll(b2, 31))
  replicate(a1, pair.first, { live: true })
  await world.network.settle()
  t.equal(pair.first.channelCount, 1, 'a closed log is not attached')
  t.same(pair.errors, [])
  t.same(await other.close(), [])
  t.same(await world.close(), [])
})

test('a log can be refused to a peer, at once or later, while the connection stays', async (t) => {
  for (const refuse of [true, false]) {
    const world = new World()
    const writer = await world.writer(3)
    const reader = await world.reader()
    const asked: [unknown, number][] = []
    const onfeedauthenticate = (
      log: unknown,
      key: Uint8Array,
      done: (error?: Error | null) => void,
    ): void => {
      asked.push([log, key.length])
      world.network.set(() => done(refuse ? new Error('not you') : null), 200)
    }
    const pair = world.join(writer, reader, { live: true }, {}, { a: { onfeedauthenticate } })
    await world.network.settle()
    t.same(asked, [[writer, 32]])
    t.ok(writer.guard.isHeld, 'an answer is due')
    t.equal(reader.length, 0)
    await world.network.run(1000)
    t.equal(holdsAll(reader, 3), !refuse)
    t.equal(reader.peers.length, refuse ? 0 : 1)
    t.notOk(pair.first.destroyed)
    t.same(await world.close(), [])
  }
})

test('who must be asked is not, when the connection dies first', async (t) => {
  const world = new World()
  const writer = await world.writer(3)
  let asked = 0
  const connection = replicate(writer, true, {
    timers: world.network,
    onfeedauthenticate: () => void asked++,
  })
  await world.network.settle()
  t.ok(writer.guard.isHeld)
  connection.destroy()
  await world.network.settle()
  t.notOk(writer.guard.isHeld)
  t.equal(asked, 0)
  t.same(await world.close(), [])
})

test('a second log added after the handshake is asked about at once', async (t) => {
  const [world, other] = [new World(2), new World(3)]
  const [a1, a2] = [await world.writer(1), await other.writer(2)]
  const [b1, b2] = [await world.reader(), await other.reader()]
  const pair = world.join(a1, b1, { live: true })
  await world.network.settle()
  replicate(b2, pair.second, { live: true })
  replicate(a2, pair.first, { live: true, onfeedauthenticate: (_log, _key, done) => done() })
  await world.network.settle()
  t.ok(holdsAll(b2, 2))
  t.same(await other.close(), [])
  t.same(await world.close(), [])
})

test('whether a wish can be met is known from what the peers told', async (t) => {
  const world = new World()
  const writer = await world.writer(10)
  const reader = await world.reader({ sparse: true })
  const replication = Replication.of(reader)
  t.equal(Replication.of(reader), replication)
  const range = { type: 'range', start: 0, end: 20, linear: false, hash: false } as const
  t.notOk(replication.canMeet(range))
  t.ok(replication.canMeet({ type: 'length', minLength: 0, hash: true }))
  world.join(writer, reader, { live: true })
  await world.network.settle()
  t.ok(replication.canMeet(range))
  t.ok(replication.canMeet({ type: 'block', index: 9 }))
  t.notOk(replication.canMeet({ type: 'block', index: 10 }))
  t.same(await world.close(), [])
})

test('a block that is damaged on the disk of its source is withdrawn; the others are served', async (t) => {
  const world = new World()
  const writer = await world.writer(20)
  const reader = await world.reader({ sparse: true })
  const read = writer.readBlocks.bind(writer)
  writer.readBlocks = (start, end, maxBytes) => {
    const damaged = new LogError('LOG_CORRUPT', 'a flipped bit')
    return start <= 7 && end > 7 ? Promise.reject(damaged) : read(start, end, maxBytes)
  }
  const pair = world.join(writer, reader, { live: true })
  const all = numbers(0, 20).map((index) => reader.get(index, { wait: 'peers' }))
  const settled = Promise.allSettled(all)
  await world.network.run(10_000)
  const results = await settled
  t.same(
    results.flatMap(({ status }, index) => (status === 'rejected' ? [index] : [])),
    [7],
  )
  t.same(pair.errors, [])
  t.same(await world.close(), [])
})

test('a peer tells who it is', async (t) => {
  const world = new World()
  const writer = await world.writer(2)
  const reader = await world.reader()
  const pair = world.join(writer, reader, { live: true })
  await world.network.settle()
  const [peer] = reader.peers
  t.same(peer?.remotePublicKey, pair.first.publicKey)
  t.equal(peer?.remoteAddress, null)
  t.equal(peer?.remoteType, 'unknown')
  t.equal(peer?.remoteOpened, true)
  t.equal(peer?.remoteLength, 2)
  t.equal(peer?.stats.downloadedBlocks, 2)
  t.equal(writer.stats?.totals.uploadedBlocks, 2)
  t.same(await world.close(), [])
})

test('a list of blocks is fetched, and a non-live pair ends although others are missing', async (t) => {
  const world = new World()
  const writer = await world.writer(30)
  const reader = await world.replica(writer, [29], { sparse: true })
  const { done } = reader.download({ blocks: [9, 3, 20] })
  world.join(writer, reader)
  await world.network.run(2000)
  await done
  t.same(
    numbers(0, 30).filter((index) => reader.has(index)),
    [3, 9, 20, 29],
  )
  await reader.clear(9)
  const again = reader.download({ blocks: [9, 10] })
  await world.network.run(2000)
  await again.done
  t.ok(reader.has(9), 'a later download fetches what was cleared')
  t.same(await world.close(), [])
})
