/** Block 0: trie/header. */
import assert from 'node:assert/strict'
import { fromHex, toHex } from '../../../src/bytes.ts'
import { decodeHeader, encodeHeader } from '../../../src/trie/header.ts'
import type { VectorKind } from '../vector.ts'

interface HeaderCase {
  readonly name: string
  readonly kind: 'encode' | 'decode'
  readonly type: string
  readonly metadata: string | null
  readonly subtype: string | null
  readonly block: string
  readonly expect?: { error?: string; type: string; metadata: string | null; subtype: string }
}

export const kind: VectorKind = {
  name: 'trie/header',
  *cases({ json }) {
    for (const each of json.cases as readonly HeaderCase[]) {
      yield { name: each.name, run: () => check(each) }
    }
  },
}

function check(each: HeaderCase): void {
  const block = fromHex(each.block)
  if (each.kind === 'encode') {
    const { type, metadata, subtype } = each
    const bytes = metadata === null ? null : fromHex(metadata)
    assert.equal(toHex(encodeHeader({ type, metadata: bytes, subtype })), each.block)
    assert.deepEqual(decodeHeader(block), {
      type,
      metadata: bytes && new Uint8Array(bytes),
      subtype: subtype ?? '',
    })
    return
  }
  assert.ok(each.expect)
  if (each.expect.error !== undefined) {
    assert.throws(() => decodeHeader(block), { code: 'TRIE_BAD_HEADER' })
    return
  }
  const got = decodeHeader(block)
  assert.deepEqual({ ...got, metadata: got.metadata && toHex(got.metadata) }, each.expect)
}
