/**
 * Notations that the vectors of the log share.
 *
 * @module
 */
import { fromHex, fromUtf8, toHex } from '../../../src/bytes.ts'
import type { KeyPair } from '../../../src/crypto.ts'
import type { BlockProof, TreeNode } from '../../../src/merkle/index.ts'

/** A block: its bytes, its text, or one byte repeated. */
export type BlockSpec =
  | { readonly hex: string }
  | { readonly utf8: string }
  | { readonly fill: number; readonly length: number }

/** The bytes of a block. */
export function blockOf(spec: BlockSpec): Uint8Array {
  if ('hex' in spec) return fromHex(spec.hex)
  if ('utf8' in spec) return fromUtf8(spec.utf8)
  return new Uint8Array(spec.length).fill(spec.fill)
}

/** A tree node with its hash as text. */
export interface NodeSpec {
  readonly index: number
  readonly size: number
  readonly hash: string
}

/** The node. */
export function nodeOf({ index, size, hash }: NodeSpec): TreeNode {
  return { index, size, hash: fromHex(hash) }
}

/** The node as a vector has it. */
export function nodeSpec({ index, size, hash }: TreeNode): NodeSpec {
  return { index, size, hash: toHex(hash) }
}

/** A pair of keys as text. */
export interface KeyPairSpec {
  readonly publicKey: string
  readonly secretKey: string
}

/** The pair. */
export function keyPairOf({ publicKey, secretKey }: KeyPairSpec): KeyPair {
  return { publicKey: fromHex(publicKey), secretKey: fromHex(secretKey) }
}

/** A Data message. */
export interface MessageSpec {
  readonly index: number
  readonly value: string | null
  readonly nodes: readonly NodeSpec[]
  readonly signature: string | null
}

/** The message. */
export function messageOf({ index, value, nodes, signature }: MessageSpec): BlockProof {
  return {
    index,
    value: value === null ? null : fromHex(value),
    nodes: nodes.map(nodeOf),
    signature: signature === null ? null : fromHex(signature),
  }
}
