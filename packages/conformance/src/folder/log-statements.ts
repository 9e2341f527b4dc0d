/**
 * What the chapters say of the files of a log.
 *
 * @see docs/protocol/10-log.md 2
 * @module
 */
import { isKeyPair } from 'varve/crypto'
import {
  flatTree,
  leafHash,
  parentNode,
  treeHash,
  verifySignature,
  type TreeNode,
} from 'varve/merkle'
import { hex } from '../expect.ts'
import { bitfieldStatements } from './bitfield-statements.ts'
import { eachLog, type FolderCase } from './statement.ts'
import { HEADER, isStatic, nodesOf, notEmpty, PAGE, type StoredLog } from './stored-log.ts'

const FILES = [
  { file: 'bitfield', type: 0, entry: PAGE, algorithm: '' },
  { file: 'signatures', type: 1, entry: 64, algorithm: 'Ed25519' },
  { file: 'tree', type: 2, entry: 40, algorithm: 'BLAKE2b' },
] as const

/** The statements. */
export function* logStatements(): Iterable<FolderCase> {
  yield* keyStatements()
  yield* headerStatements()
  yield* treeStatements()
  yield* signatureStatements()
  yield* bitfieldStatements()
  yield* dataStatements()
}

function* keyStatements(): Iterable<FolderCase> {
  const files = '10-log 2.5'
  yield eachLog('key.size', files, 'the file key holds 32 bytes', ({ key }) =>
    key?.length === 32 ? null : `${key?.length ?? 'no'} bytes`,
  )
  yield eachLog(
    'key.secret-size',
    files,
    'the file secret_key, where there is one, holds 64 bytes',
    ({ secretKey }) => (secretKey?.length === 64 ? null : `${secretKey?.length} bytes`),
    ({ secretKey }) => secretKey !== null,
  )
  yield eachLog(
    'key.pair',
    '10-log 2.3',
    'a secret key is the seed and the public key of the file key, and belongs to it',
    ({ key, secretKey }) =>
      key && secretKey && isKeyPair(key, secretKey) ? null : 'the two are no pair',
    ({ secretKey }) => secretKey !== null,
  )
}

function* headerStatements(): Iterable<FolderCase> {
  const section = '10-log 2.5'
  for (const { file, type, entry, algorithm } of FILES) {
    const head = (log: StoredLog): Uint8Array => log[file].subarray(0, HEADER)
    yield eachLog(
      `header.${file}.magic`,
      section,
      `${file} begins with 05 02 57 and ${type}`,
      (log) => {
        const got = hex(head(log).subarray(0, 4))
        return got === `0502570${type}` ? null : `it begins with ${got}`
      },
    )
    yield eachLog(
      `header.${file}.version`,
      section,
      `the header of ${file} has version 0`,
      (log) => {
        const version = head(log)[4]
        return version === 0 ? null : `version ${version}`
      },
    )
    yield eachLog(
      `header.${file}.entry`,
      file === 'bitfield' ? '10-log 2.6' : section,
      `the header of ${file} says entries of ${entry} bytes`,
      (log) => {
        const [high = 0, low = 0] = head(log).subarray(5, 7)
        const got = high * 256 + low
        // Old bitfields keep their smaller pages for ever.
        return got === entry || (file === 'bitfield' && got === 3328) ? null : `${got} bytes`
      },
    )
    yield eachLog(
      `header.${file}.algorithm`,
      section,
      `the header of ${file} names ${algorithm || 'no algorithm'}, then zeros up to 32 bytes`,
      (log) => {
        const wanted = Buffer.alloc(HEADER - 7)
        wanted[0] = algorithm.length
        wanted.write(algorithm, 1, 'ascii')
        const got = hex(head(log).subarray(7))
        return got === wanted.toString('hex') ? null : `it says ${got}`
      },
    )
  }
}

