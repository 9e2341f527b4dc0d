/**
 * The bytes of a bundle: a snapshot of a drive, or of a path of it, as one file.
 *
 *     bundle     magic ‖ header ‖ block … ‖ end
 *     magic      "varvebnd" 01                       nine bytes; the last is the version of the format
 *     header, block, end
 *                varint(length of body) ‖ body
 *     header     key (32) ‖ varint × 6 ‖ path        see `BundleHeader` for what the six are, in order
 *     block      type (1: metadata, 2: content) ‖ varint(index) ‖ varint(nodes) ‖ node … ‖ signed (0 or 1)
 *                [‖ signature (64)] ‖ bytes of the block, to the end
 *     node       varint(tree index) ‖ hash (32) ‖ varint(size)
 *     end        type (0) ‖ digest (32)
 *
 * The digest is a chain over all bodies before: BLAKE2b-256(digest before ‖ body), from 32 zeros on. It finds what
 * happened on the way; that the blocks are the author's is proven by each block's own proof.
 *
 * Pure: no I/O.
 *
 * @see spec/60-bundle.md
 * @module
 */
import { concat, copy, equals, fromUtf8, toUtf8 } from '../../bytes.ts'
import { HASH_BYTES, SIGNATURE_BYTES, hashParts } from '../../crypto.ts'
import { MAX_BLOCK_BYTES, type ReceivedBlock } from '../../log/index.ts'
import { decodeVarint, encodeVarint, varintLength } from '../../varint.ts'
import { DriveError } from '../errors.ts'

/** What every bundle begins with. */
export const MAGIC: Uint8Array = concat([fromUtf8('varvebnd'), new Uint8Array([1])])
/** Nodes of one proof: siblings and roots of the longest log there can be. */
const MAX_NODES = 128
/** Longest body: the largest block, its proof, and what is around them. */
export const MAX_BODY_BYTES: number = MAX_BLOCK_BYTES + 2 ** 16

/** What a bundle says of itself. Nothing of it is believed. */
export interface BundleHeader {
  /** Public key of the drive. */
  readonly key: Uint8Array
  /** The version that it shows. */
  readonly version: number
  /** Blocks of the metadata log whose signature vouches for its blocks: the version, or a little more. */
  readonly metadataLength: number
  /** The same of the content log; 0 without content. */
  readonly contentLength: number
  /** Blocks in the bundle, of each log. */
  readonly metadataBlocks: number
  readonly contentBlocks: number
  /** The absolute path that it shows. */
  readonly path: string
}

/** Which of a drive's two logs. */
export type BundledLog = 'metadata' | 'content'

/** What follows the header. */
export type BundleFrame =
  | { readonly type: 'block'; readonly log: BundledLog; readonly block: ReceivedBlock }
  | { readonly type: 'end'; readonly digest: Uint8Array }

const END = 0
const METADATA = 1
const CONTENT = 2

/** A refusal. */
export function badBundle(reason: string, cause?: unknown): DriveError {
  return new DriveError('DRIVE_BAD_BUNDLE', { syscall: 'importBundle', reason, cause })
}

/** A chain over the bodies, as far as they came. */
export class Chain {
  #digest: Uint8Array = new Uint8Array(HASH_BYTES)

  /** The digest over all that were taken. */
  get digest(): Uint8Array {
    return this.#digest
  }

  /** Take the next body. */
  take(body: Uint8Array): void {
    this.#digest = hashParts([this.#digest, body])
  }
}

/** A body with its length before it. */
export function framed(body: Uint8Array): Uint8Array {
  return concat([varints([body.length]), body])
}

/** The body of a header. */
export function encodeHeader(header: BundleHeader): Uint8Array {
  const { key, version, metadataLength, contentLength, metadataBlocks, contentBlocks } = header
  const path = fromUtf8(header.path)
  const numbers = [version, metadataLength, contentLength, metadataBlocks, contentBlocks]
  return concat([key, varints([...numbers, path.length]), path])
}

