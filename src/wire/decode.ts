/**
 * Payloads to messages, strictly: two ends must agree on what is a message, and these bytes come from
 * strangers.
 *
 * What the shared reader rejects is listed there. Here: a required field that is missing, a discovery key
 * or node hash that is not 32 bytes, a signature that is not 64, more or longer extension names than the
 * limits. Everything is a `WIRE_BAD_MESSAGE` (limits: `WIRE_LIMIT`). Byte strings are views.
 *
 * @see spec/20-wire.md 2.5 and 5
 * @module
 */
import { toUtf8 } from '../bytes.ts'
import { HASH_BYTES, SIGNATURE_BYTES } from '../crypto.ts'
import type { TreeNode } from '../merkle/tree-node.ts'
import { ProtobufError, ProtobufReader } from '../protobuf.ts'
import { decodeVarint } from '../varint.ts'
import { WireError } from './errors.ts'
import { DEFAULT_LIMITS, MAX_DATA_NODES, MAX_EXTENSION_NAME_BYTES } from './limits.ts'
import type {
  Cancel,
  Close,
  Data,
  Have,
  Open,
  Options,
  Request,
  Status,
  Unhave,
  Unwant,
  Want,
} from './messages.ts'

/** An extension message: the sender's number of the extension, and where the message begins. */
export interface ExtensionHeader {
  readonly id: number
  readonly at: number
}

/** Reads the message that `bytes[start, end)` is; all of `bytes` when they are left out. */
export type Decoder<Message> = (bytes: Uint8Array, start?: number, end?: number) => Message

/** The decoders, by the name of the message. */
export const decode: {
  readonly Open: Decoder<Open>
  readonly Options: Decoder<Options>
  readonly Status: Decoder<Status>
  readonly Have: Decoder<Have>
  readonly Unhave: Decoder<Unhave>
  readonly Want: Decoder<Want>
  readonly Unwant: Decoder<Unwant>
  readonly Request: Decoder<Request>
  readonly Cancel: Decoder<Cancel>
  readonly Data: Decoder<Data>
  readonly Close: Decoder<Close>
} = {
  /** An Open. */
  Open: decoder((reader): Open => {
    let discoveryKey: Uint8Array | null = null
    let capability: Uint8Array | null = null
    for (let field = reader.next(); field !== 0; field = reader.next()) {
      if (field === 1) discoveryKey = bytesOf(reader, HASH_BYTES, 'discovery key')
      else if (field === 2) capability = reader.bytes()
      else reader.ignore()
    }
    return { discoveryKey: required(discoveryKey, 'discoveryKey'), capability }
  }),

  /** An Options; names are counted against the default limit (see `decodeOptions` for another). */
  Options: (bytes: Uint8Array, start = 0, end: number = bytes.length): Options =>
    decodeOptions(bytes, start, end, DEFAULT_LIMITS.extensionNames),

  /** A Status. What it leaves out is false. */
  Status: decoder((reader): Status => {
    let uploading = false
    let downloading = false
    for (let field = reader.next(); field !== 0; field = reader.next()) {
      if (field === 1) uploading = reader.bool()
      else if (field === 2) downloading = reader.bool()
      else reader.ignore()
    }
    return { uploading, downloading }
  }),

  /** A Have. */
  Have: decoder((reader): Have => {
    let start = -1
    let length = 1
    let bitfield: Uint8Array | null = null
    let ack = false
    for (let field = reader.next(); field !== 0; field = reader.next()) {
      if (field === 1) start = reader.uint()
      else if (field === 2) length = reader.uint()
      else if (field === 3) bitfield = reader.bytes()
      else if (field === 4) ack = reader.bool()
      else reader.ignore()
    }
    return { start: number(start, 'start'), length, bitfield, ack }
  }),

  /** An Unhave. */
  Unhave: decoder((reader): Unhave => decodeSpan(reader, 1)),
  /** A Want. */
  Want: decoder((reader): Want => decodeSpan(reader, 0)),
  /** An Unwant. */
  Unwant: decoder((reader): Unwant => decodeSpan(reader, 0)),

  /** A Request. */
  Request: decoder((reader): Request => {
    let index = -1
    let bytes = 0
    let hash = false
    let nodes = 0
    for (let field = reader.next(); field !== 0; field = reader.next()) {
      if (field === 1) index = reader.uint()
      else if (field === 2) bytes = reader.uint()
      else if (field === 3) hash = reader.bool()
      else if (field === 4) nodes = reader.uint()
      else reader.ignore()
    }
    return { index: number(index, 'index'), bytes, hash, nodes }
  }),

  /** A Cancel. */
  Cancel: decoder((reader): Cancel => {
    let index = -1
    let bytes = 0
    let hash = false
    for (let field = reader.next(); field !== 0; field = reader.next()) {
      if (field === 1) index = reader.uint()
      else if (field === 2) bytes = reader.uint()
      else if (field === 3) hash = reader.bool()
      else reader.ignore()
    }
    return { index: number(index, 'index'), bytes, hash }
  }),

  /** A Data. */
  Data: decoder((reader): Data => {
    let index = -1
    let value: Uint8Array | null = null
    const nodes: TreeNode[] = []
    let signature: Uint8Array | null = null
    for (let field = reader.next(); field !== 0; field = reader.next()) {
      if (field === 1) index = reader.uint()
      else if (field === 2) value = reader.bytes()
      else if (field === 3) {
        if (nodes.length === MAX_DATA_NODES) throw new WireError('WIRE_LIMIT', 'too many nodes')
        nodes.push(decodeNode(reader))
      } else if (field === 4) signature = bytesOf(reader, SIGNATURE_BYTES, 'signature')
      else reader.ignore()
    }
    return { index: number(index, 'index'), value, nodes, signature }
  }),

  /** A Close. */
  Close: decoder((reader): Close => {
    let discoveryKey: Uint8Array | null = null
    for (let field = reader.next(); field !== 0; field = reader.next()) {
      if (field === 1) discoveryKey = bytesOf(reader, HASH_BYTES, 'discovery key')
      else reader.ignore()
    }
    return { discoveryKey }
  }),
}

