import t from 'tap'
import { concat } from '../../../src/bytes.ts'
import { LogError } from '../../../src/log/index.ts'
import type { Log } from '../../../src/log/index.ts'
import type { Channel, ChannelHandlers } from '../../../src/wire/channel.ts'
import { Connection } from '../../../src/wire/connection.ts'
import { SILENCE_MS } from '../../../src/wire/exchange/overdue.ts'
import type { Request } from '../../../src/wire/messages.ts'
import { replicate } from '../../../src/wire/replicate.ts'
import { blockOf, numbers, World } from './world.ts'

/** A remote played by hand: what it is asked, and its channel. */
async function played(
  world: World,
  log: Log,
  handlers: ChannelHandlers = {},
): Promise<{ channel: Channel; victim: Connection; asked: Request[]; errors: Error[] }> {
  const common = { encrypted: false, noise: false, live: true }
  const options = { ...common, timeout: 8000, timers: world.network }
  const victim = replicate(log, false, { ...options, random: () => 0 })
  const remote = new Connection(true, options)
  const { errors } = world.connect(victim, remote, { split: false })
  const asked: Request[] = []
  const channel = remote.open(log.key ?? new Uint8Array(32), {
    onrequest: (request) => void asked.push(request),
    ...handlers,
  })
  await world.network.settle()
  return { channel, victim, asked, errors }
}

/** Answer a request honestly. */
async function answer(
  channel: Channel,
  writer: Log,
  { index, hash, nodes }: Request,
): Promise<void> {
  const proof = await writer.proof(index, { hash, digest: nodes })
  channel.data({ index, value: hash ? null : blockOf(index), ...proof })
}

t.test(
  'a request that is passed over is let go, and its block not asked of that peer again',
  async (t) => {
    const world = new World()
    const writer = await world.writer(6)
    const reader = await world.reader({ sparse: true })
    const { channel, victim, asked } = await played(world, reader)
    channel.have({ start: 0, length: 6 })
    const waits = reader.get(1, { wait: 'peers' })
    const gone = t.rejects(waits, { code: 'LOG_UNAVAILABLE' })
    await world.network.settle()
    for (const index of [2, 3, 4]) {
      await world.network.run(3000)
      const next = reader.get(index)
      await world.network.settle()
      const request = asked.at(-1)
      if (request) await answer(channel, writer, request)
      await world.network.settle()
      t.same(await next, blockOf(index))
    }
    await world.network.run(1000)
    await gone
    t.notOk(victim.destroyed)
    t.equal(asked.length, 4)
    t.same(await world.close(), [])
  },
)

t.test('a request that was met otherwise holds nobody up', async (t) => {
  const world = new World()
  const writer = await world.writer(6)
  const reader = await world.reader({ sparse: true })
  const { channel, victim } = await played(world, reader)
  channel.have({ start: 0, length: 6 })
  const waits = [reader.get(1), reader.get(2)]
  await world.network.settle()
  for (const index of [1, 2]) {
    const proof = await writer.proof(index, {})
    t.same(await reader.receive([{ index, value: blockOf(index), ...proof }], null), [null])
  }
  t.same(await Promise.all(waits), [blockOf(1), blockOf(2)])
  await world.network.run(12_000)
  t.notOk(victim.destroyed)
  t.same(await world.close(), [])
})

t.test(
  'a block refused because of what is stored here is asked for three times more, no oftener',
  async (t) => {
    const world = new World()
    const writer = await world.writer(4)
    const reader = await world.reader({ sparse: true })
    const { channel, victim, asked, errors } = await played(world, reader)
    channel.have({ start: 0, length: 4 })
    reader.receive = () => Promise.resolve([new LogError('LOG_CORRUPT', 'a flipped bit')])
    reader.get(2).catch(() => undefined)
    await world.network.settle()
    for (let times = 0; times < 3; times++) {
      const request = asked[times]
      if (request) await answer(channel, writer, request)
      await world.network.settle()
      t.equal(asked.length, times + 2)
      t.notOk(victim.destroyed)
    }
    if (asked[3]) await answer(channel, writer, asked[3])
    await world.network.settle()
    t.ok(victim.destroyed)
    const code = (errors[0] as { code?: string } | undefined)?.code
    t.equal(code, 'WIRE_LOG_FAILED', 'our disk is not the fault of the remote')
    t.same(await world.close(), [])
  },
)

