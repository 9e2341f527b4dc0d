/**
 * The subject reads: what it asks of whom, and what it tells.
 *
 * @see docs/protocol/20-wire.md 3.6 to 3.9
 * @module
 */
import { hex, holds, same } from '../expect.ts'
import { PartialLog } from '../reference-log.ts'
import { blockOf, KEYS, LENGTH } from './fixture.ts'
import { peerCase, type PeerCase } from './peer-case.ts'
import { Source, reader, holdsRuns, complete, asksNothing } from './source.ts'

const WANT = '20-wire 3.6'
const REQUESTS = '20-wire 3.7'
const DIGEST = '20-wire 3.8'
const DATA = '20-wire 3.9'
const ALL = { start: 0, length: 1_048_576 }

/** All of them. */
export function* readerCases(): Iterable<PeerCase> {
  yield* syncCases()
  yield* sparseCases()
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
