import t from 'tap'
import { randomBytes } from '../../src/crypto.ts'
import { Allowance } from '../../src/wire/allowance.ts'
import { Connection } from '../../src/wire/connection.ts'
import { DEFAULT_LIMITS } from '../../src/wire/limits.ts'
import { Pace } from '../../src/wire/pace.ts'
import { replicate } from '../../src/wire/replicate.ts'
import { Turns } from '../../src/wire/turns.ts'
import { World } from './exchange/world.ts'
import { ManualTimers } from './manual-timers.ts'
import { failureOf, RawRemote, settled } from './raw-remote.ts'

const limits = { ...DEFAULT_LIMITS, nuisance: 100, nuisancePerSecond: 10 }

t.test('by default no remote that stands still costs more than 16 MiB', (t) => {
  const { payloadBytes, messageBytes, extensionBytes, outgoingBytes, queuedBytes } = DEFAULT_LIMITS
  for (const bytes of [payloadBytes, messageBytes, extensionBytes, outgoingBytes, queuedBytes]) {
    t.ok(bytes <= 16 * 1024 * 1024)
  }
  t.end()
})

t.test('what means nothing is borne up to the allowance, and forgiven with time', (t) => {
  let now = 0
  const allowance = new Allowance(limits, () => now)
  for (let i = 0; i < 100; i++) allowance.spend('frame')
  t.throws(() => allowance.spend('want'), { code: 'WIRE_LIMIT' })
  t.same(
    [...allowance.counts],
    [
      ['frame', 100],
      ['want', 1],
    ],
  )
  now = 2000
  for (let i = 0; i < 19; i++) allowance.spend('frame')
  t.throws(() => allowance.spend('frame'), { code: 'WIRE_LIMIT' })
  now = 60_000
  allowance.spend('data', 100)
  t.throws(() => allowance.spend('data', 100), { code: 'WIRE_LIMIT' }, 'never more than the whole')
  t.end()
})

t.test('a pace lets a quarter of a second through at once, and then so much a second', (t) => {
  let now = 1000
  const pace = new Pace(1000, () => now)
  t.equal(pace.took(250), 0)
  t.equal(pace.took(500), 500)
  now = 1500
  t.equal(pace.took(0), 0)
  t.equal(pace.took(1), 0, 'short waits are saved up')
  t.equal(pace.took(9), 10)
  t.equal(new Pace(Infinity, () => now).took(2 ** 40), 0)
  t.end()
})

t.test('turns are given one after the other, in order of asking', async (t) => {
  const turns = new Turns()
  const order: number[] = []
  t.equal(turns.take(), null)
  const others = [1, 2].map(async (number) => {
    await turns.take()
    order.push(number)
    turns.pass()
  })
  await settled()
  t.same(order, [])
  turns.pass()
  await Promise.all(others)
  t.same(order, [1, 2])
  t.equal(turns.take(), null)
})

const DISCOVERY_KEY = randomBytes(32)

for (const [what, flood] of [
  [
    'frames on channels that nobody opened',
    (remote: RawRemote) => remote.bytes('03330800'.repeat(101)),
  ],
  ['reserved types', (remote: RawRemote) => remote.bytes('021b00'.repeat(101))],
  [
    'extension messages of the stream that nobody takes',
    (remote: RawRemote) => remote.bytes('020f00'.repeat(101)),
  ],
  [
    'logs opened and closed',
    async (remote: RawRemote) => {
      for (let i = 0; i < 51; i++) {
        await remote.send(1, 'Open', { discoveryKey: DISCOVERY_KEY })
        await remote.send(1, 'Close', {})
      }
    },
  ],
  [
    'lists of extensions',
    async (remote: RawRemote) => {
      for (let i = 0; i < 26; i++) await remote.send(0, 'Options', { extensions: [] })
    },
  ],
] as const) {
  t.test(`${what} end the connection with WIRE_LIMIT at last`, async (t) => {
    const remote = new RawRemote({ limits })
    await flood(remote)
    t.equal(failureOf(remote.connection), 'WIRE_LIMIT')
  })
}

