import t from 'tap'
import { LATE_MS } from '../../../src/wire/exchange/overdue.ts'
import { Replication } from '../../../src/wire/replication.ts'
import { blockOf, holdsAll, numbers, World } from './world.ts'

t.test('a reader copies a log over any link, and both ends end by themselves', async (t) => {
  for (let seed = 1; seed <= 12; seed++) {
    const world = new World(seed)
    const writer = await world.writer(150)
    const reader = await world.reader()
    const mode = seed % 3
    const options = { ...(mode > 0 && { encrypted: false }), ...(mode > 1 && { noise: false }) }
    const pair = world.join(writer, reader, options)
    await world.network.run(20_000)
    t.ok(holdsAll(reader, 150), `seed ${seed}: everything is here`)
    t.same(await reader.get(149), blockOf(149))
    t.ok(pair.first.destroyed && pair.second.destroyed, `seed ${seed}: both ended`)
    t.same(pair.errors, [])
    t.same(await world.close(), [], `seed ${seed}: nothing is left behind`)
  }
})

t.test('several sources share the work: each block is sent once', async (t) => {
  const world = new World(5)
  const writer = await world.writer(600)
  const sources = [writer]
  for (let i = 0; i < 3; i++) sources.push(await world.replica(writer, numbers(0, 600)))
  const reader = await world.reader()
  let uploads = 0
  for (const source of sources) {
    source.on('upload', () => uploads++)
    world.join(source, reader, { live: true })
  }
  await world.network.run(10_000)
  t.ok(holdsAll(reader, 600))
  t.equal(uploads, 600)
  const shares = reader.peers.map((peer) => peer.stats.downloadedBlocks)
  t.ok(
    shares.every((share) => share > 50),
    `shares ${shares.join()}`,
  )
  t.same(await world.close(), [])
})

t.test('what a source owed when it left is asked of the others', async (t) => {
  const world = new World(7)
  const writer = await world.writer(300)
  const other = await world.replica(writer, numbers(0, 300))
  const reader = await world.reader()
  const gone = world.join(writer, reader, { live: true })
  world.join(other, reader, { live: true })
  await world.network.run(120)
  gone.cut()
  await world.network.run(5000)
  t.ok(holdsAll(reader, 300))
  t.same(await world.close(), [])
})

t.test('what a silent source owes is asked of another that has nothing else to do', async (t) => {
  const world = new World(8)
  const writer = await world.writer(200)
  const other = await world.replica(writer, numbers(0, 200))
  const reader = await world.reader()
  const silent = world.join(writer, reader, { live: true })
  world.join(other, reader, { live: true })
  await world.network.run(100)
  silent.swallow()
  await world.network.run(LATE_MS - 1000)
  t.notOk(holdsAll(reader, 200), 'not before it is late')
  await world.network.run(3000)
  t.ok(holdsAll(reader, 200))
  t.same(await world.close(), [])
})

t.test('at the end of a download nobody waits for a source that is much slower', async (t) => {
  const world = new World(15)
  const writer = await world.writer(300)
  const other = await world.replica(writer, numbers(0, 300))
  const reader = await world.reader({ sparse: true })
  world.join(writer, reader, { live: true }, { delay: [400, 400] })
  const first = reader.get(0)
  await world.network.run(4000)
  await first
  world.join(other, reader, { live: true }, { delay: [2, 2] })
  let fromSlow = 0
  writer.on('upload', () => fromSlow++)
  const { done } = reader.download({ start: 0, end: 300 })
  await world.network.run(500)
  t.ok(reader.has(0, 300), 'the slow one has not answered yet')
  await done
  await world.network.run(2000)
  t.ok(fromSlow > 0, 'it had a share all the same')
  t.equal(other.stats?.totals.uploadedBlocks, 299, 'and nothing was asked for three times')
  t.same(await world.close(), [])
})

t.test('a read goes to the source that answers soonest, and to no other', async (t) => {
  const world = new World(16)
  const writer = await world.writer(60)
  const other = await world.replica(writer, numbers(0, 60))
  const reader = await world.reader({ sparse: true })
  const sent = { far: 0, near: 0 }
  writer.on('upload', () => sent.far++)
  other.on('upload', () => sent.near++)
  world.join(writer, reader, { live: true }, { delay: [200, 200] })
  const measured = reader.get(0)
  await world.network.run(2000)
  await measured
  world.join(other, reader, { live: true }, { delay: [2, 2] })
  await world.network.run(2000)
  // Until it has answered once nobody knows that it is near.
  const second = reader.get(1)
  await world.network.run(2000)
  await second
  const before = { ...sent }
  for (let index = 2; index < 40; index++) {
    const read = reader.get(index)
    await world.network.run(50)
    t.same(await read, blockOf(index))
  }
  t.same(sent, { far: before.far, near: before.near + 38 })
  t.same(await world.close(), [])
})

t.test('a block that was cleared here is fetched again from the same source', async (t) => {
  const world = new World(9)
  const writer = await world.writer(20)
  const reader = await world.reader({ sparse: true })
  world.join(writer, reader, { live: true })
  const first = reader.get(7)
  await world.network.settle()
  t.same(await first, blockOf(7))
  await reader.clear(7, 8)
  t.notOk(reader.has(7))
  const again = reader.get(7)
  await world.network.settle()
  t.same(await again, blockOf(7))
  t.same(await world.close(), [])
})