t.test('a log that closes while blocks come in ends only its channel', async (t) => {
  const world = new World()
  const writer = await world.writer(4)
  const reader = await world.reader({ sparse: true })
  const { channel, victim, asked } = await played(world, reader)
  channel.have({ start: 0, length: 4 })
  const waits = t.rejects(reader.get(2), { code: 'LOG_CLOSED' })
  await world.network.settle()
  if (asked[0]) await answer(channel, writer, asked[0])
  const closing = reader.close()
  await world.network.settle()
  await closing
  await waits
  t.ok(channel.closed)
  t.notOk(victim.destroyed)
  t.same(await world.close(), [])
})

t.test(
  'a transport waits while the disk is behind, and goes on when it has caught up',
  async (t) => {
    const world = new World()
    const writer = await world.writer(0)
    const block = new Uint8Array(1_000_000)
    await writer.append(Array.from({ length: 30 }, () => block))
    const reader = await world.reader()
    const receive = reader.receive.bind(reader)
    const late: (() => void)[] = []
    let handed = 0
    reader.receive = async (blocks, source) => {
      handed += blocks.length
      await new Promise<void>((resolve) => late.push(resolve))
      return receive(blocks, source)
    }
    const options = { live: true, maxRequests: 64 }
    world.join(writer, reader, options, { split: false })
    await world.network.settle()
    t.ok(handed > 4 && handed < 16, `${handed} blocks wait for the disk`)
    while (late.length > 0) {
      for (const resolve of late.splice(0)) resolve()
      // oxlint-disable-next-line no-await-in-loop
      await world.network.settle()
    }
    t.equal(reader.nextMissing(0, 30), -1)
    t.same(await world.close(), [])
  },
)

t.test('many Haves of one chunk are acted on together', async (t) => {
  const world = new World()
  const reader = await world.reader()
  const { channel, asked } = await played(world, reader)
  for (let index = 0; index < 60; index += 2) channel.have({ start: index })
  await world.network.settle()
  t.same(
    asked.map((request) => request.index),
    numbers(0, 16).map((place) => 2 * place),
  )
  for (const index of [4, 6]) channel.unhave({ start: index })
  await world.network.settle()
  t.same(
    asked.slice(16).map((request) => request.index),
    [32, 34],
    'room for others',
  )
  t.same(await world.close(), [])
})

t.test('a remote that sends its bitfield unasked is not asked for it again', async (t) => {
  const world = new World()
  const reader = await world.reader({ sparse: true })
  let wants = 0
  const { channel } = await played(world, reader, { onwant: () => void wants++ })
  t.equal(wants, 1)
  t.ok(reader.guard.isHeld)
  channel.have({ start: 0, length: 1, bitfield: new Uint8Array([2, 0xf0]) })
  await world.network.settle()
  t.notOk(reader.guard.isHeld)
  const waits = t.rejects(reader.get(5_000_000), { code: 'LOG_CLOSED' })
  await world.network.settle()
  t.equal(wants, 1)
  t.same(await world.close(), [])
  await waits
})

t.test(
  'a remote that never opens the log, or never answers a Want, keeps no reader waiting',
  async (t) => {
    for (const opens of [true, false]) {
      const world = new World()
      const reader = await world.reader({ sparse: true })
      if (opens) await played(world, reader)
      else {
        const options = { encrypted: false, noise: false, live: true, timers: world.network }
        world.connect(replicate(reader, false, options), new Connection(true, options))
      }
      let answered = false
      const waits = t
        .rejects(reader.get(1, { wait: 'peers' }), { code: 'LOG_UNAVAILABLE' })
        .then(() => (answered = true))
      await world.network.run(SILENCE_MS - 1000)
      t.notOk(answered)
      await world.network.run(2000)
      t.ok(answered)
      await waits
      t.same(await world.close(), [])
    }
  },
)

