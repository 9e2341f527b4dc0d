/**
 * The subject reads: what it asks, what it believes, how it is found to be done.
 *
 * @see docs/protocol/20-wire.md 3.6 to 3.10
 * @module
 */
import { randomBytes, sign } from 'varve/crypto'
import { encodeRle } from 'varve/log'
import { treeHash, type BlockProof } from 'varve/merkle'
import { hex, holds, same } from '../expect.ts'
import { PartialLog, WholeLog } from '../reference-log.ts'
import { blockOf, fixtureLog, KEYS, LENGTH } from './fixture.ts'
import { peerCase, type PeerCase } from './peer-case.ts'
import { LIMIT_MS, type Remote } from './remote.ts'
import type { Stage } from './stage.ts'
import type { Level } from '../case.ts'

const WANT = '20-wire 3.6'
const REQUESTS = '20-wire 3.7'
const DIGEST = '20-wire 3.8'
const DATA = '20-wire 3.9'
const END = '20-wire 3.10'
const LIMITS = '20-wire 5'
const ALL = { start: 0, length: 1_048_576 }

/** A source as the chapters want it: it tells what it has, and answers. */
export class Source {
  readonly log: WholeLog
  readonly remote: Remote
  answered = 0
  /** Change an answer, or leave it out. */
  change: (answer: BlockProof, request: { hash: boolean; index: number }) => BlockProof | null = (
    answer,
  ) => answer

