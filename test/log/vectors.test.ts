/** The vectors of the log, through the handlers that `npm run vectors` uses. */
import { join } from 'node:path'
import t from 'tap'
import { kind as behaviour } from '../vector-runner/log/behaviour.ts'
import { kind as bitfield } from '../vector-runner/log/bitfield.ts'
import { kind as fixtures } from '../vector-runner/log/fixtures.ts'
import { kind as replica } from '../vector-runner/log/replica.ts'
import { kind as rle } from '../vector-runner/log/rle.ts'
import { kind as storage } from '../vector-runner/log/storage.ts'
import { runKind } from '../vector-runner/vector.ts'

const root = join(import.meta.dirname, '..', 'vectors')

for (const kind of [rle, bitfield, storage, replica, fixtures, behaviour]) {
  t.test(`every case of ${kind.name} passes`, (t) => runKind(t, kind, root))
}
