/**
 * A peer that can say anything: the pure parts of the wire under a bare socket, with nothing that keeps it honest.
 *
 * @module
 */
import { connect } from 'node:net'
import type { Socket } from 'node:net'
import { concat } from '../../../src/bytes.ts'
import { discoveryKey, exchangeKeyPair, randomBytes, StreamCipher } from '../../../src/crypto.ts'
import { ownCapability } from '../../../src/wire/capability.ts'
import type { OutgoingMessages } from '../../../src/wire/channel.ts'
import { decode } from '../../../src/wire/decode.ts'
import { encodeFrameHead, FrameParser } from '../../../src/wire/frame.ts'
import { Handshake } from '../../../src/wire/handshake.ts'
import { MessageType } from '../../../src/wire/messages.ts'
import type { Have, Request } from '../../../src/wire/messages.ts'
import type { Split } from '../../../src/wire/noise.ts'
import { Outbox } from '../../../src/wire/outbox.ts'
import { KEYS } from './protocol.ts'

/** One connection to the victim. */
export class ScriptedPeer {
  readonly socket: Socket
  /** Resolves once the victim, or we, closed it. */
  readonly closed: Promise<void>
  /** What the victim asked for. */
  readonly requests: Request[] = []
  /** What it said it has. */
  readonly haves: Have[] = []
  /** Frames that came, of any kind. */
  frames = 0
  split: Split | null = null
  #sender: StreamCipher | null = null
  #wake: () => void = () => {}

  /** @param port - where the victim listens */
  constructor(port: number) {
    this.socket = connect(port, '127.0.0.1')
    this.closed = new Promise((resolve) => this.socket.once('close', () => resolve()))
    // A victim that closes first resets what we still write.
    this.socket.on('error', () => {})
    // What nobody reads must not keep the end from being seen.
    this.socket.on('data', () => {})
    this.socket.on('close', () => this.#wake())
  }

  /** Whether the connection is still there. */
  get isOpen(): boolean {
    return !this.socket.destroyed
  }

  /** Play an honest initiator up to the end of the handshake. */
  async greet(nonce: Uint8Array = randomBytes(24)): Promise<void> {
    const handshake = new Handshake({
      initiator: true,
      keyPair: exchangeKeyPair(),
      ephemeral: exchangeKeyPair(),
      nonce,
      maxBytes: 65_535,
    })
    handshake.begin()
    const flush = (): void => void this.socket.write(concat([...handshake.take()]))
    flush()
    await new Promise<void>((resolve) => {
      const onclose = (): void => resolve()
      const ondata = (bytes: Uint8Array): void => {
        handshake.receive(bytes)
        if (handshake.asking) handshake.accept()
        flush()
        const result = handshake.result()
        if (!result) return
        this.split = result.split
        this.#sender = new StreamCipher(nonce, result.split.tx)
        this.#listen(new StreamCipher(result.remoteNonce, result.split.rx), result.rest)
        this.socket.off('data', ondata)
        this.socket.off('close', onclose)
        resolve()
      }
      this.socket.on('data', ondata)
      this.socket.once('close', onclose)
    })
  }

  /** Open the log on our channel `channel`, with the right capability unless another is given. */
  open(channel = 1, capability?: Uint8Array, key: Uint8Array = KEYS.publicKey): void {
    const right = this.split && ownCapability(this.split, key)
    this.say(channel, 'Open', {
      discoveryKey: discoveryKey(key),
      capability: capability ?? right,
    })
  }

  /** Greet and open the log: everything that an honest peer does first. */
  async enter(): Promise<this> {
    await this.greet()
    this.open()
    return this
  }

  /** Say a message. */
  say<Type extends keyof OutgoingMessages>(
    channel: number,
    type: Type,
    message: OutgoingMessages[Type],
  ): void {
    this.write(said(channel, type, message))
  }

  /** Say bytes as they are, enciphered once the handshake is over. */
  write(bytes: Uint8Array): void {
    if (this.socket.destroyed) return
    const out = new Uint8Array(bytes.length)
    if (this.#sender) this.#sender.update(bytes, out)
    else out.set(bytes)
    this.socket.write(out)
  }

  /** All that was written has left, or the victim has closed. */
  async flushed(): Promise<void> {
    if (this.socket.writableLength === 0) return
    await Promise.race([
      new Promise<void>((resolve) => this.socket.write('', () => resolve())),
      this.closed,
    ])
  }

  /** Wait until `condition` holds, looking whenever something comes, or the victim has closed. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition() && this.isOpen) {
      // oxlint-disable-next-line no-await-in-loop
      await new Promise<void>((resolve) => (this.#wake = resolve))
    }
  }

  /** The victim has read what was said so far (it answers an honest question), or has closed. */
  async heard(): Promise<void> {
    const before = this.haves.length
    this.say(1, 'Want', { start: 0, length: 1_048_576 })
    await this.until(() => this.haves.length > before)
  }

  /** End it. */
  end(): void {
    this.socket.destroy()
  }

  #listen(cipher: StreamCipher, rest: Uint8Array): void {
    const parser = new FrameParser((_channel, type, bytes, start, end) => {
      this.frames++
      if (type === MessageType.Request) this.requests.push(decode.Request(bytes, start, end))
      if (type === MessageType.Have) this.haves.push(decode.Have(bytes, start, end))
      return true
    })
    const receive = (bytes: Uint8Array): void => {
      const plain = new Uint8Array(bytes.length)
      cipher.update(bytes, plain)
      parser.receive(plain)
      this.#wake()
    }
    if (rest.length > 0) receive(rest)
    this.socket.on('data', receive)
  }
}

/** A message as bytes, to be repeated. */
export function said<Type extends keyof OutgoingMessages>(
  channel: number,
  type: Type,
  message: OutgoingMessages[Type],
): Uint8Array {
  const outbox = new Outbox()
  outbox.message(channel, type, message)
  return outbox.take(null)
}

/** A frame with any payload. */
export function frame(channel: number, type: number, payload: Uint8Array): Uint8Array {
  const head = new Uint8Array(13)
  const end = encodeFrameHead(channel, type, payload.length, head, 0)
  return concat([head.subarray(0, end), payload])
}

/** `count` copies of something, each made by its number, as one piece. */
export function many(count: number, make: (index: number) => Uint8Array): Uint8Array {
  return concat(Array.from({ length: count }, (_, index) => make(index)))
}
