/** R17 to R42, R80 and R81: making a drive, its properties and events, replication, and its end. */
import { once } from 'node:events'
import { existsSync, readdirSync } from 'node:fs'
import { join as joinPath } from 'node:path'
import { PassThrough } from 'node:stream'
import t from 'tap'
import type { LogPeer } from '../../src/log/index.ts'
import { Drive, Store } from '../../src/index.ts'
import varve from '../../src/index.ts'
import { MemoryStorage } from '../../src/storage/index.ts'
import { cloneOf, code, join, memoryDrive, memoryDrives } from '../drive/drives.ts'

const memory = (): MemoryStorage => new MemoryStorage()

t.test('R17: storage, then a key, then options; the key may be left out', async (t) => {
  const drive = varve(memory, { subtype: 'mine' })
  await drive.writeFile('f', 'x')
  const { key } = drive
  t.ok(Buffer.from((await drive.metadata?.get(0)) ?? []).includes('mine'), 'the options count')
  for (const given of [key, key?.toString('hex'), `hyper://${key?.toString('hex')}/`]) {
    const clone = varve(memory, given, { sparse: false })
    await clone.ready()
    t.same(clone.key, key)
    t.equal(clone.sparse, false)
    await clone.close()
  }
  for (const wrong of ['', 'xyz', Buffer.alloc(31), `${'a'.repeat(64)} ${'b'.repeat(64)}`]) {
    t.throws(() => varve(memory, wrong), code('DRIVE_BAD_KEY'))
  }
  await drive.close()
})

t.test('R18: a folder keeps the drive, and one process at a time has it open', async (t) => {
  const folder = t.testdir()
  const drive = varve(folder)
  await drive.writeFile('f', 'kept')
  await t.rejects(varve(folder).ready(), code('ELOCKED'))
  const { key, version } = drive
  await drive.close()
  t.ok(existsSync(joinPath(folder, 'master_key')))
  const again = varve(folder)
  t.equal(await again.readFile('f', 'utf8'), 'kept')
  t.same([again.key, again.version, again.writable], [key, version, true])
  await again.close()
})

t.test('R19: a function gets each file s name, its log s keys and the drive', async (t) => {
  const names: string[] = []
  const keys = new Set<string>()
  const drive: Drive = varve((name, { key, discoveryKey }, of) => {
    names.push(name)
    if (key) keys.add(Buffer.from(key).toString('hex'))
    t.equal(of, drive)
    if (discoveryKey) t.ok(name.includes(Buffer.from(discoveryKey).toString('hex')))
    return memory()
  })
  await drive.writeFile('f', 'x')
  for (const file of ['key', 'tree', 'data', 'bitfield', 'signatures']) {
    t.equal(names.filter((name) => name.endsWith(`/${file}`)).length, 2, `${file} of both logs`)
  }
  t.ok(keys.has(drive.key?.toString('hex') ?? ''))
  await drive.close()
})

t.test('R20: a store, or what does as a store does, keeps several drives', async (t) => {
  const store = new Store(memory)
  await store.ready()
  const asked: string[] = []
  const like = {
    ready: () => store.ready(),
    default: (o: Parameters<Store['default']>[0]) => (asked.push('default'), store.default(o)),
    get: (o: Parameters<Store['get']>[0]) => (asked.push('get'), store.get(o)),
    namespace: (name: string) => store.namespace(name),
    replicate: store.replicate.bind(store),
    close: () => store.close(),
    on: store.on.bind(store),
    off: store.off.bind(store),
  }
  const own = varve(store)
  await own.writeFile('f', 'x')
  const same = varve(like)
  t.equal(await same.readFile('f', 'utf8'), 'x')
  t.same(same.key, own.key)
  t.ok(asked.includes('default'))
  const other = varve(store, { namespace: 'other' })
  await other.ready()
  t.notSame(other.key, own.key)
  await store.close()
})

t.test('R21: sparse, the default, fetches no content by itself; sparse: false does', async (t) => {
  const drive = await memoryDrive(t)
  await drive.writeFile('f', 'x')
  await drive.writeFile('g', 'y')
  const eager = new Drive(memory, drive.key, { sparse: false })
  t.teardown(() => eager.close())
  let downloaded = 0
  const all = new Promise<void>((resolve) => {
    eager.on('content-download', () => {
      if (++downloaded === 2) resolve()
    })
  })
  join(t, drive, eager)
  await all
  const sparse = await cloneOf(t, drive)
  t.equal(sparse.sparse, true)
  await sparse.stat('f')
  const content = await sparse.getContent()
  await content.update()
  t.equal(content.downloaded(0, 2), 0)
})