t.test(
  'a block that no peer has is unavailable at once, and not before the Wants are answered',
  async (t) => {
    const world = new World(10)
    const writer = await world.writer(20)
    await writer.clear(3, 5)
    const reader = await world.reader({ sparse: true })
    world.join(writer, reader, { live: true })
    const missing = reader.get(4, { wait: 'peers' })
    const there = reader.get(5, { wait: 'peers' })
    const rejected = t.rejects(missing, { code: 'LOG_UNAVAILABLE', peersAsked: 1 })
    await world.network.settle()
    await rejected
    t.same(await there, blockOf(5))
    t.same(await world.close(), [])
  },
)

t.test('a seek asks one peer once, and finds the byte', async (t) => {
  const world = new World(11)
  const writer = await world.writer(64)
  const reader = await world.reader({ sparse: true })
  world.join(writer, reader, { live: true })
  const update = reader.update({ minLength: 64 })
  await world.network.settle()
  await update
  const byteOffset = numbers(0, 40).reduce((sum, i) => sum + blockOf(i).length, 0) + 3
  const found = reader.seek(byteOffset)
  await world.network.settle()
  t.same(await found, { index: 40, offset: 3 })
  const again = reader.seek(byteOffset + 1)
  await world.network.settle()
  t.same(await again, { index: 40, offset: 4 })
  t.notOk(reader.has(40), 'by its hash alone')
  const other = reader.seek(blockOf(0).length + 1, { hash: false })
  await world.network.settle()
  t.same(await other, { index: 1, offset: 1 })
  t.ok(reader.has(1), 'with the block, if that was asked for')
  t.notOk(reader.has(0), 'and no other')
  t.same(await world.close(), [])
})

t.test('what is appended is told and fetched, through a relay too', async (t) => {
  const world = new World(12)
  const writer = await world.writer(0)
  const relay = await world.reader()
  const reader = await world.reader()
  world.join(writer, relay, { live: true })
  world.join(relay, reader, { live: true })
  await world.network.settle()
  for (let i = 0; i < 5; i++) {
    await writer.append([blockOf(2 * i), blockOf(2 * i + 1)])
    await world.network.settle()
  }
  t.ok(holdsAll(reader, 10))
  t.same(await world.close(), [])
})

t.test('a reader with only the tail gets the head before it ends', async (t) => {
  const world = new World(13)
  const writer = await world.writer(40)
  const reader = await world.replica(writer, numbers(30, 40))
  const pair = world.join(writer, reader)
  await world.network.run(5000)
  t.ok(holdsAll(reader, 40))
  t.ok(pair.second.destroyed)
  t.same(await world.close(), [])
})

t.test('uploading and downloading are switched while connected', async (t) => {
  const world = new World(14)
  const writer = await world.writer(10)
  const reader = await world.reader({ sparse: true })
  world.join(writer, reader, { live: true })
  await world.network.settle()
  writer.setUploading(false)
  await world.network.settle()
  const waits = reader.get(1)
  await world.network.run(1000)
  t.notOk(reader.has(1))
  writer.setUploading(true)
  await world.network.settle()
  t.same(await waits, blockOf(1))
  reader.setDownloading(false)
  const later = reader.get(2)
  await world.network.settle()
  t.notOk(reader.has(2))
  reader.setDownloading(true)
  await world.network.settle()
  t.same(await later, blockOf(2))
  t.same(await world.close(), [])
})

t.test('acknowledgements are sent to who asks for them', async (t) => {
  const world = new World(15)
  const writer = await world.writer(3)
  const reader = await world.reader()
  const pair = world.join(writer, reader, { live: true }, {}, { a: { ack: true } })
  const acks: number[] = []
  pair.first.on('ack', (have: { start: number }) => acks.push(have.start))
  await world.network.settle()
  t.same(
    acks.toSorted((a, b) => a - b),
    [0, 1, 2],
  )
  t.same(await world.close(), [])
})

t.test('extension messages pass, also of an extension registered while connected', async (t) => {
  const world = new World(16)
  const writer = await world.writer(1)
  const reader = await world.reader()
  const heard: unknown[] = []
  reader.extensions.register('b', { encoding: 'json', onmessage: (message) => heard.push(message) })
  world.join(writer, reader, { live: true })
  await world.network.settle()
  const a = writer.extensions.register('a')
  const b = writer.extensions.register('b', { encoding: 'json' })
  await world.network.settle()
  t.ok(b.broadcast({ x: 1 }))
  t.ok(a.broadcast(new Uint8Array(3)))
  const [peer] = writer.peers
  t.ok(peer)
  if (peer) b.send([2], peer)
  await world.network.settle()
  t.same(heard, [{ x: 1 }, [2]])
  t.same(await world.close(), [])
})

t.test('a remote that answers nothing is given up after the timeout', async (t) => {
  const world = new World(17)
  const writer = await world.writer(5)
  const reader = await world.reader({ sparse: true })
  const pair = world.join(writer, reader, { live: true, timeout: 8000 }, { delay: [0, 0] })
  await world.network.settle()
  // The writer's answers are lost; its keepalives are not, so only the request is late.
  const replication = Replication.of(writer)
  replication.scheduler.changed()
  writer.readBlocks = () => new Promise(() => undefined)
  const waits = reader.get(1)
  waits.catch(() => undefined)
  await world.network.run(7000)
  t.notOk(pair.second.destroyed)
  await world.network.run(3000)
  t.ok(pair.second.destroyed)
  t.equal((pair.errors[0] as { code?: string } | undefined)?.code, 'WIRE_REQUEST_TIMEOUT')
  t.same(await world.close(), [])
})
