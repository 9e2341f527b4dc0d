/** Scripts and queries: trie/logs-small. */
import type { VectorKind } from '../vector.ts'
import { runScript, type Script } from './script.ts'

export const kind: VectorKind = {
  name: 'trie/logs-small',
  *cases({ json }) {
    for (const each of json.cases as readonly Script[]) {
      yield { name: each.name, run: () => runScript(each) }
    }
  },
}
