/**
 * `log/bitfield.json`: the bits, their pages and the index over them.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { concat, toHex } from '../../../src/bytes.ts'
import { Bitfield, PAGE_BLOCKS } from '../../../src/log/bitfield.ts'
import { encodeRle } from '../../../src/log/rle.ts'
import type { VectorCase, VectorFile, VectorKind } from '../vector.ts'
import { assertDump } from './dump.ts'
import type { Dump } from './dump.ts'

type Operation =
  | readonly ['set' | 'tree', start: number, end: number, value: boolean, changed: number]
  | readonly ['total', start: number, end: number, count: number]
  | readonly ['compress', start: number, length: number, hex: string]
  | readonly ['missing', start: number, end: number, max: number, indexes: readonly number[]]
  | readonly ['reload']

interface BitfieldCase {
  readonly name: string
  readonly pageSize: number
  readonly operations: readonly Operation[]
  readonly pages: number
  readonly body: Dump
}

/** Handler of the file. */
export const kind: VectorKind = {
  name: 'log/bitfield',
  *cases(file: VectorFile): Iterable<VectorCase> {
    for (const each of file.json.cases as readonly BitfieldCase[]) {
      yield { name: each.name, run: () => runCase(each) }
    }
  },
}

function runCase(each: BitfieldCase): void {
  let bitfield = new Bitfield(each.pageSize)
  const file = new Map<number, Uint8Array>()
  for (const operation of each.operations) {
    if (operation[0] === 'reload') {
      write(bitfield, file)
      bitfield = reload(bitfield, file)
    } else apply(bitfield, operation)
  }
  write(bitfield, file)
  // A page counts once it is in memory, also when nothing of it was written.
  const written = bitfield.pageCount
  assert.equal(written, each.pages, 'pages')
  const blank = new Uint8Array(each.pageSize)
  const body = concat(Array.from({ length: written }, (_, page) => file.get(page) ?? blank))
  assertDump(body, each.body, 'body')
}

function apply(bitfield: Bitfield, operation: Exclude<Operation, readonly ['reload']>): void {
  const label = JSON.stringify(operation).slice(0, 80)
  switch (operation[0]) {
    case 'set':
      assert.equal(bitfield.set(operation[1], operation[2], operation[3]), operation[4], label)
      return
    case 'tree': {
      let changed = 0
      for (let i = operation[1]; i < operation[2]; i++) {
        if (bitfield.setNode(i, operation[3])) changed++
      }
      assert.equal(changed, operation[4], label)
      return
    }
    case 'total': {
      const [, start, end, count] = operation
      assert.equal(bitfield.count(start, end > 0 ? end : Infinity), count, label)
      return
    }
    case 'compress': {
      const [, start, length, hex] = operation
      const all = start === 0 && length === 0
      const bits = bitfield.bits(start, all ? bitfield.span : length)
      assert.equal(toHex(encodeRle(bits)), hex, label)
      return
    }
    case 'missing': {
      const [, start, end, max, indexes] = operation
      const found: number[] = []
      for (let at = start; found.length < max; at++) {
        at = bitfield.nextMissing(at, end)
        if (at < 0) break
        found.push(at)
      }
      assert.deepEqual(found, indexes, label)
    }
  }
}

function write(bitfield: Bitfield, file: Map<number, Uint8Array>): void {
  for (const { page, bytes } of bitfield.takeDirty()) file.set(page, bytes.slice())
}

/** All pages in memory are read back, as they were written or as zeros. */
function reload(before: Bitfield, file: ReadonlyMap<number, Uint8Array>): Bitfield {
  const { pageBytes } = before
  const bitfield = new Bitfield(pageBytes)
  for (let page = 0; page < before.pageCount; page++) {
    bitfield.load(page, file.get(page)?.slice() ?? new Uint8Array(pageBytes))
  }
  assert.equal(bitfield.span, bitfield.pageCount * PAGE_BLOCKS)
  return bitfield
}
