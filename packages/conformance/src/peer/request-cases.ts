/**
 * Requests to a source: blocks and hashes, each with its proof.
 *
 * @see docs/protocol/20-wire.md 3.8, 3.9 and 5
 * @module
 */
import type { Data } from 'varve/wire'
import { Refuted } from '../case.ts'
import { hex, holds, same } from '../expect.ts'
import { PartialLog } from '../reference-log.ts'
import { blockOf, FIXTURE_PARTIAL, fixtureLog, LENGTH, PARTIAL_BLOCKS, KEYS } from './fixture.ts'
import { survives } from './survives.ts'
import { peerCase, type PeerCase } from './peer-case.ts'
import type { Remote } from './remote.ts'
import type { Level } from '../case.ts'

const PROOF = '20-wire 3.8'
const ANSWER = '20-wire 3.9'
const LIMITS = '20-wire 5'
const { publicKey } = KEYS
const WRITER = { folder: null, secretKey: hex(KEYS.secretKey) }

/** All of them. */
export function* requestCases(): Iterable<PeerCase> {
  yield* blockCases()
  yield* oddCases()
}

/** Ask for a block and check that what comes proves it. */
export async function fetchBlock(
  remote: Remote,
  copy: PartialLog,
  index: number,
  request: { nodes?: number; hash?: boolean } = {},
): Promise<Data> {
  const before = remote.all('Data').length
  const { nodes = copy.digest(index), hash = false } = request
  remote.say(1, 'Request', { index, bytes: 0, hash, nodes })
  const data = await remote.until(() => remote.all('Data')[before], `block ${index}`)
  same(data.index, index, 'index')
  try {
    copy.accept(data)
  } catch (error) {
    throw new Refuted(
      `block ${index} is not proven: ${error instanceof Error ? error.message : ''}`,
    )
  }
  return data
}

function* blockCases(): Iterable<PeerCase> {
  for (let index = 0; index < LENGTH; index++) {
    const what = index === 4 ? ', which is empty' : index === 9 ? ', of 70 000 bytes' : ''
    yield peerCase(
      `request.block-${index}`,
      ANSWER,
      `block ${index}${what} is sent with a proof up to the signed roots`,
      async (stage) => {
        await stage.source()
        const remote = await stage.entered()
        const copy = new PartialLog(publicKey)
        const { value } = await fetchBlock(remote, copy, index)
        same(value, blockOf(index), 'block')
        same(copy.length, LENGTH, 'length that is proven')
      },
    )
  }
  for (const index of [0, 4, 7, 15, 16, 21, 22]) {
    yield peerCase(
      `request.nodes-${index}`,
      PROOF,
      `for digest 0 the proof of block ${index} is its path from below, then the other roots from left`,
      async (stage) => {
        await stage.source()
        const remote = await stage.entered()
        const data = await fetchBlock(remote, new PartialLog(publicKey), index)
        const { nodes, signature } = fixtureLog().prove(index)
        same(
          data.nodes.map((node) => node.index),
          nodes.map((node) => node.index),
          'nodes',
        )
        same(data.signature, signature, 'signature')
      },
    )
    yield peerCase(
      `request.hash-${index}`,
      ANSWER,
      `the hash alone of block ${index} is its leaf first, and no block`,
      async (stage) => {
        await stage.source()
        const remote = await stage.entered()
        const data = await fetchBlock(remote, new PartialLog(publicKey), index, { hash: true })
        same(data.value, null, 'value')
        same(data.nodes[0]?.index, 2 * index, 'first node')
      },
    )
  }
  yield peerCase(
    'request.all',
    ANSWER,
    'a copy that asks block after block ends up with all of them, node by node',
    async (stage) => {
      await stage.source()
      const remote = await stage.entered()
      const copy = new PartialLog(publicKey)
      for (let index = 0; index < LENGTH; index++) await fetchBlock(remote, copy, index)
      const whole = fixtureLog()
      same([copy.length, copy.byteLength], [whole.length, whole.byteLength], 'length')
      for (let index = 0; index < LENGTH; index++)
        same(copy.blocks.get(index), blockOf(index), `block ${index}`)
    },
  )
  yield peerCase(
    'request.backwards',
    ANSWER,
    'so does one that asks from the end',
    async (stage) => {
      await stage.source()
      const remote = await stage.entered()
      const copy = new PartialLog(publicKey)
      for (let index = LENGTH - 1; index >= 0; index--) await fetchBlock(remote, copy, index)
      same(copy.blocks.size, LENGTH, 'blocks')
    },
  )
  yield peerCase(
    'request.at-once',
    ANSWER,
    'all blocks asked at once all come, each once',
    async (stage) => {
      await stage.source()
      const remote = await stage.entered()
      for (let index = 0; index < LENGTH; index++)
        remote.say(1, 'Request', { index, bytes: 0, hash: false, nodes: 0 })
      await remote.until(() => remote.all('Data').length >= LENGTH, 'all blocks')
      await remote.heard()
      same(
        remote
          .all('Data')
          .map(({ index }) => index)
          .toSorted((a, b) => a - b),
        Array.from({ length: LENGTH }, (_, i) => i),
        'blocks',
      )
      for (const data of remote.all('Data')) new PartialLog(publicKey).accept(data)
    },
  )
  yield peerCase(
    'request.again',
    ANSWER,
    'a block that is asked again is sent again',
    async (stage) => {
      await stage.source()
      const remote = await stage.entered()
      await fetchBlock(remote, new PartialLog(publicKey), 5)
      await fetchBlock(remote, new PartialLog(publicKey), 5, { nodes: 0 }).catch(
        (error: unknown) => {
          // A source may leave out what an earlier digest told; this one told nothing.
          throw error
        },
      )
    },
  )
  yield peerCase(
    'request.partial',
    ANSWER,
    'who holds some blocks sends these, with a proof',
    async (stage) => {
      await stage.source({ folder: FIXTURE_PARTIAL })
      for (const index of PARTIAL_BLOCKS) {
        const remote = await stage.entered()
        const { value } = await fetchBlock(remote, new PartialLog(publicKey), index)
        same(value, blockOf(index), `block ${index}`)
        stage.sweep()
      }
    },
  )
}

