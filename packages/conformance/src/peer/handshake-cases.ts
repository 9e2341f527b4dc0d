/**
 * The handshake on a socket, in both roles.
 *
 * @see docs/protocol/20-wire.md 2.1 to 2.3 and 3.1
 * @module
 */
import { randomBytes } from 'varve/crypto'
import { encodePayload } from 'varve/wire'
import { hex, holds, same } from '../expect.ts'
import { varintAt } from '../protobuf-fields.ts'
import { peerCase, type PeerCase } from './peer-case.ts'
import type { Stage } from './stage.ts'
import { type Greeting, type Remote } from './remote.ts'
import { bytewise, concat, cutAt, said } from './speech.ts'
import { KEYS } from './fixture.ts'

const NOISE = '20-wire 2.1'
const FRAMING = '20-wire 2.2'
const TRANSPORT = '20-wire 2.3'
const SETUP = '20-wire 3.1'
const { publicKey } = KEYS

/** All of them. */
export function* handshakeCases(): Iterable<PeerCase> {
  yield* asResponder()
  yield* asInitiator()
  yield* splitCases()
}

/** The subject listens, and answers. */
function* asResponder(): Iterable<PeerCase> {
  yield peerCase(
    'handshake.responder',
    NOISE,
    'the subject answers a Noise XX handshake',
    async (stage) => {
      await stage.source()
      const remote = await (await stage.connect()).greet()
      holds(remote.remotePublicKey?.length === 32, 'a static key of 32 bytes')
    },
  )
  yield peerCase(
    'handshake.message-2-size',
    NOISE,
    'message 2 has 122 bytes: a key, a sealed key and a sealed payload of 26 bytes',
    async (stage) => {
      await stage.source()
      const remote = await (await stage.connect()).greet()
      const { value, end } = varintAt(remote.greetings[0] ?? new Uint8Array(), 0)
      same([value, end], [122, 1], 'length, and its bytes')
    },
  )
  yield peerCase(
    'handshake.payload',
    FRAMING,
    'the payload is 0a 18 and a nonce of 24 bytes',
    async (stage) => {
      await stage.source()
      const remote = await (await stage.connect()).greet()
      same(hex(remote.payloads[0] ?? new Uint8Array()).slice(0, 4), '0a18', 'payload')
    },
  )
  yield peerCase(
    'handshake.fresh',
    SETUP,
    'every connection has a nonce and an ephemeral key of its own',
    async (stage) => {
      await stage.source()
      const first = await (await stage.connect()).greet()
      const second = await (await stage.connect()).greet()
      holds(
        hex(first.payloads[0] ?? first.greetings[0] ?? publicKey) !==
          hex(second.payloads[0] ?? publicKey),
        'two nonces',
      )
      const ephemeral = (message: Uint8Array | undefined): string =>
        hex((message ?? publicKey).subarray(1, 33))
      holds(ephemeral(first.greetings[0]) !== ephemeral(second.greetings[0]), 'two ephemeral keys')
    },
  )
  yield peerCase(
    'handshake.first-payload',
    FRAMING,
    'the payload of message 1 is not looked at when message 3 has one',
    async (stage) => {
      await stage.source()
      const nonce = randomBytes(24)
      const payloads = [Uint8Array.of(0xff, 0x07), encodePayload(nonce)] as const
      await enters(stage, { nonce, payloads })
    },
  )
  yield peerCase(
    'handshake.empty-last-payload',
    FRAMING,
    'with an empty payload in message 3, that of message 1 counts',
    async (stage) => {
      await stage.source()
      const nonce = randomBytes(24)
      await enters(stage, { nonce, payloads: [encodePayload(nonce), new Uint8Array(0)] })
    },
  )
  yield peerCase(
    'handshake.other-nonce',
    FRAMING,
    'of two nonces the one of message 3 counts',
    async (stage) => {
      await stage.source()
      const nonce = randomBytes(24)
      await enters(stage, {
        nonce,
        payloads: [encodePayload(randomBytes(24)), encodePayload(nonce)],
      })
    },
  )
  yield peerCase(
    'handshake.unknown-field',
    FRAMING,
    'an unknown field in the payload is skipped',
    async (stage) => {
      await stage.source()
      const nonce = randomBytes(24)
      const payload = concat([encodePayload(nonce), Uint8Array.of(0x10, 0x05)])
      await enters(stage, { nonce, payloads: [payload, payload] })
    },
  )
  yield peerCase(
    'handshake.transport',
    TRANSPORT,
    'what follows is one keystream each way, lengths and keepalives included',
    async (stage) => {
      await stage.source()
      const remote = await stage.entered()
      await remote.message('Open')
      remote.write(Uint8Array.of(0, 0, 0))
      await remote.heard()
    },
  )
  yield peerCase(
    'handshake.plain',
    TRANSPORT,
    'without the cipher, frames follow the handshake in clear',
    async (stage) => {
      await stage.source({ encrypted: false })
      const remote = await (await stage.connect({ encrypted: false })).greet()
      remote.open(publicKey)
      await remote.heard()
    },
  )
  yield peerCase(
    'handshake.none',
    TRANSPORT,
    'without a handshake, frames begin at byte 0 and no capability is sent',
    async (stage) => {
      await stage.source({ encrypted: false, noise: false })
      const remote = await stage.connect({ encrypted: false, noise: false })
      remote.open(publicKey)
      const open = await remote.message('Open')
      same(open.capability, null, 'capability')
      await remote.heard()
    },
  )
}

