/**
 * Messages of the extension `hypertrie`: one side asks for the way to a key, the other tells the
 * blocks on it.
 *
 *     1 cache     { 1 start, 2 end, 3 blocks (packed) }         these blocks you will need
 *     2 iterator  { 1 head, 2 key, 3 flags, 4 checkpoint }      I iterate below key
 *     3 get       { 1 head, 2 key }                             I look for key
 *
 * @see spec/30-trie.md 2.8
 * @module
 */
import { copy } from '../bytes.ts'
import { ProtobufReader, ProtobufWriter } from '../protobuf.ts'
import { TrieError } from './errors.ts'

/** Blocks that a message may name; more are cut off. */
export const MAX_BLOCKS = 2176

/** Blocks ahead, in the order of their need. */
export interface CacheMessage {
  readonly start: number
  readonly end: number
  readonly blocks: readonly number[]
}

/** Somebody iterates. */
export interface IteratorMessage {
  readonly head: number
  readonly key: string
  /** 1 recursive, 2 reverse, 4 gt, 8 hidden. */
  readonly flags: number
  /** Where it stands; null at its beginning. */
  readonly checkpoint: Uint8Array | null
}

/** Somebody looks up a key. */
export interface GetMessage {
  readonly head: number
  readonly key: string
}

/** One message; most hold one of the three. */
export interface ExtensionMessage {
  readonly cache: CacheMessage | null
  readonly iterator: IteratorMessage | null
  readonly get: GetMessage | null
}

/** The bytes of a message; what is left out or null is not there. */
export function encodeExtensionMessage(message: Partial<ExtensionMessage>): Uint8Array {
  const writer = new ProtobufWriter()
  const { cache, iterator, get } = message
  if (cache) {
    writer.messageField(1, (out) =>
      out.uintField(1, cache.start).uintField(2, cache.end).packedField(3, cache.blocks),
    )
  }
  if (iterator) {
    const { head, key, flags, checkpoint } = iterator
    writer.messageField(2, (out) =>
      out.uintField(1, head).stringField(2, key).uintField(3, flags).bytesField(4, checkpoint),
    )
  }
  if (get) {
    writer.messageField(3, (out) => out.uintField(1, get.head).stringField(2, get.key))
  }
  return writer.finish()
}

/**
 * The message in `bytes`. Shares no memory with them.
 *
 * @throws {@link TrieError} `TRIE_BAD_MESSAGE` when they are none
 */
export function decodeExtensionMessage(bytes: Uint8Array): ExtensionMessage {
  const message: { -readonly [Part in keyof ExtensionMessage]: ExtensionMessage[Part] } = {
    cache: null,
    iterator: null,
    get: null,
  }
  try {
    const reader = new ProtobufReader(bytes)
    for (let field = reader.next(); field !== 0; field = reader.next()) {
      if (field < 1 || field > 3) {
        reader.ignore()
        continue
      }
      const outer = reader.enter()
      if (field === 1) message.cache = readCache(reader)
      else if (field === 2) message.iterator = readIterator(reader)
      else message.get = readGet(reader)
      reader.leave(outer)
    }
  } catch (error) {
    throw new TrieError('TRIE_BAD_MESSAGE', 'no message of the trie extension', { cause: error })
  }
  return message
}

function readCache(reader: ProtobufReader): CacheMessage {
  let start: number | null = null
  let end: number | null = null
  const blocks: number[] = []
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) start = reader.uint()
    else if (field === 2) end = reader.uint()
    else if (field === 3) {
      const outer = reader.enter()
      while (reader.more) {
        const block = reader.varint()
        if (blocks.length < MAX_BLOCKS) blocks.push(block)
      }
      reader.leave(outer)
    } else reader.ignore()
  }
  if (start === null || end === null) throw new TrieError('TRIE_BAD_MESSAGE', 'no range')
  return { start, end, blocks }
}

function readIterator(reader: ProtobufReader): IteratorMessage {
  let [head, key, flags] = [0, '', 0]
  let checkpoint: Uint8Array | null = null
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) head = reader.uint()
    else if (field === 2) key = reader.string()
    else if (field === 3) flags = reader.uint()
    else if (field === 4) checkpoint = copy(reader.bytes())
    else reader.ignore()
  }
  return { head, key, flags, checkpoint }
}

function readGet(reader: ProtobufReader): GetMessage {
  let [head, key] = [0, '']
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) head = reader.uint()
    else if (field === 2) key = reader.string()
    else reader.ignore()
  }
  return { head, key }
}
