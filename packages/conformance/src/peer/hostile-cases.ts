/**
 * The hostile list: does the subject live through it, does it serve honest peers afterwards, what did it cost?
 *
 * @see docs/protocol/20-wire.md 5 and 7
 * @module
 */
import { randomBytes, signingKeyPair } from 'varve/crypto'
import { MessageType } from 'varve/wire'
import { bytesOf, holds } from '../expect.ts'
import { varint } from '../protobuf-fields.ts'
import { KEYS, LENGTH } from './fixture.ts'
import { survives } from './survives.ts'
import { peerCase, type PeerCase } from './peer-case.ts'
import type { Stage } from './stage.ts'
import { type Remote } from './remote.ts'
import { concat, frame, said } from './speech.ts'

const SECTION = '20-wire 7'
const MIB = 1_048_576
/** What one hostile peer may cost: section 5 says 64 MiB; the rest is the collector's. */
const MAX_MEMORY = 160 * MIB
const MAX_CPU_MS = 4000
const { publicKey } = KEYS

/** Play it; the subject may end the connection, or bear it. */
function hostile(id: string, title: string, play: (stage: Stage) => Promise<void>): PeerCase {
  return peerCase(
    `hostile.${id}`,
    SECTION,
    `${title}: the subject lives, serves others, and pays little`,
    async (stage) => {
      await stage.source()
      const before = stage.usage()
      await play(stage)
      await survives(stage)
      const after = stage.usage()
      if (!before || !after) return
      const cost = { cpuMs: after.cpuMs - before.cpuMs, bytes: Math.max(0, after.rss - before.rss) }
      holds(cost.cpuMs <= MAX_CPU_MS, `it took ${cost.cpuMs} ms of CPU time`)
      holds(cost.bytes <= MAX_MEMORY, `it took ${cost.bytes} bytes of memory`)
      return cost
    },
    'project',
  )
}

/** Say these bytes on the open log, and wait until they have been read, or it was too much. */
function says(id: string, title: string, bytes: () => Uint8Array): PeerCase {
  return hostile(id, title, async (stage) => {
    const remote = await stage.entered()
    await remote.message('Open')
    remote.write(bytes())
    await remote.flushed()
    await settled(remote)
  })
}

/** The subject has read it all, or has closed. */
async function settled(remote: Remote): Promise<void> {
  if (remote.closed) return
  await remote.heard().catch((error: unknown) => {
    if (!remote.closed) throw error
  })
}

function many(count: number, make: (index: number) => Uint8Array): Uint8Array {
  return concat(Array.from({ length: count }, (_, index) => make(index)))
}

function rle(bytes: string): (start: number, length: number) => Uint8Array {
  return (start, length) =>
    frame(
      1,
      MessageType.Have,
      concat([
        bytesOf('08'),
        varint(start),
        bytesOf('10'),
        varint(length),
        bytesOf('1a'),
        varint(bytes.length / 2),
        bytesOf(bytes),
      ]),
    )
}

