/** A trie read over a connection. */
import { test } from 'tap'
import { Log } from '../../src/log/index.ts'
import { MemoryFolder } from '../../src/storage/index.ts'
import { MountTrie, Trie, type TrieOptions } from '../../src/trie/index.ts'
import { replicate } from '../../src/wire/index.ts'

/** A writer's trie and a sparse copy of its log, connected; `rounds` counts what a wait costs. */
interface Pair {
  readonly writer: Trie
  /** Of the copy. */
  readonly trie: Trie
  readonly copy: Log
  /** Deliver all that was sent in one direction, then in the other, until `work` is done. Gives the times. */
  readonly rounds: (work: Promise<unknown>) => Promise<number>
  readonly close: () => Promise<void>
}

/** Connect, over a link that delivers nothing by itself when `lockStep`. */
async function connected(
  keys: readonly string[],
  { lockStep = false, ...options }: TrieOptions & { readonly lockStep?: boolean } = {},
): Promise<Pair> {
  const source = new Log(new MemoryFolder([]).open)
  const writer = new Trie(source)
  await writer.batch(keys.map((key) => ({ key, value: 'v' })))
  const copy = new Log(new MemoryFolder([]).open, source.key, { sparse: true })
  const trie = new Trie(copy, options)
  await trie.ready()
  const a = replicate(source, true, { live: true })
  const b = replicate(copy, false, { live: true })
  const [sent, answered]: [Uint8Array[], Uint8Array[]] = [[], []]
  if (lockStep) {
    a.on('data', (chunk: Uint8Array) => answered.push(chunk))
    b.on('data', (chunk: Uint8Array) => sent.push(chunk))
  } else {
    a.pipe(b).pipe(a)
  }
  const rounds = async (work: Promise<unknown>): Promise<number> => {
    const state = { isDone: false }
    const done = (): void => void (state.isDone = true)
    work.then(done, done)
    await settle()
    for (let count = 0; ; count++) {
      if (state.isDone) return count
      for (const chunk of sent.splice(0)) a.write(chunk)
      // oxlint-disable-next-line no-await-in-loop
      await settle()
      for (const chunk of answered.splice(0)) b.write(chunk)
      // oxlint-disable-next-line no-await-in-loop
      await settle()
    }
  }
  const close = async (): Promise<void> => {
    a.destroy()
    b.destroy()
    await Promise.all([source.close(), copy.close()])
  }
  return { writer, trie, copy, rounds, close }
}

/** Until all that needs no peer has been done. */
async function settle(): Promise<void> {
  for (let i = 0; i < 40; i++) {
    // oxlint-disable-next-line no-await-in-loop
    await new Promise((resolve) => setImmediate(resolve))
  }
}

const tree = Array.from({ length: 3000 }, (_, i) => `d${i % 10}/s${i % 60}/f${i}`)

test('a lookup in a deep trie takes two round trips, found or not', async (t) => {
  const { trie, copy, rounds, close } = await connected(tree, { lockStep: true })
  await rounds(copy.update())
  let hops = 0
  const found = trie.get('d7/s7/f1207', { onseq: () => hops++ })
  t.ok((await rounds(found)) <= 2)
  t.equal((await found)?.key, 'd7/s7/f1207')
  t.ok(hops > 3, `${hops} hops`)
  const missing = trie.get('d3/s3/nothing')
  t.ok((await rounds(missing)) <= 2)
  t.equal(await missing, null)
  const without = trie.get('d2/s2/f2222', { extension: false })
  t.ok((await rounds(without)) > 2, 'as many as hops without the extension')
  await close()
})

test('a directory of 300 is listed in three round trips, by a reader that knows nothing of it', async (t) => {
  const { trie, copy, rounds, close } = await connected(
    [...tree, ...Array.from({ length: 300 }, (_, i) => `dir/f${i}`)],
    { lockStep: true },
  )
  await rounds(copy.update())
  const listing = trie.list('dir', { recursive: false })
  const count = await rounds(listing)
  t.ok(count <= 3, `${count} round trips`)
  t.equal((await listing).length, 300)
  t.ok(copy.stats && copy.stats.totals.downloadedBlocks < 330, 'and little else is fetched')
  await close()
})

test('mounts cost a remote reader no round trip where there are none', async (t) => {
  const { copy, rounds, close } = await connected(
    [...tree, ...Array.from({ length: 300 }, (_, i) => `dir/f${i}`)],
    { lockStep: true },
  )
  await rounds(copy.update())
  const trie = new MountTrie(copy, { openLog: () => Promise.reject(new Error('no mounts here')) })
  const get = trie.get('d7/s7/f1207')
  const lookups = await rounds(get)
  t.ok(lookups <= 2, `${lookups} round trips`)
  t.ok((await get).node)
  const listing = trie.list('dir', { recursive: false, noMounts: true })
  const count = await rounds(listing)
  t.ok(count <= 3, `${count} round trips`)
  t.equal((await listing).length, 300)
  await close()
})

test('a watcher on a sparse copy hears of what is written later', async (t) => {
  const { writer, trie, close } = await connected(['a/1'])
  let changed = (): void => {}
  const first = new Promise<void>((resolve) => (changed = resolve))
  const watcher = trie.watch('a', () => changed())
  await first
  for (let i = 2; i < 5; i++) {
    const next = new Promise<void>((resolve) => (changed = resolve))
    // oxlint-disable-next-line no-await-in-loop
    await writer.put(`a/${i}`, 'v')
    // oxlint-disable-next-line no-await-in-loop
    await next
    // oxlint-disable-next-line no-await-in-loop
    t.ok(await trie.get(`a/${i}`))
  }
  watcher.destroy()
  await close()
})

test('with alwaysUpdate a reader that knows nothing finds what is there now', async (t) => {
  const { writer, trie, copy, close } = await connected(['a'], { alwaysUpdate: true })
  t.ok(await trie.get('a'))
  const told = new Promise((resolve) => copy.once('remote-update', resolve))
  await writer.put('b', 'v')
  await told
  t.ok(await trie.get('b'))
  t.equal(await trie.get('c', { wait: false }).catch(() => null), null)
  await close()
})

test('with alwaysReconnect what changed where one has been is loaded by itself', async (t) => {
  const keys = Array.from({ length: 200 }, (_, i) => `k${i}`)
  const { writer, trie, copy, close } = await connected(keys, { alwaysReconnect: true })
  await copy.update({ ifAvailable: true })
  await trie.ready()
  for (let i = 0; i < 20; i++) {
    // oxlint-disable-next-line no-await-in-loop
    await trie.get(`k${i}`)
  }
  const reconnected = new Promise<void>((resolve) => trie.once('reconnected', resolve))
  await writer.batch(Array.from({ length: 100 }, (_, i) => ({ key: `k${i}`, value: 'new' })))
  await copy.update()
  await reconnected
  for (let i = 0; i < 20; i++) {
    // oxlint-disable-next-line no-await-in-loop
    t.ok(await trie.get(`k${i}`, { wait: false }), 'without asking anybody')
  }
  await close()
})