t.test(
  'logs that are not here may be open up to a limit; once here they do not count',
  async (t) => {
    const remote = new RawRemote({ limits: { unknownChannels: 2 } })
    const known = randomBytes(32)
    const channel = remote.connection.open(known)
    await remote.send(1, 'Open', { discoveryKey: channel.discoveryKey })
    for (const id of [2, 3]) await remote.send(id, 'Open', { discoveryKey: randomBytes(32) })
    t.equal(failureOf(remote.connection), null)
    await remote.send(3, 'Close', {})
    await remote.send(4, 'Open', { discoveryKey: randomBytes(32) })
    t.equal(failureOf(remote.connection), null)
    await remote.send(5, 'Open', { discoveryKey: randomBytes(32) })
    t.equal(failureOf(remote.connection), 'WIRE_LIMIT')
  },
)

t.test('a message that is no block and no extension message has a limit of its own', async (t) => {
  const remote = new RawRemote({ limits: { messageBytes: 3, extensionBytes: 5 } })
  await remote.bytes('0413088000')
  t.equal(failureOf(remote.connection), null)
  await remote.bytes('051308808000')
  t.equal(failureOf(remote.connection), 'WIRE_FRAME_TOO_LARGE')
  const other = new RawRemote({ limits: { messageBytes: 3, extensionBytes: 5 } })
  await other.bytes('060f0000000000')
  t.equal(failureOf(other.connection), null)
  await other.bytes('070f000000000000')
  t.equal(failureOf(other.connection), 'WIRE_FRAME_TOO_LARGE')
})

t.test('a log goes on so many connections and no more; the others are told why', async (t) => {
  const world = new World()
  const writer = await world.writer(3)
  const limits = { connectionsPerLog: 1 }
  world.join(writer, await world.reader({ sparse: true }), { live: true, limits })
  await world.network.settle()
  const second = replicate(writer, false, { limits, timers: world.network })
  t.equal(failureOf(second), 'WIRE_LIMIT')
  const shared = new Connection(false, { limits, timers: world.network, live: true })
  shared.open(randomBytes(32))
  replicate(writer, shared)
  t.notOk(shared.destroyed, 'a connection with other logs stays')
  t.equal(writer.peers.length, 1)
  shared.destroy()
  t.same(await world.close(), [])
})

t.test('the transport waits when bytes come faster than they may', async (t) => {
  const timers = new ManualTimers()
  const remote = new RawRemote({ timers, timeout: 0, limits: { incomingBytesPerSecond: 1000 } })
  let written = 0
  for (let i = 0; i < 3; i++) remote.connection.write(new Uint8Array(250), () => written++)
  await settled()
  t.equal(written, 1)
  timers.advance(250)
  await settled()
  t.equal(written, 2)
  timers.advance(250)
  await settled()
  t.equal(written, 3)
})

t.test('output waits when it leaves faster than it may', async (t) => {
  const timers = new ManualTimers()
  const remote = new RawRemote({ timers, timeout: 0, limits: { outgoingBytesPerSecond: 100 } })
  const channel = remote.connection.open(randomBytes(32))
  await settled()
  t.equal(remote.take().length, 1)
  for (let i = 0; i < 3; i++) {
    channel.have({ start: i })
    await settled()
  }
  const before = remote.take().length
  t.ok(before < 3, `${before} at once`)
  timers.advance(1000)
  await settled()
  t.equal(before + remote.take().length, 3)
})

t.test('the handshake may have a deadline of its own', async (t) => {
  const timers = new ManualTimers()
  const options = { encrypted: true, noise: true, timers, timeout: 0, limits: { handshakeMs: 100 } }
  const remote = new RawRemote(options)
  remote.connection.resume()
  timers.advance(99)
  t.equal(failureOf(remote.connection), null)
  timers.advance(1)
  t.equal(failureOf(remote.connection), 'ETIMEDOUT')
})
