/**
 * The file `fork`: what proves that a log's key signed two histories, kept beside the log.
 *
 * It is text, so that whoever wants to show it can: JSON, hashes and signatures in hex. v10 does not
 * know the name and leaves it alone. What is read is checked like anything from outside; a file that
 * proves nothing is none.
 *
 * @module
 */
import { fromHex, fromUtf8, toHex, toUtf8 } from '../bytes.ts'
import { HASH_BYTES, SIGNATURE_BYTES } from '../crypto.ts'
import { isFork } from '../merkle/index.ts'
import type { SignedNode, TreeNode } from '../merkle/index.ts'
import type { RandomAccess } from '../storage/random-access.ts'
import type { ForkEvidence } from './events.ts'
import type { Durability } from './options.ts'

/** Larger than any evidence: four lists of at most 52 nodes. */
const MAX_BYTES = 65_536
/** A tree has no higher indices. */
const INDEX_LIMIT = 2 ** 52
/** Nodes of one list: no tree is higher. */
const MAX_NODES = 64

/** The evidence in the file, or `null` when there is none that holds against `key`. */
export async function readFork(file: RandomAccess, key: Uint8Array): Promise<ForkEvidence | null> {
  const length = await file.size()
  if (length === 0 || length > MAX_BYTES) return null
  return decodeFork(await file.read(0, length), key)
}

/** Store evidence, for good unless the log's mode is `none`. */
export async function writeFork(
  file: RandomAccess,
  evidence: ForkEvidence,
  durability: Durability,
): Promise<void> {
  const bytes = encodeFork(evidence)
  await file.write(0, bytes)
  await file.truncate(bytes.length)
  if (durability !== 'none') await file.sync()
}

/** Evidence as it is stored. */
export function encodeFork(evidence: ForkEvidence): Uint8Array {
  const { commonLength, ours, theirs } = evidence
  const json = { commonLength, ours: plainHistory(ours), theirs: plainHistory(theirs) }
  return fromUtf8(`${JSON.stringify(json, null, 1)}\n`)
}

/** The reverse; `null` for anything that does not prove a fork of `key`. */
export function decodeFork(bytes: Uint8Array, key: Uint8Array): ForkEvidence | null {
  let json: unknown
  try {
    json = JSON.parse(toUtf8(bytes))
  } catch {
    return null // cut short by a crash, or not ours
  }
  const commonLength = field(json, 'commonLength')
  const ours = historyOf(field(json, 'ours'))
  const theirs = historyOf(field(json, 'theirs'))
  if (!ours || !theirs || !isCount(commonLength)) return null
  if (commonLength > Math.min(ours.length, theirs.length)) return null
  return isFork(ours, theirs, key) ? { commonLength, ours, theirs } : null
}

function plainHistory({ node, siblings, length, roots, signature }: SignedNode): object {
  return {
    length,
    signature: toHex(signature),
    roots: roots.map(plainNode),
    node: plainNode(node),
    siblings: siblings.map(plainNode),
  }
}

function plainNode({ index, hash, size }: TreeNode): object {
  return { index, hash: toHex(hash), size }
}

function historyOf(json: unknown): SignedNode | null {
  const length = field(json, 'length')
  const signature = bytesOf(field(json, 'signature'), SIGNATURE_BYTES)
  const node = nodeOf(field(json, 'node'))
  const roots = nodesOf(field(json, 'roots'))
  const siblings = nodesOf(field(json, 'siblings'))
  if (!isCount(length) || !signature || !node || !roots || !siblings) return null
  return { node, siblings, length, roots, signature }
}

function nodesOf(json: unknown): TreeNode[] | null {
  if (!Array.isArray(json) || json.length > MAX_NODES) return null
  const nodes: TreeNode[] = []
  for (const each of json) {
    const node = nodeOf(each)
    if (!node) return null
    nodes.push(node)
  }
  return nodes
}

function nodeOf(json: unknown): TreeNode | null {
  const index = field(json, 'index')
  const size = field(json, 'size')
  const hash = bytesOf(field(json, 'hash'), HASH_BYTES)
  return isCount(index) && isCount(size) && hash ? { index, hash, size } : null
}

function bytesOf(json: unknown, length: number): Uint8Array | null {
  if (typeof json !== 'string' || json.length !== 2 * length) return null
  return /^[0-9a-f]*$/.test(json) ? new Uint8Array(fromHex(json)) : null
}

function isCount(json: unknown): json is number {
  return typeof json === 'number' && Number.isSafeInteger(json) && json >= 0 && json < INDEX_LIMIT
}

function field(json: unknown, name: string): unknown {
  return typeof json === 'object' && json !== null ? Reflect.get(json, name) : undefined
}
