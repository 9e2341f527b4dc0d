/**
 * Requests to a source: blocks, proofs, digests, bytes.
 *
 * @see docs/protocol/20-wire.md 3.8 and 3.9
 * @module
 */
import type { Data } from 'varve/wire'
import { Refuted } from '../case.ts'
import { hex, holds, same } from '../expect.ts'
import { PartialLog } from '../reference-log.ts'
import { blockOf, FIXTURE_PARTIAL, fixtureLog, KEYS, LENGTH, PARTIAL_BLOCKS } from './fixture.ts'
import { survives } from './handshake-cases.ts'
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
  yield* digestCases()
  yield* byteCases()
  yield* oddCases()
}

/** Ask for a block and check that what comes proves it. */
async function fetch(
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
        const { value } = await fetch(remote, copy, index)
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
        const data = await fetch(remote, new PartialLog(publicKey), index)
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
        const data = await fetch(remote, new PartialLog(publicKey), index, { hash: true })
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
      for (let index = 0; index < LENGTH; index++) await fetch(remote, copy, index)
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
      for (let index = LENGTH - 1; index >= 0; index--) await fetch(remote, copy, index)
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
      await fetch(remote, new PartialLog(publicKey), 5)
      await fetch(remote, new PartialLog(publicKey), 5, { nodes: 0 }).catch((error: unknown) => {
        // A source may leave out what an earlier digest told; this one told nothing.
        throw error
      })
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
        const { value } = await fetch(remote, new PartialLog(publicKey), index)
        same(value, blockOf(index), `block ${index}`)
        stage.sweep()
      }
    },
  )
}

function* digestCases(): Iterable<PeerCase> {
  yield peerCase(
    'digest.everything',
    PROOF,
    'for digest 1 no node and no signature is sent',
    async (stage) => {
      await stage.source()
      const remote = await stage.entered()
      remote.say(1, 'Request', { index: 6, bytes: 0, hash: false, nodes: 1 })
      const data = await remote.message('Data')
      same(
        [data.nodes.length, data.signature, data.value],
        [0, null, blockOf(6)],
        'nodes, signature, block',
      )
    },
  )
  for (const [first, second] of [
    [0, 1],
    [0, 2],
    [0, 7],
    [0, 15],
    [0, 16],
    [22, 21],
    [5, 4],
    [16, 0],
    [9, 12],
  ] as const) {
    yield peerCase(
      `digest.${first}-then-${second}`,
      PROOF,
      `who holds block ${first} gets for block ${second} just the nodes that it lacks`,
      async (stage) => {
        await stage.source()
        const remote = await stage.entered()
        const copy = new PartialLog(publicKey)
        await fetch(remote, copy, first)
        const digest = copy.digest(second)
        const data = await fetch(remote, copy, second)
        const { nodes, signature } = fixtureLog().prove(second, { digest })
        same(
          data.nodes.map((node) => node.index),
          nodes.map((node) => node.index),
          `nodes for digest ${digest}`,
        )
        same(data.signature, signature, 'signature')
      },
    )
  }
  for (const nodes of [2, 3, 5, 9, 1023, 2 ** 31, 2 ** 40 + 1, 2 ** 53 - 1]) {
    yield peerCase(
      `digest.lie-${nodes}`,
      LIMITS,
      `the digest ${nodes} of who knows nothing is answered, and harms nobody`,
      async (stage) => {
        await stage.source()
        const remote = await stage.entered()
        remote.say(1, 'Request', { index: 3, bytes: 0, hash: false, nodes })
        same((await remote.message('Data')).index, 3, 'index')
        await remote.heard()
      },
    )
  }
}

function* byteCases(): Iterable<PeerCase> {
  const offsets = Array.from({ length: LENGTH + 1 }, (_, i) =>
    Array.from({ length: i }, (_unused, index) => blockOf(index).length).reduce(
      (sum, size) => sum + size,
      0,
    ),
  )
  const bytesOf = (index: number, more: number): number => (offsets[index] ?? 0) + more
  for (const [index, more] of [
    [0, 3],
    [1, 0],
    [8, 1],
    [9, 69_000],
    [22, 2],
  ] as const) {
    const bytes = bytesOf(index, more)
    yield peerCase(
      `bytes.${bytes}`,
      ANSWER,
      `byte ${bytes} is answered by the proof of block ${index}, whatever the index says`,
      async (stage) => {
        await stage.source()
        const remote = await stage.entered()
        remote.say(1, 'Request', { index: 0, bytes, hash: true, nodes: 0 })
        const data = await remote.message('Data')
        same([data.index, data.value], [index, null], 'block')
        new PartialLog(publicKey).accept(data)
      },
    )
  }
  yield peerCase('bytes.value', ANSWER, 'a byte can be asked with its block', async (stage) => {
    await stage.source()
    const remote = await stage.entered()
    remote.say(1, 'Request', { index: 0, bytes: bytesOf(6, 1), hash: false, nodes: 0 })
    same((await remote.message('Data')).value, blockOf(6), 'block')
  })
  yield peerCase(
    'bytes.repeated',
    ANSWER,
    'the same byte asked twice is answered once',
    async (stage) => {
      await stage.source()
      const remote = await stage.entered()
      const request = { index: 0, bytes: bytesOf(3, 1), hash: true, nodes: 0 }
      remote.say(1, 'Request', request)
      await remote.message('Data')
      remote.say(1, 'Request', request)
      await remote.heard()
      same(remote.all('Data').length, 1, 'answers')
    },
  )
  yield peerCase(
    'bytes.digest',
    ANSWER,
    'the digest of a request by byte is taken as 0',
    async (stage) => {
      await stage.source()
      const remote = await stage.entered()
      remote.say(1, 'Request', { index: 0, bytes: bytesOf(7, 0), hash: true, nodes: 1 })
      new PartialLog(publicKey).accept(await remote.message('Data'))
    },
  )
  yield peerCase(
    'bytes.end',
    LIMITS,
    'the byte behind the last is answered by the index that was named',
    async (stage) => {
      await stage.source()
      const remote = await stage.entered()
      remote.say(1, 'Request', { index: 2, bytes: offsets[LENGTH] ?? 0, hash: true, nodes: 0 })
      same((await remote.message('Data')).index, 2, 'index')
    },
    'project',
  )
  yield peerCase(
    'bytes.beyond',
    ANSWER,
    'a byte beyond the log is answered by the index that was named',
    async (stage) => {
      await stage.source()
      const remote = await stage.entered()
      remote.say(1, 'Request', { index: 2, bytes: 10_000_000, hash: true, nodes: 0 })
      same((await remote.message('Data')).index, 2, 'index')
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
      await fetch(remote, new PartialLog(publicKey), 1, { hash: true })
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
      await fetch(remote, copy, 3)
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
      const data = await fetch(remote, new PartialLog(publicKey), 2)
      const wanted = fixtureLog().signature(5)
      holds(
        data.signature !== null && hex(data.signature) === hex(wanted),
        'the signature of 5 blocks',
      )
    },
  )
}
