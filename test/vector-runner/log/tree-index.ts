/** Vectors of node sets, digests and the plans of proofs: `log/tree-index`. */
import assert from 'node:assert/strict'
import {
  SparseNodeSet,
  blocksOf,
  digest,
  flatTree,
  planProof,
  verifiedBy,
} from '../../../src/merkle/index.ts'
import type { VectorKind } from '../vector.ts'

interface Query {
  readonly index: number
  readonly digest: number
  readonly verifiedBy: number
  readonly proofs: readonly {
    readonly digest: number
    readonly hash: boolean
    readonly nodes?: readonly number[]
    readonly verifiedBy?: number
    readonly none?: true
  }[]
}

interface Case {
  readonly name: string
  readonly sets: readonly number[]
  readonly bits: readonly number[]
  readonly blocks: number
  readonly roots: readonly number[]
  readonly queries: readonly Query[]
}

export const kind: VectorKind = {
  name: 'log/tree-index',
  *cases(file) {
    for (const each of file.json.cases as readonly Case[]) {
      yield { name: each.name, run: () => check(each) }
    }
  },
}

function check({ sets, bits, blocks, roots, queries }: Case): void {
  const set = new SparseNodeSet()
  for (const index of sets) set.add(index)
  assert.deepEqual(known(set, Math.max(...sets, ...bits, 0)), bits)
  assert.equal(blocksOf(set), blocks, 'blocks')
  assert.deepEqual(flatTree.fullRoots(2 * blocks), roots, 'roots')
  const span = Math.max(0, ...bits.map(flatTree.nextLeaf))
  for (const query of queries) {
    const { index } = query
    assert.equal(digest(set, index, span), query.digest, `digest of ${index}`)
    assert.equal(verifiedBy(set, index), query.verifiedBy, `verifiedBy of ${index}`)
    for (const { none, digest: known, hash, ...proof } of query.proofs) {
      const expected = none ? null : { indices: proof.nodes, verifiedBy: proof.verifiedBy }
      const text = `proof of ${index}, digest ${known}, hash ${hash}`
      assert.deepEqual(planProof(set, index, { digest: known, hash }), expected, text)
    }
  }
}

/** Every known node up to `last`. */
function known(set: SparseNodeSet, last: number): number[] {
  const indices: number[] = []
  for (let index = 0; index <= 2 * last; index++) if (set.has(index)) indices.push(index)
  return indices
}