t.test('R22: sparseMetadata, the default, fetches no metadata by itself; false does', async (t) => {
  const drive = await memoryDrive(t)
  for (let i = 0; i < 50; i++) await drive.create(`file ${i}`)
  const eager = new Drive(memory, drive.key, { sparseMetadata: false })
  t.teardown(() => eager.close())
  await eager.ready()
  const all = new Promise<void>((resolve) => {
    eager.on('metadata-download', () => {
      if (eager.metadata?.downloaded(0, drive.version) === drive.version) resolve()
    })
  })
  join(t, drive, eager)
  await all
  const sparse = await cloneOf(t, drive, { extension: false })
  await sparse.stat('file 3')
  t.ok((sparse.metadata?.downloaded(0, drive.version) ?? 99) < 25)
})

t.test('R23: the extensions that are named pass messages on as events', async (t) => {
  const drive = await memoryDrive(t, { extensions: ['one', 'two'] })
  const clone = await cloneOf(t, drive)
  const heard = once(drive, 'extension')
  await once(clone, 'peer-open')
  clone.registerExtension('two', { encoding: 'utf-8' }).broadcast('hello')
  const [name, message, peer] = (await heard) as [string, Buffer, LogPeer]
  t.same([name, message.toString()], ['two', 'hello'])
  t.equal(peer.remotePublicKey?.length, 32)
})

t.test('R24: options of the store work on a drive too', async (t) => {
  const masterKey = Buffer.alloc(32, 7)
  const [a, b, other] = [
    await memoryDrive(t, { masterKey }),
    await memoryDrive(t, { masterKey }),
    await memoryDrive(t, { masterKey, namespace: 'other' }),
  ]
  t.same(a.key, b.key)
  t.notSame(a.key, other.key)
})

t.test('R25: a clone is sparse; download fetches what one wants before it is read', async (t) => {
  const drive = await memoryDrive(t)
  await drive.writeFile('want/a', 'x')
  await drive.writeFile('other', 'y')
  const clone = await cloneOf(t, drive)
  t.same([clone.sparse, clone.sparseMetadata], [true, true])
  await clone.download('want')
  t.match(await clone.stats('want/a'), { downloadedBlocks: 1 })
  t.match(await clone.stats('other'), { downloadedBlocks: 0 })
})

t.test('R26: one connection carries what is mounted too, once it is visited', async (t) => {
  const [outer, inner] = await memoryDrives(t, 2)
  if (!outer || !inner) throw new Error('two drives')
  await inner.writeFile('f', 'inside')
  await outer.mount('m', inner.key ?? Buffer.alloc(0))
  const clone = await cloneOf(t, outer)
  await clone.stat('m')
  t.ok((await clone.getAllMounts({ memory: true })).size <= 2)
  t.equal(await clone.readFile('m/f', 'utf8'), 'inside')
})

t.test('R27: replicate is not live and is enciphered, unless asked otherwise', async (t) => {
  const drive = await memoryDrive(t)
  await drive.writeFile('f', 'plain words')
  for (const encrypt of [true, false]) {
    const clone = new Drive(memory, drive.key)
    await clone.ready()
    const [left, right] = [drive.replicate(true, { encrypt }), clone.replicate(false, { encrypt })]
    t.same([left.live, left.encrypted], [false, encrypt])
    const wire: Buffer[] = []
    const tap = new PassThrough()
    tap.on('data', (chunk: Buffer) => wire.push(chunk))
    left.pipe(tap).pipe(right).pipe(left)
    t.equal(await clone.readFile('f', 'utf8'), 'plain words')
    t.equal(Buffer.concat(wire).includes('plain words'), !encrypt)
    const ended = Promise.all([once(left, 'close'), once(right, 'close')])
    await clone.close()
    await ended
  }
  const live = drive.replicate(true, { live: true })
  t.same([live.live, live.encrypted], [true, true])
  live.destroy()
})

t.test('R28: version counts up with every change', async (t) => {
  const drive = varve(memory)
  t.equal(drive.version, 0, 'before it is open')
  await drive.ready()
  t.equal(drive.version, 1)
  await drive.writeFile('f', 'x')
  t.equal(drive.version, 2)
  await drive.unlink('f')
  t.equal(drive.version, 3)
  await drive.close()
})

