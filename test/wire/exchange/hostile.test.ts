import t from 'tap'
import type { Log } from '../../../src/log/index.ts'
import { Connection } from '../../../src/wire/connection.ts'
import type { Channel, ChannelHandlers } from '../../../src/wire/channel.ts'
import { replicate } from '../../../src/wire/replicate.ts'
import type { Data, Request } from '../../../src/wire/messages.ts'
import { blockOf, World } from './world.ts'

/** A remote that says what the test wants. */
async function against(
  world: World,
  log: Log,
  handlers: ChannelHandlers = {},
): Promise<{ remote: Connection; channel: Channel; victim: Connection; errors: Error[] }> {
  const options = { encrypted: false, noise: false, live: true, timers: world.network }
  const victim = replicate(log, false, { ...options, random: () => 0 })
  const remote = new Connection(true, options)
  const { errors } = world.connect(victim, remote, { split: false })
  const channel = remote.open(log.key ?? new Uint8Array(32), handlers)
  await world.network.settle()
  return { remote, channel, victim, errors }
}

function codeOf(errors: readonly Error[]): string | undefined {
  return (errors[0] as { code?: string } | undefined)?.code
}

for (const [what, code, say] of [
  ['a request beyond the log', 'WIRE_BAD_REQUEST', (c: Channel) => c.request({ index: 9 })],
  [
    'a request by byte beyond the log that names no block',
    'WIRE_BAD_REQUEST',
    (c: Channel) => c.request({ index: 9, bytes: 10_000 }),
  ],
  [
    'a span beyond all numbers',
    'WIRE_BAD_HAVE',
    (c: Channel) => c.have({ start: 2 ** 53 - 1, length: 2 }),
  ],
  [
    'a bitfield that is none',
    'WIRE_BAD_HAVE',
    (c: Channel) => c.have({ start: 0, length: 64, bitfield: new Uint8Array([4, 1]) }),
  ],
  ['a proof without nodes', 'WIRE_BAD_DATA', (c: Channel) => c.data({ index: 1 })],
  [
    'a proof that leads nowhere',
    'WIRE_BAD_DATA',
    (c: Channel) => c.data({ index: 7, nodes: [{ index: 14, hash: new Uint8Array(32), size: 4 }] }),
  ],
  [
    'more requests than may wait',
    'WIRE_TOO_MANY_REQUESTS',
    (c: Channel) => {
      for (let i = 0; i < 5000; i++) c.request({ index: 1 })
    },
  ],
] as const) {
  t.test(`${what} ends the connection with ${code}, and the log is untouched`, async (t) => {
    const world = new World()
    const log = await world.writer(5)
    const { channel, victim, errors } = await against(world, log)
    say(channel)
    await world.network.settle()
    t.ok(victim.destroyed)
    t.equal(codeOf(errors), code)
    t.equal(log.length, 5)
    t.same(await log.get(4), blockOf(4))
    t.same(await world.close(), [])
  })
}

t.test(
  'a block that was not asked for is refused, and one that was asked for must verify',
  async (t) => {
    const world = new World()
    const writer = await world.writer(5)
    const reader = await world.reader({ sparse: true })
    const asked: Request[] = []
    const refused: number[] = []
    const { channel, victim, errors } = await against(world, reader, {
      onrequest: (request) => void asked.push(request),
      onunhave: ({ start }) => void refused.push(start),
    })
    channel.want({ start: 0, length: 1_048_576 })
    channel.have({ start: 0, length: 5 })
    const proof = await writer.proof(3, {})
    channel.data({ index: 3, value: blockOf(3), ...proof })
    await world.network.settle()
    t.equal(reader.length, 0)
    t.same(refused, [3])
    const waits = reader.get(2)
    waits.catch(() => undefined)
    await world.network.settle()
    t.same(
      asked.map((request) => request.index),
      [2],
    )
    channel.data({ index: 2, value: blockOf(1), ...(await writer.proof(2, {})) })
    await world.network.settle()
    t.ok(victim.destroyed)
    t.equal(codeOf(errors), 'WIRE_BAD_DATA')
    t.equal(reader.length, 0)
    t.same(await world.close(), [])
  },
)

t.test(
  'an Unhave frees the request for others, and an absent block is answered with one',
  async (t) => {
    const world = new World()
    const writer = await world.writer(8)
    await writer.clear(2, 3)
    const gone: number[] = []
    const data: Data[] = []
    const { channel } = await against(world, writer, {
      onunhave: ({ start }) => void gone.push(start),
      ondata: (message) => void data.push(message),
    })
    for (const index of [1, 2, 3]) channel.request({ index })
    channel.request({ index: 5 })
    channel.cancel({ index: 5, bytes: 0, hash: false })
    channel.request({ index: 0, bytes: 1 })
    channel.request({ index: 6, bytes: 1 })
    channel.request({ index: 6, bytes: writer.byteLength })
    channel.request({ index: 7, hash: true })
    await world.network.settle()
    t.same(gone, [2])
    t.same(
      data.map((message) => message.index),
      [1, 3, 0, 6, 7],
      'the second request for the same byte is not answered, the end of the log falls back to the index',
    )
    t.same(await world.close(), [])
  },
)

