/** The vectors of crash recovery: apart, since they open large logs many times. */
import { join } from 'node:path'
import t from 'tap'
import { kind } from '../vector-runner/log/recovery.ts'
import { runKind } from '../vector-runner/vector.ts'

// Hashing of about a million small blocks; far more than enough on a busy machine.
t.setTimeout(240_000)

t.test('every case of log/recovery passes', (t) =>
  runKind(t, kind, join(import.meta.dirname, '..', 'vectors')),
)
