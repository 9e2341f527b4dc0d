/**
 * Channels and capabilities.
 *
 * @see docs/protocol/20-wire.md 2.6, 3.2 and 3.3
 * @module
 */
import { discoveryKey, randomBytes, signingKeyPair } from 'varve/crypto'
import { same } from '../expect.ts'
import { survives } from './survives.ts'
import { peerCase, type PeerCase } from './peer-case.ts'
import { type Remote } from './remote.ts'
import { said } from './speech.ts'
import { KEYS } from './fixture.ts'

const CAPABILITY = '20-wire 2.6'
const CHANNELS = '20-wire 3.2'
const LIMITS = '20-wire 5'
const { publicKey } = KEYS

/** All of them. */
export function* channelCases(): Iterable<PeerCase> {
  yield* openCases()
  yield* closeCases()
}

function* openCases(): Iterable<PeerCase> {
  yield peerCase(
    'open.discovery-key',
    CAPABILITY,
    'the subject opens the log by its discovery key, on channel 1',
    async (stage) => {
      await stage.source()
      const remote = await stage.entered()
      const open = await remote.message('Open')
      same(open.discoveryKey, discoveryKey(publicKey), 'discovery key')
      same(remote.frames[0]?.channel, 1, 'channel')
    },
  )
  yield peerCase(
    'open.capability',
    CAPABILITY,
    'the subject proves the key by a capability for this connection',
    async (stage) => {
      await stage.source()
      const remote = await stage.entered()
      const open = await remote.message('Open')
      same(open.capability, remote.expectedCapability(publicKey), 'capability')
    },
  )
  yield peerCase(
    'open.first',
    CHANNELS,
    'nothing but Open is said before our Open has come',
    async (stage) => {
      await stage.source()
      const remote = await (await stage.connect()).greet()
      await remote.message('Open')
      await remote.quiet(60)
      same([...new Set(remote.names)], ['Open'], 'messages')
    },
  )
  for (const [name, capability] of [
    ['wrong', randomBytes(32)],
    ['short', randomBytes(31)],
    ['missing', null],
  ] as const) {
    yield peerCase(
      `open.capability-${name}`,
      CHANNELS,
      `a ${name} capability for a log that the subject opened ends the connection`,
      async (stage) => {
        await stage.source()
        const remote = await (await stage.connect()).greet()
        await remote.message('Open')
        remote.open(publicKey, 1, capability)
        remote.say(1, 'Request', { index: 1 })
        await remote.ends()
        same(remote.all('Data').length, 0, 'blocks given away')
        await survives(stage)
      },
    )
  }
  yield peerCase(
    'open.mirrored-capability',
    CAPABILITY,
    "the subject's own capability, sent back, proves nothing",
    async (stage) => {
      await stage.source()
      const remote = await (await stage.connect()).greet()
      const open = await remote.message('Open')
      remote.open(publicKey, 1, open.capability)
      await remote.ends()
    },
  )
  yield peerCase(
    'open.unknown',
    LIMITS,
    'an Open of a log that the subject does not have leaves the others alone',
    async (stage) => {
      await stage.source()
      const remote = await (await stage.connect()).greet()
      remote.open(signingKeyPair(randomBytes(32)).publicKey, 1)
      remote.open(publicKey, 2)
      await remote.heard(2)
    },
  )
  for (const channel of [2, 5, 127, 128, 100_000, 2 ** 27 - 1]) {
    yield peerCase(
      `open.channel-${channel}`,
      CHANNELS,
      `our channel may be number ${channel}`,
      async (stage) => {
        await stage.source()
        const remote = await (await stage.connect()).greet()
        remote.open(publicKey, channel)
        remote.say(channel, 'Request', { index: 2 })
        same((await remote.message('Data')).index, 2, 'block')
      },
    )
  }
  yield peerCase(
    'open.before',
    CHANNELS,
    'what is said on a channel before its Open is lost, not kept',
    async (stage) => {
      await stage.source()
      const remote = await (await stage.connect()).greet()
      remote.say(1, 'Request', { index: 7 })
      remote.open(publicKey)
      await remote.heard()
      same(remote.all('Data').length, 0, 'blocks sent')
    },
  )
  yield peerCase(
    'open.two-connections',
    CHANNELS,
    'two peers are served at the same time',
    async (stage) => {
      await stage.source()
      const [first, second] = [await stage.entered(), await stage.entered()]
      first.say(1, 'Request', { index: 1 })
      second.say(1, 'Request', { index: 2 })
      same((await second.message('Data')).index, 2, 'block of the second')
      same((await first.message('Data')).index, 1, 'block of the first')
    },
  )
  for (const [name, title, say] of [
    [
      'channel-0',
      'an Open on channel 0 ends the connection',
      (remote: Remote) => remote.open(publicKey, 0),
    ],
    [
      'twice',
      'a second Open of an open log ends the connection',
      (remote: Remote) => remote.open(publicKey, 2),
    ],
    [
      'same-channel',
      'an Open on a channel in use ends the connection',
      (remote: Remote) => remote.open(signingKeyPair(randomBytes(32)).publicKey, 1),
    ],
  ] as const) {
    yield peerCase(
      `open.${name}`,
      LIMITS,
      title,
      async (stage) => {
        await stage.source()
        const remote = await stage.entered()
        await remote.message('Open')
        say(remote)
        await remote.ends()
        await survives(stage)
      },
      'project',
    )
  }
}

