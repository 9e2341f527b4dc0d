import t from 'tap'
import { MemoryFolder } from '../../src/storage/index.ts'
import { Store } from '../../src/store/index.ts'
import type { Connection } from '../../src/wire/index.ts'

interface Ends {
  teardown(end: () => unknown): unknown
}

async function memoryStore(t: Ends, sparse = true): Promise<Store> {
  const store = new Store(new MemoryFolder().open, { sparse })
  t.teardown(() => store.close())
  await store.ready()
  return store
}

function connect(t: Ends, a: Store, b: Store, live = true): [Connection, Connection] {
  const [left, right] = [a.replicate(true, { live }), b.replicate({ initiator: false, live })]
  left.pipe(right).pipe(left)
  t.teardown(() => {
    left.destroy()
    right.destroy()
  })
  return [left, right]
}

t.test('logs got before and after the connection go out on it', async (t) => {
  const [a, b] = [await memoryStore(t), await memoryStore(t)]
  const early = a.get({ name: 'early' })
  await early.append(Buffer.from('early'))
  connect(t, a, b)
  const late = a.get({ name: 'late' })
  await late.append(Buffer.from('late'))
  t.same(await b.get({ key: early.key }).get(0), Buffer.from('early'))
  t.same(await b.get({ key: late.key }).get(0), Buffer.from('late'))
})

t.test('a log that nobody here uses is served when the peer asks for it', async (t) => {
  const [a, b] = [await memoryStore(t), await memoryStore(t)]
  const session = a.session()
  const log = session.get({ name: 'stored' })
  await log.append(Buffer.from('x'))
  await session.close()
  t.ok(log.closed)
  connect(t, a, b)
  t.same(await b.get({ key: log.key }).get(0), Buffer.from('x'))
  t.notOk(a.isExternal({ key: log.key }))
})

t.test(
  'a namespace offers its own logs, and gives others only to whoever knows them',
  async (t) => {
    const [a, b] = [await memoryStore(t), await memoryStore(t)]
    const [shared, other] = [a.namespace('shared'), a.namespace('other')]
    await shared.default().append(Buffer.from('shared'))
    await other.default().append(Buffer.from('other'))
    const asked = new Set<string>()
    const [left, right] = [
      shared.replicate(true, { live: true }),
      b.replicate(false, { live: true }),
    ]
    right.on('discovery-key', (key) => asked.add(Buffer.from(key).toString('hex')))
    left.pipe(right).pipe(left)
    t.same(await b.get({ key: shared.default().key }).get(0), Buffer.from('shared'))
    const hidden = Buffer.from(other.default().discoveryKey ?? []).toString('hex')
    t.notOk(asked.has(hidden))
    t.same(await b.get({ key: other.default().key }).get(0), Buffer.from('other'))
    left.destroy()
    right.destroy()
  },
)

t.test('what is not here is refused, and the connection goes on', async (t) => {
  const [a, b] = [await memoryStore(t), await memoryStore(t)]
  connect(t, a, b)
  const unknown = b.get({ name: 'of b alone' })
  await unknown.append(Buffer.from('x'))
  const log = a.get({ name: 'known' })
  await log.append(Buffer.from('x'))
  t.same(await b.get({ key: log.key }).get(0), Buffer.from('x'))
  await t.rejects(b.get({ key: new Uint8Array(32).fill(3) }).get(0, { wait: 'peers' }), {
    code: 'LOG_UNAVAILABLE',
  })
})

t.test(
  'a connection that is not live ends once nothing is wanted, if no log is sparse',
  async (t) => {
    const [a, b] = [await memoryStore(t, false), await memoryStore(t, false)]
    const log = a.get({ name: 'n' })
    await log.append([Buffer.from('one'), Buffer.from('two')])
    const clone = b.get({ key: log.key })
    const [left] = connect(t, a, b, false)
    await new Promise((resolve) => left.once('close', resolve))
    t.same(await clone.getBatch(0, 2, { wait: false }), [Buffer.from('one'), Buffer.from('two')])
  },
)

t.test('closing a store ends its connections and what they are piped into', async (t) => {
  const [a, b] = [await memoryStore(t), await memoryStore(t)]
  a.default()
  const [left, right] = connect(t, a, b)
  const closed = Promise.all(
    [left, right].map((end) => new Promise((resolve) => end.once('close', resolve))),
  )
  await a.close()
  await closed
  const unread = b.replicate(true)
  await b.close()
  t.ok(unread.destroyed)
})

t.test('an existing connection may be used, and a store that does not open ends it', async (t) => {
  const a = await memoryStore(t)
  const stream = a.namespace('n').replicate(false)
  t.equal(a.replicate({ stream }), stream)
  stream.destroy()
  const broken = new Store(() => {
    throw new Error('no storage')
  })
  const failing = broken.replicate(true)
  const error = await new Promise<Error>((resolve) => failing.once('error', resolve))
  t.equal(error.message, 'no storage')
  await broken.close()
})
