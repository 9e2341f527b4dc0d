import { once } from 'node:events'
import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { signingKeyPair } from '../../src/crypto.ts'
import { Drive, type DriveOptions } from '../../src/drive/index.ts'
import { MemoryFolder, MemoryStorage } from '../../src/storage/index.ts'
import { Store, folderOf } from '../../src/store/index.ts'
import { encodeHeader } from '../../src/trie/index.ts'
import { cloneOf, code, join as connect, memoryDrive } from './drives.ts'

t.test('a folder keeps the drive, and a copy of the key finds it', async (t) => {
  const folder = t.testdir()
  const drive = new Drive(folder)
  await drive.writeFile('f', 'x')
  const { key } = drive
  await drive.close()
  const again = new Drive(folder)
  t.equal(await again.readFile('f', 'utf8'), 'x')
  t.same(again.key, key)
  t.equal(again.version, 2)
  await again.close()
  const byKey = new Drive(folder, key)
  await byKey.ready()
  t.equal(byKey.writable, true)
  await byKey.close()
})

t.test('a key is bytes or text that holds one; anything else is refused at once', async (t) => {
  const { publicKey } = signingKeyPair()
  const hex = Buffer.from(publicKey).toString('hex')
  for (const key of [publicKey, hex, hex.toUpperCase(), `hyper://${hex}/path`]) {
    const drive = new Drive(new MemoryFolder().open, key)
    t.same(drive.key, Buffer.from(publicKey))
    await drive.ready()
    t.equal(drive.writable, false)
    await drive.close()
  }
  for (const key of ['', 'nope', hex.slice(1), `${hex} ${hex}`, new Uint8Array(31)]) {
    t.throws(() => new Drive(new MemoryFolder().open, key), code('DRIVE_BAD_KEY'))
  }
  // @ts-expect-error: a caller without types
  t.throws(() => new Drive(7), TypeError)
})

t.test('a storage function is told the file, the keys of its log, and the drive', async (t) => {
  const calls: unknown[][] = []
  const drive: Drive = new Drive((path, owner, of) => {
    calls.push([path, owner.discoveryKey && folderOf(owner.discoveryKey), of])
    return new MemoryStorage()
  })
  await drive.ready()
  const [first, second] = calls
  t.same(first?.slice(0, 2), ['master_key', null])
  t.equal(second?.[0], `${String(second?.[1])}/key`)
  for (const call of calls) t.equal(call[2], drive)
  await drive.close()
})

t.test('properties before and after it is open', async (t) => {
  const drive = new Drive(new MemoryFolder().open)
  t.match(drive, {
    key: null,
    discoveryKey: null,
    version: 0,
    writable: false,
    contentWritable: false,
  })
  t.match(drive, {
    metadata: null,
    content: null,
    db: null,
    peers: [],
    isCheckout: false,
    closed: false,
  })
  t.match(drive, { sparse: true, sparseMetadata: true })
  await drive.ready()
  t.match(drive, { version: 1, writable: true, contentWritable: true })
  t.equal(drive.key?.length, 32)
  t.equal(drive.discoveryKey?.length, 32)
  t.ok(drive.db && drive.metadata && drive.content && drive.corestore)
  await drive.close()
})

t.test('a clone is ready without peers, empty, and says that it may not be written', async (t) => {
  const clone = new Drive(new MemoryFolder().open, signingKeyPair().publicKey)
  await clone.ready()
  t.match(clone, { version: 0, writable: false, contentWritable: false, content: null })
  await t.rejects(clone.readFile('f'), { code: 'ENOENT', errno: 2 })
  t.same(await clone.readdir('/'), [])
  await t.rejects(clone.mkdir('d'), code('EROFS'))
  const content = clone.getContent()
  const closed = t.rejects(content, code('DRIVE_CLOSED'))
  await clone.close()
  await closed
})

t.test('a drive from a key pair is written under that key', async (t) => {
  const keyPair = signingKeyPair()
  const drive = await memoryDrive(t, { keyPair })
  t.same(drive.key, Buffer.from(keyPair.publicKey))
  t.ok(drive.writable)
  const bad: DriveOptions = {
    keyPair: { publicKey: new Uint8Array(32), secretKey: keyPair.secretKey },
  }
  const refused = new Drive(new MemoryFolder().open, bad)
  await t.rejects(refused.ready(), code('STORE_BAD_KEY'))
  await refused.close()
})

