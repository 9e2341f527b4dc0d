/** The record of a mount: trie/mount-record. */
import assert from 'node:assert/strict'
import { fromHex, toHex } from '../../../src/bytes.ts'
import { decodeMountRecord, encodeMountRecord } from '../../../src/trie/index.ts'
import type { VectorKind } from '../vector.ts'

interface Fields {
  readonly key: string
  readonly localPath: string
  readonly version: number | null
  readonly remotePath: string | null
  readonly hash: string | null
}

interface RecordCase extends Fields {
  readonly name: string
  readonly kind: 'encode' | 'decode'
  readonly bytes: string
  readonly expect?: Fields & { readonly error?: string }
}

export const kind: VectorKind = {
  name: 'trie/mount-record',
  *cases({ json }) {
    for (const each of json.cases as readonly RecordCase[]) {
      yield { name: each.name, run: () => check(each) }
    }
  },
}

function check(each: RecordCase): void {
  const bytes = fromHex(each.bytes)
  if (each.kind === 'encode') {
    const { localPath, version, remotePath } = each
    const hash = each.hash === null ? null : fromHex(each.hash)
    const encoded = encodeMountRecord({
      key: fromHex(each.key),
      localPath,
      version,
      remotePath,
      hash,
    })
    assert.equal(toHex(encoded), each.bytes)
    const { key } = each
    assert.deepEqual(decode(bytes), {
      key,
      localPath,
      version: version ?? 0,
      remotePath: remotePath ?? '',
      hash: each.hash,
    })
    return
  }
  if (each.expect?.error !== undefined) {
    assert.throws(() => decodeMountRecord(bytes), { code: 'TRIE_BAD_MOUNT' })
    return
  }
  assert.deepEqual(decode(bytes), each.expect)
}

function decode(bytes: Uint8Array): Fields {
  const record = decodeMountRecord(bytes)
  return { ...record, key: toHex(record.key), hash: record.hash && toHex(record.hash) }
}
