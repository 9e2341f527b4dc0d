/** Pointer tables: trie/pointers. */
import assert from 'node:assert/strict'
import { fromHex, toHex } from '../../../src/bytes.ts'
import {
  decodeTable,
  encodeTable,
  PointerTable,
  tableLength,
} from '../../../src/trie/pointer-table.ts'
import type { VectorKind } from '../vector.ts'

/** Row and its slots, 0 for an empty one. */
export type Row = readonly [number, readonly number[]]

interface PointersCase {
  readonly name: string
  readonly kind: 'encode' | 'decode'
  readonly level?: 'must' | 'reference'
  readonly length: number
  readonly rows: readonly Row[]
  readonly bytes: string
  readonly expect?: {
    readonly error?: string
    readonly length: number
    readonly rows: readonly Row[]
  }
}

export const kind: VectorKind = {
  name: 'trie/pointers',
  *cases({ json }) {
    for (const each of json.cases as readonly PointersCase[]) {
      yield { name: each.name, run: () => check(each) }
    }
  },
}

function check(each: PointersCase): void {
  const bytes = fromHex(each.bytes)
  if (each.kind === 'encode') {
    const table = tableOf(each.length, each.rows)
    const out = new Uint8Array(tableLength(table))
    assert.equal(encodeTable(table, out, 0), out.length)
    assert.equal(toHex(out), each.bytes)
    const got = decodeTable(bytes)
    assert.equal(got.length, each.length)
    assert.deepEqual(rowsOf(got), each.rows)
    return
  }
  if (each.level === 'reference') {
    // The original takes it; stricter is fine, but it must be an answer or a typed error.
    try {
      decodeTable(bytes)
    } catch (error) {
      assert.equal((error as { code?: string }).code, 'TRIE_BAD_NODE')
    }
    return
  }
  assert.ok(each.expect)
  if (each.expect.error !== undefined) {
    assert.throws(() => decodeTable(bytes), { code: 'TRIE_BAD_NODE' })
    return
  }
  const got = decodeTable(bytes)
  assert.equal(got.length, each.expect.length)
  assert.deepEqual(rowsOf(got), each.expect.rows)
}

/** A table of rows as the vectors write them. */
export function tableOf(length: number, rows: readonly Row[]): PointerTable {
  const cells: number[] = []
  for (const [row, slots] of rows) {
    const bits = slots.reduce((sum, pointer, slot) => (pointer ? sum + 2 ** slot : sum), 0)
    cells.push(row, bits, ...slots.filter((pointer) => pointer !== 0))
  }
  return new PointerTable(cells, length)
}

/** The rows of a table as the vectors write them. */
export function rowsOf(table: PointerTable): Row[] {
  const rows: Row[] = []
  for (let at = 0; at < table.cells.length; at = table.next(at)) {
    const slots: number[] = []
    for (let slot = 0; slot < 32; slot++) slots.push(table.slotAt(at, slot))
    while (slots.at(-1) === 0) slots.pop()
    rows.push([table.rowAt(at), slots])
  }
  return rows
}
