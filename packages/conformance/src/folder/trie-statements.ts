/**
 * What the chapters say of the blocks of a trie.
 *
 * @see docs/protocol/30-trie.md 2
 * @module
 */
import { decodeMountRecord, decodeNode, decodeTable, encodeNode, HashPath } from 'varve/trie'
import type { TrieNode } from 'varve/trie'
import { Skip } from '../case.ts'
import { hex } from '../expect.ts'
import { fieldsOf, type Field } from '../protobuf-fields.ts'
import { eachDrive, type FolderCase } from './statement.ts'
import type { StoredDrive } from './stored-folder.ts'

/** One node block, as it stands there. */
export interface StoredNode {
  readonly seq: number
  readonly block: Uint8Array
  readonly fields: readonly Field[]
  readonly path: HashPath
  readonly value: Uint8Array | null
  readonly flags: number
}

const seen = new WeakMap<StoredDrive, readonly StoredNode[]>()

/** The nodes of a drive that are here. */
export function nodesOf(drive: StoredDrive): readonly StoredNode[] {
  let nodes = seen.get(drive)
  if (!nodes) {
    nodes = drive.metadata.held.filter((seq) => seq > 0).map((seq) => nodeAt(drive, seq))
    seen.set(drive, nodes)
  }
  return nodes
}

function nodeAt({ metadata }: StoredDrive, seq: number): StoredNode {
  const block = metadata.block(seq) ?? new Uint8Array()
  const fields = fieldsOf(block)
  const of = (number: number): Field | undefined =>
    fields.findLast((field) => field.number === number)
  const flags = of(5)?.value ?? 0
  const key = Buffer.from(of(1)?.bytes ?? []).toString('utf8')
  const path = new HashPath(key.startsWith('/') ? key.slice(1) : key, flags % 2 === 1)
  return { seq, block, fields, path, value: of(2)?.bytes ?? null, flags }
}

/** A statement about every node. */
function eachNode(
  id: string,
  section: string,
  title: string,
  check: (node: StoredNode, drive: StoredDrive) => string | null | undefined,
): FolderCase {
  return eachDrive(id, section, title, (drive) => {
    const nodes = nodesOf(drive)
    if (nodes.length === 0) throw new Skip('the drive has no entries')
    for (const node of nodes) {
      const wrong = check(node, drive)
      if (wrong) return `block ${node.seq}: ${wrong}`
    }
    return null
  })
}

interface Pointer {
  readonly row: number
  readonly slot: number
  readonly seq: number
}

function pointersOf({ fields }: StoredNode): Pointer[] {
  const bytes = fields.find(({ number }) => number === 3)?.bytes
  if (!bytes) return []
  const table = decodeTable(bytes)
  const pointers = []
  for (let at = 0; at < table.cells.length; at = table.next(at)) {
    for (let slot = 0; slot < 32; slot++) {
      const seq = table.slotAt(at, slot)
      if (seq > 0) pointers.push({ row: table.rowAt(at), slot, seq })
    }
  }
  return pointers
}

