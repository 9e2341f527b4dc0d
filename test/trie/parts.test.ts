/** The small parts of the trie, each by itself. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import protobuf from 'protobufjs'
import { test } from 'tap'
import { toHex } from '../../src/bytes.ts'
import { Growth, keepRefreshed } from '../../src/trie/following.ts'
import { encodeExtensionMessage } from '../../src/trie/extension-messages.ts'
import { HashPath, isTerminator } from '../../src/trie/hash-path.ts'
import { encodeHeader, encodeMountRecord, Pull, Trie, TrieError } from '../../src/trie/index.ts'
import { NodeCache } from '../../src/trie/node-cache.ts'
import { encodeNode, type TrieNode } from '../../src/trie/node.ts'
import { EMPTY_TABLE, PointerTable } from '../../src/trie/pointer-table.ts'
import { WriteLock } from '../../src/trie/write-lock.ts'
import { turn } from '../vector-runner/trie/watch.ts'
import { MemoryLog, MemoryPeer } from './memory-log.ts'

const schema = protobuf.parse(
  readFileSync(join(import.meta.dirname, '../../src/trie/trie.proto'), 'utf8'),
).root

test('what the codecs write is what trie.proto says', (t) => {
  const bytes = new Uint8Array([1, 2, 3])
  const same = (type: string, fields: Record<string, unknown>, ours: Uint8Array): void => {
    const message = schema.lookupType(type)
    t.equal(message.verify(fields), null, type)
    t.equal(toHex(message.encode(fields).finish()), toHex(ours), type)
  }
  same(
    'Header',
    { type: 'hypertrie', metadata: bytes, subtype: 'x' },
    encodeHeader({ metadata: bytes, subtype: 'x' }),
  )
  const table = new PointerTable([1, 4, 300], 2)
  const path = new HashPath('a/é', true)
  same(
    'Node',
    { key: 'a/é', value: bytes, table: new Uint8Array([2, 1, 4, 0xac, 2]), seq: 301, flags: 1281 },
    encodeNode({ seq: 301, path, value: bytes, flags: 5, table }),
  )
  same(
    'ExtensionMessage',
    {
      cache: { start: 1, end: 301, blocks: [300, 1] },
      iterator: { head: 7, key: 'k', flags: 11, checkpoint: bytes },
      get: { head: 0, key: '' },
    },
    encodeExtensionMessage({
      cache: { start: 1, end: 301, blocks: [300, 1] },
      iterator: { head: 7, key: 'k', flags: 11, checkpoint: bytes },
      get: { head: 0, key: '' },
    }),
  )
  same(
    'MountRecord',
    { key: bytes, localPath: 'm', version: 9, remotePath: 'r', hash: bytes },
    encodeMountRecord({ key: bytes, localPath: 'm', version: 9, remotePath: 'r', hash: bytes }),
  )
  t.end()
})

function nodeOf(seq: number, valueBytes = 0): TrieNode {
  const value = valueBytes > 0 ? new Uint8Array(valueBytes) : null
  return { seq, path: new HashPath('k', false), value, flags: 0, table: EMPTY_TABLE }
}

test('the cache is bounded in number and in bytes, and keeps what is used', (t) => {
  const cache = new NodeCache(100)
  for (let seq = 0; seq < 1000; seq++) {
    cache.set(seq, nodeOf(seq))
    cache.get(0) // what is used all the time stays
  }
  t.ok(cache.size <= 101)
  t.ok(cache.get(0))
  t.equal(cache.get(500), undefined)
  t.equal(cache.get(999)?.seq, 999)
  cache.set(7, null)
  t.equal(cache.get(7), null, 'a reset block is known as such')
  const heavy = new NodeCache(1000, 10_000)
  for (let seq = 0; seq < 100; seq++) heavy.set(seq, nodeOf(seq, 1000))
  t.ok(heavy.size <= 10)
  t.end()
})

test('the lock is handed on in order, whatever becomes of the work', async (t) => {
  const lock = new WriteLock()
  const order: number[] = []
  const work = [1, 2, 3].map((n) =>
    lock.run(async () => {
      await turn()
      order.push(n)
      if (n === 2) throw new Error('two')
      return n
    }),
  )
  const results = await Promise.allSettled(work)
  t.same(order, [1, 2, 3])
  t.same(
    results.map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled'],
  )
  t.equal(await lock.run(async () => 4), 4)
})

test('a pull answers calls in order, goes on after a failure, and ends once destroyed', async (t) => {
  let count = 0
  let destroyed = 0
  const pull = new Pull<number>({
    next: async () => {
      count++
      await turn()
      if (count === 2) throw new TrieError('TRIE_BAD_NODE', 'two')
      return count > 4 ? null : count
    },
    destroy: () => destroyed++,
  })
  const results = await Promise.allSettled([pull.next(), pull.next(), pull.next()])
  t.same(
    results.map((each) => (each.status === 'fulfilled' ? each.value : 'failed')),
    [1, 'failed', 3],
  )
  t.same(await pull.collect(), [4])
  t.equal(pull.checkpoint(), null)
  t.equal(pull.destroyed, true, 'a loop that came to its end destroys')
  t.equal(destroyed, 1)
  await t.rejects(pull.next(), { code: 'TRIE_DESTROYED' })
  pull.destroy()
  t.equal(destroyed, 1)
  const late = new Pull<number>({ next: () => turn().then(() => 1) })
  const under = late.next()
  late.destroy()
  await t.rejects(under, { code: 'TRIE_DESTROYED' })
})

test('a history is cut as asked, goes backwards, and waits for what is yet to come', async (t) => {
  const trie = new Trie(new MemoryLog())
  for (const key of ['a', 'b', 'c']) {
    // oxlint-disable-next-line no-await-in-loop
    await trie.put(key)
  }
  const seqs = async (options: object): Promise<number[]> =>
    (await trie.history(options).collect()).map(({ seq }) => seq)
  t.same(await seqs({}), [1, 2, 3])
  t.same(await seqs({ gt: 1, lt: 3 }), [2])
  t.same(await seqs({ gte: 2, lte: 9, reverse: true }), [3, 2])
  t.same(await seqs({ gte: 0 }), [1, 2, 3])
  const live = trie.history({ live: true, gt: 2 })
  t.equal((await live.next())?.key, 'c')
  const coming = live.next()
  await trie.put('d')
  t.equal((await coming)?.key, 'd')
  const never = live.next()
  await turn()
  live.destroy()
  await t.rejects(never, { code: 'TRIE_DESTROYED' })
  t.equal((await trie.history({ live: true, lte: 1 }).collect()).length, 1)
})

test('a watcher tells of the last key going when asked to, and of nothing once destroyed', async (t) => {
  const trie = new Trie(new MemoryLog())
  let [plain, gone] = [0, 0]
  const watchers = [trie.watch('a', () => plain++), trie.watch('a', () => gone++, { gone: true })]
  await trie.put('a/b')
  await turn()
  await trie.put('c')
  await trie.del('a/b')
  await turn()
  t.same([plain, gone], [1, 2])
  for (const watcher of watchers) watcher.destroy()
  t.equal(watchers[0]?.destroyed, true)
  watchers[0]?.destroy()
  await trie.put('a/b')
  await turn()
  t.same([plain, gone], [1, 2])
  t.equal(trie.log instanceof MemoryLog && trie.log.listenerCount('append'), 1, 'the trie’s own')
})

test('any number of watchers take one listener of the log', async (t) => {
  const log = new MemoryLog()
  const trie = new Trie(log)
  let changes = 0
  const watchers = Array.from({ length: 50 }, () => trie.watch('', () => changes++))
  t.equal(log.listenerCount('append'), 1)
  await trie.put('a')
  await turn()
  t.equal(changes, 50)
  for (const watcher of watchers) watcher.destroy()
})

test('a random order gives everything, in whatever order', async (t) => {
  const trie = new Trie(new MemoryLog())
  await trie.batch(Array.from({ length: 50 }, (_, i) => ({ key: `k${i}` })))
  const keys = async (random: boolean): Promise<string[]> =>
    (await trie.list('', { random })).map(({ key }) => key)
  t.same((await keys(true)).toSorted(), (await keys(false)).toSorted())
  t.equal((await trie.getBySeq(3))?.key, 'k2')
  t.equal(await trie.getBySeq(0), null)
})

function told(log: MemoryLog, blocks: readonly number[]): void {
  const cache = { start: 0, end: 1, blocks }
  log.extensions.receive(0, ['hypertrie'], encodeExtensionMessage({ cache }), log.peer)
}

test('a peer’s word makes downloads only when something was asked, bounded, of blocks that can be', async (t) => {
  const full = new MemoryLog()
  await new Trie(full).batch(Array.from({ length: 100 }, (_, i) => ({ key: `k${i}` })))
  const log = new MemoryLog(full.blocks.map((block, i) => (i === 0 || i === 100 ? block : null)))
  const trie = new Trie(log)
  await trie.ready()
  told(log, [1, 2])
  t.same(log.downloads, [], 'nothing was asked')
  const get = trie.get('k7')
  get.catch(() => null)
  await turn()
  t.equal(log.peer.received.length, 1)
  told(log, [1, 2, 2, 100, 101, 1e9])
  t.same(log.downloads, [[1, 2]], 'known, missing ones, once')
  told(log, [100])
  for (let i = 0; i < 100; i++) told(log, [3])
  t.ok(log.downloads.length < 25, `${log.downloads.length} downloads for one question`)
})

test('downloads at a peer’s word are given up, the oldest first, when there are too many', async (t) => {
  const full = new MemoryLog()
  await new Trie(full).batch(Array.from({ length: 50 }, (_, i) => ({ key: `k${i}` })))
  const log = new MemoryLog(full.blocks.map((block, i) => (i === 50 ? block : null)))
  let given = 0
  log.download = () => ({ done: new Promise(() => {}), destroy: () => given++ })
  const trie = new Trie(log)
  for (let i = 0; i < 10; i++) {
    trie.get(`k${i}`).catch(() => null)
    // oxlint-disable-next-line no-await-in-loop
    await turn()
  }
  for (let i = 0; i < 100; i++) told(log, [1])
  t.equal(given, 36)
})

test('what peers ask is bounded: requests at a time, blocks in an answer, and the size of a stack', async (t) => {
  const log = new MemoryLog()
  const trie = new Trie(log)
  await trie.batch(Array.from({ length: 4000 }, (_, i) => ({ key: `k${i}` })))
  const ask = async (iterator: object): Promise<number> => {
    const peer = new MemoryPeer()
    const message = encodeExtensionMessage({
      iterator: { head: 4000, key: '', flags: 1, checkpoint: null, ...iterator },
    })
    log.extensions.receive(0, ['hypertrie'], message, peer)
    for (let i = 0; i < 50; i++) {
      // oxlint-disable-next-line no-await-in-loop
      await turn()
    }
    return peer.received.length
  }
  t.equal(await ask({}), 17, '2176 blocks, 128 a message')
  t.equal(await ask({ checkpoint: new Uint8Array(8193).fill(1) }), 0)
  t.equal(await ask({ checkpoint: new Uint8Array([128]) }), 0, 'a checkpoint that is none')
  // Many at once: those beyond 32 are dropped.
  const slow = new MemoryLog(log.blocks)
  slow.get = () => turn().then(() => Promise.reject(new Error('gone')))
  const asked: string[] = []
  const server = new Trie(slow)
  server.on('extension-get', (key) => asked.push(key))
  for (let i = 0; i < 100; i++) {
    const get = encodeExtensionMessage({ get: { head: 4000, key: `k${i}` } })
    slow.extensions.receive(0, ['hypertrie'], get, slow.peer)
  }
  await turn()
  await turn()
  t.equal(asked.length, 32)
})

test('two tries on one log share its extension and its nodes', async (t) => {
  const log = new MemoryLog()
  const [one, two] = [new Trie(log), new Trie(log)]
  await one.ready()
  await Promise.all([one.put('a'), two.put('b')])
  t.equal((await two.list()).length, 2)
  t.equal((await new Trie(log, { extension: false }).list()).length, 2)
})

test('behind the last row of a table there is no pointer', (t) => {
  const table = new PointerTable([1, 4, 300], 2)
  const end = table.seek(2)
  t.equal(end, 3)
  t.equal(table.bitsAt(end), 0)
  t.equal(table.slotAt(end, 2), 0)
  t.equal(table.pointerAt(end, 0), 0)
  t.equal(table.pointerAt(table.seek(1), 0), 300)
  t.end()
})

test('a trie that remembers one node is the same map as any other', async (t) => {
  const small = new Trie(new MemoryLog(), { cacheSize: 1 })
  const large = new Trie(new MemoryLog())
  const keys = Array.from({ length: 60 }, (_, i) => `k${(i * 7) % 40}/${i % 3}`)
  for (const trie of [small, large]) {
    for (const [i, key] of keys.entries()) {
      // oxlint-disable-next-line no-await-in-loop
      if (i % 4 === 3) await trie.del(keys[i - 2] ?? '')
      // oxlint-disable-next-line no-await-in-loop
      else await trie.put(key, `${i}`)
    }
  }
  const rows = async (trie: Trie): Promise<string[]> =>
    (await trie.list()).map(({ key, seq }) => `${key} ${seq}`)
  t.same(await rows(small), await rows(large))
  t.ok((await rows(small)).length > 20)
})

test('a read that must not ask peers sends them nothing', async (t) => {
  const log = new MemoryLog()
  const writer = new Trie(log)
  for (const key of ['a', 'b', 'c']) {
    // oxlint-disable-next-line no-await-in-loop
    await writer.put(key)
  }
  const asked = async (options: object): Promise<number> => {
    const copy = new MemoryLog(log.blocks.map((block, i) => (i === 2 ? null : block)))
    copy.writable = false
    const trie = new Trie(copy, options)
    const listing = trie.list('', { extension: false })
    await turn()
    copy.fill(2, log.blocks[2] ?? new Uint8Array(0))
    t.equal((await listing).length, 3)
    t.equal((await trie.get('b', { extension: false }))?.key, 'b')
    return copy.peer.received.length
  }
  t.equal(await asked({}), 0)
  t.equal(await asked({ extension: false }), 0)
})

test('nothing, like null, is version 0 to compare with', async (t) => {
  const trie = new Trie(new MemoryLog())
  await trie.put('a')
  t.equal((await trie.diff(null).collect()).length, 1)
  t.equal((await trie.diff(trie.checkout(null)).collect()).length, 1)
})

test('growth during a refresh ends it and begins the next from the same version', async (t) => {
  const log = new MemoryLog([new Uint8Array(1)])
  const begun: number[] = []
  const signals: AbortSignal[] = []
  const events: string[] = []
  let fails = false
  let finish = (): void => undefined
  const stop = keepRefreshed({
    log,
    refresh: async (version, signal) => {
      begun.push(version)
      signals.push(signal)
      if (fails) throw new Error('no hint')
      await new Promise<void>((resolve) => (finish = resolve))
    },
    onrefresh: (event) => events.push(event),
  })
  await log.append([new Uint8Array(1)])
  const first = finish
  await log.append([new Uint8Array(1)])
  t.same(begun, [1, 1])
  t.equal(signals[0]?.aborted, true)
  first()
  await turn()
  t.same(events, ['reconnecting', 'reconnecting'], 'the first is not told as done')
  finish()
  await turn()
  t.same(events.at(-1), 'reconnected')
  fails = true
  await log.append([new Uint8Array(1)])
  await turn()
  t.same(begun, [1, 1, 3])
  t.equal(events.at(-1), 'reconnecting', 'one that failed is not told as done either')
  stop()
  await log.append([new Uint8Array(1)])
  t.equal(begun.length, 3)
})

test('a log that answers without growing is asked once', async (t) => {
  class Still extends MemoryLog {
    asked = 0
    override update(): Promise<void> {
      this.asked++
      return Promise.resolve()
    }
  }
  const log = new Still()
  log.writable = false
  const stop = new Growth(log).listen(() => undefined)
  await turn()
  t.equal(log.asked, 1)
  stop()
})

/** The definition, symbol by symbol. */
function slowDivergence(a: HashPath, b: HashPath): number {
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    if (a.symbol(i) !== b.symbol(i)) return i
    if (isTerminator(i) && a.componentAt(i) !== b.componentAt(i)) return i
  }
  return Infinity
}

test('two paths part where their symbols do, or the names that end there', (t) => {
  const key = fc.array(fc.constantFrom('', 'a', 'b', 'é', 'folder', 'x'.repeat(70)), {
    maxLength: 4,
  })
  const cut = fc.integer({ min: 0, max: 19 })
  fc.assert(
    fc.property(key, key, cut, fc.boolean(), (a, b, bytes, isCustom) => {
      // A custom hash of any length, in which most keys share the beginning.
      const hash = (of: string): Uint8Array => new Uint8Array(bytes).fill(1).fill(of.length, 15)
      const [one, two] = [a, b].map(
        (names) => new HashPath(names.join('/'), false, isCustom ? hash : null),
      )
      if (!one || !two) return
      t.equal(one.divergence(two), slowDivergence(one, two), `${one.key} ${two.key}`)
      t.equal(one.length, one.hash.length * 4 + 2)
      if (!isCustom) t.equal(one.hash.length, one.components.length * 8)
    }),
  )
  t.end()
})
