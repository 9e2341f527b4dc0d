/**
 * Transcripts of replications: their schema, and one side's bytes decoded to compare them by meaning.
 *
 * @module
 */
import { fromHex, toHex } from '../../../src/bytes.ts'
import { exchangeKeyPairOf, StreamCipher } from '../../../src/crypto.ts'
import { decode, decodeExtension } from '../../../src/wire/decode.ts'
import { FrameParser } from '../../../src/wire/frame.ts'
import { MessageType } from '../../../src/wire/messages.ts'
import { NoiseXX } from '../../../src/wire/noise.ts'
import type { Split } from '../../../src/wire/noise.ts'

/** A feed of a case. */
export interface FeedSetup {
  readonly side: string
  readonly role: string
  readonly publicKey: string
  readonly secretKey?: string
  readonly options?: { readonly sparse?: boolean }
  readonly blocks?: readonly string[]
  readonly appendedAs?: string
  readonly preloadedBlocks?: readonly number[]
}

/** One end of a stream of a case. */
export interface EndSetup {
  readonly initiator: boolean
  readonly options: Readonly<Record<string, unknown>>
  readonly staticSecret?: string
  readonly ephemeralSecret?: string
  readonly nonce?: string
}

/** A frame, decoded. */
export interface Frame {
  readonly channel: number
  readonly type: number
  readonly name?: string
  readonly message?: Readonly<Record<string, unknown>>
  readonly payload?: string
}

/** One entry of a transcript. */
export interface Entry {
  readonly turn?: number
  readonly link?: string
  readonly from?: string
  readonly handshake?: readonly string[]
  readonly cipher?: string
  readonly plain?: string
  readonly frames?: readonly Frame[]
  readonly streamEnd?: boolean
  readonly action?: Readonly<Record<string, unknown>>
  readonly events?: readonly {
    readonly side: string
    readonly event: string
    readonly value?: unknown
  }[]
}

/** A case. */
export interface Transcript {
  readonly name: string
  readonly setup: {
    readonly feeds: Readonly<Record<string, FeedSetup>>
    readonly streams: Readonly<Record<string, { readonly mode: string } & Record<string, unknown>>>
  }
  readonly transcript: readonly Entry[]
  readonly final: {
    readonly feeds: Readonly<
      Record<
        string,
        {
          readonly length: number
          readonly byteLength: number
          readonly blocks: readonly (readonly [number, number])[]
          readonly peers: number
        }
      >
    >
    readonly streams: Readonly<Record<string, Readonly<Record<string, string>>>>
  }
}

/** The ends of a stream, by side. */
export function endsOf(stream: Readonly<Record<string, unknown>>): [string, EndSetup][] {
  return Object.entries(stream).filter(
    (each): each is [string, EndSetup] => each[0] !== 'mode' && typeof each[1] === 'object',
  )
}

/** What one side writes on one link, as frames. */
export class Listener {
  /** Framed handshake messages, in hex. */
  handshake = ''
  /** Frames since they were last taken. */
  frames: Frame[] = []
  #handshakeLeft: number
  readonly #cipher: StreamCipher | null
  readonly #parser = new FrameParser((channel, type, bytes, start, end) => {
    this.frames.push(decodeFrame(channel, type, bytes.subarray(start, end)))
    return true
  })

  /**
   * @param own - the end that writes
   * @param other - the end it writes to
   */
  constructor(mode: string, own: EndSetup, other: EndSetup) {
    this.#handshakeLeft = mode === 'plain' ? 0 : own.initiator ? 59 + 91 : 123
    this.#cipher =
      mode === 'default' ? new StreamCipher(fromHex(own.nonce ?? ''), splitOf(own, other).tx) : null
  }

  /** Take what was written. */
  write(bytes: Uint8Array): void {
    const take = Math.min(this.#handshakeLeft, bytes.length)
    this.handshake += toHex(bytes.subarray(0, take))
    this.#handshakeLeft -= take
    const rest = Uint8Array.from(bytes.subarray(take))
    this.#cipher?.update(rest, rest)
    this.#parser.receive(rest)
  }

  /** Frames and handshake bytes since the last call. */
  take(): { readonly handshake: string; readonly frames: readonly Frame[] } {
    const taken = { handshake: this.handshake, frames: this.frames }
    this.handshake = ''
    this.frames = []
    return taken
  }
}

/** The transport keys of an end, from both ends' secrets. */
function splitOf(own: EndSetup, other: EndSetup): Split {
  const noise = [own, other].map(
    (end) =>
      new NoiseXX(
        end.initiator,
        exchangeKeyPairOf(fromHex(end.staticSecret ?? '')),
        exchangeKeyPairOf(fromHex(end.ephemeralSecret ?? '')),
      ),
  )
  const payloads = [own, other].map((end) => fromHex(`0a18${end.nonce ?? ''}`))
  for (let turn = 0; turn < 3; turn++) {
    const writer = noise[0]?.writes ? 0 : 1
    const message = noise[writer]?.write(payloads[writer] ?? new Uint8Array(0))
    noise[1 - writer]?.read(message ?? new Uint8Array(0))
  }
  const split = noise[0]?.split()
  if (!split) throw new Error('no handshake')
  return split
}

const names = Object.fromEntries(Object.entries(MessageType).map(([name, type]) => [type, name]))

function decodeFrame(channel: number, type: number, payload: Uint8Array): Frame {
  const name = names[type] ?? String(type)
  if (type === MessageType.Extension) {
    decodeExtension(payload, 0, payload.length)
    return { channel, type, name, payload: toHex(payload) }
  }
  const decoder = decode[name as keyof typeof decode] as (bytes: Uint8Array) => unknown
  return { channel, type, name, message: plainOf(decoder(payload)) as Record<string, unknown> }
}

/** The same value with byte strings in hex, as the vectors have it. */
function plainOf(value: unknown): unknown {
  if (value instanceof Uint8Array) return toHex(value)
  if (Array.isArray(value)) return value.map(plainOf)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, plainOf(each)]))
}
