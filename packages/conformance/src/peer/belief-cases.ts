/**
 * The subject reads: what it believes, and what not.
 *
 * @see docs/protocol/20-wire.md 3.9 and 5
 * @module
 */
import { randomBytes, sign } from 'varve/crypto'
import { treeHash, type BlockProof } from 'varve/merkle'
import { same } from '../expect.ts'
import { WholeLog } from '../reference-log.ts'
import { blockOf, fixtureLog, KEYS, LENGTH } from './fixture.ts'
import { peerCase, type PeerCase } from './peer-case.ts'
import type { Level } from '../case.ts'
import { Source, reader, holdsRuns, complete } from './source.ts'

const DATA = '20-wire 3.9'
const LIMITS = '20-wire 5'

/** Answers that must be believed, and answers that must not. */
export function* beliefCases(): Iterable<PeerCase> {
  const lie = (
    id: string,
    title: string,
    change: (answer: BlockProof, log: WholeLog) => BlockProof,
    level: Level = 'MUST',
    section = DATA,
  ): PeerCase =>
    peerCase(
      `believe.${id}`,
      section,
      `${title}: the connection ends, and nothing is stored`,
      async (stage) => {
        const remote = await reader(stage)
        const source = new Source(remote)
        source.change = (answer) => change(answer, source.log)
        remote.say(1, 'Have', { start: 5 })
        await remote.ends()
        if (stage.target.kind === 'driven') await holdsRuns(stage, 0, [])
        const honest = await stage.met()
        await honest.message('Open')
        await complete(stage, new Source(honest).offer())
      },
      level,
    )
  const flip = (bytes: Uint8Array, at = 0): Uint8Array => {
    const out = Uint8Array.from(bytes)
    out[at] = (out[at] ?? 0) ^ 1
    return out
  }
  yield lie('value', 'a block with one bit changed', (answer) => ({
    ...answer,
    value: flip(answer.value ?? new Uint8Array(1)),
  }))
  yield lie('other-block', 'another block with its own proof under this index', (_, log) => ({
    ...log.prove(6),
    index: 5,
  }))
  yield lie('longer-value', 'a block with a byte more', (answer) => ({
    ...answer,
    value: new Uint8Array([...(answer.value ?? []), 0]),
  }))
  yield lie('empty-value', 'an empty block instead', (answer) => ({
    ...answer,
    value: new Uint8Array(0),
  }))
  yield lie(
    'node-hash',
    'a node with one bit of its hash changed',
    ({ nodes: [first, ...rest], ...answer }) => ({
      ...answer,
      nodes: first ? [{ ...first, hash: flip(first.hash) }, ...rest] : [],
    }),
  )
  yield lie('node-size', 'a node of another size', ({ nodes: [first, ...rest], ...answer }) => ({
    ...answer,
    nodes: first ? [{ ...first, size: first.size + 1 }, ...rest] : [],
  }))
  yield lie('root-missing', 'a proof without its last root', ({ nodes, ...answer }) => ({
    ...answer,
    nodes: nodes.slice(0, -1),
  }))
  yield lie('nodes-missing', 'a proof without nodes', (answer) => ({ ...answer, nodes: [] }))
  yield lie('order', 'a proof in the wrong order', ({ nodes, ...answer }) => ({
    ...answer,
    nodes: nodes.toReversed(),
  }))
  yield lie('no-signature', 'a proof without a signature', (answer) => ({
    ...answer,
    signature: null,
  }))
  yield lie('signature', 'a signature with one bit changed', (answer) => ({
    ...answer,
    signature: flip(answer.signature ?? new Uint8Array(64), 10),
  }))
  yield lie('other-length', 'the signature of another length', (answer, log) => ({
    ...answer,
    signature: log.signature(LENGTH - 1),
  }))
  yield lie('other-key', 'a history signed by another key', (answer) => {
    const other = new WholeLog({ ...KEYS, secretKey: seedKey() }, fixtureLog().blocks)
    return { ...answer, signature: other.signature() }
  })
  yield lie(
    'short-signature',
    'a signature of 63 bytes',
    (answer) => ({ ...answer, signature: answer.signature?.subarray(1) ?? null }),
    'project',
    LIMITS,
  )
  yield lie(
    'nothing',
    'a Data without value and without nodes',
    (answer) => ({ ...answer, value: null, nodes: [] }),
    'project',
    LIMITS,
  )
  yield lie(
    'other-leaf',
    "the proof of another leaf's hash under this index",
    (_, log) => ({ ...log.prove(6, { hash: true }), index: 5 }),
    'project',
    LIMITS,
  )
  yield lie('forged-under-roots', 'a forged block under genuine roots', (_, log) => ({
    index: 5,
    value: Uint8Array.from(blockOf(5), (byte) => byte ^ 1),
    nodes: [...log.roots],
    signature: log.signature(),
  }))

  yield peerCase(
    'believe.unasked',
    DATA,
    'a block that was not asked for is not stored',
    async (stage) => {
      const remote = await reader(stage, { sparse: true })
      const log = fixtureLog()
      remote.say(1, 'Data', log.prove(5))
      await remote.heard()
      await holdsRuns(stage, 0, [])
    },
  )
  yield peerCase(
    'believe.unasked-unhave',
    DATA,
    'who wanted is told by an Unhave that an unasked block was not kept',
    async (stage) => {
      const remote = await reader(stage, { sparse: true })
      await remote.heard()
      remote.say(1, 'Data', fixtureLog().prove(5))
      same(await remote.message('Unhave'), { start: 5, length: 1 }, 'Unhave')
    },
  )
  yield peerCase(
    'believe.pushed-proof',
    DATA,
    'a proven hash is taken unasked: the log grows',
    async (stage) => {
      const remote = await reader(stage, { sparse: true })
      remote.say(1, 'Data', fixtureLog().prove(LENGTH - 1, { hash: true }))
      await remote.heard()
      await holdsRuns(stage, LENGTH, [])
    },
  )
  yield peerCase(
    'believe.bare-signature',
    '10-log 2.4',
    'a signature of the bare tree hash is accepted, as old logs have it',
    async (stage) => {
      const remote = await reader(stage)
      const source = new Source(remote)
      const bare = sign(treeHash(source.log.roots), KEYS.secretKey)
      source.change = (answer) => ({ ...answer, signature: answer.signature && bare })
      source.offer()
      await complete(stage, source)
    },
  )
  yield peerCase(
    'believe.older',
    DATA,
    'an older proof, genuine, is accepted and does not shorten the log',
    async (stage) => {
      const remote = await reader(stage)
      const source = new Source(remote).offer()
      await complete(stage, source)
      const old = new WholeLog(KEYS, source.log.blocks.slice(0, 11))
      remote.say(1, 'Data', old.prove(10, { hash: true }))
      await remote.heard()
      if (stage.target.kind === 'driven') await holdsRuns(stage, LENGTH, [[0, LENGTH]])
    },
  )
  yield peerCase(
    'believe.extra-nodes',
    DATA,
    'a full proof is accepted where a short one would do',
    async (stage) => {
      const remote = await reader(stage)
      const source = new Source(remote)
      source.change = ({ index, value }) => ({ ...source.log.prove(index), value })
      source.offer()
      await complete(stage, source)
    },
  )
}

let otherSecret: Uint8Array | null = null
function seedKey(): Uint8Array {
  otherSecret ??= Uint8Array.from([...randomBytes(32), ...KEYS.publicKey])
  return otherSecret
}