/** All of them. */
export function* hostileCases(): Iterable<PeerCase> {
  yield says('have-huge', 'a Have of 2 ** 40 blocks', () =>
    said(1, 'Have', { start: 0, length: 2 ** 40 }),
  )
  yield says('have-over', 'a Have that reaches beyond 2 ** 53', () =>
    said(1, 'Have', { start: 2 ** 52, length: 2 ** 52 }),
  )
  yield says('unhave-huge', 'an Unhave of 2 ** 40 blocks', () =>
    said(1, 'Unhave', { start: 1, length: 2 ** 40 }),
  )
  yield says('have-far-apart', '5 000 Haves of blocks far apart', () =>
    many(5000, (i) => said(1, 'Have', { start: i * 2 ** 30 })),
  )
  yield says('have-flip', '5 000 times Have and Unhave of 2 ** 32 blocks', () =>
    many(5000, (i) => said(1, i % 2 === 0 ? 'Have' : 'Unhave', { start: 0, length: 2 ** 32 })),
  )
  yield says('rle-bomb', 'a bitfield of 15 bytes that means 64 MiB', () =>
    rle('8380808001')(0, MIB),
  )
  yield says('rle-cut', 'a bitfield that is cut', () => rle('0a01')(0, MIB))
  yield says('rle-endless', 'a bitfield that is a number without end', () =>
    rle('ffffffffffffffffffff')(0, MIB),
  )
  yield says('rle-unaligned', 'a bitfield that begins at block 5', () => rle('02ff')(5, MIB))
  yield says('want-huge', 'a Want of 2 ** 52 blocks', () =>
    said(1, 'Want', { start: 0, length: 2 ** 52 }),
  )
  yield says('want-flood', '20 000 Wants', () =>
    many(20_000, (i) => said(1, 'Want', { start: i * 8192, length: 8192 })),
  )
  yield says('request-flood', '20 000 Requests at once', () =>
    many(20_000, (i) => said(1, 'Request', { index: i % LENGTH })),
  )
  yield says('request-bytes', '4 000 Requests by byte', () =>
    many(4000, (i) => said(1, 'Request', { index: 0, bytes: (i * 37) % 70_000, hash: true })),
  )
  yield says('request-cancel', '20 000 times Request and Cancel', () =>
    many(20_000, (i) =>
      i % 2 === 0 ? said(1, 'Request', { index: 1 }) : said(1, 'Cancel', { index: 1 }),
    ),
  )
  yield says('request-digests', '2 000 Requests with digests that lie', () =>
    many(2000, (i) =>
      said(1, 'Request', {
        index: i % LENGTH,
        nodes: (i * 2_147_483_647) % 2 ** 53,
        hash: i % 2 === 0,
      }),
    ),
  )
  yield says('unknown-types', '100 000 frames of unknown types', () =>
    many(100_000, (i) => frame(1, 11 + (i % 4), new Uint8Array(0))),
  )
  yield says('unopened-channels', '20 000 messages on channels that nobody opened', () =>
    many(20_000, (i) => said(2 + (i % 9999), 'Want', { start: 0, length: 8192 })),
  )
  yield says('keepalives', '4 MiB of keepalives', () => new Uint8Array(4 * MIB))
  yield says('options-names', 'Options with 5 000 names', () =>
    said(1, 'Options', {
      extensions: Array.from({ length: 5000 }, (_, i) => `extension ${i}`),
      ack: false,
    }),
  )
  yield says('options-long-name', 'Options with a name of 1 MiB', () =>
    said(1, 'Options', { extensions: ['x'.repeat(MIB)], ack: false }),
  )
  yield says('options-flood', '5 000 Options', () =>
    many(5000, (i) => said(1, 'Options', { extensions: [String(i)], ack: i % 2 === 0 })),
  )
  yield says('status-flood', '20 000 changes of Status', () =>
    many(20_000, (i) => said(1, 'Status', { uploading: i % 2 === 0, downloading: i % 3 === 0 })),
  )
  yield says('extension-flood', '20 000 extension messages of unknown numbers', () =>
    many(20_000, (i) => frame(1, MessageType.Extension, concat([varint(i), randomBytes(4)]))),
  )
  yield says('data-unasked', '1 000 blocks that nobody asked for', () =>
    many(1000, (i) =>
      said(1, 'Data', { index: i, value: randomBytes(1000), nodes: [], signature: null }),
    ),
  )
  yield says('data-large', 'a block of 8 MiB that nobody asked for', () =>
    said(1, 'Data', { index: 1, value: new Uint8Array(8 * MIB - 64), nodes: [], signature: null }),
  )
  yield says('close-flood', '10 000 Closes of unknown channels', () =>
    many(10_000, (i) => said(2 + i, 'Close', {})),
  )
  yield hostile(
    'frame-8mib',
    'twenty frames of 8 MiB that are announced and never come',
    async (stage) => {
      for (let i = 0; i < 20; i++) {
        const remote = await stage.entered()
        await remote.message('Open')
        remote.write(bytesOf('8180800419'))
        await remote.flushed()
      }
    },
  )
  yield hostile('open-flood', '5 000 Opens of unknown logs', async (stage) => {
    const remote = await stage.entered()
    await remote.message('Open')
    remote.write(
      many(5000, (i) =>
        said(2 + i, 'Open', { discoveryKey: randomBytes(32), capability: randomBytes(32) }),
      ),
    )
    await remote.flushed()
    await settled(remote)
  })
  yield hostile('open-close', '500 times Close and Open', async (stage) => {
    const remote = await stage.entered()
    await remote.heard()
    remote.write(
      many(500, (i) => concat([said(1 + i, 'Close', {}), remote.opening(publicKey, 2 + i)])),
    )
    await remote.flushed()
    await new Promise((resolve) => setTimeout(resolve, 50))
  })
  yield hostile(
    'other-key',
    '100 Opens of another key with its right capability',
    async (stage) => {
      const remote = await stage.entered()
      const other = signingKeyPair(randomBytes(32)).publicKey
      for (let i = 0; i < 100; i++) remote.open(other, 2 + i)
      await settled(remote)
    },
  )
  yield hostile('noise', 'random bytes after the handshake, on ten connections', async (stage) => {
    for (let i = 0; i < 10; i++) {
      const remote = await stage.entered()
      remote.write(randomBytes(65_536))
      await remote.flushed()
    }
  })
  yield hostile(
    'handshake-noise',
    'random bytes instead of a handshake, on ten connections',
    async (stage) => {
      for (let i = 0; i < 10; i++) {
        const remote = await stage.connect()
        remote.socket.write(randomBytes(1 + i * 100))
        await remote.flushed()
      }
    },
  )
  yield hostile(
    'handshake-flood',
    'a handshake message of 2 ** 40 bytes, and 4 MiB of it',
    async (stage) => {
      const remote = await stage.connect()
      remote.socket.write(bytesOf('808080808020'))
      for (let i = 0; i < 64 && !remote.closed; i++) remote.socket.write(randomBytes(MIB / 16))
      await remote.flushed()
    },
  )
  yield hostile('connections', '100 connections that are cut at once', async (stage) => {
    for (let i = 0; i < 100; i++) (await stage.connect()).socket.resetAndDestroy()
  })
  yield hostile(
    'connections-open',
    '30 connections that open the log and are cut',
    async (stage) => {
      for (let i = 0; i < 30; i++) {
        const remote = await stage.entered()
        await remote.message('Open')
        remote.socket.resetAndDestroy()
      }
    },
  )
  yield hostile(
    'unread',
    '2 000 Requests of 70 000 bytes, and no answer is read',
    async (stage) => {
      const remote = await stage.entered()
      await remote.heard()
      remote.socket.pause()
      remote.write(
        many(2000, () => said(1, 'Request', { index: 9, bytes: 0, hash: false, nodes: 0 })),
      )
      await remote.flushed()
      await survives(stage)
    },
  )
}
