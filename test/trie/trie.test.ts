import fc from 'fast-check'
import { test } from 'tap'
import { toUtf8 } from '../../src/bytes.ts'
import { Log } from '../../src/log/index.ts'
import { MemoryFolder } from '../../src/storage/index.ts'
import { Trie, type BatchOperation } from '../../src/trie/index.ts'
import { MemoryLog } from './memory-log.ts'

const runs = process.env['SLOW'] ? 2000 : 60

/** Names of which two collide, and some that share folders. */
const names = ['a', 'b', 'ab', 'idgcmnmna', 'mpomeiehc', 'é', 'long name with spaces']
const keys = fc
  .array(fc.constantFrom(...names), { minLength: 1, maxLength: 3 })
  .map((parts) => parts.join('/'))
const change = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ type: fc.constant('put' as const), key: keys, hidden: fc.boolean() }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ type: fc.constant('del' as const), key: keys, hidden: fc.boolean() }),
  },
)
const script = fc.array(fc.array(change, { minLength: 1, maxLength: 5 }), { maxLength: 25 })

type Model = Map<string, string>

function space(hidden: boolean | undefined): string {
  return hidden ? 'hidden:' : 'visible:'
}

async function contents(trie: Trie): Promise<Model> {
  const model: Model = new Map()
  for (const hidden of [false, true]) {
    // oxlint-disable-next-line no-await-in-loop
    for (const { key, value } of await trie.list('', { hidden })) {
      model.set(space(hidden) + key, toUtf8(value ?? new Uint8Array(0)))
    }
  }
  return model
}

function apply(model: Model, each: BatchOperation<Uint8Array>): void {
  const key = space(each.hidden) + each.key
  if (each.type === 'del') model.delete(key)
  else model.set(key, String(each.value))
}

function byKey<T>(rows: ReadonlyMap<string, T>): [string, T][] {
  return [...rows].toSorted(([a], [b]) => (a < b ? -1 : 1))
}

function sorted(model: Model): [string, string][] {
  return byKey(model)
}

test('a trie is a map: after any puts, deletes and batches, also where names collide', async (t) => {
  let counter = 0
  await fc.assert(
    fc.asyncProperty(script, async (batches) => {
      const log = new MemoryLog()
      const trie = new Trie(log)
      const model: Model = new Map()
      const versions: [number, Model][] = []
      for (const batch of batches) {
        const operations = batch.map((each) => ({ ...each, value: `value ${counter++}` }))
        for (const each of operations) apply(model, each)
        const [only] = operations
        // oxlint-disable-next-line no-await-in-loop
        if (operations.length > 1 || !only) await trie.batch(operations)
        // oxlint-disable-next-line no-await-in-loop
        else if (only.type === 'put') await trie.put(only.key, only.value, { hidden: only.hidden })
        // oxlint-disable-next-line no-await-in-loop
        else await trie.del(only.key, { hidden: only.hidden })
        versions.push([trie.version, new Map(model)])
      }
      const reader = new Trie(new MemoryLog(log.blocks))
      for (const [version, then] of versions) {
        for (const each of [trie, reader]) {
          // oxlint-disable-next-line no-await-in-loop
          t.same(sorted(await contents(each.checkout(version))), sorted(then))
        }
      }
      for (const [key, value] of model) {
        const hidden = key.startsWith('hidden:')
        // oxlint-disable-next-line no-await-in-loop
        const entry = await reader.get(key.slice(key.indexOf(':') + 1), { hidden })
        t.equal(toUtf8(entry?.value ?? new Uint8Array(0)), value)
      }
    }),
    { numRuns: runs },
  )
})

test('a diff is the set difference of two versions, forwards, backwards and page by page', async (t) => {
  await fc.assert(
    fc.asyncProperty(script, fc.nat(), fc.nat(), async (batches, a, b) => {
      const trie = new Trie(new MemoryLog())
      let counter = 0
      for (const batch of batches) {
        // oxlint-disable-next-line no-await-in-loop
        await trie.batch(batch.map((each) => ({ ...each, value: `value ${counter++}` })))
      }
      const left = trie.checkout(1 + (a % trie.version || 0))
      const right = trie.checkout(1 + (b % trie.version || 0))
      const wanted = new Map<string, [number, number]>()
      for (const { key, seq } of await left.list()) wanted.set(key, [seq, 0])
      for (const { key, seq } of await right.list()) {
        const known = wanted.get(key)
        if (known?.[0] === seq) wanted.delete(key)
        else wanted.set(key, [known?.[0] ?? 0, seq])
      }
      let checkpoint: Uint8Array | null = null
      const got = new Map<string, [number, number]>()
      for (;;) {
        const pull = left.diff(right, '', { checkpoint })
        // oxlint-disable-next-line no-await-in-loop
        const row = await pull.next()
        if (!row) break
        t.notOk(got.has(row.key), 'no key comes twice')
        got.set(row.key, [row.left?.seq ?? 0, row.right?.seq ?? 0])
        checkpoint = pull.checkpoint()
      }
      t.same(byKey(got), byKey(wanted))
    }),
    { numRuns: runs },
  )
})

