import { once } from 'node:events'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { signingKeyPair } from '../../src/crypto.ts'
import { MemoryFolder, MemoryStorage, StorageError } from '../../src/storage/index.ts'
import { Store, type StoreOptions, folderOf } from '../../src/store/index.ts'

async function memoryStore(
  t: { teardown(end: () => unknown): unknown },
  options: StoreOptions = {},
  folder: MemoryFolder = new MemoryFolder(),
): Promise<Store> {
  const store = new Store(folder.open, options)
  t.teardown(() => store.close())
  await store.ready()
  return store
}

t.test('the master key is made once and kept in the folder', async (t) => {
  const folder = t.testdir()
  const store = new Store(folder)
  await store.ready()
  const { key } = store.default()
  await store.close()
  t.equal(readFileSync(join(folder, 'master_key')).length, 32)
  const again = new Store(folder)
  await again.ready()
  t.same(again.default().key, key)
  await again.close()
})

t.test(
  'only the first 32 bytes of a master key count, and a shorter one is replaced',
  async (t) => {
    const longer = t.testdir({ master_key: Buffer.alloc(40, 5) })
    const store = new Store(longer)
    await store.ready()
    const given = await memoryStore(t, { masterKey: new Uint8Array(32).fill(5) })
    t.same(store.default().key, given.default().key)
    await store.close()
    const shorter = t.testdir({ master_key: Buffer.alloc(31, 5) })
    const made = new Store(shorter)
    await made.ready()
    await made.close()
    t.equal(readFileSync(join(shorter, 'master_key')).length, 32)
    t.notSame(readFileSync(join(shorter, 'master_key')).subarray(0, 31), Buffer.alloc(31, 5))
    t.throws(() => new Store(shorter, { masterKey: new Uint8Array(31) }), { code: 'STORE_BAD_KEY' })
  },
)

t.test('a log is asked for after ready, and by a key that is one', async (t) => {
  const store = new Store(new MemoryFolder().open)
  t.throws(() => store.default(), { code: 'STORE_NOT_READY' })
  await store.ready()
  for (const key of ['nope', new Uint8Array(5)]) {
    t.throws(() => store.get(key), { code: 'STORE_BAD_KEY' })
  }
  const { publicKey } = signingKeyPair()
  t.throws(() => store.get({ keyPair: { publicKey, secretKey: new Uint8Array(64) } }), {
    code: 'STORE_BAD_KEY',
  })
  await store.close()
  t.throws(() => store.get({ name: 'x' }), { code: 'STORE_CLOSED' })
  await t.rejects(store.ready(), { code: 'STORE_CLOSED' })
  // @ts-expect-error: a caller without types
  t.throws(() => new Store(7), TypeError)
})

t.test('one log is opened once, whoever asks for it and however', async (t) => {
  const store = await memoryStore(t)
  const opened: unknown[] = []
  store.on('feed', (log) => opened.push(log))
  const log = store.get({ name: 'n' })
  await log.ready()
  const { key, discoveryKey } = log
  for (const which of [
    { name: 'n' },
    { key },
    { discoveryKey },
    key ?? '',
    Buffer.from(key ?? []).toString('hex'),
  ]) {
    t.equal(store.get(which), log)
  }
  t.equal(store.namespace('other').get({ name: 'n' }), log)
  t.same(opened, [log])
  t.ok(store.isLoaded({ name: 'n' }))
  t.ok(store.isExternal({ name: 'n' }))
  t.notOk(store.isLoaded({ name: 'm' }))
  t.same([...store.list().values()], [log])
  const random = store.get()
  t.not(random, store.get({}))
})

t.test('an option of a key comes before the default name', async (t) => {
  const store = await memoryStore(t)
  const { publicKey } = signingKeyPair()
  t.same(store.default({ key: publicKey }).key, publicKey)
  t.notSame(store.default().key, publicKey)
  t.same(store.get({ name: '', key: publicKey }).key, publicKey)
})

t.test('a log opened by its key is writable again where it was made, and only there', async (t) => {
  const folder = new MemoryFolder()
  const masterKey = new Uint8Array(32).fill(1)
  const first = new Store(folder.open, { masterKey })
  await first.ready()
  const made = first.get({ name: 'mine' })
  await made.append(Buffer.from('one'))
  const pair = signingKeyPair()
  const paired = first.get({ keyPair: pair })
  await paired.append(Buffer.from('pair'))
  await first.close()

  const again = await memoryStore(t, { masterKey }, folder)
  for (const key of [made.key, paired.key]) {
    const log = again.get({ key })
    await log.ready()
    t.equal(log.writable, true)
    t.equal(await log.append(Buffer.from('two')), 1)
  }
  const { discoveryKey } = made
  await again.close()

  const copied = await memoryStore(t, { masterKey: new Uint8Array(32).fill(2) }, folder)
  const log = copied.get({ discoveryKey })
  await log.ready()
  t.equal(log.writable, false)
  t.same(await log.get(0), Buffer.from('one'))
  await t.rejects(log.append(Buffer.from('x')), { code: 'LOG_NOT_WRITABLE' })
})

