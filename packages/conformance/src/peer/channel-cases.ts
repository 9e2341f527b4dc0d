/**
 * Channels, capabilities, Options and Status; what a source tells of its blocks.
 *
 * @see docs/protocol/20-wire.md 2.6, 3.2, 3.5 and 3.6
 * @module
 */
import { discoveryKey, randomBytes, signingKeyPair } from 'varve/crypto'
import { encodeRle } from 'varve/log'
import { hex, holds, same } from '../expect.ts'
import { blockOf, FIXTURE_PARTIAL, KEYS, LENGTH, PARTIAL_BLOCKS } from './fixture.ts'
import { survives } from './handshake-cases.ts'
import { peerCase, type PeerCase } from './peer-case.ts'
import { said, type Remote } from './remote.ts'

const CAPABILITY = '20-wire 2.6'
const CHANNELS = '20-wire 3.2'
const PEER = '20-wire 3.5'
const WANT = '20-wire 3.6'
const LIMITS = '20-wire 5'
const { publicKey } = KEYS
const WRITER = { folder: null, secretKey: hex(KEYS.secretKey) }
const ALL = { start: 0, length: 1_048_576 }

/** All of them. */
export function* channelCases(): Iterable<PeerCase> {
  yield* openCases()
  yield* closeCases()
  yield* statusCases()
  yield* wantCases()
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

function* statusCases(): Iterable<PeerCase> {
  yield peerCase(
    'status.writer',
    PEER,
    'a writer says at once that it uploads and does not download',
    async (stage) => {
      await stage.source({ ...WRITER, blocks: [hex(blockOf(0))] })
      const remote = await stage.entered()
      same(await remote.message('Status'), { uploading: true, downloading: false }, 'Status')
    },
  )
  yield peerCase('status.reader', PEER, 'a side that does both says no Status', async (stage) => {
    await stage.source()
    const remote = await stage.entered()
    await remote.heard()
    same(remote.all('Status').length, 0, 'Status messages')
  })
  yield peerCase(
    'status.no-upload',
    PEER,
    'a side that does not upload says so, and answers neither Want nor Request',
    async (stage) => {
      await stage.source({ upload: false })
      const remote = await stage.entered()
      same(await remote.message('Status'), { uploading: false, downloading: true }, 'Status')
      remote.say(1, 'Want', ALL)
      remote.say(1, 'Request', { index: 0 })
      await remote.quiet(80)
      holds(remote.all('Data').length + remote.all('Have').length === 0, 'nothing is answered')
    },
  )
  yield peerCase(
    'options.none',
    PEER,
    'without extensions and acknowledgements there are no Options',
    async (stage) => {
      await stage.source()
      const remote = await stage.entered()
      await remote.heard()
      same(remote.all('Options').length, 0, 'Options messages')
    },
  )
  yield peerCase(
    'options.ack',
    PEER,
    'a side that asks for acknowledgements says so in its Options',
    async (stage) => {
      await stage.source({ ack: true })
      const remote = await stage.entered()
      same(await remote.message('Options'), { extensions: [], ack: true }, 'Options')
    },
  )
  yield peerCase(
    'options.extensions',
    '20-wire 2.8',
    'extensions are told in Options, sorted by UTF-16 units',
    async (stage) => {
      await stage.source({ extensions: ['zeta', 'alpha', 'Z'] })
      const remote = await stage.entered()
      same(
        await remote.message('Options'),
        { extensions: ['Z', 'alpha', 'zeta'], ack: false },
        'Options',
      )
    },
  )
  yield peerCase(
    'options.order',
    PEER,
    'Open comes first, then Options, then Status, then Want',
    async (stage) => {
      await stage.source({ extensions: ['a'], ack: true, upload: false })
      const remote = await stage.entered()
      await remote.message('Want')
      same(remote.names.slice(0, 4), ['Open', 'Options', 'Status', 'Want'], 'order')
    },
  )
  yield peerCase(
    'want.sent',
    WANT,
    'who downloads wants the first 1 048 576 blocks',
    async (stage) => {
      await stage.reader()
      const remote = await stage.met()
      same(await remote.message('Want'), ALL, 'Want')
    },
  )
  yield peerCase('want.not-sent', WANT, 'who does not download wants nothing', async (stage) => {
    await stage.source({ ...WRITER, blocks: [hex(blockOf(0))] })
    const remote = await stage.entered()
    await remote.heard()
    same(remote.all('Want').length, 0, 'Want messages')
  })
}

function bitfield(held: readonly number[], from = 0): Uint8Array {
  const bits = new Uint8Array(Math.ceil(LENGTH / 8))
  for (const index of held) {
    if (index >= from)
      bits[Math.floor((index - from) / 8)] =
        (bits[Math.floor((index - from) / 8)] ?? 0) | (128 >> ((index - from) % 8))
  }
  return encodeRle(bits)
}

const everything = Array.from({ length: LENGTH }, (_, index) => index)

function* wantCases(): Iterable<PeerCase> {
  const answer = (remote: Remote): Promise<unknown> =>
    remote.message('Have', (have) => have.bitfield !== null)
  yield peerCase(
    'want.last-block',
    WANT,
    'before the first answer to a Want the last block is told',
    async (stage) => {
      await stage.source()
      const remote = await stage.entered()
      remote.say(1, 'Want', ALL)
      await answer(remote)
      const [first] = remote.all('Have')
      same(first, { start: LENGTH - 1, length: 1, bitfield: null, ack: false }, 'first Have')
    },
  )
  yield peerCase(
    'want.bitfield',
    WANT,
    'a Want is answered with its own range and the coded bits of what is held',
    async (stage) => {
      await stage.source()
      const remote = await stage.entered()
      remote.say(1, 'Want', ALL)
      same(await answer(remote), { ...ALL, bitfield: bitfield(everything), ack: false }, 'Have')
    },
  )
  yield peerCase(
    'want.partial',
    WANT,
    'who holds some blocks tells exactly these',
    async (stage) => {
      await stage.source({ folder: FIXTURE_PARTIAL })
      const remote = await stage.entered()
      remote.say(1, 'Want', ALL)
      same(await answer(remote), { ...ALL, bitfield: bitfield(PARTIAL_BLOCKS), ack: false }, 'Have')
    },
  )
  yield peerCase(
    'want.again',
    WANT,
    'a second Want is answered without the last block before it',
    async (stage) => {
      await stage.source()
      const remote = await stage.entered()
      await remote.heard()
      const before = remote.all('Have').length
      await remote.heard()
      same(remote.all('Have').length, before + 1, 'Haves')
    },
  )
  yield peerCase(
    'want.far',
    WANT,
    'a Want of a range where nothing is gets an empty bitfield',
    async (stage) => {
      await stage.source()
      const remote = await stage.entered()
      remote.say(1, 'Want', { start: 1_048_576, length: 1_048_576 })
      same(
        await answer(remote),
        { start: 1_048_576, length: 1_048_576, bitfield: new Uint8Array(0), ack: false },
        'Have',
      )
    },
  )
  yield peerCase('want.short', WANT, 'a Want of 8192 blocks is answered', async (stage) => {
    await stage.source()
    const remote = await stage.entered()
    remote.say(1, 'Want', { start: 0, length: 8192 })
    same(
      await answer(remote),
      { start: 0, length: 8192, bitfield: bitfield(everything), ack: false },
      'Have',
    )
  })
  for (const [start, length] of [
    [1, 8192],
    [8, 8192],
    [0, 8191],
    [4096, 1_048_576],
  ] as const) {
    yield peerCase(
      `want.unaligned-${start}-${length}`,
      LIMITS,
      `a Want from ${start} of ${length} blocks is passed over`,
      async (stage) => {
        await stage.source()
        const remote = await stage.entered()
        remote.say(1, 'Want', { start, length })
        await remote.heard()
        same(remote.all('Have').filter((have) => have.bitfield !== null).length, 1, 'answers')
      },
    )
  }
  yield peerCase('want.huge', LIMITS, 'a Want of 2 ** 40 blocks costs nothing', async (stage) => {
    await stage.source()
    const remote = await stage.entered()
    remote.say(1, 'Want', { start: 0, length: 2 ** 40 })
    await remote.heard()
  })
  yield peerCase(
    'announce.append',
    WANT,
    'an appended block is told to who wanted',
    async (stage) => {
      await stage.source({ ...WRITER, blocks: [hex(blockOf(0))] }, true)
      const remote = await stage.entered()
      await remote.heard()
      await stage.ask('append', { blocks: [hex(blockOf(1))] })
      await remote.message(
        'Have',
        (have) => have.start === 1 && have.bitfield === null && have.length === 1,
      )
    },
  )
  yield peerCase(
    'announce.batch',
    WANT,
    'blocks appended together are told together',
    async (stage) => {
      await stage.source({ ...WRITER, blocks: [hex(blockOf(0))] }, true)
      const remote = await stage.entered()
      await remote.heard()
      await stage.ask('append', { blocks: [1, 2, 3].map((index) => hex(blockOf(index))) })
      await remote.message('Have', (have) => have.start === 1 && have.length === 3)
    },
  )
  yield peerCase(
    'announce.nobody',
    WANT,
    'nothing is told to who wanted nothing',
    async (stage) => {
      await stage.source({ ...WRITER, blocks: [hex(blockOf(0))] }, true)
      const remote = await stage.entered()
      await remote.message('Status')
      await stage.ask('append', { blocks: [hex(blockOf(1))] })
      await remote.quiet(60)
      same(remote.all('Have').length, 0, 'Haves')
    },
  )
  yield peerCase(
    'announce.clear',
    WANT,
    'blocks that are cleared are taken back by an Unhave',
    async (stage) => {
      const blocks = [0, 1, 2, 3, 4, 5].map((index) => hex(blockOf(index)))
      await stage.source({ ...WRITER, blocks }, true)
      const remote = await stage.entered()
      await remote.heard()
      await stage.ask('clear', { start: 2, end: 4 })
      same(await remote.message('Unhave'), { start: 2, length: 2 }, 'Unhave')
    },
  )
  yield peerCase(
    'announce.cleared-bits',
    WANT,
    'a cleared block is not in the bits that answer a Want',
    async (stage) => {
      const blocks = [0, 1, 2, 3, 4, 5].map((index) => hex(blockOf(index)))
      await stage.source({ ...WRITER, blocks }, true)
      await stage.ask('clear', { start: 1, end: 2 })
      const remote = await stage.entered()
      remote.say(1, 'Want', ALL)
      const have = await remote.message('Have', (each) => each.bitfield !== null)
      same(have.bitfield, encodeRle(Uint8Array.of(0b1011_1100)), 'bits')
    },
  )
}
