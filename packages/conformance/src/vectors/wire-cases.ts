/**
 * The wire without a socket: handshake step by step, keystream, capability, messages, frames, extensions.
 *
 * @see docs/protocol/20-wire.md 2
 * @module
 */
import type { Hex, Operations } from '../operations.ts'
import { asks, recorded, refuses, slug, type VectorCase } from './vector-case.ts'

interface Side {
  readonly staticSeed: Hex
  readonly staticSecret: Hex
  readonly staticPublic: Hex
  readonly ephemeralSecret: Hex
}

interface NoiseCase {
  readonly name: string
  readonly initiator: Side
  readonly responder: Side
  readonly messages?: readonly {
    readonly payload: Hex
    readonly bytes: Hex
    readonly framed: Hex
  }[]
  readonly handshakeHash?: Hex
  readonly split?: {
    readonly initiatorTx: Hex
    readonly initiatorRx: Hex
  }
  readonly tampered?: { readonly message: number; readonly bytes: Hex; readonly receiver: string }
}

/** Every message of the handshake with fixed keys, in both roles; what an altered message must not do. */
export function* handshakeCases(): Iterable<VectorCase> {
  const topic = { id: 'wire.noise', section: '20-wire 2.1' }
  const framing = { id: 'wire.noise', section: '20-wire 2.2' }
  for (const each of recorded<NoiseCase>('wire/noise-xx').cases) {
    const { name, initiator, responder, messages = [], split, tampered } = each
    const [first, second, third] = messages
    const number = slug(name)
    const ask = (side: Side, payload: Hex | undefined, received: readonly Hex[]): Args => ({
      initiator: side === initiator,
      staticSecret: side.staticSecret,
      ephemeralSecret: side.ephemeralSecret,
      nonce: (payload ?? '').slice(4),
      received,
    })
    if (tampered) {
      // A flipped bit of message 1 is noticed by nobody yet.
      if (tampered.message === 1 && tampered.bytes.length === 116) continue
      const asInitiator = tampered.receiver === 'initiator'
      const before = asInitiator || tampered.message === 1 ? [] : [first?.framed ?? '']
      const side = asInitiator ? initiator : responder
      const payload = asInitiator ? first?.payload : (second?.payload ?? first?.payload)
      const args = ask(side, payload, [...before, framed(tampered.bytes)])
      const title = `the ${tampered.receiver} refuses an altered message: ${name}`
      yield refuses(topic, number, title, 'handshake', args)
      continue
    }
    if (!name.startsWith('standard') || !first || !second || !third || !split) continue
    const keys: readonly [string, Side][] = [
      ['initiator', initiator],
      ['responder', responder],
    ]
    for (const [
      role,
      { staticSeed: seed, staticSecret: secretKey, staticPublic: publicKey },
    ] of keys) {
      const title = `the static pair of a seed is made of the seed's hash (${role})`
      yield asks(
        topic,
        `${number}-${role}-key`,
        title,
        'staticKeyPair',
        { seed },
        { secretKey, publicKey },
      )
    }
    yield asks(
      framing,
      `${number}-message-1`,
      'message 1 is the ephemeral key and the payload in clear, 58 bytes after a length of one byte',
      'handshake',
      ask(initiator, first.payload, []),
      { sent: [first.framed], done: null },
    )
    yield asks(
      topic,
      `${number}-message-2`,
      'the responder answers message 1 with e, ee, s, es and its payload, 122 bytes',
      'handshake',
      ask(responder, second.payload, [first.framed]),
      { sent: [second.framed], done: null },
    )
    const handshakeHash = each.handshakeHash ?? ''
    const { initiatorTx, initiatorRx } = split
    yield asks(
      topic,
      `${number}-message-3`,
      'the initiator answers message 2 with s, se and its payload, and splits into its two keys',
      'handshake',
      ask(initiator, first.payload, [second.framed]),
      {
        sent: [first.framed, third.framed],
        done: {
          tx: initiatorTx,
          rx: initiatorRx,
          handshakeHash,
          remotePublicKey: responder.staticPublic,
          remoteNonce: second.payload.slice(4),
        },
      },
    )
    yield asks(
      topic,
      `${number}-done`,
      'the responder takes message 3, and has the two keys the other way round',
      'handshake',
      ask(responder, second.payload, [first.framed, third.framed]),
      {
        sent: [second.framed],
        done: {
          tx: initiatorRx,
          rx: initiatorTx,
          handshakeHash,
          remotePublicKey: initiator.staticPublic,
          remoteNonce: third.payload.slice(4),
        },
      },
    )
  }
}

type Args = Operations['handshake']['args']

/** A message with its length before it. */
function framed(message: Hex): Hex {
  const bytes = []
  let length = message.length / 2
  for (; length >= 128; length = Math.floor(length / 128)) bytes.push((length % 128) + 128)
  bytes.push(length)
  return Buffer.from(bytes).toString('hex') + message
}

