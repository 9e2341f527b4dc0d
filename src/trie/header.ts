/**
 * Block 0 of a trie's log: what kind of log this is.
 *
 * @see spec/30-trie.md 2.2
 * @module
 */
import { copy, fromUtf8 } from '../bytes.ts'
import { ProtobufReader, ProtobufWriter } from '../protobuf.ts'
import { TrieError } from './errors.ts'

/** The type that every trie's header has. Nobody checks it: any log is taken as a trie. */
export const HEADER_TYPE = 'hypertrie'

/** What block 0 says. */
export interface Header {
  readonly type: string
  /** For a drive, the public key of its content log. */
  readonly metadata: Uint8Array | null
  /** Empty when missing. */
  readonly subtype: string
}

/** The block of a header; what is null or undefined is left out. */
export function encodeHeader(header: {
  readonly type?: string
  readonly metadata?: Uint8Array | null | undefined
  readonly subtype?: string | null | undefined
}): Uint8Array {
  return new ProtobufWriter()
    .stringField(1, header.type ?? HEADER_TYPE)
    .bytesField(2, header.metadata)
    .stringField(3, header.subtype)
    .finish()
}

/**
 * The header in a block. Shares no memory with it.
 *
 * @throws {@link TrieError} `TRIE_BAD_HEADER` when it is none
 */
export function decodeHeader(block: Uint8Array): Header {
  let type: string | null = null
  let metadata: Uint8Array | null = null
  let subtype = ''
  try {
    const reader = new ProtobufReader(block)
    for (let field = reader.next(); field !== 0; field = reader.next()) {
      if (field === 1) type = reader.string()
      else if (field === 2) metadata = reader.bytes()
      else if (field === 3) subtype = reader.string()
      else reader.ignore()
    }
  } catch (error) {
    throw new TrieError('TRIE_BAD_HEADER', 'block 0 is no header', { cause: error })
  }
  if (type === null) throw new TrieError('TRIE_BAD_HEADER', 'block 0 names no type')
  return { type, metadata: metadata && copy(metadata), subtype }
}

/** Metadata as it is stored: text as UTF-8, and the empty text is none. */
export function metadataBytes(metadata: Uint8Array | string | null | undefined): Uint8Array | null {
  if (metadata === null || metadata === undefined || metadata === '') return null
  return typeof metadata === 'string' ? fromUtf8(metadata) : new Uint8Array(metadata)
}
