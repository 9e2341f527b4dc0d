/** Keys, components, hashes and paths: trie/hash. */
import assert from 'node:assert/strict'
import { toHex } from '../../../src/bytes.ts'
import { HashPath, storedKey } from '../../../src/trie/hash-path.ts'
import type { VectorKind } from '../vector.ts'

interface HashCase {
  readonly key: string
  readonly storedKey: string
  readonly components: readonly string[]
  readonly hash: string
  readonly pathLength: number
  readonly path: string
}

export const kind: VectorKind = {
  name: 'trie/hash',
  *cases({ json }) {
    for (const each of json.cases as readonly HashCase[]) {
      yield { name: JSON.stringify(each.key), run: () => check(each) }
    }
  },
}

function check(want: HashCase): void {
  assert.equal(storedKey(want.key), want.storedKey)
  for (const hidden of [false, true]) {
    const path = new HashPath(storedKey(want.key), hidden)
    assert.deepEqual(path.components, want.components)
    assert.equal(toHex(path.hash), want.hash)
    assert.equal(path.length, want.pathLength)
    const symbols = Array.from({ length: path.length }, (_, i) => path.symbol(i)).join('')
    assert.equal(symbols, (hidden ? '1' : '0') + want.path.slice(1))
    assert.equal(path.symbol(path.length), 4)
    assert.equal(path.symbol(path.length + 1000), 4)
  }
}