/** An Options with at most `maxNames` names. */
export function decodeOptions(
  bytes: Uint8Array,
  start: number,
  end: number,
  maxNames: number,
): Options {
  return decoder((reader): Options => {
    const extensions: string[] = []
    let ack = false
    for (let field = reader.next(); field !== 0; field = reader.next()) {
      if (field === 1) {
        const name = reader.bytes()
        if (name.length > MAX_EXTENSION_NAME_BYTES || extensions.length === maxNames) {
          throw new WireError('WIRE_LIMIT', 'too many or too long extension names')
        }
        extensions.push(toUtf8(name))
      } else if (field === 2) ack = reader.bool()
      else reader.ignore()
    }
    return { extensions, ack }
  })(bytes, start, end)
}

/** Read the number before an extension message. */
export function decodeExtension(bytes: Uint8Array, start: number, end: number): ExtensionHeader {
  try {
    const id = decodeVarint(bytes, start, end)
    if (id) return { id: id.value, at: id.end }
  } catch (cause) {
    throw new WireError('WIRE_BAD_MESSAGE', 'extension message: want a number', { cause })
  }
  throw new WireError('WIRE_BAD_MESSAGE', 'extension message: want a number')
}

function decoder<Message>(read: (reader: ProtobufReader) => Message): Decoder<Message> {
  return (bytes, start = 0, end = bytes.length) => {
    try {
      return read(new ProtobufReader(bytes, start, end))
    } catch (cause) {
      if (!(cause instanceof ProtobufError)) throw cause
      throw new WireError('WIRE_BAD_MESSAGE', cause.message, { cause })
    }
  }
}

function decodeSpan(reader: ProtobufReader, defaultLength: number): Want {
  let start = -1
  let length = defaultLength
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) start = reader.uint()
    else if (field === 2) length = reader.uint()
    else reader.ignore()
  }
  return { start: number(start, 'start'), length }
}

function decodeNode(reader: ProtobufReader): TreeNode {
  const outer = reader.enter()
  let index = -1
  let hash: Uint8Array | null = null
  let size = -1
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) index = reader.uint()
    else if (field === 2) hash = bytesOf(reader, HASH_BYTES, 'node hash')
    else if (field === 3) size = reader.uint()
    else reader.ignore()
  }
  reader.leave(outer)
  return {
    index: number(index, 'node.index'),
    hash: required(hash, 'node.hash'),
    size: number(size, 'node.size'),
  }
}

function bytesOf(reader: ProtobufReader, length: number, what: string): Uint8Array {
  const bytes = reader.bytes()
  if (bytes.length === length) return bytes
  throw new WireError('WIRE_BAD_MESSAGE', `${what}: want ${length} bytes, got ${bytes.length}`)
}

function required(value: Uint8Array | null, what: string): Uint8Array {
  if (value) return value
  throw new WireError('WIRE_BAD_MESSAGE', `${what} is missing`)
}

/** A number that was read; -1 stands for none. */
function number(value: number, what: string): number {
  if (value >= 0) return value
  throw new WireError('WIRE_BAD_MESSAGE', `${what} is missing`)
}
