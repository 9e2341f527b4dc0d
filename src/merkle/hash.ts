/**
 * The three hashes of the tree, and what is signed.
 *
 *     leaf     00  u64(size)              block
 *     parent   01  u64(left + right size) left hash   right hash
 *     tree     02  for every root, left to right: hash  u64(index)  u64(size)
 *
 * BLAKE2b-256, integers big-endian. The leading byte keeps the three apart, so that no block can pass
 * for a parent.
 *
 * @see spec/10-log.md 2.2 and 2.4
 * @module
 */
import { writeUint64 } from '../bytes.ts'
import { HASH_BYTES, hash, hashParts, verify } from '../crypto.ts'
import type { TreeNode } from './tree-node.ts'

const LEAF = 0
const PARENT = 1
const TREE = 2

/** Bytes of what is signed: the tree hash, then the length. */
export const SIGNABLE_BYTES: number = HASH_BYTES + 8

/** Up to here a block is copied beside its head: cheaper (0.2 µs a call) than hashing two parts. */
const SMALL_BLOCK = 2048

const small = new Uint8Array(9 + SMALL_BLOCK)
const head = new Uint8Array(9)
const pair = new Uint8Array(9 + 2 * HASH_BYTES)
small[0] = LEAF
head[0] = LEAF
pair[0] = PARENT

/** The hash that commits to a block and its size. The block is not copied unless it is small. */
export function leafHash(block: Uint8Array): Uint8Array {
  if (block.length > SMALL_BLOCK) {
    writeUint64(block.length, head, 1)
    return hashParts([head, block])
  }
  writeUint64(block.length, small, 1)
  small.set(block, 9)
  return hash(small.subarray(0, 9 + block.length))
}

/** The tree node of block `index`. */
export function leafNode(index: number, block: Uint8Array): TreeNode {
  return { index: 2 * index, hash: leafHash(block), size: block.length }
}

/** The node above two siblings, given in either order. */
export function parentNode(a: TreeNode, b: TreeNode): TreeNode {
  const [left, right] = a.index < b.index ? [a, b] : [b, a]
  const size = left.size + right.size
  writeUint64(size, pair, 1)
  pair.set(left.hash, 9)
  pair.set(right.hash, 9 + HASH_BYTES)
  // Halfway between siblings stands their parent.
  return { index: (left.index + right.index) / 2, hash: hash(pair), size }
}

/** The hash over all roots of a log, left to right; of the empty log, over none. */
export function treeHash(roots: readonly TreeNode[]): Uint8Array {
  const message = new Uint8Array(1 + roots.length * (HASH_BYTES + 16))
  message[0] = TREE
  let at = 1
  for (const root of roots) {
    message.set(root.hash, at)
    at = writeUint64(root.index, message, at + HASH_BYTES)
    at = writeUint64(root.size, message, at)
  }
  return hash(message)
}

/** What the key signs for a log of `length` blocks: 40 bytes. */
export function signable(treeHashBytes: Uint8Array, length: number): Uint8Array {
  const message = new Uint8Array(SIGNABLE_BYTES)
  message.set(treeHashBytes)
  writeUint64(length, message, HASH_BYTES)
  return message
}

/**
 * Whether `signature` is the key's over the head of `length` blocks with this tree hash. Older writers
 * signed the bare tree hash; that is accepted too.
 */
export function verifySignature(
  signature: Uint8Array,
  treeHashBytes: Uint8Array,
  length: number,
  key: Uint8Array,
): boolean {
  return (
    verify(signature, signable(treeHashBytes, length), key) || verify(signature, treeHashBytes, key)
  )
}