t.test(
  'a remote that asks and never reads costs no more than a fixed number of blocks',
  async (t) => {
    const world = new World()
    const log = await world.writer(0)
    const block = new Uint8Array(100_000)
    await log.append(Array.from({ length: 50 }, () => block))
    const options = { encrypted: false, noise: false, live: true, timers: world.network }
    const victim = replicate(log, false, options)
    const remote = new Connection(true, options)
    remote.on('data', (bytes: Uint8Array) => victim.write(Uint8Array.from(bytes)))
    const channel = remote.open(log.key ?? new Uint8Array(32))
    await world.network.settle()
    // Nobody reads from the victim: open its side by hand and ask for everything many times.
    let uploads = 0
    log.on('upload', () => uploads++)
    for (let i = 0; i < 2000; i++) channel.request({ index: i % 50 })
    await world.network.settle()
    t.ok(uploads > 0 && uploads < 60, `${uploads} blocks were read`)
    t.notOk(victim.destroyed)
    remote.destroy()
    victim.destroy()
    t.same(await world.close(), [])
  },
)

t.test('sizes that a proof shifted between siblings keep no honest block away', async (t) => {
  const world = new World()
  const writer = await world.writer(5)
  const reader = await world.reader({ sparse: true })
  const { channel, victim } = await against(world, reader)
  const { nodes, signature } = await writer.proof(0, { hash: true })
  const shifted = nodes.map((node, place) =>
    place < 2 ? { ...node, size: node.size + (place === 0 ? 3 : -3) } : node,
  )
  channel.data({ index: 0, nodes: shifted, signature })
  await world.network.settle()
  t.equal(reader.length, 5, 'the lie is not seen yet')
  t.notOk(victim.destroyed)
  const pair = world.join(writer, reader, { live: true })
  const blocks = [reader.get(0), reader.get(1)]
  await world.network.settle()
  t.same(await Promise.all(blocks), [blockOf(0), blockOf(1)])
  t.same(pair.errors, [])
  t.same(await world.close(), [])
})

t.test('a block that no Data has room for is not sent, and its reader is told', async (t) => {
  const world = new World()
  const writer = await world.writer(1)
  await writer.append(new Uint8Array(8_388_608))
  const reader = await world.reader({ sparse: true })
  const pair = world.join(writer, reader, { live: true }, { split: false })
  const rejected = t.rejects(reader.get(1, { wait: 'peers' }), { code: 'LOG_UNAVAILABLE' })
  await world.network.settle()
  await rejected
  t.same(pair.errors, [])
  t.same(await world.close(), [])
})

t.test('Wants are answered one after the other, however many come', async (t) => {
  const world = new World()
  const log = await world.writer(3)
  let answers = 0
  const { channel, victim } = await against(world, log, { onhave: () => void answers++ })
  for (let i = 0; i < 500; i++) channel.want({ start: 0, length: 2 ** 40 })
  channel.want({ start: 1, length: 8192 })
  channel.want({ start: 0, length: 0 })
  await world.network.settle()
  t.equal(answers, 502, 'the last block once, then one for each that is aligned')
  t.notOk(victim.destroyed)
  t.same(await world.close(), [])
})

t.test('a log whose storage fails ends the connection, not the process', async (t) => {
  const world = new World()
  const writer = await world.writer(3)
  const reader = await world.reader()
  reader.receive = () => Promise.reject(new Error('the disk is gone'))
  const pair = world.join(writer, reader, { live: true })
  await world.network.settle()
  t.equal(codeOf(pair.errors), 'WIRE_LOG_FAILED')
  t.ok(pair.second.destroyed)
  t.same(await world.close(), [])
})

t.test('a block that cannot be proven here is no fair request', async (t) => {
  const world = new World()
  const writer = await world.writer(10)
  const relay = await world.replica(writer, [0, 6])
  const { channel, errors } = await against(world, relay)
  channel.request({ index: 3 })
  await world.network.settle()
  t.equal(codeOf(errors), 'WIRE_BAD_REQUEST')
  t.same(await world.close(), [])
})

t.test('logs with large blocks on one connection are read in turn, not all at once', async (t) => {
  const worlds = Array.from({ length: 6 }, (_, seed) => new World(seed))
  const timers = new World().network
  const options = { encrypted: false, noise: false, live: true, timers }
  const victim = new Connection(false, options)
  const remote = new Connection(true, options)
  remote.on('data', (bytes: Uint8Array) => victim.write(Uint8Array.from(bytes)))
  let uploads = 0
  for (const world of worlds) {
    const log = await world.writer(0)
    await log.append([0, 1, 2].map((byte) => new Uint8Array(6_000_000).fill(byte)))
    log.on('upload', () => uploads++)
    replicate(log, victim)
    const channel = remote.open(log.key ?? new Uint8Array(32))
    await new Promise((resolve) => setImmediate(resolve))
    for (let index = 0; index < 3; index++) channel.request({ index })
  }
  for (let i = 0; i < 20; i++) await new Promise((resolve) => setImmediate(resolve))
  t.equal(uploads, 1, 'nobody reads: one block waits for all')
  t.notOk(victim.destroyed)
  victim.resume()
  for (let i = 0; i < 1000; i++) {
    if (uploads === 18) break
    await new Promise((resolve) => setImmediate(resolve))
  }
  t.equal(uploads, 18, 'once it is read everything comes')
  remote.destroy()
  victim.destroy()
  for (const world of worlds) t.same(await world.close(), [])
})