t.test('a header that names no content log is refused by a typed error', async (t) => {
  for (const metadata of [null, new Uint8Array(31)]) {
    const store = new Store(new MemoryFolder().open)
    await store.ready()
    const log = store.default()
    await log.append(encodeHeader({ metadata, subtype: 'hyperdrive' }))
    const drive = new Drive(store)
    const [[error]] = await Promise.all([
      once(drive, 'error'),
      t.rejects(drive.ready(), code('DRIVE_BAD_HEADER')),
    ])
    t.match(error, { code: 'DRIVE_BAD_HEADER' })
    await t.rejects(drive.readFile('f'), code('DRIVE_BAD_HEADER'))
    await drive.close()
    await store.close()
  }
})

t.test('a clone hears of a hostile header by an error event, and goes on', async (t) => {
  const store = new Store(new MemoryFolder().open)
  await store.ready()
  const log = store.default()
  await log.append(encodeHeader({ metadata: new Uint8Array(5), subtype: 'hyperdrive' }))
  const clone = new Drive(new MemoryFolder().open, log.key)
  const failed = once(clone, 'error')
  const [left, right] = [
    store.replicate(true, { live: true }),
    clone.replicate(false, { live: true }),
  ]
  left.pipe(right).pipe(left)
  t.match((await failed)[0], { code: 'DRIVE_BAD_HEADER' })
  t.same(await clone.readdir('/'), [])
  await clone.close()
  await store.close()
})

t.test('a folder that cannot be used rejects, and emits one error', async (t) => {
  const folder = t.testdir({ file: 'a file, no folder' })
  const drive = new Drive(join(folder, 'file'))
  const errors: unknown[] = []
  drive.on('error', (error) => errors.push(error))
  await t.rejects(drive.ready())
  await t.rejects(drive.writeFile('f', 'x'))
  t.equal(errors.length, 1)
  await drive.close()
})

t.test('closing ends waits, refuses what comes later, and is told once', async (t) => {
  const drive = await memoryDrive(t)
  await drive.writeFile('f', Buffer.alloc(100))
  const clone = await cloneOf(t, drive)
  await clone.stat('f')
  await drive.close()
  const waiting = t.rejects(clone.readFile('f', { wait: true }), code('DRIVE_CLOSED'))
  let closed = 0
  clone.on('close', () => closed++)
  await Promise.all([clone.close(), clone.close()])
  await waiting
  t.equal(closed, 1)
  for (const late of [
    clone.ready(),
    clone.stat('f'),
    clone.readdir('/'),
    clone.writeFile('f', 'x'),
  ]) {
    await t.rejects(Promise.resolve<unknown>(late), code('DRIVE_CLOSED'))
  }
})

t.test('a drive may be closed while it opens', async (t) => {
  const drive = new Drive(t.testdir())
  await drive.close()
  await t.rejects(drive.ready(), code('DRIVE_CLOSED'))
})

t.test('a drive closes what it opened and nothing else', async (t) => {
  const store = new Store(new MemoryFolder().open)
  const [one, two, named] = [
    new Drive(store),
    new Drive(store),
    new Drive(store, { namespace: 'n' }),
  ]
  await Promise.all([one.writeFile('f', 'x'), named.writeFile('n', 'x')])
  t.equal(one.metadata, two.metadata ?? (await two.ready(), two.metadata))
  await one.checkout(1).close()
  t.equal(await one.readFile('f', 'utf8'), 'x')
  const { metadata } = one
  await one.close()
  t.equal(metadata?.closed, false)
  t.equal(await two.readFile('f', 'utf8'), 'x')
  await two.close()
  t.equal(metadata?.closed, true)
  t.equal(await named.readFile('n', 'utf8'), 'x')
  await named.close()
  const again = new Drive(store)
  t.equal(await again.readFile('f', 'utf8'), 'x')
  await again.close()
  await store.close()
})

t.test('a drive works on any object that does what a store does', async (t) => {
  const store = new Store(new MemoryFolder().open)
  const like = {
    ready: () => store.ready(),
    default: (options?: object) => store.default(options),
    get: (options?: object) => store.get(options),
    replicate: () => store.replicate(true),
    close: () => Promise.reject(new Error('not the drive s to close')),
  }
  const drive = new Drive(like)
  await drive.writeFile('f', 'x')
  t.equal(await drive.readFile('f', 'utf8'), 'x')
  t.throws(() => new Drive(like, { namespace: 'n' }), TypeError)
  await drive.close()
  await store.close()
})

t.test('destroyed storage opens again as an empty drive of the same key', async (t) => {
  const folder = t.testdir()
  const drive = new Drive(folder)
  await drive.writeFile('f', 'x')
  const { key } = drive
  await drive.destroyStorage()
  t.ok(drive.closed)
  const again = new Drive(folder)
  await again.ready()
  t.same(again.key, key)
  t.equal(again.version, 1)
  t.same(await again.readdir('/'), [])
  await again.close()
  t.ok(readdirSync(folder).includes('master_key'))
})

