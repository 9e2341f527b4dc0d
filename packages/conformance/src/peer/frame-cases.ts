/**
 * Frames and messages on a socket: what is understood, what is passed over, what ends the connection.
 *
 * @see docs/protocol/20-wire.md 2.4, 2.5 and 5
 * @module
 */
import { randomBytes } from 'varve/crypto'
import { MessageType } from 'varve/wire'
import { bytesOf, holds, same } from '../expect.ts'
import { survives } from './survives.ts'
import { peerCase, type PeerCase } from './peer-case.ts'
import type { Level } from '../case.ts'
import { type Remote } from './remote.ts'
import { bytewise, concat, cutAt, frame, said } from './speech.ts'

const FRAMES = '20-wire 2.4'
const MESSAGES = '20-wire 2.5'
const LIMITS = '20-wire 5'

/** All of them. */
export function* frameCases(): Iterable<PeerCase> {
  yield* cutCases()
  yield* acceptedCases()
  yield* refusedCases()
}

const conversation = (): Uint8Array =>
  concat([
    Uint8Array.of(0),
    said(1, 'Status', { uploading: true, downloading: true }),
    said(1, 'Request', { index: 3, bytes: 0, hash: false, nodes: 0 }),
    said(1, 'Want', { start: 0, length: 1_048_576 }),
  ])

function* cutCases(): Iterable<PeerCase> {
  yield peerCase(
    'split.frames-bytes',
    FRAMES,
    'frames are understood byte by byte',
    async (stage) => {
      await stage.source()
      const remote = await stage.entered()
      await remote.writeIn(conversation(), bytewise)
      await remote.message('Data')
      await remote.message('Have', ({ bitfield }) => bitfield !== null)
    },
  )
  yield peerCase(
    'split.frames-every-byte',
    FRAMES,
    'frames are understood when they are cut in two, at every byte',
    async (stage) => {
      await stage.source()
      const { length } = conversation()
      for (let at = 1; at < length; at++) {
        const remote = await stage.entered()
        await remote.writeIn(conversation(), cutAt(at))
        await remote.message('Data')
        await remote.message('Have', ({ bitfield }) => bitfield !== null)
        stage.sweep()
      }
    },
  )
  for (const size of [2, 3, 7, 16]) {
    yield peerCase(
      `split.frames-${size}`,
      FRAMES,
      `frames are understood in pieces of ${size} bytes`,
      async (stage) => {
        await stage.source()
        const remote = await stage.entered()
        await remote.writeIn(conversation(), (bytes) =>
          Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
            bytes.subarray(i * size, (i + 1) * size),
          ),
        )
        await remote.message('Data')
        await remote.message('Have', ({ bitfield }) => bitfield !== null)
      },
    )
  }
}

/** It is said, and an honest question afterwards is answered. */
function accepted(
  id: string,
  section: string,
  title: string,
  bytes: () => Uint8Array,
  check: (remote: Remote) => void | Promise<void> = () => {},
  level: Level = 'MUST',
): PeerCase {
  return peerCase(
    `frame.${id}`,
    section,
    title,
    async (stage) => {
      await stage.source()
      const remote = await stage.entered()
      await remote.message('Open')
      remote.write(bytes())
      await remote.heard()
      await check(remote)
    },
    level,
  )
}

const noData = (remote: Remote): void => same(remote.all('Data').length, 0, 'blocks sent')
const oneData = (index: number) => {
  return async (remote: Remote): Promise<void> => {
    await remote.message('Data')
    same(
      remote.all('Data').map((data) => data.index),
      [index],
      'blocks sent',
    )
  }
}

function* acceptedCases(): Iterable<PeerCase> {
  yield accepted(
    'keepalives',
    FRAMES,
    'zero bytes between frames are keepalives',
    () => new Uint8Array(1000),
  )
  yield accepted(
    'long-length',
    FRAMES,
    'a length need not be in its shortest form',
    () => bytesOf('89800017' + '0801100018002000'),
    oneData(1),
  )
  yield accepted(
    'long-header',
    FRAMES,
    'a header need not be in its shortest form',
    () => bytesOf('0b978000' + '0801100018002000'),
    oneData(1),
  )
  for (const type of [11, 12, 13, 14]) {
    yield accepted(
      `type-${type}`,
      FRAMES,
      `frames of the reserved type ${type} are passed over`,
      () => concat([frame(1, type, randomBytes(20)), frame(1, type, new Uint8Array(0))]),
    )
  }
  yield accepted(
    'unknown-channel',
    '20-wire 3.2',
    'messages on a channel that is not open are passed over',
    () => said(77, 'Request', { index: 1 }),
    noData,
  )
  yield accepted('channel-0', '20-wire 3.2', 'messages on channel 0 are passed over', () =>
    concat([said(0, 'Have', { start: 0 }), said(0, 'Want', { start: 0, length: 8192 })]),
  )
  yield accepted('highest-channel', LIMITS, 'the channel 2 ** 27 - 1 is a channel', () =>
    said(2 ** 27 - 1, 'Want', { start: 0, length: 8192 }),
  )
  yield accepted(
    'unknown-field',
    LIMITS,
    'unknown fields are skipped, of every wire type',
    () => {
      const extra = bytesOf(
        'f001ff01' + 'f901' + '00'.repeat(8) + 'fa0103616263' + 'fd01' + '00'.repeat(4),
      )
      return frame(1, MessageType.Request, concat([bytesOf('0801'), extra]))
    },
    oneData(1),
  )
  yield accepted(
    'repeated',
    LIMITS,
    'of a field that comes twice the last counts',
    () => frame(1, MessageType.Request, bytesOf('08050802')),
    oneData(2),
  )
  yield accepted(
    'field-order',
    MESSAGES,
    'fields may come in any order',
    () => frame(1, MessageType.Request, bytesOf('2000180010000806')),
    oneData(6),
  )
  yield accepted(
    'request-defaults',
    MESSAGES,
    'a Request of an index alone means no bytes, a value, digest 0',
    () => frame(1, MessageType.Request, bytesOf('0803')),
    async (remote) => {
      const data = await remote.message('Data')
      holds((data.value?.length ?? 0) > 0 && data.signature !== null, 'a value with a full proof')
    },
  )
  yield accepted(
    'bool',
    MESSAGES,
    'any byte but 0 is true',
    () => frame(1, MessageType.Request, bytesOf('08031805')),
    async (remote) => same((await remote.message('Data')).value, null, 'value of a hash alone'),
  )
  yield accepted(
    'long-varint',
    LIMITS,
    'a number need not be in its shortest form',
    () => frame(1, MessageType.Request, bytesOf('0883808000')),
    oneData(3),
  )
  yield accepted('cancel', LIMITS, 'a Cancel of what was never asked is passed over', () =>
    said(1, 'Cancel', { index: 5 }),
  )
  yield accepted('unwant', LIMITS, 'an Unwant is passed over', () =>
    said(1, 'Unwant', { start: 0, length: 8192 }),
  )
  yield accepted('unhave', '20-wire 3.6', 'an Unhave of what was never had is passed over', () =>
    said(1, 'Unhave', { start: 3, length: 1000 }),
  )
  yield accepted('have-run', '20-wire 3.6', 'a Have of a run is understood', () =>
    said(1, 'Have', { start: 0, length: 20 }),
  )
}

