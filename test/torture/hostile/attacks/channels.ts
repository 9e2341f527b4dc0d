/**
 * Attacks with channels, Options, Status and extension messages.
 *
 * @module
 */
import { concat, fromUtf8 } from '../../../../src/bytes.ts'
import { discoveryKey, randomBytes } from '../../../../src/crypto.ts'
import { MessageType } from '../../../../src/wire/messages.ts'
import { KEYS } from '../protocol.ts'
import { frame, many, said } from '../scripted-peer.ts'
import type { ScriptedPeer } from '../scripted-peer.ts'
import type { Attack } from '../stage.ts'

const MIB = 1_048_576

export const channelAttacks: readonly Attack[] = [
  {
    name: 'Open with wrong capabilities',
    role: 'writer',
    ends: 'WIRE_BAD_CAPABILITY',
    async play(stage) {
      for (const length of [32, 0, 31, 100_000]) {
        const peer = stage.peer()
        await peer.greet()
        peer.open(1, randomBytes(length))
        peer.say(1, 'Request', { index: 0 })
        await peer.closed
      }
    },
  },
  inside('Open again', 'WIRE_BAD_OPEN', (peer) => {
    peer.open(2)
  }),
  inside('Open on channel 0', 'WIRE_BAD_OPEN', (peer) => {
    peer.open(0)
  }),
  inside('Open for 100 000 unknown logs', 'WIRE_LIMIT', (peer) => {
    peer.write(many(100_000, (i) => said(i + 2, 'Open', { discoveryKey: randomBytes(32) })))
  }),
  inside('Open and Close 50 000 unknown logs', 'WIRE_LIMIT', (peer) => {
    peer.write(
      many(50_000, (i) =>
        concat([said(i + 2, 'Open', { discoveryKey: randomBytes(32) }), said(i + 2, 'Close', {})]),
      ),
    )
  }),
  inside('Open and Close of the log, 50 000 times', ['WIRE_LIMIT', 'open'], async (peer) => {
    const close = said(1, 'Close', {})
    for (let i = 0; i < 50 && peer.isOpen; i++) {
      peer.write(close)
      peer.open(1)
    }
    await peer.flushed()
    const key = discoveryKey(KEYS.publicKey)
    peer.write(
      many(50_000, () => concat([close, said(1, 'Open', { discoveryKey: key, capability: null })])),
    )
    await peer.closed
  }),
  inside('Close for 100 000 logs that are not open', 'WIRE_LIMIT', (peer) => {
    peer.write(many(100_000, () => said(9, 'Close', { discoveryKey: randomBytes(32) })))
  }),
  inside('Options with 300 names', 'WIRE_LIMIT', (peer) => {
    peer.say(1, 'Options', { extensions: Array.from({ length: 300 }, (_, i) => `e${i}`) })
  }),
  inside('Options with a name of 8 MiB', 'WIRE_FRAME_TOO_LARGE', (peer) => {
    peer.say(1, 'Options', { extensions: ['x'.repeat(8 * MIB - 100)] })
  }),
  inside('Options with 256 names, 2 000 times', 'WIRE_LIMIT', (peer) => {
    const extensions = Array.from({ length: 256 }, (_, i) => `${i}`.padStart(200, 'x'))
    const options = said(1, 'Options', { extensions, ack: false })
    for (let i = 0; i < 2000; i++) peer.write(options)
  }),
  inside(
    'Status, on and off, 100 000 times',
    'WIRE_LIMIT',
    (peer) => {
      peer.write(
        many(100_000, (i) => said(1, 'Status', { uploading: i % 2 === 0, downloading: true })),
      )
    },
    'reader',
  ),
  inside('an extension message without its number', 'WIRE_BAD_MESSAGE', (peer) => {
    peer.write(frame(1, MessageType.Extension, Uint8Array.of(0x80)))
  }),
  {
    name: 'extension messages of 8 MiB that nobody takes',
    role: 'writer',
    ends: 'open',
    async play(stage) {
      const peer = await stage.entered()
      peer.say(1, 'Options', { extensions: ['bomb'], ack: false })
      for (let i = 0; i < 4; i++) {
        peer.write(frame(i % 2, MessageType.Extension, new Uint8Array(8 * MIB)))
        await peer.flushed()
      }
      await peer.heard()
    },
  },
  inside('100 000 extension messages that nobody takes', 'WIRE_LIMIT', (peer) => {
    peer.say(1, 'Options', { extensions: ['bomb'], ack: false })
    const message = frame(1, MessageType.Extension, concat([Uint8Array.of(0), fromUtf8('boom')]))
    peer.write(many(100_000, () => message))
  }),
]

/** Say something once the log is open, and the victim closes. */
function inside(
  name: string,
  ends: string | readonly string[],
  say: (peer: ScriptedPeer) => void | Promise<void>,
  role: Attack['role'] = 'writer',
): Attack {
  return {
    name,
    role,
    ends,
    async play(stage) {
      const peer = await stage.entered()
      await say(peer)
      await peer.closed
    },
  }
}