t.test('a checkout shows its version, with the options of its drive', async (t) => {
  let now = 5
  const drive = await memoryDrive(t, { now: () => now })
  await drive.writeFile('f', 'one')
  await drive.writeFile('f', 'two')
  const old = drive.checkout(2)
  t.match(old, { version: 2, isCheckout: true, writable: false })
  t.equal(await old.readFile('f', 'utf8'), 'one')
  t.equal(await old.checkout(3).readFile('f', 'utf8'), 'two')
  now = 6
  t.equal((await old.stat('/')).mtime.getTime(), 6)
  t.equal((await drive.checkout(2, { now: () => 7 }).stat('/')).mtime.getTime(), 7)
  for (const version of [0, null, undefined]) {
    t.equal(drive.checkout(version).version, 1)
    t.same(await drive.checkout(version).readdir('/'), [])
  }
  t.throws(() => drive.checkout(-1), RangeError)
  t.throws(() => drive.checkout(1.5), RangeError)
})

t.test('extensions are registered by name, and their messages come as events', async (t) => {
  const drive = await memoryDrive(t, { extensions: ['greeting'] })
  const clone = await cloneOf(t, drive)
  const peer = once(clone, 'peer-open')
  const greeted = once(drive, 'extension')
  const own = clone.registerExtension<{ hello: string }>('greeting', { encoding: 'json' })
  await peer
  t.ok(own.broadcast({ hello: 'drive' }))
  const [name, message] = (await greeted) as [string, Buffer]
  t.same([name, message.toString()], ['greeting', '{"hello":"drive"}'])
})

t.test('replicate takes a role, options, or nothing, and refuses anything else', async (t) => {
  const drive = await memoryDrive(t)
  for (const [args, initiator, live] of [
    [[], null, false],
    [[{}], null, false],
    [[{ live: true }], null, true],
    [[true], true, false],
    [[false, { live: true }], false, true],
    [[{ initiator: true, live: true }], true, true],
    [[{ encrypt: false, initiator: false }], false, false],
  ] as const) {
    const stream = drive.replicate(...(args as unknown as Parameters<Drive['replicate']>))
    t.match(stream, { initiator, live }, JSON.stringify(args))
    stream.destroy()
  }
  // @ts-expect-error: a caller without types
  for (const role of [null, 'x', 7]) t.throws(() => drive.replicate(role), TypeError)
})

t.test('a drive that does not open ends its connections with the error', async (t) => {
  const folder = t.testdir({ file: '' })
  const drive = new Drive(join(folder, 'file'))
  const stream = drive.replicate(true)
  const [error] = await once(stream, 'error')
  t.ok(error instanceof Error)
  await drive.close()
})

t.test('events tell of peers, transfers and growth', async (t) => {
  const drive = await memoryDrive(t)
  await drive.writeFile('f', 'x')
  const clone = new Drive(() => new MemoryStorage(), drive.key)
  t.teardown(() => clone.close())
  const seen = new Set<string>()
  const names = [
    'peer-add',
    'peer-open',
    'metadata-download',
    'content-download',
    'content-feed',
  ] as const
  for (const name of names) clone.on(name, () => void seen.add(name))
  for (const name of ['metadata-upload', 'content-upload'] as const)
    drive.on(name, () => void seen.add(name))
  await clone.ready()
  connect(t, drive, clone)
  t.equal(await clone.readFile('f', 'utf8'), 'x')
  t.same([...seen].toSorted(), [...names, 'metadata-upload', 'content-upload'].toSorted())
  t.equal(clone.peers.length, 1)
  t.equal(clone.peers[0]?.remotePublicKey?.length, 32)
  const gone = once(clone, 'peer-remove')
  await drive.close()
  await gone
})

t.test('a foreign file in the folder is left alone', async (t) => {
  const folder = t.testdir()
  writeFileSync(join(folder, 'README'), 'mine')
  const drive = new Drive(folder)
  await drive.writeFile('f', 'x')
  await drive.close()
  t.ok(readdirSync(folder).includes('README'))
})

t.test('a folder that is given relative stays where it was when the process moves', async (t) => {
  const [folder, before] = [t.testdir({ elsewhere: {} }), process.cwd()]
  t.teardown(() => process.chdir(before))
  process.chdir(folder)
  const drive = new Drive('drive')
  await drive.writeFile('f', 'x')
  process.chdir('elsewhere')
  await drive.writeFile('g', 'y')
  await drive.close()
  t.same(readdirSync('.'), [])
  t.notOk(readdirSync(join(folder, 'drive')).includes('varve.lock'))
  const again = new Drive(join(folder, 'drive'))
  t.equal(await again.readFile('g', 'utf8'), 'y')
  await again.close()
})
