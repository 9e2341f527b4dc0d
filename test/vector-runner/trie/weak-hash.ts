/** Scripts under a weak hash, with chains of three and more: trie/weak-hash. */
import { fromUtf8 } from '../../../src/bytes.ts'
import { splitKey } from '../../../src/trie/hash-path.ts'
import type { VectorKind } from '../vector.ts'
import { runScript, type Script } from './script.ts'

export const kind: VectorKind = {
  name: 'trie/weak-hash',
  *cases({ json }) {
    for (const each of json.cases as readonly Script[]) {
      yield { name: each.name, run: () => runScript(each, { hash: weakHash }) }
    }
  },
}

/** Per component 8 bytes: the sum of its bytes, then zeros. */
export function weakHash(key: string): Uint8Array {
  const components = splitKey(key)
  const out = new Uint8Array(components.length * 8)
  components.forEach((component, i) => {
    for (const byte of fromUtf8(component)) out[i * 8] = ((out[i * 8] ?? 0) + byte) & 255
  })
  return out
}
