/**
 * What is fuzzed, and what a target says about an input.
 *
 * @module
 */
import { fromUtf8 } from '../../src/bytes.ts'
import { signingKeyPair } from '../../src/crypto.ts'
import type { KeyPair } from '../../src/crypto.ts'
import { CodedError } from '../../src/errors.ts'
import { Log } from '../../src/log/index.ts'
import type { MemoryFolder } from '../../src/storage/index.ts'
import { decodeVarint, encodeVarint } from '../../src/varint.ts'
import type { Varint } from '../../src/varint.ts'
import type { OutgoingMessages } from '../../src/wire/channel.ts'
import { FrameParser } from '../../src/wire/frame.ts'
import { Outbox } from '../../src/wire/outbox.ts'
import type { Random } from './input.ts'

/** Something came out that must not. */
export class Finding extends Error {
  override readonly name = 'Finding'
}

/** The documented refusal of a decoder that is of no layer. */
export class Refused extends CodedError<'REFUSED'> {
  override readonly name = 'Refused'
}

/**
 * One decoder. It throws the typed error of its layer for an input that it refuses, and {@link Finding} when something
 * came out that must not.
 */
export interface Target {
  readonly name: string
  /** Valid inputs. */
  readonly valid: readonly Uint8Array[]
  /**
   * Read `bytes`; `random` decides about what is not in them, such as where chunks end. What it gives is ignored, a
   * promise waited for.
   */
  run(bytes: Uint8Array, random: Random): unknown
}

/** Blocks of the log that proofs and files are of. */
export const LENGTH = 21
/** Its keys. */
export const KEYS: KeyPair = signingKeyPair(new Uint8Array(32).fill(3))

/** Its block at `index`. */
export function blockOf(index: number): Uint8Array {
  return fromUtf8(`${index}`.padStart(index % 17, '-'))
}

/** A log of `length` such blocks. */
export async function openLog(folder: MemoryFolder, length: number): Promise<Log> {
  const { publicKey, secretKey } = KEYS
  const log = new Log(folder.open, publicKey, { secretKey, durability: 'none' })
  await log.ready()
  if (length > 0) await log.append(Array.from({ length }, (_, index) => blockOf(index)))
  return log
}

/** A varint, or null when it is cut; what `decodeVarint` documents to throw is a refusal. */
export function varintAt(bytes: Uint8Array, at: number): Varint | null {
  try {
    return decodeVarint(bytes, at)
  } catch (cause) {
    if (cause instanceof RangeError) throw new Refused('REFUSED', cause.message)
    throw cause
  }
}

/** The bytes of a varint. */
export function varint(value: number): Uint8Array {
  const out = new Uint8Array(10)
  return out.slice(0, encodeVarint(value, out, 0))
}

/** A message without its frame. */
export function payloadOf<Type extends keyof OutgoingMessages>(
  type: Type,
  message: OutgoingMessages[Type],
): Uint8Array {
  const outbox = new Outbox()
  outbox.message(1, type, message)
  let payload = new Uint8Array(0)
  new FrameParser((_channel, _type, bytes, start, end) => {
    payload = bytes.slice(start, end)
    return true
  }).receive(outbox.take(null))
  return payload
}
