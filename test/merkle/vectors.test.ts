/** The tree's part of the log vectors. */
import t from 'tap'
import { kind as flatTree } from '../vector-runner/log/flat-tree.ts'
import { kind as hashes } from '../vector-runner/log/hashes.ts'
import { kind as keys } from '../vector-runner/log/keys.ts'
import { kind as proofs } from '../vector-runner/log/proofs.ts'
import { kind as seek } from '../vector-runner/log/seek.ts'
import { kind as signatures } from '../vector-runner/log/signatures.ts'
import { kind as treeIndex } from '../vector-runner/log/tree-index.ts'
import { kind as verify } from '../vector-runner/log/verify.ts'
import { runKind } from '../vector-runner/vector.ts'

for (const kind of [flatTree, hashes, keys, signatures, treeIndex, proofs, verify, seek]) {
  t.test(`the vectors of ${kind.name} pass`, (t) => runKind(t, kind, 'test/vectors'))
}
