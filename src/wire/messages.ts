/**
 * The messages of a channel, decoded.
 *
 *     type  0 Open     1 Options  2 Status   3 Have    4 Unhave   5 Want
 *           6 Unwant   7 Request  8 Cancel   9 Data   10 Close   15 extension (raw bytes)
 *
 * What is received has every field; what is sent may leave out all but the required ones, and what is
 * left out is not written. Integers are at most 2 ** 53 - 1. Byte strings that were received are views into
 * the received chunk: copy what is kept.
 *
 * @see spec/20-wire.md 2.5, messages.proto
 * @module
 */
import type { TreeNode } from '../merkle/tree-node.ts'

/** Number of each message in the header of its frame. */
export const MessageType = {
  Open: 0,
  Options: 1,
  Status: 2,
  Have: 3,
  Unhave: 4,
  Want: 5,
  Unwant: 6,
  Request: 7,
  Cancel: 8,
  Data: 9,
  Close: 10,
  Extension: 15,
} as const

/** "I open this log on this channel", with the proof of knowing its key. */
export interface Open {
  /** 32 bytes. */
  readonly discoveryKey: Uint8Array
  /** Of any length: one that is not 32 bytes proves nothing. `null` without a handshake. */
  readonly capability: Uint8Array | null
}

/** The sender's extensions, and whether it wants its Data acknowledged. */
export interface Options {
  /** Names, sorted by the sender; an extension message names one by its position. */
  readonly extensions: readonly string[]
  readonly ack: boolean
}

/** What the sender does on this channel from now on. */
export interface Status {
  readonly uploading: boolean
  readonly downloading: boolean
}

/** "I have these blocks": a span, or the bits of a bitfield that begins at `start`. */
export interface Have {
  readonly start: number
  /** Blocks in the span; 1 when the sender left it out. */
  readonly length: number
  /** Run-length coded bits; they, and not `length`, say what is there. */
  readonly bitfield: Uint8Array | null
  /** Not news, but the receipt for a Data. */
  readonly ack: boolean
}

/** "I no longer have blocks `[start, start + length)`". */
export interface Unhave {
  readonly start: number
  readonly length: number
}

/** "Tell me what you have in `[start, start + length)`"; a length of 0 means all. */
export interface Want {
  readonly start: number
  readonly length: number
}

/** Takes a Want back. v10 never sends it. */
export interface Unwant {
  readonly start: number
  readonly length: number
}

/** "Send me this block". */
export interface Request {
  readonly index: number
  /** When not 0: the block that holds this byte instead of `index`. */
  readonly bytes: number
  /** The proof alone, without the block. */
  readonly hash: boolean
  /** Digest of the tree nodes that the sender already has. */
  readonly nodes: number
}

/** "I no longer need this block". v10 never sends it. */
export interface Cancel {
  readonly index: number
  readonly bytes: number
  readonly hash: boolean
}

/** A block with its proof, or the proof of its hash alone. */
export interface Data {
  readonly index: number
  readonly value: Uint8Array | null
  /** Hashes are 32 bytes. */
  readonly nodes: readonly TreeNode[]
  /** 64 bytes. */
  readonly signature: Uint8Array | null
}

/** "I close this channel", or with a discovery key: "I shall not open this log". */
export interface Close {
  /** 32 bytes. */
  readonly discoveryKey: Uint8Array | null
}

/** What is given to send a `Message`: `Required` fields, and others that are written when they are there. */
export type Outgoing<Message, Required extends keyof Message = never> = Pick<Message, Required> & {
  readonly [Field in Exclude<keyof Message, Required>]?: Message[Field] | null | undefined
}