t.test('a damaged name file makes the log read-only, and nothing is written', async (t) => {
  const folder = t.testdir()
  const store = new Store(folder)
  await store.ready()
  const made = store.get({ name: 'mine' })
  await made.append(Buffer.from('one'))
  await store.close()
  const name = join(folder, folderOf(made.discoveryKey ?? new Uint8Array()), 'name')
  for (const bytes of [Buffer.alloc(0), Buffer.from([5, 1]), Buffer.alloc(2_000_000)]) {
    writeFileSync(name, bytes)
    const again = new Store(folder)
    await again.ready()
    const log = again.get({ key: made.key })
    await log.ready()
    t.equal(log.writable, false)
    await again.close()
    t.equal(Buffer.compare(readFileSync(name), bytes), 0)
  }
})

t.test('a log known by its discovery key alone must be there', async (t) => {
  const store = await memoryStore(t)
  const log = store.get({ discoveryKey: new Uint8Array(32) })
  await t.rejects(log.ready(), { code: 'LOG_NOT_FOUND' })
  t.notOk(store.isLoaded({ discoveryKey: new Uint8Array(32) }))
})

t.test('what does not open is told by the log', async (t) => {
  const folder = t.testdir()
  const store = new Store(folder)
  await store.ready()
  const name = 'blocked'
  const { discoveryKey } = store.get({ name })
  await store.close()
  const again = new Store(folder)
  await again.ready()
  const other = again.get({ name: 'x' })
  const blocked = join(folder, folderOf(other.discoveryKey ?? new Uint8Array()))
  await again.close()
  t.not(folderOf(discoveryKey ?? new Uint8Array()), blocked)
  mkdirSync(join(blocked, 'key2'), { recursive: true })
  const file = join(t.testdir({ plain: 'x' }), 'plain')
  const failing = new Store(join(file, 'below'))
  await t.rejects(failing.ready(), { code: 'STORAGE_IO' })
  await t.rejects(failing.ready(), { code: 'STORAGE_IO' }, 'and may be tried again')
  await failing.close()
})

t.test('namespaces have default logs of their own; names are not changed', async (t) => {
  const store = await memoryStore(t)
  const foo = store.namespace('foo')
  t.equal(foo.name, 'foo')
  t.equal(foo.namespace('bar').name, 'foo:bar')
  t.equal(store.namespace(Buffer.from([1, 255])).name, '01ff')
  t.match(store.namespace().name, /^[0-9a-f]{64}$/u)
  t.equal(foo.default(), store.get({ name: 'foo' }))
  t.not(foo.default(), store.default())
  t.same([...foo.list().values()], [foo.default()])
})

t.test(
  'a namespace that closes gives its logs back, and only those nobody else has close',
  async (t) => {
    const store = await memoryStore(t)
    const [a, b] = [store.namespace('a'), store.session()]
    const [shared, own] = [a.get({ name: 'shared' }), a.get({ name: 'own' })]
    t.equal(b.get({ name: 'shared' }), shared)
    const closed = once(a, 'close')
    await a.close()
    await closed
    t.equal(own.closed, true)
    t.equal(shared.closed, false)
    t.throws(() => a.get({ name: 'own' }), { code: 'STORE_CLOSED' })
    await a.close()
    await b.close()
    t.equal(shared.closed, true)
    t.ok(store.get({ name: 'own' }) !== own)
  },
)

t.test('logs that nobody uses are closed when there are too many, oldest first', async (t) => {
  const folder = new MemoryFolder()
  const first = new Store(folder.open, { masterKey: new Uint8Array(32) })
  await first.ready()
  const keys: (Uint8Array | null)[] = []
  for (let i = 0; i < 5; i++) {
    const log = first.get({ name: `n${i}` })
    await log.append(Buffer.from('x'))
    keys.push(log.discoveryKey)
  }
  await first.close()
  const store = await memoryStore(t, { masterKey: new Uint8Array(32), cacheSize: 2 }, folder)
  const kept = store.get({ discoveryKey: keys[0] })
  const session = store.session()
  const loose = session.get({ discoveryKey: keys[1] })
  for (const discoveryKey of keys.slice(2)) store.get({ discoveryKey })
  t.equal(kept.closed, false)
  t.equal(loose.closed, false, 'what is used stays, however many there are')
  await session.close()
  t.equal(loose.closed, true)
})

t.test('closing the store closes every log, and its events end', async (t) => {
  const store = new Store(new MemoryFolder().open)
  await store.ready((error) => t.error(error))
  const log = store.namespace('n').default()
  const closed = once(store, 'close')
  await store.close()
  await closed
  await new Promise<void>((resolve) => void store.close(() => resolve()))
  t.ok(log.closed)
  t.ok(store.closed)
})

t.test('a file that cannot be read is an error, not an empty one', async (t) => {
  const file = new MemoryStorage()
  file.read = () => Promise.reject(new StorageError('STORAGE_IO', 'bad sector'))
  const store = new Store(() => file)
  await t.rejects(store.ready(), { code: 'STORAGE_IO' })
  await store.close()
  let failing = false
  const later = new Store(() => {
    const log = new MemoryStorage()
    const read = log.read.bind(log)
    log.read = (at, length) =>
      failing ? Promise.reject(new StorageError('STORAGE_IO', 'bad sector')) : read(at, length)
    return log
  })
  await later.ready()
  failing = true
  await t.rejects(later.get({ name: 'n' }).ready(), { code: 'STORAGE_IO' })
  t.notOk(later.isLoaded({ name: 'n' }))
  await later.close()
})
