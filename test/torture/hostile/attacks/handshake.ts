/**
 * Attacks of those who have not even said who they are.
 *
 * @module
 */
import { concat, fromHex } from '../../../../src/bytes.ts'
import { exchangeKeyPair, randomBytes } from '../../../../src/crypto.ts'
import { encodeVarint } from '../../../../src/varint.ts'
import { encodePayload } from '../../../../src/wire/handshake.ts'
import { NoiseXX } from '../../../../src/wire/noise.ts'
import type { ScriptedPeer } from '../scripted-peer.ts'
import type { Attack, Stage } from '../stage.ts'

/** Points of low order on Curve25519: every exchange with them gives zero. */
const LOW_ORDER = [
  '00'.repeat(32),
  `01${'00'.repeat(31)}`,
  'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800',
  '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157',
  `ec${'ff'.repeat(30)}7f`,
].map(fromHex)

const STORM = 200

export const handshakeAttacks: readonly Attack[] = [
  bytes('handshake: a length without end', () => fromHex('ffffff')),
  bytes('handshake: a length of 65 536', () => fromHex('808004')),
  bytes('handshake: a length of nothing', () => fromHex('00')),
  bytes('handshake: a length of 2 ** 40, and a flood', () =>
    concat([fromHex('808080808020'), randomBytes(8_388_608)]),
  ),
  bytes('handshake: two messages of 64 KiB of noise', () =>
    concat([fromHex('ffff03'), randomBytes(65_535), fromHex('ffff03'), randomBytes(65_535)]),
  ),
  {
    name: 'handshake: data before its end',
    role: 'writer',
    ends: 'WIRE_HANDSHAKE',
    async play(stage) {
      const peer = stage.peer()
      peer.write(concat([framed(firstMessage(exchangeKeyPair().publicKey)), randomBytes(65_536)]))
      await peer.closed
    },
  },
  {
    name: 'handshake: ephemeral keys of low order',
    role: 'writer',
    ends: 'WIRE_HANDSHAKE',
    async play(stage) {
      for (const key of LOW_ORDER) {
        const peer = stage.peer()
        peer.write(framed(firstMessage(key)))
        await peer.closed
      }
    },
  },
  {
    name: 'handshake: static keys of low order',
    role: 'writer',
    ends: 'WIRE_HANDSHAKE',
    async play(stage) {
      for (const publicKey of LOW_ORDER) {
        await greetAs(
          stage,
          { publicKey, secretKey: randomBytes(32) },
          encodePayload(randomBytes(24)),
        )
      }
    },
  },
  {
    name: 'handshake: payloads that are none',
    role: 'writer',
    ends: 'WIRE_HANDSHAKE_PAYLOAD',
    async play(stage) {
      for (const payload of [
        encodePayload(randomBytes(23)),
        encodePayload(randomBytes(25)),
        encodePayload(randomBytes(60_000)),
        fromHex('0a18'),
        fromHex('0b'),
        fromHex('0affffffff0f'),
      ]) {
        await greetAs(stage, exchangeKeyPair(), payload)
      }
    },
  },
  {
    name: 'handshake: what the victim said, sent back to it',
    role: 'writer',
    ends: 'WIRE_HANDSHAKE',
    async play(stage) {
      const peer = stage.peer()
      peer.socket.on('data', (bytes) => peer.write(bytes))
      peer.write(framed(firstMessage(exchangeKeyPair().publicKey)))
      await peer.closed
    },
  },
  mirror('handshake: an initiator and its mirror', true, 'WIRE_HANDSHAKE'),
  mirror('handshake: one who finds out its role, and its mirror', null, ['WIRE_ROLE', 'ETIMEDOUT']),
  {
    name: 'handshake: a byte at a time, for ever',
    role: 'writer',
    ends: 'ETIMEDOUT',
    timeout: 500,
    async play(stage) {
      const peer = stage.peer()
      const message = framed(firstMessage(exchangeKeyPair().publicKey))
      let at = 0
      const drip = setInterval(() => peer.write(message.subarray(at, ++at)), 50)
      await peer.closed
      clearInterval(drip)
    },
  },
  {
    name: 'handshake: silence',
    role: 'writer',
    ends: 'ETIMEDOUT',
    timeout: 300,
    play: (stage) => stage.peer().closed,
  },
  {
    name: `a storm of ${STORM} connections cut at once`,
    role: 'writer',
    ends: ['ended', 'WIRE_TRANSPORT', 'ETIMEDOUT', 'open'],
    timeout: 500,
    async play(stage) {
      for (let i = 0; i < STORM; i++) {
        const peer = stage.peer()
        await new Promise<void>((resolve) => peer.socket.once('connect', resolve))
        peer.socket.resetAndDestroy()
      }
    },
  },
  {
    name: `a storm of ${STORM} connections that open the log and are gone`,
    role: 'writer',
    ends: ['ended', 'WIRE_TRANSPORT', 'open'],
    async play(stage) {
      for (let i = 0; i < STORM; i++) {
        const peer = await stage.entered()
        await peer.heard()
        if (i % 2 === 0) peer.socket.resetAndDestroy()
        else peer.end()
        await peer.closed
      }
    },
  },
]

/** Bytes, and the victim closes. */
function bytes(name: string, make: () => Uint8Array): Attack {
  return {
    name,
    role: 'writer',
    ends: 'WIRE_HANDSHAKE',
    async play(stage) {
      const peer = stage.peer()
      peer.write(make())
      await peer.closed
    },
  }
}

/** Everything the victim says comes back to it. */
function mirror(name: string, initiator: boolean | null, ends: string | string[]): Attack {
  return {
    name,
    role: 'writer',
    ends,
    initiator,
    timeout: 500,
    async play(stage) {
      const peer = stage.peer()
      peer.socket.on('data', (chunk) => peer.write(chunk))
      await peer.closed
    },
  }
}

/** Go through the handshake with these keys, and end it with this payload. */
async function greetAs(
  stage: Stage,
  keyPair: ReturnType<typeof exchangeKeyPair>,
  payload: Uint8Array,
): Promise<void> {
  const peer: ScriptedPeer = stage.peer()
  const noise = new NoiseXX(true, keyPair, exchangeKeyPair())
  peer.write(framed(noise.write(encodePayload(randomBytes(24)))))
  peer.socket.once('data', (reply: Uint8Array) => {
    noise.read(reply.subarray(1))
    peer.write(framed(noise.write(payload)))
  })
  await peer.closed
}

function firstMessage(ephemeral: Uint8Array): Uint8Array {
  return concat([ephemeral, encodePayload(randomBytes(24))])
}

function framed(message: Uint8Array): Uint8Array {
  const head = new Uint8Array(3)
  return concat([head.subarray(0, encodeVarint(message.length, head, 0)), message])
}
