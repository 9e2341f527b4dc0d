import t from 'tap'
import { ContentLock, type Job } from '../../src/drive/content/content-lock.ts'

interface NamedJob extends Job {
  readonly name: string
}

/** A lock whose batches end when they are told to. */
function lockFor(): { lock: ContentLock<NamedJob>; batches: string[][]; end: (() => void)[] } {
  const batches: string[][] = []
  const end: (() => void)[] = []
  const lock = new ContentLock<NamedJob>((jobs) => {
    batches.push(jobs.map(({ name }) => name))
    return new Promise((resolve) => end.push(resolve))
  })
  return { lock, batches, end }
}

t.test('jobs that wait together are done together', async (t) => {
  const { lock, batches, end } = lockFor()
  for (const name of ['a', 'b', 'c']) lock.submit({ name, byteLength: 1 })
  t.same(batches, [['a']])
  end[0]?.()
  await new Promise(setImmediate)
  t.same(batches, [['a'], ['b', 'c']])
  t.ok(lock.taken)
  end[1]?.()
  await new Promise(setImmediate)
  t.notOk(lock.taken)
})

t.test('whoever holds the lock comes in his turn, between jobs', async (t) => {
  const { lock, batches, end } = lockFor()
  lock.submit({ name: 'a', byteLength: 1 })
  const held = lock.acquire()
  lock.submit({ name: 'b', byteLength: 1 })
  t.same(batches, [['a']])
  end[0]?.()
  const release = await held
  t.same(batches, [['a']])
  release()
  release()
  t.same(batches, [['a'], ['b']])
})

t.test('a batch is bounded in bytes, but never empty', async (t) => {
  const { lock, batches, end } = lockFor()
  const release = await lock.acquire()
  const large = 12 * 1024 * 1024
  for (const name of ['a', 'b', 'c']) lock.submit({ name, byteLength: large })
  release()
  t.same(batches, [['a']])
  end[0]?.()
  await new Promise(setImmediate)
  t.same(batches, [['a'], ['b']])
})