function* oddCases(): Iterable<PeerCase> {
  const destroyed = (
    id: string,
    title: string,
    index: number,
    hash: boolean,
    level: Level = 'MUST',
  ): PeerCase =>
    peerCase(
      `request.${id}`,
      LIMITS,
      title,
      async (stage) => {
        await stage.source()
        const remote = await stage.entered()
        await remote.message('Open')
        remote.say(1, 'Request', { index, bytes: 0, hash, nodes: 0 })
        await remote.ends()
        await survives(stage)
      },
      level,
    )
  yield destroyed(
    'beyond',
    'a request of the block behind the last ends the connection',
    LENGTH,
    false,
  )
  yield destroyed('far-beyond', 'a request of block 2 ** 40 ends the connection', 2 ** 40, true)
  yield peerCase(
    'request.unprovable',
    LIMITS,
    'a request of a block that a copy knows nothing of ends the connection',
    async (stage) => {
      await stage.source({ folder: FIXTURE_PARTIAL })
      const remote = await stage.entered()
      await remote.message('Open')
      remote.say(1, 'Request', { index: 11, bytes: 0, hash: true, nodes: 0 })
      await remote.ends()
      await survives(stage)
    },
  )
  yield peerCase(
    'request.cleared',
    ANSWER,
    'a block that was cleared is not sent, and the connection stays',
    async (stage) => {
      const blocks = [0, 1, 2, 3].map((index) => hex(blockOf(index)))
      await stage.source({ ...WRITER, blocks }, true)
      await stage.ask('clear', { start: 1, end: 2 })
      const remote = await stage.entered()
      await remote.message('Status')
      remote.say(1, 'Request', { index: 1, bytes: 0, hash: false, nodes: 0 })
      await remote.heard()
      same(remote.all('Data').length, 0, 'blocks sent')
    },
  )
  yield peerCase(
    'request.cleared-hash',
    ANSWER,
    'the proof of a cleared block is still given',
    async (stage) => {
      const blocks = [0, 1, 2, 3].map((index) => hex(blockOf(index)))
      await stage.source({ ...WRITER, blocks }, true)
      await stage.ask('clear', { start: 1, end: 2 })
      const remote = await stage.entered()
      await remote.message('Status')
      await fetchBlock(remote, new PartialLog(publicKey), 1, { hash: true })
    },
  )
  yield peerCase(
    'request.other-channel',
    '20-wire 3.2',
    "answers come on the subject's own channel, whatever ours is",
    async (stage) => {
      await stage.source()
      const remote = await (await stage.connect()).greet()
      remote.open(publicKey, 40)
      remote.say(40, 'Request', { index: 1 })
      await remote.message('Data')
      const channels = new Set(remote.frames.map(({ channel }) => channel))
      same([...channels], [1], 'channels of the subject')
    },
  )
  yield peerCase(
    'request.appended',
    ANSWER,
    'a block that was just appended is sent under the new head',
    async (stage) => {
      await stage.source({ ...WRITER, blocks: [0, 1, 2].map((index) => hex(blockOf(index))) }, true)
      const remote = await stage.entered()
      await remote.heard()
      await stage.ask('append', { blocks: [hex(blockOf(3))] })
      await remote.message('Have', ({ start }) => start === 3)
      const copy = new PartialLog(publicKey)
      await fetchBlock(remote, copy, 3)
      same(copy.length, 4, 'length that is proven')
    },
  )
  yield peerCase(
    'request.signature-form',
    '10-log 2.4',
    'what a writer signs is the tree hash with the length',
    async (stage) => {
      await stage.source({ ...WRITER, blocks: [0, 1, 2, 3, 4].map((index) => hex(blockOf(index))) })
      const remote = await stage.entered()
      await remote.message('Status')
      const data = await fetchBlock(remote, new PartialLog(publicKey), 2)
      const wanted = fixtureLog().signature(5)
      holds(
        data.signature !== null && hex(data.signature) === hex(wanted),
        'the signature of 5 blocks',
      )
    },
  )
}