function* closeCases(): Iterable<PeerCase> {
  yield peerCase(
    'close.answered',
    CHANNELS,
    'a Close of an open channel is answered by Close',
    async (stage) => {
      await stage.source()
      const remote = await stage.entered()
      await remote.heard()
      remote.say(1, 'Close', {})
      await remote.message('Close')
    },
  )
  yield peerCase('close.over', CHANNELS, 'after its Close a channel is deaf', async (stage) => {
    await stage.source()
    const remote = await stage.entered()
    await remote.heard()
    remote.say(1, 'Close', {})
    await remote.message('Close')
    remote.say(1, 'Request', { index: 1 })
    await remote.quiet(60)
    same(remote.all('Data').length, 0, 'blocks sent')
  })
  yield peerCase(
    'close.unknown',
    CHANNELS,
    'a Close of a channel that is not open is passed over',
    async (stage) => {
      await stage.source()
      const remote = await stage.entered()
      remote.say(9, 'Close', {})
      remote.say(9, 'Close', { discoveryKey: randomBytes(32) })
      await remote.heard()
    },
  )
  yield peerCase(
    'close.live',
    '20-wire 3.3',
    'a live connection stays when its last channel is closed',
    async (stage) => {
      await stage.source()
      const remote = await stage.entered()
      await remote.heard()
      remote.say(1, 'Close', {})
      await remote.message('Close')
      await remote.quiet(100)
    },
  )
  yield peerCase(
    'close.ends',
    '20-wire 3.3',
    'a connection that is not live ends with its last channel',
    async (stage) => {
      await stage.source({ live: false })
      const remote = await stage.entered()
      await remote.message('Open')
      remote.say(1, 'Close', {})
      await remote.ends()
    },
  )
  yield peerCase(
    'close.refused',
    CHANNELS,
    'a Close by discovery key says that we shall not open the log: nothing more comes',
    async (stage) => {
      await stage.source()
      const remote = await (await stage.connect()).greet()
      await remote.message('Open')
      remote.say(3, 'Close', { discoveryKey: discoveryKey(publicKey) })
      await remote.until(() => remote.all('Close').length > 0, 'Close of the subject')
    },
  )
  yield peerCase(
    'close.end-of-stream',
    LIMITS,
    'a stream that ends inside a frame closes the connection, and not the subject',
    async (stage) => {
      await stage.source()
      const remote = await stage.entered()
      await remote.message('Open')
      remote.write(said(1, 'Request', { index: 3 }).subarray(0, 3))
      await remote.flushed()
      remote.socket.end()
      await remote.ends()
      await survives(stage)
    },
  )
}
