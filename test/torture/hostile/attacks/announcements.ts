/**
 * Attacks with Have, Unhave and Want: claims that are huge, scattered, false, or repeated.
 *
 * @module
 */
import { concat, fromHex } from '../../../../src/bytes.ts'
import { encodeRle } from '../../../../src/log/index.ts'
import { frame, many, said } from '../scripted-peer.ts'
import type { ScriptedPeer } from '../scripted-peer.ts'
import type { Attack } from '../stage.ts'
import { encodeVarint } from '../../../../src/varint.ts'
import { MessageType } from '../../../../src/wire/messages.ts'

const PART = 1_048_576
const MOST = 2 ** 53 - 1

export const announcementAttacks: readonly Attack[] = [
  told('Have of 2 ** 52 blocks', 'open', (peer) => {
    peer.say(1, 'Have', { start: 0, length: 2 ** 52 })
  }),
  told('Have of 2 ** 32 blocks, 10 000 times', 'open', (peer) => {
    peer.write(many(10_000, (i) => said(1, 'Have', { start: i * 2 ** 33, length: 2 ** 32 })))
  }),
  told('Have beyond 2 ** 53', 'WIRE_BAD_HAVE', (peer) => {
    peer.say(1, 'Have', { start: MOST, length: 2 })
  }),
  told('Have of scattered blocks, 20 000 times', ['open', 'WIRE_LIMIT'], (peer) => {
    peer.write(many(20_000, (i) => said(1, 'Have', { start: i * 2 ** 30 })))
  }),
  told('Have of every other page, 20 000 times', ['open', 'WIRE_LIMIT'], (peer) => {
    peer.write(many(20_000, (i) => said(1, 'Have', { start: i * 16_384, length: 8192 })))
  }),
  told('the same Have, 200 000 times', 'WIRE_LIMIT', (peer) => {
    const have = said(1, 'Have', { start: 9 })
    peer.write(many(200_000, () => have))
  }),
  told('bitfields of patchwork, 100 times', ['open', 'WIRE_LIMIT'], (peer) => {
    const bitfield = new Uint8Array(PART / 8).map((_, i) => (i % 3 === 0 ? 0x55 : 0xff))
    peer.write(
      many(100, (i) =>
        said(1, 'Have', { start: i * PART, length: PART, bitfield: encodeRle(bitfield) }),
      ),
    )
  }),
  told('a bitfield that unpacks to 64 MiB', 'WIRE_BAD_HAVE', (peer) => {
    peer.write(bomb(64 * 1_048_576))
  }),
  told('a bitfield that unpacks to 2 ** 48 bytes', 'WIRE_BAD_HAVE', (peer) => {
    peer.write(bomb(2 ** 48))
  }),
  told('a bitfield of two million empty runs', 'WIRE_BAD_HAVE', (peer) => {
    const bitfield = concat([new Uint8Array(2_000_000).fill(1), fromHex('04')])
    peer.say(1, 'Have', { start: 0, length: PART, bitfield })
  }),
  told('bitfields that end too early', 'WIRE_BAD_HAVE', (peer) => {
    peer.say(1, 'Have', { start: 0, length: PART, bitfield: fromHex('0401') })
  }),
  told('a bitfield from the middle of a page', 'WIRE_BAD_HAVE', (peer) => {
    peer.say(1, 'Have', { start: 1, length: PART, bitfield: fromHex('07') })
  }),
  told('a block offered and taken back, 100 000 times', 'WIRE_LIMIT', (peer) => {
    const lie = concat([said(1, 'Have', { start: 2 }), said(1, 'Unhave', { start: 2 })])
    peer.write(many(100_000, () => lie))
  }),
  told('Unhave of everything, 200 000 times', 'WIRE_LIMIT', (peer) => {
    peer.write(many(200_000, () => said(1, 'Unhave', { start: 0, length: 2 ** 52 })))
  }),
  told(
    'Want for everything, 100 000 times',
    'WIRE_LIMIT',
    (peer) => {
      peer.write(many(100_000, () => said(1, 'Want', { start: 0, length: PART })))
    },
    'writer',
  ),
  told(
    'Want for every part of 2 ** 52 blocks',
    'WIRE_LIMIT',
    (peer) => {
      peer.write(many(100_000, (i) => said(1, 'Want', { start: i * PART, length: PART })))
    },
    'writer',
  ),
  told(
    'Want of 2 ** 52 blocks at once',
    'open',
    (peer) => {
      peer.say(1, 'Want', { start: 0, length: 2 ** 52 })
    },
    'writer',
  ),
  told(
    'Want of crooked ranges, 200 000 times',
    'WIRE_LIMIT',
    (peer) => {
      peer.write(many(200_000, (i) => said(1, 'Want', { start: i, length: 3 })))
    },
    'writer',
  ),
  told(
    'receipts for blocks that were never sent, 200 000 times',
    'WIRE_LIMIT',
    (peer) => {
      peer.write(many(200_000, () => said(1, 'Have', { start: 0, length: 1, ack: true })))
    },
    'writer',
  ),
  told(
    'Unwant, 200 000 times',
    'WIRE_LIMIT',
    (peer) => {
      peer.write(many(200_000, () => said(1, 'Unwant', { start: 0 })))
    },
    'writer',
  ),
  told(
    'Have of 2 ** 52 blocks, to one who wants all',
    'open',
    (peer) => {
      peer.say(1, 'Have', { start: 0, length: 2 ** 52 })
    },
    'full',
  ),
  {
    name: 'every block that is asked for is taken back',
    role: 'full',
    ends: 'WIRE_LIMIT',
    async play(stage) {
      const peer = await stage.entered()
      peer.say(1, 'Have', { start: 0, length: 2 ** 40 })
      for (let told = 0; peer.isOpen;) {
        await peer.until(() => peer.requests.length > told)
        const taken = peer.requests
          .slice(told)
          .map(({ index }) => said(1, 'Unhave', { start: index }))
        told = peer.requests.length
        if (taken.length > 0) peer.write(concat(taken))
      }
    },
  },
]

function told(
  name: string,
  ends: string | readonly string[],
  say: (peer: ScriptedPeer) => void,
  role: Attack['role'] = 'reader',
): Attack {
  return {
    name,
    role,
    ends,
    async play(stage) {
      const peer = await stage.entered()
      say(peer)
      if (ends !== 'open' && typeof ends === 'string') await peer.closed
      else await peer.heard()
    },
  }
}

/** A Have whose bitfield is one run of ones. */
function bomb(bytes: number): Uint8Array {
  const run = new Uint8Array(10)
  const end = encodeVarint(4 * bytes + 3, run, 0)
  const head = fromHex('0800108080401a') // start 0, length 2 ** 20
  return frame(1, MessageType.Have, concat([head, Uint8Array.of(end), run.subarray(0, end)]))
}