test('a batch is one append, and a put on a writer reads nothing back', async (t) => {
  const log = new MemoryLog()
  const trie = new Trie(log)
  await trie.ready()
  const reads: number[] = []
  const get = log.get.bind(log)
  log.get = (index, options) => {
    reads.push(index)
    return get(index, options)
  }
  await trie.batch(Array.from({ length: 500 }, (_, i) => ({ key: `d${i % 7}/f${i}`, value: 'x' })))
  t.equal(log.appends, 2, 'the header, and the batch')
  for (let i = 0; i < 500; i++) {
    // oxlint-disable-next-line no-await-in-loop
    await trie.put(`d${i % 7}/f${i}`, 'y')
  }
  t.same(reads, [])
})

test('listing one directory reads in proportion to that directory', async (t) => {
  const log = new MemoryLog()
  await new Trie(log).batch(
    Array.from({ length: 5000 }, (_, i) => ({ key: `d${i % 500}/f${i}`, value: 'x' })),
  )
  const reader = new Trie(new MemoryLog(log.blocks))
  const reads = new Set<number>()
  const rows = await reader.list('d7', { onseq: (seq) => reads.add(seq) })
  t.equal(rows.length, 10)
  t.ok(reads.size < 30, `${reads.size} blocks`)
})

test('writes that run into each other are made one after the other', async (t) => {
  const trie = new Trie<string>(new MemoryLog(), { valueEncoding: 'utf8' })
  const puts = Array.from({ length: 50 }, (_, i) => trie.put(`k${i}`, `v${i}`))
  const failed = trie.put('k', 'v', {
    condition: () => {
      throw new Error('no')
    },
  })
  const late = trie.put('late', 'v')
  await t.rejects(failed, { message: 'no' })
  t.same(
    (await Promise.all(puts)).map((entry) => entry?.seq),
    puts.map((_, i) => i + 1),
  )
  t.equal((await late)?.seq, 51, 'a failed condition lets the next one go on')
})

test('what the caller does to its bytes later changes nothing', async (t) => {
  const trie = new Trie(new MemoryLog())
  const value = new Uint8Array([1, 2, 3])
  await trie.put('a', value)
  value.fill(9)
  const read = await trie.get('a')
  t.same(read?.value, new Uint8Array([1, 2, 3]))
  read?.value?.fill(7)
  t.same((await trie.get('a'))?.value, new Uint8Array([1, 2, 3]))
})

test('a checkout is read only, and knows nothing of what came later', async (t) => {
  const trie = new Trie<string>(new MemoryLog(), { valueEncoding: 'utf8' })
  await trie.put('a', '1')
  const before = trie.snapshot()
  await trie.put('a', '2')
  t.equal((await before.get('a'))?.value, '1')
  t.equal(before.isCheckout, true)
  await t.rejects(before.put('a', '3'), { code: 'TRIE_READ_ONLY_CHECKOUT' })
  await t.rejects(before.del('a'), { code: 'TRIE_READ_ONLY_CHECKOUT' })
  await t.rejects(before.batch([]), { code: 'TRIE_READ_ONLY_CHECKOUT' })
  t.equal((await trie.checkout(0).list()).length, 0)
  t.equal((await trie.checkout(null).head())?.seq, undefined)
  t.equal((await before.head())?.value, '1')
})

test('the option checkout shows a version, and -1 the newest once the log is open', async (t) => {
  const log = new MemoryLog()
  const trie = new Trie(log)
  await trie.batch([{ key: 'a' }, { key: 'b' }])
  const newest = new Trie(log, { checkout: -1 })
  t.equal(newest.isCheckout, true)
  t.equal(newest.version, 3)
  await newest.ready()
  const first = new Trie(log, { checkout: 2 })
  await trie.put('c')
  t.same((await newest.list()).map(({ key }) => key).toSorted(), ['a', 'b'])
  t.same(
    (await first.list()).map(({ key }) => key),
    ['a'],
  )
  await t.rejects(newest.put('d'), { code: 'TRIE_READ_ONLY_CHECKOUT' })
})

