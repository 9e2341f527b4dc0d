/** Vectors of the hashes of leaves, parents and roots: `log/hashes`. */
import assert from 'node:assert/strict'
import { fromHex, toHex } from '../../../src/bytes.ts'
import { leafNode, parentNode, signable, treeHash } from '../../../src/merkle/index.ts'
import type { VectorKind } from '../vector.ts'
import { type BlockSpec, type NodeSpec, blockOf, nodeOf, nodeSpec } from './notation.ts'

type Case =
  | { readonly op: 'leaf'; readonly data: BlockSpec; readonly size: number; readonly hash: string }
  | {
      readonly op: 'parent'
      readonly first: NodeSpec
      readonly second: NodeSpec
      readonly size: number
      readonly hash: string
    }
  | {
      readonly op: 'tree'
      readonly length: number
      readonly roots: readonly NodeSpec[]
      readonly hash: string
      readonly signable: string
      readonly signableFromHash: string
    }

export const kind: VectorKind = {
  name: 'log/hashes',
  *cases(file) {
    for (const [i, each] of (file.json.cases as readonly Case[]).entries()) {
      yield { name: `${i} ${each.op}`, run: () => check(each) }
    }
  },
}

function check(each: Case): void {
  switch (each.op) {
    case 'leaf': {
      const { hash, size } = nodeSpec(leafNode(0, blockOf(each.data)))
      assert.deepEqual({ hash, size }, { hash: each.hash, size: each.size })
      break
    }
    case 'parent': {
      const { hash, size } = nodeSpec(parentNode(nodeOf(each.first), nodeOf(each.second)))
      assert.deepEqual({ hash, size }, { hash: each.hash, size: each.size })
      break
    }
    case 'tree': {
      const hash = treeHash(each.roots.map(nodeOf))
      assert.equal(toHex(hash), each.hash)
      assert.equal(toHex(signable(hash, each.length)), each.signable)
      assert.equal(toHex(signable(fromHex(each.hash), each.length)), each.signableFromHash)
      break
    }
    default:
      assert.fail(`unknown operation ${JSON.stringify(each)}`)
  }
}