function* treeStatements(): Iterable<FolderCase> {
  const section = '10-log 2.5.1'
  yield eachLog(
    'tree.whole-nodes',
    section,
    'tree is a header and whole nodes of 40 bytes',
    ({ tree }) => ((tree.length - HEADER) % 40 === 0 ? null : `${tree.length} bytes`),
  )
  yield eachLog(
    'tree.size',
    section,
    'after n blocks tree has 32 + 40 * (2n - 1) bytes',
    ({ tree, length }) => {
      const wanted = HEADER + 40 * (2 * length - 1)
      return tree.length === wanted ? null : `${tree.length} bytes, want ${wanted}`
    },
    (log) => log.isOwn && log.length > 0,
  )
  yield eachLog(
    'tree.parents',
    '10-log 2.2',
    'a node whose two children are stored is their parent: 01, sum of sizes, left, right',
    (log) => {
      for (const node of nodesOf(log)) {
        const pair = childrenOf(log, node)
        if (pair && hex(parentNode(...pair).hash) !== hex(node.hash)) return `node ${node.index}`
      }
      return null
    },
    notEmpty,
  )
  yield eachLog(
    'tree.sizes',
    '10-log 2.2',
    'the size of a parent is the sum of its children',
    (log) => {
      for (const node of nodesOf(log)) {
        const pair = childrenOf(log, node)
        if (pair && pair[0].size + pair[1].size !== node.size) return `node ${node.index}`
      }
      return null
    },
    notEmpty,
  )
  yield eachLog(
    'tree.complete',
    section,
    'only complete nodes are stored: what lies below one is inside the log',
    (log) => {
      const late = nodesOf(log).find(({ index }) => flatTree.rightSpan(index) >= 2 * log.length)
      return late ? `node ${late.index} with ${log.length} blocks` : null
    },
    (log) => log.isOwn && log.length > 0,
  )
  yield eachLog(
    'tree.roots',
    '10-log 2.1',
    'every root of the length is stored',
    (log) => {
      const at = log.roots(log.length).indexOf(null)
      return at < 0
        ? null
        : `root ${flatTree.fullRoots(2 * log.length)[at]} of ${log.length} blocks`
    },
    notEmpty,
  )
  yield eachLog(
    'tree.leaves',
    '10-log 2.2',
    'every block that is here has the hash of its leaf: 00, size, block',
    (log) => {
      for (const index of log.held) {
        const block = log.block(index)
        const leaf = log.node(2 * index)
        if (!block || !leaf) return `block ${index} is not to be found`
        if (hex(leafHash(block)) !== hex(leaf.hash)) return `block ${index}`
      }
      return null
    },
    notEmpty,
  )
}

function childrenOf(log: StoredLog, { index }: TreeNode): [TreeNode, TreeNode] | null {
  const children = flatTree.children(index)
  if (!children) return null
  const [left, right] = [log.node(children[0]), log.node(children[1])]
  return left && right && [left, right]
}

function* signatureStatements(): Iterable<FolderCase> {
  const section = '10-log 2.5.3'
  yield eachLog(
    'signatures.whole-slots',
    section,
    'signatures is a header and whole slots of 64 bytes',
    ({ signatures }) =>
      (signatures.length - HEADER) % 64 === 0 ? null : `${signatures.length} bytes`,
  )
  yield eachLog(
    'signatures.head',
    '10-log 2.4',
    'the signature of the length is there, and is one over the tree hash and the length',
    (log) => {
      const signature = log.signature(log.length)
      if (!signature) return isStatic(log) ? null : `no signature of ${log.length} blocks`
      return isSigned(log, log.length) ? null : `the signature of ${log.length} blocks is wrong`
    },
    notEmpty,
  )
  yield eachLog(
    'signatures.older',
    '10-log 2.4',
    'every signature of a shorter length is right as well, as far as its roots are here',
    (log) => {
      for (let length = 1; length < log.length; length++) {
        if (log.signature(length) && isSigned(log, length) === false) return `at ${length} blocks`
      }
      return null
    },
    notEmpty,
  )
  yield eachLog(
    'signatures.beyond',
    '10-log 3.15',
    'no signature lies beyond the length',
    (log) => {
      const slots = Math.floor((log.signatures.length - HEADER) / 64)
      for (let length = log.length + 1; length <= slots; length++) {
        if (log.signature(length)) return `one of ${length} blocks, the log has ${log.length}`
      }
      return null
    },
  )
}

/** Whether a stored signature is right; null when its roots are not here. */
function isSigned(log: StoredLog, length: number): boolean | null {
  const signature = log.signature(length)
  const roots = log.roots(length).filter((root) => root !== null)
  if (roots.length < flatTree.fullRoots(2 * length).length) return null
  if (!signature || !log.key) return false
  return verifySignature(signature, treeHash(roots), length, log.key)
}

function* dataStatements(): Iterable<FolderCase> {
  const section = '10-log 2.5.2'
  yield eachLog(
    'data.reach',
    section,
    'data reaches the end of the last block that is here',
    (log) => {
      const last = log.held.at(-1)
      if (last === undefined) return null
      const end = (log.byteOffset(last) ?? Infinity) + (log.node(2 * last)?.size ?? 0)
      return log.dataBytes >= end ? null : `${log.dataBytes} bytes, block ${last} ends at ${end}`
    },
    notEmpty,
  )
  yield eachLog(
    'data.size',
    section,
    'blocks lie back to back: data has the sum of their sizes',
    (log) => {
      const sum = log.byteOffset(log.length)
      return log.dataBytes === sum ? null : `${log.dataBytes} bytes, the blocks have ${sum}`
    },
    (log) => log.isOwn && log.length > 0 && log.hasBlock(log.length - 1),
  )
  yield eachLog(
    'data.offsets',
    '10-log 3.6',
    'the tree tells where every block that is here lies',
    (log) => {
      const lost = log.held.find((index) => log.byteOffset(index) === null)
      return lost === undefined ? null : `block ${lost}`
    },
    notEmpty,
  )
}