/** The statements. */
export function* trieStatements(): Iterable<FolderCase> {
  yield eachNode(
    'trie.fields',
    '30-trie 2.3',
    'a node is the fields 1 to 5 in order, each once',
    ({ fields }) => {
      const numbers = fields.map(({ number }) => number).join()
      return /^1,(2,)?3,4,5$/.test(numbers) ? null : `its fields are ${numbers}`
    },
  )
  yield eachNode(
    'trie.seq',
    '30-trie 2.3',
    'a node names the index of its own block',
    ({ fields, seq }) => {
      const said = fields.find(({ number }) => number === 4)?.value
      return said === seq ? null : `it says ${said}`
    },
  )
  yield eachNode(
    'trie.flags',
    '30-trie 2.4',
    'bits 1 to 7 of the flags are not used',
    ({ flags }) => (Math.floor((flags % 256) / 2) === 0 ? null : `flags ${flags}`),
  )
  yield eachNode(
    'trie.written-again',
    '30-trie 2.3',
    'a node that is read and written again gives the same bytes',
    ({ seq, block }) => (hex(encodeNode(read(seq, block))) === hex(block) ? null : 'it does not'),
  )
  yield eachNode(
    'trie.key',
    '30-trie 2.5',
    'a key is stored without a slash before it',
    ({ fields }) => {
      const key = Buffer.from(fields.find(({ number }) => number === 1)?.bytes ?? []).toString(
        'utf8',
      )
      return key.startsWith('/') ? `it is ${key}` : null
    },
  )
  yield eachNode(
    'trie.table-length',
    '30-trie 2.7',
    'the number of rows of a table is that of its last row that is not empty',
    (node) => {
      const bytes = node.fields.find(({ number }) => number === 3)?.bytes ?? new Uint8Array([0])
      const rows = decodeTable(bytes).length
      const wanted = 1 + (pointersOf(node).at(-1)?.row ?? -1)
      return rows === wanted ? null : `${rows} rows, want ${wanted}`
    },
  )
  yield eachNode(
    'trie.pointers-back',
    '30-trie 2.7',
    'a pointer leads to an earlier node',
    (node) => {
      const late = pointersOf(node).find(({ seq }) => seq < 1 || seq >= node.seq)
      return late ? `row ${late.row} points to ${late.seq}` : null
    },
  )
  yield eachNode(
    'trie.pointers-once',
    '30-trie 2.7',
    'no pointer stands twice in a row',
    (node) => {
      const places = pointersOf(node).map(({ row, seq }) => `${row}:${seq}`)
      const twice = places.find((place, i) => places.indexOf(place) !== i)
      return twice ? `row and pointer ${twice}` : null
    },
  )
  yield eachNode(
    'trie.pointers-path',
    '30-trie 2.7',
    'what a row points to agrees with the node up to that row, and has the symbol of the slot there',
    (node, drive) => {
      const all = new Map(nodesOf(drive).map((each) => [each.seq, each]))
      for (const { row, slot, seq } of pointersOf(node)) {
        const target = all.get(seq)
        if (!target) continue // a clone need not hold it
        for (let i = 0; i < row; i++) {
          if (target.path.symbol(i) !== node.path.symbol(i))
            return `row ${row} to ${seq}: symbol ${i}`
        }
        const symbol = target.path.symbol(row)
        if (symbol !== slot % 5) return `row ${row}, slot ${slot} to ${seq}: symbol ${symbol}`
      }
      return null
    },
  )
  yield eachNode(
    'trie.pointers-others',
    '30-trie 2.7',
    "a row holds no pointer for the node's own symbol, but where components end",
    (node) => {
      const own = pointersOf(node).find(
        ({ row, slot }) => slot % 5 === node.path.symbol(row) && !(row > 0 && row % 32 === 0),
      )
      return own ? `row ${own.row}, slot ${own.slot}` : null
    },
  )
  yield eachDrive(
    'trie.reachable',
    '30-trie 3.3',
    'every node that the newest one leads to is the newest of its key, and leads to no other of it',
    (drive) => {
      const nodes = nodesOf(drive)
      const { length } = drive.metadata
      if (nodes.length !== length - 1 || length < 2) throw new Skip('the trie is not here in whole')
      const reached = reach(nodes, length - 1)
      const byKey = new Map<string, number>()
      for (const { seq, path } of nodes) byKey.set(`${path.hidden ? 1 : 0}${path.key}`, seq)
      for (const { seq, path } of reached) {
        const newest = byKey.get(`${path.hidden ? 1 : 0}${path.key}`)
        if (newest !== seq) return `block ${seq} of ${path.key}, whose newest is ${newest}`
      }
      return null
    },
  )
  yield eachNode(
    'trie.mounts',
    '30-trie 2.11',
    'the record of a mount is hidden, has the key of what is mounted and its own path, and the entry follows',
    ({ path, value, flags, seq }, drive) => {
      if (!path.hidden || flags !== 257) return null
      const record = decodeMountRecord(value ?? new Uint8Array())
      if (record.key.length !== 32) return `a key of ${record.key.length} bytes`
      if (path.key !== `mounts/${record.localPath}`) return `${record.localPath} at ${path.key}`
      const next = nodesOf(drive).find((each) => each.seq === seq + 1)
      if (next && (next.path.key !== record.localPath || next.flags !== 256))
        return 'no entry follows'
      return null
    },
  )
}

function read(seq: number, block: Uint8Array): TrieNode {
  return { ...decodeNode(Number.MAX_SAFE_INTEGER, block), seq }
}

/** The nodes that block `head` leads to, itself among them; none where it empties the trie. */
function reach(nodes: readonly StoredNode[], head: number): StoredNode[] {
  const bySeq = new Map(nodes.map((node) => [node.seq, node]))
  const first = bySeq.get(head)
  const found: StoredNode[] = []
  // What a pointer of row i leads to agrees on i symbols: only its rows from there on are its own to follow.
  const todo: { seq: number; row: number }[] = [{ seq: head, row: 0 }]
  if (first?.path.key === '') return found
  for (let next = todo.pop(); next; next = todo.pop()) {
    const node = bySeq.get(next.seq)
    if (!node) continue
    found.push(node)
    for (const { row, seq, slot } of pointersOf(node)) {
      const after = slot >= 5 || slot % 5 === node.path.symbol(row) ? row : row + 1
      if (row >= next.row) todo.push({ seq, row: after })
    }
  }
  return found
}
