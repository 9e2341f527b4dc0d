/**
 * Every decoder of bytes that come from a stranger or from disk, each with valid inputs to begin from.
 *
 * @module
 */
import { fromUtf8 } from '../../src/bytes.ts'
import { decodeStat, encodeStat } from '../../src/drive/entries/stat-codec.ts'
import { decodeTag, encodeTag } from '../../src/drive/versions/tags.ts'
import {
  bitfieldHeader,
  readPageBytes,
  SIGNATURES_HEADER,
  TREE_HEADER,
} from '../../src/log/header.ts'
import { MemoryFolder } from '../../src/storage/index.ts'
import { decodeName, encodeName } from '../../src/store/name-file.ts'
import { decodeCheckpoint, encodeCheckpoint } from '../../src/trie/checkpoint.ts'
import {
  decodeExtensionMessage,
  encodeExtensionMessage,
} from '../../src/trie/extension-messages.ts'
import { decodeHeader, encodeHeader } from '../../src/trie/header.ts'
import { Trie } from '../../src/trie/index.ts'
import { decodeMountRecord, encodeMountRecord } from '../../src/trie/mount-record.ts'
import { decodeNode } from '../../src/trie/node.ts'
import { decodeTable, encodeTable, tableLength } from '../../src/trie/pointer-table.ts'
import type { OutgoingMessages } from '../../src/wire/channel.ts'
import { decode, decodeExtension } from '../../src/wire/decode.ts'
import { decodePayload, encodePayload } from '../../src/wire/handshake.ts'
import { below } from './input.ts'
import { digests, folders, frames, handshake, have, proofs, rle, varints } from './states.ts'
import { blockOf, Finding, LENGTH, openLog, payloadOf } from './target.ts'
import type { Target } from './target.ts'

/** Every target. */
export async function targets(): Promise<Target[]> {
  const log = await openLog(new MemoryFolder(), LENGTH)
  const genuine: OutgoingMessages['Data'][] = []
  for (let index = 0; index < LENGTH; index++) {
    const value = blockOf(index)
    genuine.push({ index, value, ...(await log.proof(index, {})) })
    genuine.push({ index, value: null, ...(await log.proof(index, { hash: true })) })
  }
  const roots = await log.rootHashes(LENGTH - 1)
  await log.close()
  const trie = await trieBlocks()
  return [
    varints(),
    frames(),
    frames(true),
    handshake(),
    {
      name: 'handshake payload',
      valid: [encodePayload(new Uint8Array(24))],
      run: (bytes) => decodePayload(bytes),
    },
    ...messages(genuine),
    {
      name: 'extension message',
      valid: [Uint8Array.of(0, 1, 2), Uint8Array.of(0x80, 1, 5)],
      run: (bytes) => void decodeExtension(bytes, 0, bytes.length),
    },
    rle(),
    have(),
    digests(),
    proofs(genuine, roots),
    headers(),
    await folders(),
    {
      name: 'trie header',
      valid: [
        encodeHeader({ metadata: new Uint8Array(32), subtype: 'hyperdrive' }),
        encodeHeader({}),
      ],
      run: (bytes) => decodeHeader(bytes),
    },
    {
      name: 'trie node',
      valid: trie.nodes,
      run: (bytes, random) => void decodeNode(below(random, 100), bytes),
    },
    { name: 'pointer table', valid: trie.tables, run: (bytes) => decodeTable(bytes) },
    {
      name: 'mount record',
      valid: [encodeMountRecord({ key: new Uint8Array(32), localPath: 'a/b', version: 7 })],
      run: (bytes) => decodeMountRecord(bytes),
    },
    {
      name: 'checkpoint',
      valid: [encodeCheckpoint([1, 2, 3, 4, 5, 6])],
      run: (bytes, random) => void decodeCheckpoint(bytes, random() < 0.5 ? 2 : 3),
    },
    {
      name: 'trie extension message',
      valid: [
        encodeExtensionMessage({ get: { head: 9, key: 'a/b' } }),
        encodeExtensionMessage({ cache: { blocks: [1, 2, 300], start: 0, end: 9 } }),
      ],
      run: (bytes) => decodeExtensionMessage(bytes),
    },
    { name: 'stat', valid: stats(), run: (bytes) => void decodeStat(bytes, 0) },
    {
      name: 'tag',
      valid: [encodeTag(5), encodeTag(2 ** 40)],
      run: (bytes) => void decodeTag(bytes),
    },
    {
      name: 'name file',
      valid: [encodeName(fromUtf8('default'))],
      run: (bytes) => void decodeName(bytes),
    },
  ]
}

