/**
 * Requests that tell what is known already, and requests by byte.
 *
 * @see docs/protocol/20-wire.md 3.8 and 3.9
 * @module
 */
import { same } from '../expect.ts'
import { PartialLog } from '../reference-log.ts'
import { blockOf, fixtureLog, LENGTH, KEYS } from './fixture.ts'
import { peerCase, type PeerCase } from './peer-case.ts'
import { fetchBlock } from './request-cases.ts'

const PROOF = '20-wire 3.8'
const ANSWER = '20-wire 3.9'
const LIMITS = '20-wire 5'
const { publicKey } = KEYS

/** All of them. */
export function* digestCases(): Iterable<PeerCase> {
  yield* knownNodeCases()
  yield* byteCases()
}

function* knownNodeCases(): Iterable<PeerCase> {
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
        await fetchBlock(remote, copy, first)
        const digest = copy.digest(second)
        const data = await fetchBlock(remote, copy, second)
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