/** The subject connects, and speaks first. */
function* asInitiator(): Iterable<PeerCase> {
  yield peerCase(
    'handshake.initiator',
    NOISE,
    'the subject begins a handshake when it connects',
    async (stage) => {
      await stage.reader()
      const remote = await (await stage.accept()).greet()
      holds(remote.remotePublicKey?.length === 32, 'a static key of 32 bytes')
    },
  )
  yield peerCase(
    'handshake.message-1-size',
    NOISE,
    'message 1 has 58 bytes: a key, and the payload in clear',
    async (stage) => {
      await stage.reader()
      const remote = await (await stage.accept()).greet()
      const message = remote.greetings[0] ?? new Uint8Array()
      same([message[0], message.length], [58, 59], 'length')
      same(hex(message.subarray(33, 35)), '0a18', 'payload')
    },
  )
  yield peerCase(
    'handshake.message-3-size',
    NOISE,
    'message 3 has 90 bytes: a sealed key and a sealed payload',
    async (stage) => {
      await stage.reader()
      const remote = await (await stage.accept()).greet()
      const message = remote.greetings[1] ?? new Uint8Array()
      same([message[0], message.length], [90, 91], 'length')
    },
  )
  yield peerCase(
    'handshake.same-payload',
    FRAMING,
    'the initiator sends the same payload in messages 1 and 3',
    async (stage) => {
      await stage.reader()
      const remote = await (await stage.accept()).greet()
      same(remote.payloads[1], remote.payloads[0], 'payload of message 3')
    },
  )
  yield peerCase(
    'handshake.initiator-transport',
    TRANSPORT,
    "an initiator's Open proves the key with its own keys",
    async (stage) => {
      await stage.reader()
      const remote = await (await stage.accept()).greet()
      const open = await remote.message('Open')
      same(open.capability, remote.expectedCapability(publicKey), 'capability')
    },
  )
}

/** Where the stream of bytes is cut does not matter. */
function* splitCases(): Iterable<PeerCase> {
  const everyCut = async (
    stage: Stage,
    length: number,
    greeting: (at: number) => Greeting,
  ): Promise<void> => {
    await stage.source()
    for (let at = 1; at < length; at++) {
      await enters(stage, greeting(at))
      stage.sweep()
    }
  }
  yield peerCase(
    'split.message-1',
    FRAMING,
    'message 1 is understood when it is cut in two, at every byte',
    (stage) =>
      everyCut(stage, 59, (at) => ({
        cut: (bytes) => (bytes.length === 59 ? cutAt(at)(bytes) : [bytes]),
      })),
  )
  yield peerCase(
    'split.message-3',
    FRAMING,
    'message 3 is understood when it is cut in two, at every byte',
    (stage) =>
      everyCut(stage, 91, (at) => ({
        cut: (bytes) => (bytes.length === 91 ? cutAt(at)(bytes) : [bytes]),
      })),
  )
  yield peerCase(
    'split.handshake-bytes',
    FRAMING,
    'a handshake is understood byte by byte',
    async (stage) => {
      await stage.source()
      await enters(stage, { cut: bytewise })
    },
  )
  yield peerCase(
    'split.joined',
    SETUP,
    'frames in the same chunk as message 3 are understood',
    async (stage) => {
      await stage.source()
      const remote = await stage.connect()
      await remote.greet({ also: (each) => openAndWant(each) })
      await remote.message('Have', ({ bitfield }) => bitfield !== null)
    },
  )
  yield peerCase(
    'split.joined-every-byte',
    SETUP,
    'message 3 and the frames behind it are understood when they are cut in two, at every byte',
    async (stage) => {
      await stage.source()
      for (let at = 1; at < 91 + 80; at++) {
        const remote = await stage.connect()
        const cut = (bytes: Uint8Array): Uint8Array[] =>
          bytes.length > 91 ? cutAt(at)(bytes) : [bytes]
        await remote.greet({ cut, also: (each) => openAndWant(each) })
        await remote.message('Have', ({ bitfield }) => bitfield !== null)
        stage.sweep()
      }
    },
  )
}

/** A handshake of this kind leads to an open log. */
async function enters(stage: Stage, greeting: Greeting): Promise<void> {
  const remote = await stage.connect()
  await remote.greet(greeting)
  remote.open(publicKey)
  await remote.heard()
}

function openAndWant(remote: Remote): Uint8Array<ArrayBuffer> {
  return concat([remote.opening(publicKey), said(1, 'Want', { start: 0, length: 1_048_576 })])
}