/** The body of a block. */
export function encodeBlock(log: BundledLog, block: ReceivedBlock): Uint8Array {
  const { index, nodes, signature, value } = block
  const parts = [
    new Uint8Array([log === 'metadata' ? METADATA : CONTENT]),
    varints([index, nodes.length]),
  ]
  for (const node of nodes) parts.push(varints([node.index]), node.hash, varints([node.size]))
  parts.push(new Uint8Array([signature ? 1 : 0]))
  if (signature) parts.push(signature)
  if (value) parts.push(value)
  return concat(parts)
}

/** The body of the end. */
export function encodeEnd(digest: Uint8Array): Uint8Array {
  return concat([new Uint8Array([END]), digest])
}

/** @throws {@link DriveError} `DRIVE_BAD_BUNDLE` */
export function decodeHeader(body: Uint8Array): BundleHeader {
  const reader = new BodyReader(body)
  const key = copy(reader.bytes(32))
  const version = reader.varint()
  const metadataLength = reader.varint()
  const contentLength = reader.varint()
  const metadataBlocks = reader.varint()
  const contentBlocks = reader.varint()
  const pathBytes = reader.bytes(reader.varint())
  const path = toUtf8(pathBytes)
  const isWhole = reader.rest().length === 0 && equals(fromUtf8(path), pathBytes)
  if (!isWhole || version < 1 || version > metadataLength || !path.startsWith('/')) {
    throw badBundle('the header is none')
  }
  return { key, version, metadataLength, contentLength, metadataBlocks, contentBlocks, path }
}

/** What a body after the header is. Bytes are views. @throws {@link DriveError} `DRIVE_BAD_BUNDLE` */
export function decodeFrame(body: Uint8Array): BundleFrame {
  const reader = new BodyReader(body)
  const type = reader.byte()
  if (type === END) {
    const digest = reader.bytes(HASH_BYTES)
    if (reader.rest().length > 0) throw badBundle('the end is none')
    return { type: 'end', digest }
  }
  if (type !== METADATA && type !== CONTENT) throw badBundle(`a part of type ${type}`)
  const index = reader.varint()
  const count = reader.varint()
  if (count > MAX_NODES) throw badBundle(`a proof of ${count} nodes`)
  const nodes = Array.from({ length: count }, () => ({
    index: reader.varint(),
    hash: copy(reader.bytes(HASH_BYTES)),
    size: reader.varint(),
  }))
  const signed = reader.byte()
  if (signed > 1) throw badBundle('the mark of a signature is none')
  const signature = signed === 1 ? copy(reader.bytes(SIGNATURE_BYTES)) : null
  const block = { index, nodes, signature, value: reader.rest() }
  return { type: 'block', log: type === METADATA ? 'metadata' : 'content', block }
}

/** Reads a body from its start. Throws `DRIVE_BAD_BUNDLE` where it ends too early. */
class BodyReader {
  readonly #body: Uint8Array
  #at = 0

  constructor(body: Uint8Array) {
    this.#body = body
  }

  byte(): number {
    return this.bytes(1)[0] ?? 0
  }

  bytes(length: number): Uint8Array {
    const end = this.#at + length
    if (end > this.#body.length) throw badBundle('a part is shorter than it says')
    const bytes = this.#body.subarray(this.#at, end)
    this.#at = end
    return bytes
  }

  varint(): number {
    const read = varintAt(this.#body, this.#at)
    if (!read) throw badBundle('a part is shorter than it says')
    this.#at = read.end
    return read.value
  }

  rest(): Uint8Array {
    return this.bytes(this.#body.length - this.#at)
  }
}

/** A varint, or null when the bytes end within it. @throws {@link DriveError} `DRIVE_BAD_BUNDLE` when it is too large */
export function varintAt(bytes: Uint8Array, at: number): ReturnType<typeof decodeVarint> {
  try {
    return decodeVarint(bytes, at)
  } catch (error) {
    throw badBundle('a number past 2 ** 53', error)
  }
}

function varints(values: readonly number[]): Uint8Array {
  const out = new Uint8Array(values.reduce((sum, value) => sum + varintLength(value), 0))
  let at = 0
  for (const value of values) at = encodeVarint(value, out, at)
  return out
}
