/**
 * The scripted peer: one connection to the subject, on which anything can be said, in either role.
 *
 * It believes nothing and keeps everything that came. Every wait has an end: `limitMs`.
 *
 * @see docs/protocol/20-wire.md
 * @module
 */
import type { Socket } from 'node:net'
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises'
import { discoveryKey, exchangeKeyPair, randomBytes, StreamCipher } from 'varve/crypto'
import {
  decode,
  decodeExtension,
  encodePayload,
  FrameParser,
  MessageType,
  NoiseXX,
  ownCapability,
  remoteCapability,
  type Split,
} from 'varve/wire'
import { Refuted, TimedOut, within } from '../case.ts'
import { holds } from '../expect.ts'
import { varint, varintAt } from '../protobuf-fields.ts'
import { concat, frame, said, type Fields, type Messages } from './speech.ts'

/** Milliseconds for anything that the subject should do, unless the user said otherwise. */
export let LIMIT_MS = 3000

/** Wait longer, or less long. */
export function setLimit(ms: number): void {
  if (!(ms > 0)) throw new RangeError('want milliseconds')
  LIMIT_MS = ms
}

/** A frame that came. */
export interface Frame {
  readonly channel: number
  readonly type: number
  readonly payload: Uint8Array
}

/** How the connection is set up. */
export interface RemoteOptions {
  /** Whether the kit begins the handshake. */
  readonly initiator: boolean
  readonly encrypted?: boolean
  /** `false`: no handshake. */
  readonly noise?: boolean
}

/** Variations of a handshake. */
export interface Greeting {
  readonly nonce?: Uint8Array
  /** Payload of our first message, and of our last. */
  readonly payloads?: readonly [Uint8Array, Uint8Array]
  /** Where a framed message of ours is cut; each piece is written alone. */
  readonly cut?: (message: Uint8Array) => readonly Uint8Array[]
  /** Change a framed message of ours before it is sent. */
  readonly alter?: (message: Uint8Array, number: number) => Uint8Array
  /** Sent together with our last message, enciphered. */
  readonly also?: (remote: Remote) => Uint8Array<ArrayBuffer>
}

const NAMES = new Map<number, string>(
  Object.entries(MessageType).map(([name, type]) => [type, name]),
)