t.test('R29: key is the public key that signs, 32 bytes', async (t) => {
  const drive = await memoryDrive(t)
  t.ok(Buffer.isBuffer(drive.key))
  t.equal(drive.key?.length, 32)
  t.same(drive.key, drive.metadata?.key)
  const clone = varve(memory, drive.key?.toString('hex'))
  t.same(clone.key, drive.key, 'known before it is open')
  await clone.close()
})

t.test('R30: discoveryKey is derived from the key, and is not the key', async (t) => {
  const drive = await memoryDrive(t)
  const clone = varve(memory, drive.key)
  t.equal(clone.discoveryKey, null, 'before it is open')
  await clone.ready()
  t.same(clone.discoveryKey, drive.discoveryKey)
  t.equal(drive.discoveryKey?.length, 32)
  t.notSame(drive.discoveryKey, drive.key)
  await clone.close()
})

t.test('R31: writable is true for the owner, false for clones and checkouts', async (t) => {
  const drive = await memoryDrive(t)
  const clone = await cloneOf(t, drive)
  t.same([drive.writable, clone.writable, drive.checkout(1).writable], [true, false, false])
  await t.rejects(clone.writeFile('f', 'x'), code('EROFS'))
})

t.test('R32: peers are those that replicate the drive now', async (t) => {
  const drive = await memoryDrive(t)
  t.same(drive.peers, [])
  const clone = await cloneOf(t, drive)
  await clone.getContent()
  t.equal(drive.peers.length, 1)
  const gone = once(drive, 'peer-remove')
  await clone.close()
  await gone
  t.same(drive.peers, [])
})

t.test('R33: ready comes once, when all properties are there', async (t) => {
  const drive = varve(memory)
  let times = 0
  drive.on('ready', () => {
    times++
    t.equal(drive.key?.length, 32)
    t.same([drive.version, drive.writable, drive.contentWritable], [1, true, true])
  })
  await once(drive, 'ready')
  await drive.ready()
  t.equal(times, 1)
  await drive.close()
})

t.test('R34: error tells of what keeps the drive from opening', async (t) => {
  const folder = t.testdir({ file: 'no folder' })
  const drive = varve(joinPath(folder, 'file'))
  const [error] = (await once(drive, 'error')) as [Error]
  t.ok(error instanceof Error)
  await t.rejects(drive.readdir('/'))
  await drive.close()
})

t.test('R35: update comes with every change, made here or learnt of', async (t) => {
  const drive = await memoryDrive(t)
  let updates = 0
  drive.on('update', () => updates++)
  await drive.writeFile('f', 'x')
  await drive.mkdir('d')
  t.equal(updates, 2)
  const clone = await cloneOf(t, drive)
  const learnt = once(clone, 'update')
  await clone.stat('f')
  await learnt
  t.equal(clone.version, 3)
})

t.test('R36: peer-add has the peer, and its public key', async (t) => {
  const drive = await memoryDrive(t)
  const added = once(drive, 'peer-add')
  await cloneOf(t, drive)
  const [peer] = (await added) as [LogPeer]
  t.equal(peer.remotePublicKey?.length, 32)
  t.ok(drive.peers.includes(peer))
  const stranger = await memoryDrive(t)
  let strangers = 0
  for (const name of ['peer-add', 'peer-remove'] as const) stranger.on(name, () => strangers++)
  const [left, right] = [stranger.replicate(true), drive.replicate(false)]
  const ended = once(left, 'close')
  left.pipe(right).pipe(left)
  await ended
  t.equal(strangers, 0, 'who does not have the drive is no peer')
})

t.test(
  'R37: peer-open comes after peer-add, once the peer has proven that it has the key',
  async (t) => {
    const drive = await memoryDrive(t)
    const seen: string[] = []
    drive.on('peer-add', () => seen.push('add'))
    drive.on('peer-open', () => seen.push('open'))
    const open = once(drive, 'peer-open')
    await cloneOf(t, drive)
    await open
    t.same(seen, ['add', 'open'])
  },
)

t.test('R38: peer-remove has the peer that left', async (t) => {
  const drive = await memoryDrive(t)
  const opened = once(drive, 'peer-open')
  const clone = await cloneOf(t, drive)
  const [peer] = (await opened) as [LogPeer]
  const removed = once(drive, 'peer-remove')
  await clone.close()
  t.equal(((await removed) as [LogPeer])[0], peer)
})

t.test('R39: close comes once', async (t) => {
  const drive = await memoryDrive(t)
  let times = 0
  drive.on('close', () => times++)
  await drive.close()
  await drive.close()
  t.equal(times, 1)
})