test('keys and flags that could not be read back are refused, and nothing is appended', async (t) => {
  const log = new MemoryLog()
  const trie = new Trie(log)
  await trie.ready()
  for (const key of ['', '/', '//', '///']) {
    // oxlint-disable-next-line no-await-in-loop
    await t.rejects(trie.put(key), { code: 'TRIE_BAD_KEY' })
    // oxlint-disable-next-line no-await-in-loop
    await t.rejects(trie.batch([{ key: 'a' }, { key }]), { code: 'TRIE_BAD_KEY' })
  }
  for (const flags of [-1, 0.5, 2 ** 23, Number.NaN]) {
    // oxlint-disable-next-line no-await-in-loop
    await t.rejects(trie.put('a', null, { flags }), RangeError)
  }
  t.equal(log.length, 1)
  await trie.put('a', null, { flags: 2 ** 23 - 1 })
  t.equal((await new Trie(log).get('a'))?.flags, 2 ** 23 - 1)
  await trie.put('///c')
  t.equal((await new Trie(log).get('c'))?.key, 'c', 'all of many leading slashes go')
})

test('after a batch that empties the trie no pointer leads to the reset block', async (t) => {
  const log = new MemoryLog()
  const trie = new Trie(log)
  await trie.put('k', '1')
  await trie.batch([{ type: 'del', key: 'k' }, { key: 'z' }, { key: 'y' }])
  const rows = await new Trie(new MemoryLog(log.blocks)).list()
  t.same(rows.map(({ key }) => key).toSorted(), ['y', 'z'])
  t.same(
    (await trie.history().collect()).map(({ seq }) => seq),
    [1, 3, 4],
  )
})

test('somebody else who appends to the log is noticed before harm is done', async (t) => {
  const log = new MemoryLog()
  const trie = new Trie(log)
  await trie.put('a')
  const work = trie.put('b', null, {
    condition: async () => {
      await log.append([new Uint8Array([1])])
      return true
    },
  })
  // The condition is asked before the place in the log is taken, so this put is in order.
  t.equal((await work)?.seq, 3)
  const append = log.append.bind(log)
  log.append = async (blocks) => {
    await append([new Uint8Array([1])])
    return append(blocks)
  }
  await t.rejects(trie.put('c'), { code: 'TRIE_CONFLICT' })
})

test('a log that cannot be written refuses puts, but a delete that finds nothing is none', async (t) => {
  const log = new MemoryLog()
  log.writable = false
  const trie = new Trie(log)
  await t.rejects(trie.put('a'), { code: 'LOG_NOT_WRITABLE' })
  await t.rejects(trie.batch([{ key: 'a' }]), { code: 'LOG_NOT_WRITABLE' })
  t.equal(await trie.del('a'), null)
  t.equal(await trie.get('a'), null)
  t.equal(trie.version, 0)
})

test('metadata is set before the first write, and read from block 0', async (t) => {
  const log = new MemoryLog()
  const trie = new Trie(log, { metadata: 'text', subtype: 'test' })
  t.same(trie.metadata, new Uint8Array([116, 101, 120, 116]))
  trie.setMetadata(new Uint8Array([1, 2]))
  await trie.ready()
  await trie.ready()
  t.same(await trie.getMetadata(), new Uint8Array([1, 2]))
  t.throws(() => trie.setMetadata(new Uint8Array(1)), { code: 'TRIE_NOT_EMPTY' })
  const foreign = new Trie(new MemoryLog([new Uint8Array([255])]))
  await t.rejects(foreign.getMetadata(), { code: 'TRIE_BAD_HEADER' })
  t.equal(await new Trie(new MemoryLog()).getMetadata(), null)
})

test('a trie lives on a real log, and another one reads it from the same files', async (t) => {
  const folder = new MemoryFolder([])
  const log = new Log(folder.open)
  const trie = new Trie<{ n: number }>(log, { valueEncoding: 'json' })
  await trie.batch(Array.from({ length: 300 }, (_, n) => ({ key: `a/${n}`, value: { n } })))
  await trie.del('a/7')
  await log.close()
  const again = new Trie<{ n: number }>(new Log(folder.open), { valueEncoding: 'json' })
  t.equal((await again.get('a/8'))?.value?.n, 8)
  t.equal(await again.get('a/7'), null)
  t.equal((await again.list('a')).length, 299)
  t.equal(again.version, 302)
})
