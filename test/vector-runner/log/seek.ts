/** Vectors of finding a byte, in whole logs and in replicas: `log/seek`. */
import assert from 'node:assert/strict'
import { signingKeyPair } from '../../../src/crypto.ts'
import { MerkleError, type SeekLog, seek } from '../../../src/merkle/index.ts'
import { Replica, Source } from '../../merkle/models.ts'
import type { VectorKind } from '../vector.ts'

interface Query {
  readonly bytes: number
  readonly index?: number
  readonly offset?: number
  readonly error?: string
  readonly nearest?: { readonly node: number; readonly offset: number }
}

interface Case {
  readonly name: string
  readonly kind: 'full' | 'replica'
  readonly sizes: readonly number[]
  readonly puts?: readonly { readonly index: number; readonly hash: boolean }[]
  readonly byteLength: number
  readonly length?: number
  readonly queries: readonly Query[]
}

export const kind: VectorKind = {
  name: 'log/seek',
  *cases(file) {
    for (const each of file.json.cases as readonly Case[]) {
      yield { name: `${each.name} (${each.kind})`, run: () => check(each) }
    }
  },
}

function check(each: Case): void {
  const log = logOf(each)
  assert.equal(log.byteLength, each.byteLength)
  if (each.length !== undefined) assert.equal(log.length, each.length)
  for (const query of each.queries) checkQuery(log, query)
}

function logOf({ kind, sizes, puts = [] }: Case): SeekLog {
  const keyPair = signingKeyPair(new Uint8Array(32))
  const fill = kind === 'full' ? 1 : 2
  const source = new Source(
    sizes.map((size) => new Uint8Array(size).fill(fill)),
    keyPair,
  )
  if (kind === 'full') {
    const { nodes, set, blocks } = source
    const byteLength = sizes.reduce((sum, size) => sum + size, 0)
    return { length: blocks.length, byteLength, set, stored: (index) => nodes.get(index) }
  }
  const replica = new Replica(keyPair.publicKey)
  for (const { index, hash } of puts) {
    replica.accept(source.prove(index, { digest: replica.digest(index), hash }))
  }
  const { length, byteLength, set, nodes } = replica
  return { length, byteLength, set, stored: (index) => nodes.get(index) }
}

function checkQuery(log: SeekLog, { bytes, index, offset, error, nearest }: Query): void {
  const text = `byte ${bytes}`
  if (index !== undefined) {
    assert.deepEqual(seek(log, bytes), { type: 'block', index, offset }, text)
  } else if (nearest) {
    const { node, offset: rest } = nearest
    assert.deepEqual(seek(log, bytes), { type: 'subtree', treeIndex: node, offset: rest }, text)
  } else {
    assert.throws(
      () => seek(log, bytes),
      (thrown) =>
        thrown instanceof RangeError ||
        (thrown instanceof MerkleError && thrown.code === 'MERKLE_OUT_OF_BOUNDS'),
      `${text}: ${error}`,
    )
  }
}