/** One connection. */
export class Remote {
  readonly socket: Socket
  readonly options: RemoteOptions
  /** Frames that came, in order. */
  readonly frames: Frame[] = []
  /** Handshake messages that came, with their length before them. */
  readonly greetings: Uint8Array[] = []
  /** Payloads in them. */
  readonly payloads: Uint8Array[] = []
  /** Keepalives that came. */
  keepalives = 0
  split: Split | null = null
  remotePublicKey: Uint8Array | null = null
  /** What was wrong with what came. */
  broken: Error | null = null
  closed = false
  bytes = 0
  #sender: StreamCipher | null = null
  #receiver: StreamCipher | null = null
  #inHandshake: boolean
  #raw: Uint8Array = new Uint8Array(0)
  readonly #parser = new FrameParser((channel, type, bytes, start, end) => {
    this.frames.push({ channel, type, payload: bytes.slice(start, end) })
    return true
  })
  #wake: () => void = () => {}

  constructor(socket: Socket, options: RemoteOptions) {
    this.socket = socket
    this.options = options
    this.#inHandshake = options.noise !== false
    socket.setNoDelay(true)
    socket.on('data', (chunk) => this.#take(new Uint8Array(chunk)))
    // A subject that closes first resets what is still on its way to it.
    socket.on('error', () => {})
    socket.on('close', () => this.#end())
    socket.on('end', () => this.#end())
  }

  /** Wait until `test` gives something. */
  async until<T>(
    test: () => T | null | undefined | false,
    what: string,
    ms = LIMIT_MS,
  ): Promise<T> {
    const end = Date.now() + ms
    for (;;) {
      const found = test()
      if (found) return found
      if (this.broken) throw new Refuted(`what came is no frame: ${this.broken.message}`)
      if (this.closed) throw new Refuted(`${what}: the subject closed the connection`)
      const left = end - Date.now()
      if (left <= 0) throw new TimedOut(what, ms)
      let timer: NodeJS.Timeout | undefined
      await new Promise<void>((resolve) => {
        this.#wake = resolve
        timer = setTimeout(resolve, left)
      })
      clearTimeout(timer)
    }
  }

  /** Go through the handshake. */
  async greet(greeting: Greeting = {}): Promise<this> {
    if (this.options.noise === false) return this
    const { initiator } = this.options
    const nonce = greeting.nonce ?? randomBytes(24)
    const noise = new NoiseXX(initiator, exchangeKeyPair(), exchangeKeyPair())
    const payload = encodePayload(nonce)
    const [first, last] = greeting.payloads ?? [payload, payload]
    let remotePayload = new Uint8Array(0) as Uint8Array
    for (let number = 1; number <= 3; number++) {
      if (noise.writes) {
        const message = noise.write(number === 3 ? last : first)
        let framed: Uint8Array = concat([varint(message.length), message])
        if (greeting.alter) framed = greeting.alter(framed, number)
        if (number < 3 || !greeting.also) await this.#pieces(greeting.cut?.(framed) ?? [framed])
        else {
          this.#ready(noise, nonce, remotePayload)
          const more = greeting.also(this)
          this.#sender?.update(more, more)
          await this.#pieces(greeting.cut?.(concat([framed, more])) ?? [concat([framed, more])])
          return this
        }
      } else {
        const message = await this.until(() => this.#message(), `handshake message ${number}`)
        const read = noise.read(message)
        this.payloads.push(read)
        if (read.length > 0) remotePayload = read
      }
    }
    this.#ready(noise, nonce, remotePayload)
    return this
  }

  /** Open a log on our channel. */
  open(key: Uint8Array, channel = 1, capability?: Uint8Array | null): this {
    this.write(this.opening(key, channel, capability))
    return this
  }

  /** The Open of a log, with the right capability unless another is given. */
  opening(key: Uint8Array, channel = 1, capability?: Uint8Array | null): Uint8Array {
    const own = this.split ? ownCapability(this.split, key) : null
    return said(channel, 'Open', {
      discoveryKey: discoveryKey(key),
      capability: capability === undefined ? own : capability,
    })
  }

  /** Whether what the subject put into its Open proves the key. */
  expectedCapability(key: Uint8Array): Uint8Array | null {
    return this.split && remoteCapability(this.split, key)
  }

  /** Say a message. */
  say<Name extends keyof Messages>(channel: number, name: Name, message: Fields<Name>): void {
    this.write(said(channel, name, message))
  }

  /** Say an extension message. */
  extension(channel: number, id: number, message: Uint8Array): void {
    this.write(frame(channel, MessageType.Extension, concat([varint(id), message])))
  }

  /** Write bytes, enciphered once the handshake is over. */
  write(bytes: Uint8Array): void {
    if (this.socket.destroyed || this.socket.writableEnded) return
    const out = Uint8Array.from(bytes)
    if (this.#sender) this.#sender.update(out, out)
    this.socket.write(out)
  }

  /** Write bytes in pieces, each by itself. */
  async writeIn(
    bytes: Uint8Array,
    cut: (bytes: Uint8Array) => readonly Uint8Array[],
  ): Promise<void> {
    const out = Uint8Array.from(bytes)
    if (this.#sender) this.#sender.update(out, out)
    await this.#pieces(cut(out))
  }

  /** Messages of a kind that came, with their channel. */
  all<Name extends keyof Messages>(name: Name): Messages[Name][] {
    const type: number = MessageType[name]
    return this.frames
      .filter((each) => each.type === type)
      .map(({ payload }) => decode[name](payload) as Messages[Name])
  }

  /** The first message of a kind that passes; waits for it. */
  message<Name extends keyof Messages>(
    name: Name,
    test: (message: Messages[Name]) => boolean = () => true,
    ms = LIMIT_MS,
  ): Promise<Messages[Name]> {
    return this.until(() => this.all(name).find(test), `${name} of the subject`, ms)
  }

  /** Extension messages that came: number and bytes. */
  get extensions(): { id: number; message: Uint8Array }[] {
    return this.frames
      .filter(({ type }) => type === MessageType.Extension)
      .map(({ payload }) => {
        const { id, at } = decodeExtension(payload, 0, payload.length)
        return { id, message: payload.subarray(at) }
      })
  }

  /** Names of the frames that came. */
  get names(): string[] {
    return this.frames.map(({ type }) => NAMES.get(type) ?? String(type))
  }

  /** The subject has read all that was said so far: it answers a Want on an open channel. */
  async heard(channel = 1): Promise<void> {
    const before = this.all('Have').filter(({ bitfield }) => bitfield).length
    this.say(channel, 'Want', { start: 0, length: 1_048_576 })
    await this.until(
      () => this.all('Have').filter(({ bitfield }) => bitfield).length > before,
      'the answer to a Want',
    )
  }

  /** The subject ends the connection. */
  async ends(ms = LIMIT_MS): Promise<void> {
    const end = Date.now() + ms
    while (!this.closed && Date.now() < end) {
      let timer: NodeJS.Timeout | undefined
      await new Promise<void>((resolve) => {
        this.#wake = resolve
        timer = setTimeout(resolve, Math.max(1, end - Date.now()))
      })
      clearTimeout(timer)
    }
    holds(this.closed, `the subject did not end the connection within ${ms} ms`)
  }

  /** Nothing comes for a while, and the connection stays. */
  async quiet(ms: number): Promise<void> {
    const before = this.bytes
    await sleep(ms)
    holds(!this.closed, 'the subject ended the connection')
    const got = this.names.slice(-3).join()
    holds(
      this.bytes === before,
      `the subject said something: ${this.bytes - before} bytes (${got})`,
    )
  }

  /** All that was written has left, or the connection is gone. */
  async flushed(): Promise<void> {
    const { socket } = this
    if (socket.destroyed || socket.writableLength === 0) return
    const drained = new Promise<void>((resolve) => {
      socket.once('drain', () => resolve())
      socket.once('close', () => resolve())
      socket.write(new Uint8Array(0), () => resolve())
    })
    await within(drained, LIMIT_MS, 'the subject reading').catch(() => undefined)
  }

  /** Leave. */
  end(): void {
    this.socket.destroy()
  }

  #ready(noise: NoiseXX, nonce: Uint8Array, remotePayload: Uint8Array): void {
    this.remotePublicKey = noise.remotePublicKey
    this.split = noise.split()
    holds(
      remotePayload.length === 26 && remotePayload[0] === 0x0a && remotePayload[1] === 24,
      'the payload of the handshake is a nonce of 24 bytes',
    )
    this.#inHandshake = false
    if (this.options.encrypted !== false) {
      this.#sender = new StreamCipher(nonce, this.split.tx)
      this.#receiver = new StreamCipher(remotePayload.subarray(2), this.split.rx)
    }
    const rest = this.#raw
    this.#raw = new Uint8Array(0)
    this.#frames(rest)
  }

  async #pieces(pieces: readonly Uint8Array[]): Promise<void> {
    for (const piece of pieces) {
      if (this.socket.destroyed) return
      this.socket.write(piece)
      if (pieces.length > 1) await turn()
    }
  }

  #take(chunk: Uint8Array): void {
    this.bytes += chunk.length
    if (this.#inHandshake) this.#raw = concat([this.#raw, chunk])
    else this.#frames(chunk)
    this.#wake()
  }

  #frames(chunk: Uint8Array): void {
    if (chunk.length === 0) return
    const plain = Uint8Array.from(chunk)
    if (this.#receiver) this.#receiver.update(plain, plain)
    if (plain.length === 1 && plain[0] === 0) this.keepalives++
    try {
      this.#parser.receive(plain)
    } catch (error) {
      this.broken ??= error instanceof Error ? error : new Error(String(error))
    }
  }

  #message(): Uint8Array | null {
    if (this.#raw.length < 2) return null
    const { value, end } = varintAt(this.#raw, 0)
    if (this.#raw.length < end + value) return null
    this.greetings.push(this.#raw.slice(0, end + value))
    const message = this.#raw.slice(end, end + value)
    this.#raw = this.#raw.slice(end + value)
    return message
  }

  #end(): void {
    this.closed = true
    this.#wake()
  }
}