function messages(genuine: readonly OutgoingMessages['Data'][]): Target[] {
  const key = new Uint8Array(32)
  const examples: { readonly [Type in keyof OutgoingMessages]: readonly OutgoingMessages[Type][] } =
    {
      Open: [{ discoveryKey: key, capability: key }, { discoveryKey: key }],
      Options: [{ extensions: ['a', 'hypertrie'], ack: true }, {}],
      Status: [{ uploading: true, downloading: false }],
      Have: [{ start: 4 }, { start: 0, length: 2 ** 20, bitfield: Uint8Array.of(7, 2, 0xf0) }],
      Unhave: [{ start: 4, length: 9 }],
      Want: [{ start: 0, length: 2 ** 20 }],
      Unwant: [{ start: 0 }],
      Request: [{ index: 1, bytes: 0, hash: true, nodes: 2 ** 50 }],
      Cancel: [{ index: 1, bytes: 9, hash: false }],
      Data: genuine,
      Close: [{}, { discoveryKey: key }],
    }
  const payloads = (type: keyof OutgoingMessages): Uint8Array[] =>
    examples[type].map((message) => payloadOf(type, message))
  return Object.keys(examples).map((name) => ({
    name,
    valid: payloads(name as keyof OutgoingMessages),
    run: (bytes) => void decode[name as keyof OutgoingMessages](bytes),
  }))
}

function headers(): Target {
  return {
    name: 'file header',
    valid: [TREE_HEADER, SIGNATURES_HEADER, bitfieldHeader(3584), bitfieldHeader(8192)],
    run(bytes) {
      const page = readPageBytes(bytes)
      if (page !== null && !(page > 0 && page <= 65_536)) throw new Finding(`pages of ${page}`)
    },
  }
}

/** Blocks of a trie, and the pointer tables in them. */
async function trieBlocks(): Promise<{ nodes: Uint8Array[]; tables: Uint8Array[] }> {
  const log = await openLog(new MemoryFolder(), 0)
  const trie = new Trie(log)
  for (const key of ['a', 'a/b', 'a/c', 'd', 'e/f/g', 'a/b/c/d', 'h']) {
    // oxlint-disable-next-line no-await-in-loop
    await trie.put(key, fromUtf8(`value of ${key}`))
  }
  const nodes: Uint8Array[] = []
  const tables: Uint8Array[] = []
  for (let seq = 1; seq < log.length; seq++) {
    // oxlint-disable-next-line no-await-in-loop
    const block = await log.get(seq)
    nodes.push(block)
    const { table } = decodeNode(seq, block)
    const encoded = new Uint8Array(tableLength(table))
    encodeTable(table, encoded, 0)
    tables.push(encoded)
  }
  await log.close()
  return { nodes, tables }
}

function stats(): Uint8Array[] {
  const bytes = encodeStat({
    mode: 0o100644,
    uid: 1000,
    gid: 1000,
    size: 12,
    blocks: 1,
    offset: 3,
    byteOffset: 400,
    mtime: 1_600_000_000_000,
    ctime: 1_600_000_000_000,
    linkname: null,
    mount: null,
    metadata: { a: fromUtf8('b') },
  })
  return [bytes]
}
