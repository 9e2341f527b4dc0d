/** Scripts and queries: trie/collisions. */
import type { VectorKind } from '../vector.ts'
import { runScript, type Script } from './script.ts'

export const kind: VectorKind = {
  name: 'trie/collisions',
  *cases({ json }) {
    for (const each of json.cases as readonly Script[]) {
      yield { name: each.name, run: () => runScript(each) }
    }
  },
}
