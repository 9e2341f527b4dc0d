/**
 * Options and Status; what a source tells of its blocks.
 *
 * @see docs/protocol/20-wire.md 3.5 and 3.6
 * @module
 */
import { encodeRle } from 'varve/log'
import { hex, holds, same } from '../expect.ts'
import { blockOf, FIXTURE_PARTIAL, LENGTH, PARTIAL_BLOCKS, KEYS } from './fixture.ts'
import { peerCase, type PeerCase } from './peer-case.ts'
import { type Remote } from './remote.ts'

const PEER = '20-wire 3.5'
const WANT = '20-wire 3.6'
const LIMITS = '20-wire 5'
const WRITER = { folder: null, secretKey: hex(KEYS.secretKey) }
const ALL = { start: 0, length: 1_048_576 }

/** All of them. */
export function* wantCases(): Iterable<PeerCase> {
  yield* statusCases()
  yield* answerCases()
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

function* answerCases(): Iterable<PeerCase> {
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
