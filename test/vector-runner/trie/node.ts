/** Whole node blocks: trie/node. */
import assert from 'node:assert/strict'
import { fromHex, toHex } from '../../../src/bytes.ts'
import { HashPath, storedKey } from '../../../src/trie/hash-path.ts'
import { decodeNode, encodeNode, type TrieNode } from '../../../src/trie/node.ts'
import type { VectorKind } from '../vector.ts'
import { rowsOf, tableOf, type Row } from './pointers.ts'

interface Fields {
  readonly key: string
  readonly value: string | null
  readonly flags: number
  readonly hidden: boolean
  readonly tableLength: number
  readonly rows: readonly Row[]
}

interface NodeCase extends Fields {
  readonly name: string
  readonly kind: 'encode' | 'decode'
  readonly level?: 'must' | 'reference'
  readonly storedKey: string
  readonly seq: number
  readonly block: string
  readonly expect?: Fields & { readonly error?: string }
}

/** Where a block is said to come from: beyond every pointer of the vectors. */
const SEQ = Number.MAX_SAFE_INTEGER

export const kind: VectorKind = {
  name: 'trie/node',
  *cases({ json }) {
    for (const each of json.cases as readonly NodeCase[]) {
      yield { name: each.name, run: () => check(each) }
    }
  },
}

function check(each: NodeCase): void {
  const block = fromHex(each.block)
  if (each.kind === 'encode') {
    const { hidden, flags, seq } = each
    const path = new HashPath(storedKey(each.key), hidden)
    assert.equal(path.key, each.storedKey)
    const value = each.value === null ? null : fromHex(each.value)
    const table = tableOf(each.tableLength, each.rows)
    assert.equal(toHex(encodeNode({ seq, path, value, flags, table })), each.block)
    const read = { ...each, key: storedKey(each.storedKey) }
    // Made-up pointers may lie beyond the made-up seq: read them as of the end of time.
    assert.deepEqual(fieldsOf(decodeNode(SEQ, block)), fieldsOfCase(read))
    return
  }
  if (each.level === 'reference') {
    try {
      decodeNode(SEQ, block)
    } catch (error) {
      assert.equal((error as { code?: string }).code, 'TRIE_BAD_NODE')
    }
    return
  }
  assert.ok(each.expect)
  if (each.expect.error !== undefined) {
    assert.throws(() => decodeNode(SEQ, block), { code: 'TRIE_BAD_NODE' })
    return
  }
  assert.deepEqual(fieldsOf(decodeNode(SEQ, block)), each.expect)
}

function fieldsOf(node: TrieNode): Fields {
  return {
    key: node.path.key,
    value: node.value && toHex(node.value),
    flags: node.flags,
    hidden: node.path.hidden,
    tableLength: node.table.length,
    rows: rowsOf(node.table),
  }
}

function fieldsOfCase({ key, value, flags, hidden, tableLength, rows }: Fields): Fields {
  return { key, value, flags, hidden, tableLength, rows }
}
