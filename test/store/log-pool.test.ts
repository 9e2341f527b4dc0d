import t from 'tap'
import { Log } from '../../src/log/index.ts'
import { MemoryStorage, MemoryFolder } from '../../src/storage/index.ts'
import { LogPool } from '../../src/store/log-pool.ts'
import { Store } from '../../src/store/index.ts'

/** A log that is in the pool under a made-up discovery key. */
function pooled(pool: LogPool, i: number): { id: Uint8Array; log: Log } {
  const [id, log] = [new Uint8Array(32).fill(i), new Log(() => new MemoryStorage())]
  pool.add(id, log)
  return { id, log }
}

t.test(
  'of too many logs those go that nobody uses, oldest first, but not the newest',
  async (t) => {
    const pool = new LogPool(2)
    const first = pooled(pool, 1)
    pool.reference(first.id, t)
    const [second, third] = [pooled(pool, 2), pooled(pool, 3)]
    t.same(
      [first, second, third].map(({ log }) => log.closed),
      [false, true, false],
    )
    const fourth = pooled(pool, 4)
    t.same([third.log.closed, fourth.log.closed], [true, false])
    t.equal(pool.get(second.id), null)
    t.equal(pool.get(fourth.id), fourth.log)
    pool.reference(fourth.id, pool)
    const fifth = pooled(pool, 5)
    t.equal(fifth.log.closed, false, 'the pool grows rather than close what was just asked for')
    t.same([...pool.referenced()], [first.log, fourth.log])
    await pool.close()
    t.ok(first.log.closed && fifth.log.closed)
  },
)

t.test('a log is used once by each user, and closed with the last', async (t) => {
  const pool = new LogPool(0)
  const { id, log } = pooled(pool, 1)
  const [a, b] = [{}, {}]
  pool.reference(id, a)
  pool.reference(id, a)
  pool.reference(id, b)
  t.ok(pool.isUsedBy(id, a) && pool.isReferenced(id))
  t.same(
    [...pool.of(b)].map(([, each]) => each),
    [log],
  )
  await pool.release(a)
  t.notOk(pool.isUsedBy(id, a))
  t.notOk(log.closed)
  await pool.release(b)
  t.ok(log.closed)
  t.notOk(pool.isReferenced(id))
  pool.reference(id, a)
  t.notOk(pool.isReferenced(id), 'what is not there is not used')
})

t.test(
  'a log that is closed by itself, or does not open, leaves; another in its place stays',
  async (t) => {
    const pool = new LogPool(9)
    const closing = pooled(pool, 1)
    await closing.log.close()
    t.equal(pool.get(closing.id), null)
    const id = new Uint8Array(32).fill(2)
    const failing = new Log(() => new MemoryStorage(), null, { createIfMissing: false })
    pool.add(id, failing)
    await t.rejects(failing.ready(), { code: 'LOG_NOT_FOUND' })
    t.equal(pool.get(id), null)
    const [before, after] = [pooled(pool, 3), pooled(pool, 3)]
    await before.log.close()
    t.equal(pool.get(after.id), after.log)
    await pool.close()
  },
)

t.test('closing the store ends the connections of its namespaces and sessions too', async (t) => {
  const [a, b] = [new Store(new MemoryFolder().open), new Store(new MemoryFolder().open)]
  t.teardown(() => b.close())
  await Promise.all([a.ready(), b.ready()])
  const ends = [a.namespace('n'), a.session()].map((face) => {
    const [left, right] = [face.replicate(true, { live: true }), b.replicate(false, { live: true })]
    left.pipe(right).pipe(left)
    return Promise.all([left, right].map((end) => new Promise((done) => end.once('close', done))))
  })
  await a.close()
  await Promise.all(ends)
  t.pass('all four ends are closed')
})

t.test('what is external is used by some store object, whichever', async (t) => {
  const store = new Store(new MemoryFolder().open)
  t.teardown(() => store.close())
  await store.ready()
  const [one, two] = [store.namespace('one'), store.session()]
  const log = one.default()
  await log.ready()
  const { key } = log
  t.ok([store, one, two].every((face) => face.isExternal({ key })))
  t.equal(two.get({ key }), log)
  await one.close()
  t.ok(store.isExternal({ key }), 'the other uses it still')
  t.ok(store.isLoaded({ key }))
  await two.close()
  t.notOk(store.isExternal({ key }))
  t.notOk(store.isLoaded({ key }))
  t.ok(log.closed)
})

t.test('a namespace derives as the store does, whatever object asks', async (t) => {
  const options = { masterKey: new Uint8Array(32).fill(5) }
  const [a, b] = [
    new Store(new MemoryFolder().open, options),
    new Store(new MemoryFolder().open, options),
  ]
  t.teardown(() => Promise.all([a.close(), b.close()]))
  await Promise.all([a.ready(), b.ready()])
  const nested = a.namespace('x').namespace('y').default()
  const named = b.get({ name: 'x:y' })
  t.same(
    nested.key ?? (await nested.ready(), nested.key),
    named.key ?? (await named.ready(), named.key),
  )
})
