/**
 * Attacks with frames: too large, never finished, endless numbers, floods of what means nothing.
 *
 * @module
 */
import { concat, EMPTY, fromHex } from '../../../../src/bytes.ts'
import { randomBytes } from '../../../../src/crypto.ts'
import { encodeVarint } from '../../../../src/varint.ts'
import { MessageType } from '../../../../src/wire/messages.ts'
import { frame, many, said } from '../scripted-peer.ts'
import type { Attack } from '../stage.ts'

const MIB = 1_048_576
const FLOOD = 200_000

export const frameAttacks: readonly Attack[] = [
  after('a frame of 8 MiB and one byte', 'WIRE_FRAME_TOO_LARGE', () => announced(8 * MIB + 1)),
  after('a frame of 2 ** 49 bytes', 'WIRE_FRAME_TOO_LARGE', () => announced(2 ** 49)),
  {
    name: 'a frame of 8 MiB that is never finished',
    role: 'writer',
    ends: 'open',
    async play(stage) {
      const peer = await stage.entered()
      await peer.heard()
      peer.write(announced(8 * MIB))
      for (let i = 0; i < 127; i++) peer.write(new Uint8Array(MIB / 16))
      await peer.flushed()
    },
  },
  {
    name: 'a frame that comes a byte at a time',
    role: 'writer',
    ends: 'open',
    async play(stage) {
      const peer = await stage.entered()
      await peer.heard()
      const bytes = said(1, 'Want', { start: 0, length: MIB })
      for (const byte of bytes.subarray(0, -1)) {
        peer.write(Uint8Array.of(byte))
        await peer.flushed()
      }
    },
  },
  after('a length without end', 'WIRE_BAD_FRAME', () => fromHex('ff'.repeat(12))),
  after('a header without end', 'WIRE_BAD_FRAME', () => fromHex(`20${'ff'.repeat(12)}`)),
  after('a length below its header', 'WIRE_BAD_FRAME', () => fromHex('01ff01')),
  after('a channel beyond 2 ** 27', 'WIRE_BAD_FRAME', () => fromHex('0580808080080000')),
  ...['Have', 'Unhave', 'Want', 'Request', 'Cancel', 'Data'].map((name) =>
    after(`${name}: an index of 2 ** 53, and one of 11 bytes`, 'WIRE_BAD_MESSAGE', () => {
      const type = MessageType[name as 'Have']
      return frame(1, type, fromHex('088080808080808010'))
    }),
  ),
  after('a message cut in the middle of a number', 'WIRE_BAD_MESSAGE', () =>
    frame(1, MessageType.Request, fromHex('0880')),
  ),
  flood('a flood of unknown types', (i) => frame(1, 11 + (i % 4), EMPTY)),
  flood('a flood on channels that nobody opened', (i) =>
    said(2 + (i % 99_999), 'Want', { start: 0 }),
  ),
  {
    name: '8 MiB of keepalives',
    role: 'writer',
    ends: 'open',
    async play(stage) {
      const peer = await stage.entered()
      peer.write(new Uint8Array(8 * MIB))
      await peer.heard()
    },
  },
  {
    name: '8 MiB of keepalives after a large block',
    role: 'writer',
    ends: 'open',
    async play(stage) {
      const peer = await stage.entered()
      peer.say(1, 'Data', { index: 4, value: new Uint8Array(MIB / 16) })
      peer.write(new Uint8Array(8 * MIB))
      await peer.heard()
    },
  },
  {
    name: 'noise after the handshake, on 20 connections',
    role: 'writer',
    ends: [
      'WIRE_BAD_FRAME',
      'WIRE_BAD_MESSAGE',
      'WIRE_FRAME_TOO_LARGE',
      'WIRE_BAD_OPEN',
      'WIRE_LIMIT',
      'open',
    ],
    async play(stage) {
      for (let i = 0; i < 20; i++) {
        const peer = await stage.entered()
        peer.write(randomBytes(MIB / 4))
        await peer.flushed()
      }
    },
  },
]

/** Bytes after the log was opened, and the victim closes. */
function after(name: string, ends: string, make: () => Uint8Array): Attack {
  return {
    name,
    role: 'writer',
    ends,
    async play(stage) {
      const peer = await stage.entered()
      peer.write(make())
      await peer.closed
    },
  }
}

/** 200 000 of them: more than is borne. */
function flood(name: string, make: (index: number) => Uint8Array): Attack {
  return {
    name,
    role: 'writer',
    ends: 'WIRE_LIMIT',
    async play(stage) {
      const peer = await stage.entered()
      peer.write(many(FLOOD, make))
      await peer.closed
    },
  }
}

function announced(payload: number): Uint8Array {
  const head = new Uint8Array(16)
  let at = encodeVarint(payload + 1, head, 0)
  at = encodeVarint(16 + MessageType.Data, head, at)
  return concat([head.subarray(0, at)])
}
