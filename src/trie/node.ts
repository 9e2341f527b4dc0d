/**
 * One entry of a trie: block `seq` of its log.
 *
 *     1  key     string   always; empty in a *reset block*, which stands for an empty trie
 *     2  value   bytes    left out when null
 *     3  table   bytes    pointer table; always, `00` when empty
 *     4  seq     varint   always; ignored when read: the index it was fetched at counts
 *     5  flags   varint   always: user flags << 8 | hidden
 *
 * @see spec/30-trie.md 2.3, 2.4 and 2.9
 * @module
 */
import { allocUnsafe, copy, fromUtf8 } from '../bytes.ts'
import { ProtobufReader } from '../protobuf.ts'
import { encodeVarint, varintLength } from '../varint.ts'
import { TrieError } from './errors.ts'
import {
  COMPONENT_SYMBOLS,
  HashPath,
  MAX_KEY_LENGTH,
  storedKey,
  type KeyHash,
} from './hash-path.ts'
import {
  decodeTable,
  EMPTY_TABLE,
  encodeTable,
  tableLength,
  type PointerTable,
} from './pointer-table.ts'

/** Greatest user flags that a block can hold. */
export const MAX_FLAGS: number = 2 ** 23 - 1
/** Rows a table may have beyond the path of its node, before it is taken for an attack. */
const SPARE_ROWS = COMPONENT_SYMBOLS

/** What a node holds beside its pointers. */
export interface NodeContent {
  /** Where it is; `path.key` is its key. */
  readonly path: HashPath
  /** Encoded value, or null for none. */
  readonly value: Uint8Array | null
  /** User flags, 0 to {@link MAX_FLAGS}. */
  readonly flags: number
}

/** A decoded or written node. Immutable. */
export interface TrieNode extends NodeContent {
  /** Index of its block. */
  readonly seq: number
  readonly table: PointerTable
}

/** Whether a node is a reset block: at that version the trie is empty. */
export function isReset(node: TrieNode): boolean {
  return node.path.key === ''
}

/**
 * The block of a node.
 *
 * @throws {@link TrieError} `TRIE_TOO_LARGE` when its table is beyond what readers take
 */
export function encodeNode(node: TrieNode): Uint8Array {
  const key = fromUtf8(node.path.key)
  const flags = node.flags * 256 + (node.path.hidden ? 1 : 0)
  const tableBytes = tableLength(node.table)
  const { value } = node
  const out = allocUnsafe(
    5 +
      varintLength(key.length) +
      key.length +
      (value ? varintLength(value.length) + value.length : -1) +
      varintLength(tableBytes) +
      tableBytes +
      varintLength(node.seq) +
      varintLength(flags),
  )
  out[0] = 0x0a
  let at = writeBytes(key, out, 1)
  if (value) {
    out[at] = 0x12
    at = writeBytes(value, out, at + 1)
  }
  out[at] = 0x1a
  at = encodeTable(node.table, out, encodeVarint(tableBytes, out, at + 1))
  out[at] = 0x20
  at = encodeVarint(node.seq, out, at + 1)
  out[at] = 0x28
  encodeVarint(flags, out, at + 1)
  return out
}

function writeBytes(bytes: Uint8Array, out: Uint8Array, at: number): number {
  at = encodeVarint(bytes.length, out, at)
  out.set(bytes, at)
  return at + bytes.length
}

/**
 * The node in `block`, which was fetched at `seq`. Shares no memory with it.
 *
 * @throws {@link TrieError} `TRIE_BAD_NODE` when it is none
 */
export function decodeNode(
  seq: number,
  block: Uint8Array,
  customHash: KeyHash | null = null,
): TrieNode {
  try {
    return read(seq, block, customHash)
  } catch (error) {
    throw new TrieError('TRIE_BAD_NODE', `block ${seq} is no node of a trie`, { cause: error })
  }
}

function read(seq: number, block: Uint8Array, customHash: KeyHash | null): TrieNode {
  const reader = new ProtobufReader(block)
  let key: string | null = null
  let value: Uint8Array | null = null
  let table: Uint8Array | null = null
  let flags = 0
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) key = reader.string()
    else if (field === 2) value = reader.bytes()
    else if (field === 3) table = reader.bytes()
    else if (field === 5) flags = reader.uint()
    else reader.ignore()
  }
  if (key === null) throw new TrieError('TRIE_BAD_NODE', 'no key')
  if (key.length > MAX_KEY_LENGTH) throw new TrieError('TRIE_BAD_NODE', 'too long a key')
  const path = new HashPath(storedKey(key), flags % 2 === 1, customHash)
  return {
    seq,
    path,
    value: value && kept(value),
    flags: Math.floor(flags / 256),
    table: table
      ? decodeTable(table, { rows: path.length + SPARE_ROWS, before: seq })
      : EMPTY_TABLE,
  }
}

/** Memory that values share, and the largest value that lies in it. */
const SLAB_BYTES = 4096
const SHARED_BYTES = 256
let slab = new Uint8Array(SLAB_BYTES)
let taken = 0

/**
 * A copy of a value, so that it does not pin the block that it was read with. Small ones lie together: nodes that are
 * decoded one after the other are dropped together too, and memory of its own for each value was a quarter of what
 * garbage collection cost a listing.
 */
function kept(value: Uint8Array): Uint8Array {
  const { length } = value
  if (length > SHARED_BYTES) return copy(value)
  if (taken + length > SLAB_BYTES) {
    slab = new Uint8Array(SLAB_BYTES)
    taken = 0
  }
  const out = slab.subarray(taken, taken + length)
  taken += length
  out.set(value)
  return out
}
