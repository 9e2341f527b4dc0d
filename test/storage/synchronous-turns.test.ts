/** Small operations are done at once, but not so that nobody else comes to work. */
import { join } from 'node:path'
import { test } from 'tap'
import { FileStorage } from '../../src/storage/index.ts'
import { SynchronousTurns } from '../../src/storage/synchronous-turns.ts'

test('who awaits one small operation after the other comes back to the event loop', async (t) => {
  const file = new FileStorage(join(t.testdir(), 'file'))
  await file.write(0, new Uint8Array(100))
  let turns = 0
  let immediate = setImmediate(function count() {
    turns++
    immediate = setImmediate(count)
  })
  for (let i = 0; i < 200; i++) {
    await file.write(i, Uint8Array.of(i))
    t.equal((await file.read(i, 1))[0], i)
  }
  clearImmediate(immediate)
  t.ok(turns >= 5, `${turns} turns`)
  await file.close()
})

test('large operations never get a turn, small ones all but every 33rd', (t) => {
  const turns = new SynchronousTurns()
  t.notOk(turns.take(65537))
  const taken = Array.from({ length: 66 }, () => turns.take(65536))
  t.equal(taken.filter((each) => !each).length, 2)
  t.notOk(taken[32])
  t.end()
})

test('what is done at once keeps its place behind what waits', async (t) => {
  const file = new FileStorage(join(t.testdir(), 'file'))
  await file.write(0, Uint8Array.of(0))
  const large = file.write(0, new Uint8Array(200_000).fill(1))
  const small = file.write(5, Uint8Array.of(2))
  const read = file.read(4, 3)
  await Promise.all([large, small])
  t.strictSame([...(await read)], [1, 2, 1])
  await t.rejects(file.read(199_999, 2), { code: 'STORAGE_SHORT' })
  await t.rejects(file.read(300_000, 1), { code: 'STORAGE_SHORT' })
  await file.close()
  await t.rejects(file.write(0, Uint8Array.of(1)), { code: 'STORAGE_CLOSED' })
})
