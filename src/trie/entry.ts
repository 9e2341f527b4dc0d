/**
 * Nodes as a trie hands them out, with decoded values.
 *
 * @see spec/30-trie.md 3.2
 * @module
 */
import { copy } from '../bytes.ts'
import { messageCodec, type Codec, type Encoding } from '../value-encoding.ts'
import type { NodePair } from './diff.ts'
import type { NodeContent, TrieNode } from './node.ts'
import type { BatchOperation, ChangeOptions } from './options.ts'
import type { Change, Condition } from './writer.ts'

/** One entry of a trie. */
export interface TrieEntry<Value = Uint8Array> {
  /** The stored key: without a leading slash. */
  readonly key: string
  /** Decoded value; null when there is none. Bytes are the caller's own. */
  readonly value: Value | null
  /** Index of its block; 0 for one that is not written yet. */
  readonly seq: number
  /** User flags. */
  readonly flags: number
  /** Which of the two key spaces it is in. */
  readonly hidden: boolean
}

/** Both sides of a difference between two versions. */
export interface TrieDifference<Value = Uint8Array> {
  /** Key of the left side if there is one, else of the right. */
  readonly key: string
  readonly left: TrieEntry<Value> | null
  readonly right: TrieEntry<Value> | null
}

/** Turns values into bytes and nodes into entries. */
export class Entries<Value> {
  readonly #codec: Codec | null

  /** Without an encoding values are bytes; strings are stored as UTF-8. */
  constructor(encoding: Encoding) {
    this.#codec = encoding === null || encoding === undefined ? null : messageCodec(encoding)
  }

  /** An operation with its value encoded. */
  change(operation: BatchOperation<Value>): Change {
    const { type = 'put', key, value, flags = 0, hidden = false } = operation
    return { type, key, value: type === 'put' ? this.encode(value) : null, flags, hidden }
  }

  /** What a change is asked before it is made; null for nothing. */
  condition({ condition, closest = false }: ChangeOptions<Value>): Condition | null {
    if (!condition) return null
    return {
      closest,
      check: (old, next) => condition(this.maybe(old), next && this.of(next)),
    }
  }

  /** Bytes of a value; null for null and undefined, which are not stored. */
  encode(value: Value | string | null | undefined): Uint8Array | null {
    if (value === null || value === undefined) return null
    return (this.#codec ?? messageCodec('binary')).encode(value)
  }

  /** The entry of a node; `seq` 0 for content that is not written yet. */
  of(node: NodeContent & { readonly seq?: number }): TrieEntry<Value> {
    const { path, flags } = node
    const value = node.value === null ? null : this.#decode(node.value)
    return { key: path.key, value, seq: node.seq ?? 0, flags, hidden: path.hidden }
  }

  /** As `of`, for a node that may be missing. */
  maybe(node: TrieNode | null): TrieEntry<Value> | null {
    return node && this.of(node)
  }

  /** As `maybe`, for a node that may not be at hand. */
  atHand(node: TrieNode | null | undefined): TrieEntry<Value> | null | undefined {
    return node && this.of(node)
  }

  /** Both sides of a difference. */
  pair({ left, right }: NodePair): TrieDifference<Value> {
    const key = (left ?? right)?.path.key ?? ''
    return { key, left: this.maybe(left), right: this.maybe(right) }
  }

  #decode(bytes: Uint8Array): Value {
    // Nodes are shared by everybody who reads, so each reader gets a copy.
    const own = copy(bytes)
    // What the type parameter promises is what the encoding was chosen for: nobody else can know.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    return (this.#codec ? this.#codec.decode(own) : own) as Value
  }
}