t.test('a byte that nobody looks for any more is not waited for', async (t) => {
  const world = new World()
  const writer = await world.writer(64)
  const reader = await world.replica(writer, [0], { sparse: true })
  const { channel, asked, victim } = await played(world, reader)
  channel.have({ start: 0, length: 64 })
  const stop = new AbortController()
  const sought = t.rejects(reader.seek(300, { signal: stop.signal }))
  await world.network.settle()
  t.equal(asked[0]?.bytes, 300)
  stop.abort()
  await sought
  await world.network.run(12_000)
  t.notOk(victim.destroyed)
  const again = reader.seek(300)
  await world.network.settle()
  t.equal(asked[1]?.bytes, 0, 'the same byte twice in a row would not be answered')
  if (asked[1]) await answer(channel, writer, asked[1])
  again.catch(() => undefined)
  await world.network.settle()
  t.same(await world.close(), [])
})

t.test(
  'a large block that takes longer than the timeout is waited for as long as it comes',
  async (t) => {
    const world = new World()
    const block = new Uint8Array(2_000_000).fill(7)
    const writer = await world.writer(0)
    await writer.append(block)
    const reader = await world.reader({ sparse: true })
    const common = { encrypted: false, noise: false, live: true }
    const options = { ...common, timeout: 8000, timers: world.network }
    const [source, sink] = [replicate(writer, true, options), replicate(reader, false, options)]
    sink.on('data', (bytes: Uint8Array) => source.write(Uint8Array.from(bytes)))
    // 64 KiB a second.
    let pending: Uint8Array = new Uint8Array(0)
    source.on('data', (bytes: Uint8Array) => (pending = concat([pending, bytes])))
    const trickle = async (): Promise<void> => {
      sink.write(pending.subarray(0, 65_536))
      pending = pending.subarray(65_536)
      await world.network.run(1000)
    }
    const waits = reader.get(0)
    let seconds = 0
    while (!reader.has(0) && seconds++ < 60) {
      // oxlint-disable-next-line no-await-in-loop
      await trickle()
    }
    t.ok(seconds > 25, `${seconds} seconds`)
    t.equal((await waits).length, block.length)
    t.notOk(sink.destroyed)
    sink.destroy()
    source.destroy()
    t.same(await world.close(), [])
  },
)

t.test(
  'Wants and Requests wait while nobody reads, and are answered when somebody does',
  async (t) => {
    const world = new World()
    const log = await world.writer(0)
    await log.append(Array.from({ length: 40 }, () => new Uint8Array(100_000)))
    const options = { encrypted: false, noise: false, live: true, timers: world.network }
    const victim = replicate(log, false, options)
    const remote = new Connection(true, options)
    remote.on('data', (bytes: Uint8Array) => victim.write(Uint8Array.from(bytes)))
    let answers = 0
    const got: number[] = []
    const channel = remote.open(log.key ?? new Uint8Array(32), {
      onhave: () => void answers++,
      ondata: ({ index }) => void got.push(index),
    })
    await world.network.settle()
    for (const index of numbers(0, 40)) channel.request({ index })
    await world.network.settle()
    for (let i = 0; i < 20; i++) channel.want({ start: 0, length: 8192 })
    await world.network.settle()
    victim.on('data', (bytes: Uint8Array) => remote.write(Uint8Array.from(bytes)))
    await world.network.settle()
    t.equal(answers, 21)
    t.same(got, numbers(0, 40))
    remote.destroy()
    victim.destroy()
    t.same(await world.close(), [])
  },
)
