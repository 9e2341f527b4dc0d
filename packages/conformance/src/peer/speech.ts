/**
 * What a peer says, as bytes: messages, frames with any payload, and where they are cut.
 *
 * @module
 */
import { encodeFrameHead, Outbox, type decode } from 'varve/wire'

/** What the decoders give, by name. */
export type Messages = { [Name in keyof typeof decode]: ReturnType<(typeof decode)[Name]> }
/** What is given to say a message: what is left out or null is not written. */
export type Fields<Name extends keyof Messages> = Partial<{
  [Field in keyof Messages[Name]]: Messages[Name][Field] | null
}>

/** A message as bytes. */
export function said<Name extends keyof Messages>(
  channel: number,
  name: Name,
  message: Fields<Name>,
): Uint8Array {
  const outbox = new Outbox()
  const say = outbox.message.bind(outbox) as (
    channel: number,
    name: keyof Messages,
    message: unknown,
  ) => void
  say(channel, name, message)
  return outbox.take(null)
}

/** A frame with any payload. */
export function frame(channel: number, type: number, payload: Uint8Array): Uint8Array {
  const head = new Uint8Array(16)
  const end = encodeFrameHead(channel, type, payload.length, head, 0)
  return concat([head.subarray(0, end), payload])
}

/** Byte strings, one behind the other. */
export function concat(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    out.set(part, at)
    at += part.length
  }
  return out
}

/** Every byte alone. */
export function bytewise(bytes: Uint8Array): Uint8Array[] {
  return Array.from(bytes, (byte) => Uint8Array.of(byte))
}

/** In two, before byte `at`. */
export function cutAt(at: number): (bytes: Uint8Array) => Uint8Array[] {
  return (bytes) => [bytes.subarray(0, at), bytes.subarray(at)].filter(({ length }) => length > 0)
}
