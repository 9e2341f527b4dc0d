/** Value encodings: trie/values. */
import assert from 'node:assert/strict'
import { toHex } from '../../../src/bytes.ts'
import { Trie } from '../../../src/trie/index.ts'
import type { Encoding } from '../../../src/value-encoding.ts'
import { MemoryLog } from '../../trie/memory-log.ts'
import type { VectorKind } from '../vector.ts'

interface ValueCase {
  readonly encoding: string | null
  readonly value: unknown
  readonly block: string
  readonly read: unknown
}

export const kind: VectorKind = {
  name: 'trie/values',
  *cases({ json }) {
    for (const each of json.cases as readonly ValueCase[]) {
      const name = `${each.encoding}: ${JSON.stringify(each.value)}`
      yield { name, run: () => check(each) }
    }
  },
}

async function check({ encoding, value, block, read }: ValueCase): Promise<void> {
  const log = new MemoryLog()
  const valueEncoding = encoding as Encoding
  await new Trie<unknown>(log, { valueEncoding }).put('k', value)
  assert.equal(toHex(log.blocks[1] ?? new Uint8Array(0)), block)
  const entry = await new Trie<unknown>(log, { valueEncoding }).get('k')
  assert.ok(entry)
  const got = entry.value instanceof Uint8Array ? { bytes: toHex(entry.value) } : entry.value
  assert.deepEqual(got, read)
}
