/**
 * What is no handshake, and must end the connection and not the subject.
 *
 * @see docs/protocol/20-wire.md 2.1, 3.1, 3.3 and 5
 * @module
 */
import { randomBytes } from 'varve/crypto'
import { encodePayload } from 'varve/wire'
import { peerCase, type PeerCase } from './peer-case.ts'
import { concat } from './speech.ts'
import { survives } from './survives.ts'

const NOISE = '20-wire 2.1'
const SETUP = '20-wire 3.1'
const LIMITS = '20-wire 5'

/** What is no handshake. */
export function* handshakeRefusals(): Iterable<PeerCase> {
  const raw = (
    id: string,
    title: string,
    bytes: () => Uint8Array,
    level: 'MUST' | 'project' = 'project',
  ): PeerCase =>
    peerCase(
      `handshake.${id}`,
      LIMITS,
      title,
      async (stage) => {
        await stage.source()
        const remote = await stage.connect()
        remote.socket.write(bytes())
        await remote.ends()
        await survives(stage)
      },
      level,
    )
  yield raw('length-0', 'a handshake message of length 0 ends the connection', () =>
    Uint8Array.of(0),
  )
  yield raw('length-long', 'a length of four bytes ends the connection, and not the subject', () =>
    Uint8Array.of(0xff, 0xff, 0xff, 0xff),
  )
  yield raw('length-65536', 'a length above 65535 ends the connection', () =>
    Uint8Array.of(0x80, 0x80, 0x04),
  )
  yield raw(
    'short-key',
    'a message 1 that is shorter than a key ends the connection',
    () => concat([Uint8Array.of(20), randomBytes(20)]),
    'MUST',
  )
  yield raw(
    'low-order',
    'an ephemeral key of low order ends the connection',
    () => concat([Uint8Array.of(58), new Uint8Array(32), encodePayload(randomBytes(24))]),
    'MUST',
  )
  for (const [name, at] of [
    ['key', 10],
    ['payload', 60],
    ['tag', 90],
  ] as const) {
    yield peerCase(
      `handshake.altered-${name}`,
      NOISE,
      `a message 3 with one bit of its ${name} flipped ends the connection`,
      async (stage) => {
        await stage.source()
        const remote = await stage.connect()
        await remote.greet({
          alter: (message, number) => {
            if (number === 3) message[at] = (message[at] ?? 0) ^ 4
            return message
          },
        })
        await remote.ends()
        await survives(stage)
      },
    )
  }
  for (const length of [23, 25, 0]) {
    yield peerCase(
      `handshake.nonce-${length}`,
      LIMITS,
      `a nonce of ${length} bytes ends the connection, and not the subject`,
      async (stage) => {
        await stage.source()
        const payload = encodePayload(randomBytes(length))
        const remote = await stage.connect()
        await remote.greet({ payloads: [payload, payload] })
        await remote.ends()
        await survives(stage)
      },
      'project',
    )
  }
  yield peerCase(
    'handshake.no-payload',
    SETUP,
    'a handshake without any payload ends the connection',
    async (stage) => {
      await stage.source()
      const none = new Uint8Array(0)
      const remote = await stage.connect()
      await remote.greet({ payloads: [none, none] })
      await remote.ends()
      await survives(stage)
    },
  )
  yield peerCase(
    'handshake.echo',
    NOISE,
    'what the subject said, sent back to it, is no handshake',
    async (stage) => {
      await stage.source()
      const remote = await stage.connect()
      remote.socket.write(
        concat([Uint8Array.of(58), randomBytes(32), encodePayload(randomBytes(24))]),
      )
      remote.socket.once('data', (bytes) => remote.socket.write(bytes))
      await remote.ends()
      await survives(stage)
    },
  )
  yield peerCase(
    'handshake.timeout',
    '20-wire 3.3',
    'a handshake that does not go on is given up after the timeout',
    async (stage) => {
      await stage.source({ timeout: 400 })
      const remote = await stage.connect()
      await remote.ends()
    },
  )
  yield peerCase(
    'handshake.trickle',
    LIMITS,
    'a handshake that comes a byte at a time is given up after the timeout',
    async (stage) => {
      await stage.source({ timeout: 400 })
      const remote = await stage.connect()
      const drip = setInterval(() => remote.socket.write(Uint8Array.of(58)), 100)
      try {
        await remote.ends()
      } finally {
        clearInterval(drip)
      }
    },
    'project',
  )
}