t.test('R40: an extension decodes what it gets, and tells what does not decode', async (t) => {
  const drive = await memoryDrive(t)
  const messages: unknown[] = []
  const answers = new Map<string, () => void>()
  const arrived = (what: string): Promise<void> =>
    new Promise((resolve) => {
      answers.set(what, resolve)
    })
  drive.registerExtension('json', {
    encoding: 'json',
    onmessage(message, peer) {
      messages.push(message, peer.remotePublicKey?.length)
      answers.get('message')?.()
    },
    onerror(error) {
      messages.push(error instanceof Error)
      answers.get('error')?.()
    },
  })
  const clone = await cloneOf(t, drive)
  await once(clone, 'peer-open')
  const raw = clone.registerExtension<Uint8Array>('json', { encoding: 'binary' })
  const [message, error] = [arrived('message'), arrived('error')]
  raw.broadcast(Buffer.from('{"a":1}'))
  await message
  raw.broadcast(Buffer.from('{'))
  await error
  t.same(messages, [{ a: 1 }, 32, true])
})

t.test('R41: send reaches one peer and no other', async (t) => {
  const drive = await memoryDrive(t)
  const clones = [await cloneOf(t, drive), await cloneOf(t, drive)]
  const heard: number[] = []
  const done: Promise<void>[] = []
  for (const [i, clone] of clones.entries()) {
    done.push(
      new Promise((resolve) => {
        clone.registerExtension<string>('x', {
          encoding: 'utf-8',
          onmessage(message) {
            heard.push(i)
            if (message === 'last') resolve()
          },
        })
      }),
    )
  }
  const extension = drive.registerExtension<string>('x', { encoding: 'utf-8' })
  for (const clone of clones) await clone.getContent()
  const [first, second] = drive.peers
  if (!first || !second) throw new Error('two peers')
  extension.send('only', first)
  extension.send('last', second)
  await Promise.race(done)
  extension.send('last', first)
  await Promise.all(done)
  t.equal(heard.length, 3)
  t.equal(heard.filter((i) => i === heard[0]).length === 2 || heard[1] === heard[0], true)
})

t.test('R42: broadcast reaches every peer, and says whether there is one', async (t) => {
  const drive = await memoryDrive(t)
  const extension = drive.registerExtension<string>('x', { encoding: 'utf-8' })
  t.equal(extension.broadcast('nobody'), false)
  const clones = [await cloneOf(t, drive), await cloneOf(t, drive)]
  const heard = clones.map(
    (clone) =>
      new Promise<string>((resolve) => {
        clone.registerExtension<string>('x', { encoding: 'utf-8', onmessage: resolve })
      }),
  )
  for (const clone of clones) await clone.getContent()
  t.equal(extension.broadcast('all'), true)
  t.same(await Promise.all(heard), ['all', 'all'])
})

t.test('R80: close closes what the drive opened, and nothing can be done afterwards', async (t) => {
  const store = new Store(memory)
  await store.ready()
  const [a, b] = [varve(store, { namespace: 'a' }), varve(store, { namespace: 'b' })]
  await a.writeFile('f', 'x')
  await b.writeFile('f', 'y')
  const old = a.checkout(2)
  t.equal(await old.readFile('f', 'utf8'), 'x')
  await old.close()
  t.equal(await a.readFile('f', 'utf8'), 'x', 'closing a checkout closes nothing else')
  await a.close()
  t.equal(await b.readFile('f', 'utf8'), 'y', 'another drive of the store goes on')
  await t.rejects(a.readFile('f'), code('DRIVE_CLOSED'))
  await b.close()
  await store.close()
})

t.test('R81: destroyStorage removes the data and closes; mounted drives stay', async (t) => {
  const [outer, inner] = await memoryDrives(t, 2)
  if (!outer || !inner) throw new Error('two drives')
  await inner.writeFile('f', 'kept')
  await outer.writeFile('g', 'gone')
  await outer.mount('m', inner.key ?? Buffer.alloc(0))
  await outer.destroyStorage()
  await t.rejects(outer.readFile('g'), code('DRIVE_CLOSED'))
  t.equal(await inner.readFile('f', 'utf8'), 'kept')
  const folder = t.testdir()
  const drive = varve(folder)
  await drive.writeFile('secret', 'what was written')
  await drive.destroyStorage()
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  for (const name of ['data', 'tree', 'bitfield', 'signatures']) {
    t.notOk(
      files.some((file) => file.endsWith(`/${name}`)),
      name,
    )
  }
})
