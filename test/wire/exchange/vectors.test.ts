import { join } from 'node:path'
import { test } from 'tap'
import { runKind } from '../../vector-runner/vector.ts'
import { kind as digestProof } from '../../vector-runner/wire/digest-proof.ts'
import { kind as endStates } from '../../vector-runner/wire/end-states.ts'
import { kind as haveState } from '../../vector-runner/wire/have-state.ts'
import { kind as reactions } from '../../vector-runner/wire/reactions.ts'
import { kind as basic } from '../../vector-runner/wire/replication-basic.ts'
import { kind as extensions } from '../../vector-runner/wire/replication-extensions.ts'
import { kind as multi } from '../../vector-runner/wire/replication-multi.ts'
import { kind as sparse } from '../../vector-runner/wire/replication-sparse.ts'

const root = join(import.meta.dirname, '../../vectors')

for (const kind of [
  digestProof,
  haveState,
  basic,
  sparse,
  multi,
  extensions,
  endStates,
  reactions,
]) {
  test(`the vectors of ${kind.name} hold`, async (t) => runKind(t, kind, root))
}