/** The keystream, and the proof of knowing a key. */
export function* transportCases(): Iterable<VectorCase> {
  interface PiecesCase {
    name: string
    key?: Hex
    nonce: Hex
    pieces?: { plain: Hex; cipher: Hex }[]
  }
  const stream = { id: 'wire.keystream', section: '20-wire 2.3' }
  for (const { name, key, nonce, pieces } of recorded<PiecesCase>('wire/transport').cases) {
    if (!pieces || key === undefined) continue
    const plain = pieces.map((piece) => piece.plain)
    const cipher = pieces.map((piece) => piece.cipher)
    const title = `the pieces are XORed with one continuous XSalsa20 stream: ${name}`
    yield asks(
      stream,
      slug(name),
      title,
      'keystream',
      { key, nonce, pieces: plain },
      { pieces: cipher },
    )
    const whole = { key, nonce, pieces: [plain.join('')] }
    const text = `where the pieces are cut does not matter: ${name}`
    yield asks(stream, `${slug(name)}-whole`, text, 'keystream', whole, {
      pieces: [cipher.join('')],
    })
  }
  interface CapabilityCase {
    feedKey: Hex
    /** Null where there is no handshake. */
    localTx: Hex | null
    localRx: Hex | null
    sentByLocal: Hex
    expectedFromRemote: Hex
    discoveryKey: Hex
    openPayload: Hex
  }
  const capability = { id: 'wire.capability', section: '20-wire 2.6' }
  for (const [i, each] of recorded<CapabilityCase>('wire/capability').cases.entries()) {
    const { feedKey: key, localTx: tx, localRx: rx, sentByLocal: own, expectedFromRemote } = each
    if (tx === null || rx === null) continue
    const title =
      "our capability is keyed by what we receive with, and the remote's by what we send with"
    yield asks(
      capability,
      i,
      title,
      'capability',
      { key, tx, rx },
      { own, remote: expectedFromRemote },
    )
  }
}

/** Messages to payloads and back. */
export function* messageCases(): Iterable<VectorCase> {
  interface EncodeCase {
    name: string
    type: number
    typeName: string
    channel: number
    message: Record<string, unknown>
    payload: Hex
    frame: Hex
    decoded: Record<string, unknown>
  }
  const topic = { id: 'wire.message', section: '20-wire 2.5' }
  const frames = { id: 'wire.frame', section: '20-wire 2.4' }
  for (const [i, each] of recorded<EncodeCase>('wire/messages-encode').cases.entries()) {
    const { name, typeName, message, payload, frame, decoded, channel, type } = each
    const number = `${typeName.toLowerCase()}-${i}`
    const title = `${typeName} is written field by field: ${name}`
    yield asks(topic, number, title, 'encodeMessage', { type: typeName, message }, { payload })
    if (i % 3 === 0) {
      const text = `${typeName} is read back, with its defaults put in: ${name}`
      const args = { type: typeName, payload }
      yield asks(topic, `${number}-back`, text, 'decodeMessage', args, { message: decoded })
    }
    if (i % 5 === 0) {
      const text = `${typeName} on channel ${channel} is framed by length and header`
      yield asks(frames, number, text, 'encodeFrame', { channel, type, payload }, { frame })
    }
  }
  interface DecodeCase {
    name: string
    typeName: string
    payload: Hex
    reference: { ok: boolean; message?: Record<string, unknown> }
    required: 'accept' | 'reject' | 'any'
  }
  const decoding = { id: 'wire.decode', section: '20-wire 2.5' }
  const limits = { id: 'wire.decode', section: '20-wire 5' }
  for (const [i, each] of recorded<DecodeCase>('wire/messages-decode').cases.entries()) {
    const { name, typeName, payload, reference, required } = each
    const number = `${typeName.toLowerCase()}-${i}`
    const args = { type: typeName, payload }
    if (required === 'accept' && reference.message) {
      const title = `this ${typeName} is read: ${name}`
      yield asks(decoding, number, title, 'decodeMessage', args, { message: reference.message })
    } else if (required === 'reject') {
      const title = `this ${typeName} is refused: ${name}`
      yield refuses(limits, number, title, 'decodeMessage', args, reference.ok ? 'project' : 'MUST')
    }
  }
}

/** Streams of bytes to frames. */
export function* frameCases(): Iterable<VectorCase> {
  interface FramingCase {
    name: string
    chunks: Hex[]
    reference: {
      messages: { channel: number; type: number; payload: Hex }[]
      error: string | null
      thrown?: unknown
    }
    required: 'accept' | 'reject'
  }
  const topic = { id: 'wire.frames', section: '20-wire 2.4' }
  const limits = { id: 'wire.frames', section: '20-wire 5' }
  for (const [i, { name, chunks, reference, required }] of recorded<FramingCase>(
    'wire/framing',
  ).cases.entries()) {
    const number = `${i}-${slug(name)}`
    if (required === 'reject') {
      const lax = reference.error === null || reference.thrown !== undefined
      const title = `this stream is refused: ${name}`
      yield refuses(limits, number, title, 'parseFrames', { chunks }, lax ? 'project' : 'MUST')
      continue
    }
    const expected = { frames: reference.messages }
    yield asks(topic, number, `frames are found: ${name}`, 'parseFrames', { chunks }, expected)
    const bytes = chunks.join('')
    if (i % 3 !== 0 || bytes.length > 2000) continue
    const single = bytes.match(/../g) ?? []
    const title = `frames are found when every byte comes alone: ${name}`
    yield asks(topic, `${number}-bytes`, title, 'parseFrames', { chunks: single }, expected)
  }
}

/** Who numbers which extension. */
export function* extensionNameCases(): Iterable<VectorCase> {
  interface ExtensionCase {
    name: string
    localRegistrationOrder: string[]
    localAdvertised: string[]
    remoteAdvertised: string[]
    incomingIdToLocalName: Record<string, string | null>
  }
  const topic = { id: 'wire.extension', section: '20-wire 2.8' }
  for (const [i, each] of recorded<ExtensionCase>('wire/extensions').cases.entries()) {
    const { localRegistrationOrder: local, remoteAdvertised: remote, localAdvertised } = each
    const matched = remote.map((_, id) => each.incomingIdToLocalName[String(id)] ?? null)
    const title = `names are sorted by UTF-16 units, and numbers of the remote found: ${each.name}`
    const expected = { advertised: localAdvertised, matched }
    yield asks(
      topic,
      `${i}-${slug(each.name)}`,
      title,
      'extensionNames',
      { local, remote },
      expected,
    )
  }
}
