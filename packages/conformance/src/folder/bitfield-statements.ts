/**
 * What the chapters say of the bitfield of a log.
 *
 * @see docs/protocol/10-log.md 2.6
 * @module
 */
import { blocksOf, flatTree } from 'varve/merkle'
import { eachLog, type FolderCase } from './statement.ts'
import { HEADER, isStatic, nodesOf, notEmpty } from './stored-log.ts'

/** The statements. */
export function* bitfieldStatements(): Iterable<FolderCase> {
  const section = '10-log 2.6'
  yield eachLog('bitfield.whole-pages', section, 'bitfield is a header and whole pages', (log) =>
    (log.bitfield.length - HEADER) % log.pageBytes === 0 ? null : `${log.bitfield.length} bytes`,
  )
  yield eachLog(
    'bitfield.length',
    '10-log 3.1',
    'the length that the tree bits tell is one that is signed',
    (log) =>
      log.length === 0 || log.signature(log.length) || isStatic(log)
        ? null
        : `they tell ${blocksOf(log.known)} blocks`,
  )
  yield eachLog(
    'bitfield.no-block-beyond',
    '10-log 3.15',
    'no bit of a block lies beyond the length',
    (log) => {
      for (let index = log.length; index < log.pages * 8192; index++) {
        if (log.hasBlock(index)) return `block ${index} of ${log.length}`
      }
      return null
    },
  )
  yield eachLog(
    'bitfield.no-node-beyond',
    '10-log 3.15',
    'no bit of a node lies beyond the length',
    (log) => {
      for (let index = 2 * log.length; index < log.pages * 16384; index++) {
        if (log.hasNode(index)) return `node ${index} with ${log.length} blocks`
      }
      return null
    },
  )
  yield eachLog(
    'bitfield.nodes',
    section,
    'every node whose bit is set is stored, or follows from its children',
    (log) => {
      for (let index = 0; index < 2 * log.length; index++) {
        if (log.hasNode(index) && !log.node(index)) return `node ${index}`
      }
      return null
    },
    notEmpty,
  )
  yield eachLog(
    'bitfield.node-bits',
    section,
    'every complete node that is stored has its bit',
    (log) => {
      const lost = nodesOf(log).find(({ index }) => !log.hasNode(index))
      return lost ? `node ${lost.index}` : null
    },
    notEmpty,
  )
  yield eachLog(
    'bitfield.implied',
    '10-log 3.1',
    "where the bits of two siblings are set, so is their parent's",
    (log) => {
      for (let index = 0; index < 2 * log.length; index++) {
        const pair = log.hasNode(index) && log.hasNode(flatTree.sibling(index))
        if (pair && !log.hasNode(flatTree.parent(index))) return `above node ${index}`
      }
      return null
    },
    notEmpty,
  )
  yield eachLog(
    'bitfield.block-has-leaf',
    '10-log 3.5',
    'a block that is here has the bit of its leaf',
    (log) => {
      const alone = log.held.find((index) => !log.hasNode(2 * index))
      return alone === undefined ? null : `block ${alone}`
    },
    notEmpty,
  )
  yield eachLog(
    'bitfield.index-leaves',
    '10-log 2.6.1',
    'a leaf byte of the index sums up four bytes of block bits, two bits each',
    (log) => {
      const bytes = log.pages * 1024
      for (let at = 0; at < bytes; at += 4) {
        let wanted = 0
        for (let i = 0; i < 4; i++) wanted = wanted * 4 + byteCode(log.dataByte(at + i))
        const got = log.indexByte(at / 2)
        if (got !== wanted) return `byte ${at / 2}: want ${wanted}, got ${got}`
      }
      return null
    },
  )
  yield eachLog(
    'bitfield.index-parents',
    '10-log 2.6.1',
    'a byte of the index never claims full what is not',
    (log) => {
      const total = log.pages * log.indexBytes
      for (let index = 1; index < total; index += 2) {
        const children = flatTree.children(index)
        if (!children || children[1] >= total) continue
        const below = [log.indexByte(children[0]), log.indexByte(children[1])].flatMap((byte) => [
          byte >> 4,
          byte & 15,
        ])
        const own = log.indexByte(index)
        for (const [i, nibble] of below.entries()) {
          const claims = ((own >> (6 - 2 * i)) & 3) === 3
          if (claims && nibble !== 15) return `byte ${index}`
        }
      }
      return null
    },
  )
}

function byteCode(byte: number): number {
  if (byte === 255) return 3
  return byte === 0 ? 0 : 1
}
