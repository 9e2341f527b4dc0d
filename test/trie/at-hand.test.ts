/** What is in memory is given at once; what is not is read together. */
import { test } from 'tap'
import { MountTrie, Trie } from '../../src/trie/index.ts'
import { ReadAhead } from '../../src/trie/read-ahead.ts'
import { MemoryLog } from './memory-log.ts'

/** Counts what is read, and how. */
class CountingLog extends MemoryLog {
  gets = 0
  runs: [start: number, end: number][] = []
  isBroken = false

  override get(...args: Parameters<MemoryLog['get']>): Promise<Uint8Array> {
    this.gets++
    return super.get(...args)
  }

  readBlocks(start: number, end: number): Promise<readonly Uint8Array[]> {
    this.runs.push([start, end])
    if (this.isBroken) return Promise.reject(new Error('a neighbour is damaged'))
    return Promise.resolve(this.blocks.slice(start, end).map((block) => block ?? new Uint8Array(0)))
  }
}

const keys = Array.from({ length: 200 }, (_, i) => `d${i % 3}/f${i}`)

async function written(): Promise<CountingLog> {
  const log = new MemoryLog()
  await new Trie(log).batch(keys.map((key) => ({ key, value: key })))
  return new CountingLog(log.blocks)
}

test('peek gives what get gives, once it is in memory, and nothing before', async (t) => {
  const log = await written()
  const trie = new Trie(log)
  t.equal(trie.peek('d0/f0'), undefined, 'not open')
  await trie.ready()
  t.equal(trie.peek('d0/f0'), undefined, 'not loaded')
  const entry = await trie.get('d0/f0')
  const { gets } = log
  t.strictSame(trie.peek('d0/f0'), entry)
  t.strictSame(await trie.get('d0/f0'), entry)
  t.equal(trie.peek('d0/f0/below'), null, 'proven absent')
  t.equal(log.gets, gets, 'nothing was read for it')
})

test('peek of an empty trie is null, and of one that asks for news undefined', async (t) => {
  const empty = new Trie(new MemoryLog())
  await empty.ready()
  t.equal(empty.peek('a'), null)
  const log = await written()
  log.writable = false
  const trie = new Trie(log, { alwaysUpdate: true })
  await trie.get('d0/f0')
  t.equal(trie.peek('d0/f0'), undefined)
  const fixed = trie.checkout(trie.version)
  t.same(await fixed.get('d0/f0'), fixed.peek('d0/f0'), 'a checkout has no news')
})

test('get tells whoever watches of each node, also of those in memory', async (t) => {
  const trie = new Trie(await written())
  await trie.get('d1/f1')
  const seen: number[] = []
  let head = 0
  await trie.get('d1/f1', { onseq: (seq) => seen.push(seq), onheadseq: (seq) => (head = seq) })
  t.equal(head, 200)
  t.equal(seen[0], 200)
})

test('an iterator gives at once what is in memory, and the same as when it is waited for', async (t) => {
  const trie = new Trie(await written())
  const waited: string[] = []
  const slow = trie.iterator('d1')
  for (let row = await slow.next(); row; row = await slow.next()) waited.push(row.key)
  const fast = trie.iterator('d1')
  t.equal(fast.nextNow(), undefined, 'it has to be opened')
  const first = await fast.next()
  const atOnce = [first?.key]
  for (let row = fast.nextNow(); row; row = fast.nextNow()) atOnce.push(row.key)
  t.strictSame(atOnce, waited)
  t.equal(fast.nextNow(), null, 'the end')
  fast.destroy()
  t.throws(() => fast.nextNow(), { code: 'TRIE_DESTROYED' })
  const watched = trie.iterator('d1', { onseq: () => {} })
  await watched.next()
  t.equal(watched.nextNow(), undefined, 'whoever watches gets each node by next')
})

test('nextNow leaves alone what a call of next is still working on', async (t) => {
  const trie = new Trie(await written())
  const rows = trie.iterator('')
  const first = rows.next()
  t.equal(rows.nextNow(), undefined)
  t.ok(await first)
})

test('a step that is given up for want of a block goes on where it was', async (t) => {
  const full = await written()
  const log = new MemoryLog(full.blocks)
  const trie = new Trie(log)
  const want = await trie.list('')
  const holes = new MemoryLog(full.blocks)
  for (let seq = 1; seq < 150; seq++) holes.blocks[seq] = null
  const rows = new Trie(holes).iterator('')
  const got: (string | undefined)[] = []
  for (;;) {
    const atHand = rows.nextNow()
    const asked = atHand === undefined ? rows.next() : atHand
    if (atHand === undefined) {
      for (const [seq, block] of full.blocks.entries()) if (block) holes.fill(seq, block)
    }
    const row = await asked
    if (!row) break
    got.push(row.key)
  }
  t.strictSame(
    got,
    want.map(({ key }) => key),
  )
})

test('where anything is mounted, peek leaves the answer to get', async (t) => {
  const log = new MemoryLog()
  const trie = new MountTrie(log, { openLog: () => Promise.resolve(new MemoryLog()) })
  await trie.put('a/b', 'x')
  t.equal(trie.peek('a/b')?.node?.key, 'a/b')
  t.equal(trie.peek('a')?.node, null)
  await trie.mount('m', new Uint8Array(32).fill(1))
  t.equal(trie.peek('a/b'), undefined)
})

test('lookups near each other read blocks together, others one by one', async (t) => {
  const log = await written()
  const ahead = new ReadAhead(log)
  await ahead.read(5, {})
  t.strictSame([log.gets, log.runs], [1, []], 'the first is read alone')
  t.strictSame(await ahead.read(40, {}), log.blocks[40])
  t.strictSame(log.runs, [[1, 64]], 'the second brings its run')
  t.strictSame(ahead.take(41), log.blocks[41])
  t.equal(ahead.take(41), undefined, 'given once')
  await ahead.read(199, {})
  t.strictSame([log.gets, log.runs.length], [2, 1], 'far off is alone again')
  await ahead.read(70, {})
  t.equal(log.runs.length, 2, 'on to the run behind one that was met')
})

test('a run ends where a block is missing, and a failure of a neighbour is nobody s', async (t) => {
  const log = await written()
  log.blocks[30] = null
  const ahead = new ReadAhead(log)
  await ahead.read(34, {})
  await ahead.read(28, {})
  t.strictSame(log.runs, [[1, 30]])
  log.isBroken = true
  t.strictSame(await ahead.read(50, {}), log.blocks[50])
  t.equal(log.gets, 2)
})

test('what is read ahead and not asked for is bounded', async (t) => {
  const log = new CountingLog(Array.from({ length: 32 * 200 }, () => new Uint8Array(1)))
  const ahead = new ReadAhead(log)
  for (let seq = 2; seq < log.length; seq += 64) await ahead.read(seq, {})
  t.equal(ahead.take(3 + 64), undefined, 'the oldest are gone')
  t.ok(ahead.take(log.length - 1))
})
