/** The remote end of a connection, played by hand: frames in the clear, and what came back. */
import { fromHex } from '../../src/bytes.ts'
import { exchangeKeyPair, randomBytes } from '../../src/crypto.ts'
import type { OutgoingMessages } from '../../src/wire/channel.ts'
import { Connection } from '../../src/wire/connection.ts'
import type { ConnectionOptions } from '../../src/wire/connection-options.ts'
import { decode } from '../../src/wire/decode.ts'
import { FrameParser } from '../../src/wire/frame.ts'
import { DEFAULT_LIMITS } from '../../src/wire/limits.ts'
import { MessageType } from '../../src/wire/messages.ts'
import { Outbox } from '../../src/wire/outbox.ts'
import { Session } from '../../src/wire/session.ts'

/** A frame that the connection wrote, such as `['Have', 1, { start: 4, … }]`. */
export type Written = readonly [name: string, channel: number, message: unknown]

/** A connection without handshake, and its remote. */
export class RawRemote {
  readonly connection: Connection
  /** Everything that was written, frame by frame; taken by `take`. */
  #written: Written[] = []

  constructor(options: ConnectionOptions = {}) {
    this.connection = new Connection(true, { encrypted: false, noise: false, ...options })
    const parser = new FrameParser((channel, type, bytes, start, end) => {
      const name = Object.entries(MessageType).find(([, number]) => number === type)?.[0] ?? ''
      const message =
        name in decode
          ? decode[name as keyof typeof decode](bytes, start, end)
          : bytes.subarray(start, end)
      this.#written.push([name, channel, message])
      return true
    })
    this.connection.on('data', (bytes: Uint8Array) => parser.receive(bytes))
  }

  /** Send one message. */
  async send<Type extends keyof OutgoingMessages>(
    channel: number,
    type: Type,
    message: OutgoingMessages[Type],
  ): Promise<void> {
    const outbox = new Outbox()
    outbox.message(channel, type, message)
    await this.bytes(outbox.take(null))
  }

  /** Send bytes, as they are or in hexadecimal. */
  async bytes(bytes: Uint8Array | string): Promise<void> {
    this.connection.write(typeof bytes === 'string' ? fromHex(bytes) : bytes)
    await settled()
  }

  /** What was written since the last call. */
  take(): Written[] {
    return this.#written.splice(0)
  }
}

/** The remote end with a handshake, played by hand: it initiates, and sends what `session` is told to. */
export class RawSession {
  readonly session: Session

  constructor(victim: Connection) {
    let due = false
    const flush = (): void => {
      due = false
      const bytes = this.session.take()
      if (bytes) victim.write(bytes)
    }
    this.session = new Session(
      { encrypted: true, handshake: true },
      {
        queued: () => {
          if (!due) queueMicrotask(flush)
          due = true
        },
        authenticate: () => this.session.accept(),
        handshake: () => true,
        frame: () => true,
      },
      DEFAULT_LIMITS,
    )
    victim.on('data', (bytes: Uint8Array) => this.session.receive(bytes))
    this.session.start({
      initiator: true,
      keyPair: exchangeKeyPair(),
      ephemeral: exchangeKeyPair(),
      nonce: randomBytes(24),
    })
  }
}

/** Every tick and microtask that is due has run. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

/** The code of the error that the stream was destroyed with; null when there was none. */
export function failureOf(connection: Connection): string | null {
  const error: unknown = connection.errored
  return error instanceof Error && 'code' in error ? String(error.code) : null
}
