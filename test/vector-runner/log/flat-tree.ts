/** Vectors of the numbering of tree nodes: `log/flat-tree`. */
import assert from 'node:assert/strict'
import { Cursor, flatTree } from '../../../src/merkle/index.ts'
import type { VectorKind } from '../vector.ts'

interface NodeCase {
  readonly op: 'node'
  readonly index: number
  readonly depth: number
  readonly offset: number
  readonly parent: number
  readonly sibling: number
  readonly leftChild: number
  readonly rightChild: number
  readonly children: [number, number] | null
  readonly leftSpan: number
  readonly rightSpan: number
  readonly count: number
  readonly countLeaves: number
  readonly nextLeaf: number
}

type Move = 'next' | 'prev' | 'parent' | 'sibling' | 'leftChild' | 'rightChild' | 'isLeft'

type Case =
  | NodeCase
  | { readonly op: 'fullRoots'; readonly index: number; readonly roots?: number[] }
  | {
      readonly op: 'index'
      readonly depth: number
      readonly offset: number
      readonly index: number
    }
  | {
      readonly op: 'iterator'
      readonly seek: number
      readonly steps: readonly [Move, number | boolean, number, number, number][]
    }

export const kind: VectorKind = {
  name: 'log/flat-tree',
  *cases(file) {
    for (const [i, each] of (file.json.cases as readonly Case[]).entries()) {
      yield { name: `${i} ${each.op}`, run: () => check(each) }
    }
  },
}

function check(each: Case): void {
  switch (each.op) {
    case 'node': {
      const { op, ...expected } = each
      assert.deepEqual(everythingOf(each.index), expected, op)
      break
    }
    case 'fullRoots':
      if (each.roots) assert.deepEqual(flatTree.fullRoots(each.index), each.roots)
      else assert.throws(() => flatTree.fullRoots(each.index), RangeError)
      break
    case 'index':
      assert.equal(flatTree.index(each.depth, each.offset), each.index)
      break
    case 'iterator': {
      const cursor = new Cursor(each.seek)
      for (const [move, result, ...place] of each.steps) {
        assert.equal(move === 'isLeft' ? cursor.isLeft : cursor[move](), result, move)
        assert.deepEqual([cursor.index, cursor.offset, cursor.factor], place, move)
      }
      break
    }
    default:
      assert.fail(`unknown operation ${JSON.stringify(each)}`)
  }
}

function everythingOf(index: number): Omit<NodeCase, 'op'> {
  return {
    index,
    depth: flatTree.depth(index),
    offset: flatTree.offset(index),
    parent: flatTree.parent(index),
    sibling: flatTree.sibling(index),
    leftChild: flatTree.leftChild(index),
    rightChild: flatTree.rightChild(index),
    children: flatTree.children(index),
    leftSpan: flatTree.leftSpan(index),
    rightSpan: flatTree.rightSpan(index),
    count: flatTree.count(index),
    countLeaves: flatTree.countLeaves(index),
    nextLeaf: flatTree.nextLeaf(index),
  }
}