function* refusedCases(): Iterable<PeerCase> {
  yield refused(
    'endless-length',
    'a length without end ends the connection',
    bytesOf('ff'.repeat(12)),
    'project',
  )
  yield refused(
    'endless-header',
    'a header without end ends the connection',
    bytesOf('20' + 'ff'.repeat(12)),
    'project',
  )
  yield refused('below-header', 'a length below its header ends the connection', bytesOf('01ff01'))
  yield refused(
    'too-large',
    'a frame of 8 MiB and a byte is refused as soon as it is announced',
    bytesOf('8280800419'),
  )
  yield refused(
    'huge',
    'a frame of 2 ** 49 bytes is refused as soon as it is announced',
    bytesOf('8080808080808001' + '19'),
    'project',
  )
  yield refused(
    'channel-too-high',
    'a channel above 2 ** 27 - 1 ends the connection',
    bytesOf('0580808080080000'),
    'project',
  )
  for (const [name, type, payload, level] of [
    ['no-index', MessageType.Request, '1000', 'MUST'],
    ['empty', MessageType.Have, '', 'MUST'],
    ['cut-number', MessageType.Request, '0880', 'MUST'],
    ['group', MessageType.Request, '08017b', 'MUST'],
    ['wire-type-6', MessageType.Request, '08017e', 'MUST'],
    ['wire-type-7', MessageType.Request, '08017f', 'MUST'],
    ['wrong-wire-type', MessageType.Request, '0d00000000', 'project'],
    ['bytes-past-end', MessageType.Have, '08011a7f00', 'project'],
    ['skipped-past-end', MessageType.Request, '0801fa017f', 'project'],
    ['field-0', MessageType.Request, '08010000', 'project'],
    ['long-bool', MessageType.Request, '0801188101', 'project'],
    ['index-2-53', MessageType.Request, '088080808080808010', 'project'],
    ['varint-11', MessageType.Request, '08808080808080808080808000', 'project'],
    ['digest-unsafe', MessageType.Request, '080120ffffffffffffffff7f', 'project'],
    ['node-cut', MessageType.Data, '08011a03080012', 'project'],
  ] as const) {
    const title = `a message that is none ends the connection: ${name.replaceAll('-', ' ')}`
    yield refused(`message-${name}`, title, frame(1, type, bytesOf(payload)), level)
  }
  yield refused(
    'node-hash',
    'a node whose hash is not 32 bytes ends the connection',
    frame(1, MessageType.Data, bytesOf('08011a0a0802' + '1204aabbccdd' + '1805')),
    'project',
  )
  yield refused(
    'signature',
    'a signature that is not 64 bytes ends the connection',
    frame(1, MessageType.Data, concat([bytesOf('0801120161'), bytesOf('223f'), randomBytes(63)])),
    'project',
  )
  yield refused(
    'unopened-channel',
    'what is no message ends the connection on a channel that is not open, too',
    frame(9, MessageType.Request, bytesOf('1000')),
    'MUST',
    '20-wire 3.2',
  )
  yield refused(
    'extension-id',
    'an extension message without a complete number ends the connection',
    frame(1, MessageType.Extension, bytesOf('80')),
    'project',
  )
  yield refused(
    'discovery-key',
    'an Open whose discovery key is not 32 bytes ends the connection',
    frame(2, MessageType.Open, bytesOf('0a03616263')),
    'project',
  )
}

/** It is said, the subject ends the connection, and lives. */
function refused(
  id: string,
  title: string,
  bytes: Uint8Array,
  level: Level = 'MUST',
  section = LIMITS,
): PeerCase {
  return peerCase(
    `refuse.${id}`,
    section,
    title,
    async (stage) => {
      await stage.source()
      const remote = await stage.entered()
      await remote.message('Open')
      remote.write(bytes)
      await remote.ends()
      await survives(stage)
    },
    level,
  )
}
