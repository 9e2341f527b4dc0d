/** Vectors of our own, in the schema of those that came with the specification. */
import { join } from 'node:path'
import t from 'tap'
import { kind as verify } from '../vector-runner/log/verify.ts'
import { runKind } from '../vector-runner/vector.ts'

t.test('roots alone prove nothing: every own case of log/verify passes', (t) => {
  return runKind(t, verify, join(import.meta.dirname, '..', 'vectors-own'))
})