  constructor(remote: Remote, log: WholeLog = fixtureLog()) {
    this.remote = remote
    this.log = log
    remote.socket.on('data', () => queueMicrotask(() => this.#answer()))
  }

  /** Say that we send and do not fetch, and that we have everything. */
  offer(): this {
    this.remote.say(1, 'Status', { uploading: true, downloading: false })
    this.remote.say(1, 'Have', { start: this.log.length - 1 })
    this.remote.say(1, 'Have', { ...ALL, bitfield: this.bits() })
    this.#answer()
    return this
  }

  /** The coded bits of the blocks, or of these. */
  bits(held?: readonly number[]): Uint8Array {
    const bits = new Uint8Array(Math.ceil(this.log.length / 8))
    for (let i = 0; i < this.log.length; i++) {
      if (!held || held.includes(i)) bits[i >> 3] = (bits[i >> 3] ?? 0) | (128 >> (i & 7))
    }
    return encodeRle(bits)
  }

  #answer(): void {
    const requests = this.remote.all('Request')
    for (; this.answered < requests.length; this.answered++) {
      const request = requests[this.answered]
      if (!request || request.index >= this.log.length) continue
      const { index, hash, nodes: digest } = request
      const answer = this.change(this.log.prove(index, { digest, hash }), request)
      if (answer) this.remote.say(1, 'Data', answer)
    }
  }
}

/** A reader that the kit met, with the log open on both sides. */
async function reader(stage: Stage, serving = {}): Promise<Remote> {
  await stage.reader(serving)
  const remote = await stage.met()
  await remote.message('Open')
  return remote
}

/** The subject holds exactly these blocks, within the usual time. */
export async function holdsRuns(
  stage: Stage,
  length: number,
  runs: readonly (readonly [number, number])[],
): Promise<void> {
  const end = Date.now() + LIMIT_MS
  for (;;) {
    const state = await stage.ask('state', {})
    const got = JSON.stringify([state.length, state.held])
    if (got === JSON.stringify([length, runs])) return
    if (Date.now() > end)
      return same([state.length, state.held], [length, runs], 'length, and runs of blocks')
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

/** The subject has read everything, and asked for nothing. */
async function asksNothing(remote: Remote): Promise<void> {
  await remote.heard()
  await remote.heard()
  same(remote.all('Request').length, 0, 'requests')
}

/** Everything came: seen from outside by the answers that were asked for, from inside by the state. */
async function complete(stage: Stage, source: Source): Promise<void> {
  const wanted = source.log.length
  await source.remote.until(
    () => new Set(source.remote.all('Request').map(({ index }) => index)).size >= wanted,
    'a request of every block',
  )
  if (stage.target.kind === 'driven') await holdsRuns(stage, wanted, [[0, wanted]])
}

/** All of them. */
export function* readerCases(): Iterable<PeerCase> {
  yield* syncCases()
  yield* sparseCases()
  yield* beliefCases()
  yield* endCases()
}

function* syncCases(): Iterable<PeerCase> {
  yield peerCase(
    'read.everything',
    REQUESTS,
    'a reader that is not sparse fetches every block that it is told of',
    async (stage) => {
      const source = new Source(await reader(stage)).offer()
      await complete(stage, source)
    },
  )
  yield peerCase('read.initiator', REQUESTS, 'so does one that connected itself', async (stage) => {
    await stage.reader()
    const remote = await (await stage.accept()).greet()
    remote.open(KEYS.publicKey)
    await remote.message('Open')
    await complete(stage, new Source(remote).offer())
  })
  yield peerCase(
    'read.have-run',
    WANT,
    'a Have of a run is as good as a bitfield',
    async (stage) => {
      const remote = await reader(stage)
      const source = new Source(remote)
      remote.say(1, 'Have', { start: 0, length: LENGTH })
      await complete(stage, source)
    },
  )
  yield peerCase(
    'read.have-single',
    WANT,
    'a Have of a single block brings a request of this block',
    async (stage) => {
      const remote = await reader(stage)
      remote.say(1, 'Have', { start: 7 })
      same((await remote.message('Request')).index, 7, 'index')
    },
  )
  yield peerCase(
    'read.holes',
    REQUESTS,
    'only blocks that were told are asked for',
    async (stage) => {
      const remote = await reader(stage)
      const source = new Source(remote)
      remote.say(1, 'Have', { ...ALL, bitfield: source.bits([1, 5, 6]) })
      await remote.until(() => remote.all('Request').length >= 3, 'three requests')
      await remote.heard()
      same(
        [...new Set(remote.all('Request').map(({ index }) => index))].toSorted((a, b) => a - b),
        [1, 5, 6],
        'blocks asked for',
      )
    },
  )
  yield peerCase(
    'read.unhave',
    WANT,
    'a block that was taken back is not asked for',
    async (stage) => {
      const remote = await reader(stage)
      remote.say(1, 'Status', { uploading: false, downloading: false })
      remote.say(1, 'Have', { start: 2, length: 3 })
      remote.say(1, 'Unhave', { start: 3, length: 1 })
      remote.say(1, 'Status', { uploading: true, downloading: false })
      await remote.until(() => remote.all('Request').length >= 2, 'two requests')
      await remote.heard()
      holds(!remote.all('Request').some(({ index }) => index === 3), 'block 3 was asked for')
    },
  )
  yield peerCase(
    'read.no-upload',
    '20-wire 3.5',
    'nothing is asked of who does not upload',
    async (stage) => {
      const remote = await reader(stage)
      remote.say(1, 'Status', { uploading: false, downloading: false })
      remote.say(1, 'Have', { start: 0, length: LENGTH })
      await asksNothing(remote)
    },
  )
  yield peerCase(
    'read.upload-again',
    '20-wire 3.5',
    'who uploads again is asked again',
    async (stage) => {
      const remote = await reader(stage)
      remote.say(1, 'Status', { uploading: false, downloading: false })
      remote.say(1, 'Have', { start: 5 })
      remote.say(1, 'Status', { uploading: true, downloading: false })
      same((await remote.message('Request')).index, 5, 'index')
    },
  )
  yield peerCase(
    'read.not-downloading',
    '20-wire 3.5',
    'who does not download asks for nothing',
    async (stage) => {
      const remote = await reader(stage, { download: false })
      same((await remote.message('Status')).downloading, false, 'downloading')
      remote.say(1, 'Have', { start: 0, length: LENGTH })
      await asksNothing(remote)
    },
  )
  yield peerCase('read.first-digest', DIGEST, 'who has nothing says digest 0', async (stage) => {
    const remote = await reader(stage)
    remote.say(1, 'Have', { start: 3 })
    const request = await remote.message('Request')
    same(request, { index: 3, bytes: 0, hash: false, nodes: 0 }, 'Request')
  })
  for (const [first, second] of [
    [0, 1],
    [0, 2],
    [0, 9],
    [0, 22],
    [22, 0],
    [5, 4],
  ] as const) {
    yield peerCase(
      `read.digest-${first}-${second}`,
      DIGEST,
      `who holds block ${first} says with the digest what it lacks for block ${second}`,
      async (stage) => {
        const remote = await reader(stage)
        const source = new Source(remote)
        remote.say(1, 'Have', { start: first })
        await remote.message('Request', ({ index }) => index === first)
        if (stage.target.kind === 'driven') await holdsRuns(stage, LENGTH, [[first, first + 1]])
        else await remote.heard()
        remote.say(1, 'Have', { start: second })
        const request = await remote.message('Request', ({ index }) => index === second)
        const copy = new PartialLog(KEYS.publicKey)
        copy.accept(source.log.prove(first))
        same(request.nodes, copy.digest(second), 'digest')
      },
    )
  }
  yield peerCase(
    'read.window',
    REQUESTS,
    'not more than 32 requests wait for an answer that does not come',
    async (stage) => {
      const remote = await reader(stage)
      remote.say(1, 'Have', { start: 0, length: 2000 })
      await remote.message('Request')
      await remote.heard()
      await remote.quiet(60)
      const { length } = remote.all('Request')
      holds(length >= 16 && length <= 32, `${length} requests wait`)
    },
    'SHOULD',
  )
  yield peerCase(
    'read.grows',
    WANT,
    'a live reader fetches what is announced later',
    async (stage) => {
      const remote = await reader(stage)
      const source = new Source(remote).offer()
      await complete(stage, source)
      source.log.append([blockOf(LENGTH), blockOf(LENGTH + 1)])
      remote.say(1, 'Have', { start: LENGTH, length: 2 })
      await complete(stage, source)
    },
  )
  yield peerCase(
    'read.tells-others',
    WANT,
    'a block that came from one peer is told to another, and not to the first',
    async (stage) => {
      const remote = await reader(stage)
      const other = await stage.met()
      await other.heard()
      remote.say(1, 'Want', ALL)
      const source = new Source(remote)
      remote.say(1, 'Have', { start: 6 })
      await other.message('Have', ({ start, bitfield }) => start === 6 && bitfield === null)
      holds(source.answered > 0, 'the block was asked for')
      holds(
        !remote.all('Have').some(({ start, ack }) => start === 6 && !ack),
        'the first was told its own block',
      )
    },
  )
  yield peerCase(
    'read.other-takes-over',
    REQUESTS,
    'what a peer that left did not answer is asked of another',
    async (stage) => {
      const remote = await reader(stage)
      remote.say(1, 'Have', { start: 8 })
      await remote.message('Request')
      const other = await stage.met()
      await other.message('Open')
      other.say(1, 'Have', { start: 8 })
      remote.end()
      same((await other.message('Request')).index, 8, 'index')
    },
  )
  yield peerCase('read.ack', DATA, 'a block is acknowledged to who asks for it', async (stage) => {
    const remote = await reader(stage)
    remote.say(1, 'Options', { extensions: [], ack: true })
    const source = new Source(remote)
    remote.say(1, 'Have', { start: 2 })
    same(
      await remote.message('Have', ({ ack }) => ack),
      { start: 2, length: 1, bitfield: null, ack: true },
      'Have',
    )
    holds(source.answered > 0, 'the block was asked for')
  })
  yield peerCase('read.no-ack', DATA, 'and to nobody else', async (stage) => {
    const remote = await reader(stage)
    const source = new Source(remote)
    remote.say(1, 'Have', { start: 2 })
    await remote.message('Request')
    await remote.heard()
    await remote.heard()
    holds(!remote.all('Have').some(({ ack }) => ack), 'an acknowledgement came')
    holds(source.answered > 0, 'the block was asked for')
  })
  yield peerCase(
    'read.own-blocks',
    WANT,
    'a reader tells what it has got when it is asked',
    async (stage) => {
      const remote = await reader(stage)
      const source = new Source(remote).offer()
      await complete(stage, source)
      remote.say(1, 'Want', ALL)
      const have = await remote.message('Have', ({ bitfield }) => bitfield !== null)
      same(have.bitfield, source.bits(), 'bits')
    },
  )
}

function* sparseCases(): Iterable<PeerCase> {
  const sparse = { sparse: true }
  yield peerCase(
    'sparse.silent',
    REQUESTS,
    'a sparse reader asks for nothing by itself',
    async (stage) => {
      const remote = await reader(stage, sparse)
      new Source(remote).offer()
      await asksNothing(remote)
    },
  )
  yield peerCase(
    'sparse.get',
    REQUESTS,
    'a block that is read is asked for, and given to who reads',
    async (stage) => {
      const remote = await reader(stage, sparse)
      new Source(remote).offer()
      same(await stage.ask('get', { index: 9 }), { value: hex(blockOf(9)) }, 'block')
      same(
        remote.all('Request').map(({ index }) => index),
        [9],
        'blocks asked for',
      )
    },
  )
  yield peerCase(
    'sparse.get-later',
    REQUESTS,
    'a block that is read before anybody has it is asked of the first who has',
    async (stage) => {
      const remote = await reader(stage, sparse)
      const read = stage.ask('get', { index: 3 })
      read.catch(() => undefined)
      await remote.heard()
      new Source(remote).offer()
      same(await read, { value: hex(blockOf(3)) }, 'block')
    },
  )
  yield peerCase(
    'sparse.empty-block',
    REQUESTS,
    'an empty block is read as such',
    async (stage) => {
      const remote = await reader(stage, sparse)
      new Source(remote).offer()
      same(await stage.ask('get', { index: 4 }), { value: '' }, 'block')
    },
  )
  yield peerCase(
    'sparse.range',
    REQUESTS,
    'a range that is downloaded is asked for, and no more',
    async (stage) => {
      const remote = await reader(stage, sparse)
      new Source(remote).offer()
      await stage.ask('download', { start: 10, end: 14 })
      await holdsRuns(stage, LENGTH, [[10, 14]])
      await remote.heard()
      same(
        remote
          .all('Request')
          .map(({ index }) => index)
          .toSorted((a, b) => a - b),
        [10, 11, 12, 13],
        'blocks asked for',
      )
    },
  )
  yield peerCase(
    'sparse.update',
    REQUESTS,
    'an update asks for the proof of a head, and no block',
    async (stage) => {
      const remote = await reader(stage, sparse)
      new Source(remote).offer()
      same(await stage.ask('update', {}), { length: LENGTH }, 'length')
      const [request] = remote.all('Request')
      holds(request?.hash === true, 'the hash alone is asked for')
      await holdsRuns(stage, LENGTH, [])
    },
  )
  yield peerCase(
    'sparse.seek',
    REQUESTS,
    'a seek asks by byte for the proof, and finds the block',
    async (stage) => {
      const remote = await reader(stage, sparse)
      const source = new Source(remote)
      source.change = (answer, { index }) => {
        const request = remote.all('Request').find((each) => each.index === index && each.bytes > 0)
        if (!request) return answer
        let before = 0
        for (let at = 0; at < LENGTH; before += blockOf(at).length, at++) {
          if (request.bytes < before + blockOf(at).length)
            return source.log.prove(at, { hash: true })
        }
        return answer
      }
      source.offer()
      await stage.ask('update', {})
      const start = [0, 1, 2, 3, 4, 5].reduce((sum, index) => sum + blockOf(index).length, 0)
      same(await stage.ask('seekLog', { bytes: start + 2 }), { index: 6, offset: 2 }, 'place')
      const asked = remote.all('Request').filter(({ bytes }) => bytes > 0)
      holds(
        asked.length > 0 && asked.every(({ bytes }) => bytes === start + 2),
        'byte of the requests',
      )
      holds(
        asked.every(({ hash }) => hash),
        'hashes alone are asked for',
      )
    },
  )
  yield peerCase(
    'sparse.far-want',
    WANT,
    'for a block far away its own range is wanted, once the first Want was answered',
    async (stage) => {
      const remote = await reader(stage, sparse)
      const read = stage.ask('get', { index: 3_000_000 }, 5000)
      read.catch(() => undefined)
      await remote.message('Want', ({ start }) => start === 0)
      remote.say(1, 'Have', { ...ALL, bitfield: new Uint8Array(0) })
      await remote.message('Want', ({ start }) => start === 2_097_152)
      await stage.ask('shut', {})
    },
  )
}

/** Answers that must not be believed. */
function* beliefCases(): Iterable<PeerCase> {
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

/** How connections that are not live end. */
function* endCases(): Iterable<PeerCase> {
  yield peerCase(
    'end.reader',
    END,
    'a reader that has everything says that it downloads no more',
    async (stage) => {
      const remote = await reader(stage, { live: false })
      new Source(remote).offer()
      same(
        await remote.message('Status', ({ downloading }) => !downloading),
        { uploading: true, downloading: false },
        'Status',
      )
    },
  )
  yield peerCase(
    'end.both',
    END,
    'when neither side downloads, the channel is closed and the connection ends',
    async (stage) => {
      const remote = await reader(stage, { live: false })
      new Source(remote).offer()
      await remote.message('Status', ({ downloading }) => !downloading)
      remote.say(1, 'Status', { uploading: false, downloading: false })
      await remote
        .until(() => remote.all('Close').length > 0 || remote.closed, 'Close of the subject')
        .catch(() => undefined)
      await remote.ends()
    },
  )
  yield peerCase('end.live', END, 'a live reader that has everything stays', async (stage) => {
    const remote = await reader(stage)
    const source = new Source(remote).offer()
    await complete(stage, source)
    await remote.quiet(120)
    holds(
      !remote.all('Status').some(({ downloading }) => !downloading),
      'it said that it downloads no more',
    )
  })
  yield peerCase(
    'end.writer',
    END,
    'a writer that is not live ends when its reader downloads no more',
    async (stage) => {
      await stage.source({
        folder: null,
        secretKey: hex(KEYS.secretKey),
        blocks: [hex(blockOf(0))],
        live: false,
      })
      const remote = await stage.entered()
      await remote.heard()
      remote.say(1, 'Status', { uploading: true, downloading: false })
      await remote.ends()
      holds(remote.all('Close').length > 0, 'the channel was closed')
    },
  )
  yield peerCase(
    'end.writer-status',
    END,
    'before its Close a writer says that it neither uploads nor downloads',
    async (stage) => {
      await stage.source({
        folder: null,
        secretKey: hex(KEYS.secretKey),
        blocks: [hex(blockOf(0))],
        live: false,
      })
      const remote = await stage.entered()
      await remote.heard()
      remote.say(1, 'Status', { uploading: true, downloading: false })
      await remote.ends()
      same(remote.all('Status').at(-1), { uploading: false, downloading: false }, 'last Status')
    },
  )
  yield peerCase(
    'end.waits',
    END,
    'a writer that is not live stays as long as its reader downloads',
    async (stage) => {
      await stage.source({
        folder: null,
        secretKey: hex(KEYS.secretKey),
        blocks: [hex(blockOf(0))],
        live: false,
      })
      const remote = await stage.entered()
      await remote.heard()
      await remote.quiet(120)
    },
  )
}
