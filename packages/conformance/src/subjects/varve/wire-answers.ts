/**
 * Varve's answers about the wire, without a socket.
 *
 * @module
 */
import { bytesOf, hex } from '../../expect.ts'
import type { Handlers } from '../answer.ts'
import type { Library } from './library.ts'

/** Fields of messages that are bytes. (`hash` is a boolean in a Request: only text is bytes.) */
const BYTES = new Set(['discoveryKey', 'capability', 'bitfield', 'value', 'signature', 'hash'])

function messageOf(json: unknown): unknown {
  return JSON.parse(JSON.stringify(json), (key, value: unknown) =>
    BYTES.has(key) && typeof value === 'string' ? bytesOf(value) : value,
  )
}

function jsonOf(message: unknown): unknown {
  if (message instanceof Uint8Array) return hex(message)
  if (Array.isArray(message)) return message.map(jsonOf)
  if (typeof message !== 'object' || message === null) return message
  return Object.fromEntries(Object.entries(message).map(([key, value]) => [key, jsonOf(value)]))
}

/** Handshake, keystream, capability, messages, frames, names. */
export function wireAnswers({ crypto, wire }: Library): Handlers {
  const nameOf = (type: string): keyof typeof wire.decode => {
    if (type in wire.decode) return type as keyof typeof wire.decode
    throw new Error(`no message ${type}`)
  }
  return {
    staticKeyPair: ({ seed }) => {
      const { publicKey, secretKey } = crypto.exchangeKeyPair(bytesOf(seed))
      return { publicKey: hex(publicKey), secretKey: hex(secretKey) }
    },
    handshake: ({ initiator, staticSecret, ephemeralSecret, nonce, received }) => {
      const handshake = new wire.Handshake({
        initiator,
        keyPair: crypto.exchangeKeyPairOf(bytesOf(staticSecret)),
        ephemeral: crypto.exchangeKeyPairOf(bytesOf(ephemeralSecret)),
        nonce: bytesOf(nonce),
        maxBytes: 65_535,
      })
      const sent: string[] = []
      const take = (): void => {
        if (handshake.asking) handshake.accept()
        sent.push(...handshake.take().map(hex))
      }
      if (initiator) handshake.begin()
      take()
      for (const message of received) {
        handshake.receive(bytesOf(message))
        take()
      }
      const result = handshake.result()
      const done = result && {
        tx: hex(result.split.tx),
        rx: hex(result.split.rx),
        handshakeHash: hex(result.handshakeHash),
        remotePublicKey: hex(result.remotePublicKey),
        remoteNonce: hex(result.remoteNonce),
      }
      return { sent, done }
    },
    keystream: ({ key, nonce, pieces }) => {
      const cipher = new crypto.StreamCipher(bytesOf(nonce), bytesOf(key))
      return {
        pieces: pieces.map((piece) => {
          const bytes = bytesOf(piece)
          cipher.update(bytes, bytes)
          return hex(bytes)
        }),
      }
    },
    capability: ({ key, tx, rx }) => {
      const split = { tx: bytesOf(tx), rx: bytesOf(rx) }
      return {
        own: hex(wire.ownCapability(split, bytesOf(key))),
        remote: hex(wire.remoteCapability(split, bytesOf(key))),
      }
    },
    encodeMessage: ({ type, message }) => {
      const outbox = new wire.Outbox()
      const say = outbox.message.bind(outbox) as (
        channel: number,
        type: string,
        message: unknown,
      ) => void
      say(1, nameOf(type), messageOf(message))
      const frame = outbox.take(null)
      let payload = ''
      new wire.FrameParser((_channel, _type, bytes, start, end) => {
        payload = hex(bytes.subarray(start, end))
        return true
      }).receive(frame)
      return { payload }
    },
    decodeMessage: ({ type, payload }) => ({
      message: jsonOf(wire.decode[nameOf(type)](bytesOf(payload))) as Record<string, unknown>,
    }),
    encodeFrame: ({ channel, type, payload }) => {
      const head = new Uint8Array(16)
      const end = wire.encodeFrameHead(channel, type, payload.length / 2, head, 0)
      return { frame: hex(head.subarray(0, end)) + payload }
    },
    parseFrames: ({ chunks }) => {
      const frames: { channel: number; type: number; payload: string }[] = []
      const parser = new wire.FrameParser((channel, type, bytes, start, end) => {
        frames.push({ channel, type, payload: hex(bytes.subarray(start, end)) })
        return true
      })
      for (const chunk of chunks) parser.receive(bytesOf(chunk))
      return { frames }
    },
    extensionNames: ({ local, remote }) => {
      const advertised = wire.sortNames(local)
      return { advertised, matched: wire.matchNames(advertised, remote) }
    },
  }
}
