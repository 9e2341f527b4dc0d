/**
 * Value encodings: how blocks, values and extension messages become what a program works with.
 *
 * @see spec/10-log.md 2.8, spec/20-wire.md 2.8 and spec/30-trie.md 3.2
 * @module
 */
import b4a from 'b4a'
import { fromUtf8, toUtf8 } from './bytes.ts'

/** A codec. `decode` gets bytes it may keep. */
export interface Codec<T = unknown> {
  /** The bytes of a value. */
  encode(value: T): Uint8Array
  /** The value of bytes; may throw. */
  decode(bytes: Uint8Array): T
}

/** Names of the built-in encodings. */
export type EncodingName =
  | 'binary'
  | 'json'
  | 'ndjson'
  | 'utf8'
  | 'utf-8'
  | 'ascii'
  | 'hex'
  | 'base64'
  | 'ucs2'
  | 'ucs-2'
  | 'utf16le'
  | 'utf16-le'

/** What an option of this kind takes: a name, a codec, or nothing for binary. */
export type Encoding = EncodingName | Codec | null | undefined

const binary: Codec = {
  encode(value) {
    if (typeof value === 'string') return fromUtf8(value)
    if (ArrayBuffer.isView(value)) {
      return value instanceof Uint8Array
        ? value
        : new Uint8Array(value.buffer, value.byteOffset, value.byteLength)
    }
    throw new TypeError('want a string or bytes')
  },
  decode: (bytes) => bytes,
}

/** JSON text, with a newline after it for blocks and without for extension messages. */
function json(end: string): Codec {
  return {
    encode: (value) => fromUtf8(JSON.stringify(value) + end),
    decode: (bytes) => JSON.parse(toUtf8(bytes)) as unknown,
  }
}

function text(name: 'utf8' | 'ascii' | 'hex' | 'base64' | 'utf16le'): Codec {
  return {
    encode: (value) => b4a.from(typeof value === 'string' ? value : String(value), name),
    decode: (bytes) => b4a.toString(bytes, name),
  }
}

const lines = json('\n')
const blockCodecs = new Map<string, Codec>(
  Object.entries({
    binary,
    json: lines,
    ndjson: lines,
    utf8: text('utf8'),
    'utf-8': text('utf8'),
    ascii: text('ascii'),
    hex: text('hex'),
    base64: text('base64'),
    ucs2: text('utf16le'),
    'ucs-2': text('utf16le'),
    utf16le: text('utf16le'),
    'utf16-le': text('utf16le'),
  } satisfies Record<EncodingName, Codec>),
)
const bareJson = json('')

/** The codec for the blocks of a log or the values of a trie; an unknown name means binary. */
export function blockCodec(encoding: Encoding): Codec {
  if (typeof encoding === 'object' && encoding !== null) return encoding
  return blockCodecs.get(encoding ?? 'binary') ?? binary
}

/** The codec for extension messages: as `blockCodec`, but `json` has no newline. */
export function messageCodec(encoding: Encoding): Codec {
  return encoding === 'json' ? bareJson : blockCodec(encoding)
}
