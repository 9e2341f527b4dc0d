/** What a copy takes from others, what it refuses, and what stands still until it comes. */
import fc from 'fast-check'
import t from 'tap'
import { toHex } from '../../src/bytes.ts'
import { Log, LogError, LogUnavailableError } from '../../src/log/index.ts'
import type { ForkEvidence, ReceivedBlock } from '../../src/log/index.ts'
import { signingKeyPair } from '../../src/crypto.ts'
import { MemoryFolder } from '../../src/storage/index.ts'
import { FaultyFolder } from './faulty-folder.ts'
import { Notes, blocksOf, copyOf, message, writer } from './logs.ts'

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

t.test('blocks in any order and any batches make a copy equal to its source', () =>
  fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 40 }),
      fc.infiniteStream(fc.nat(10_000)),
      async (count, numbers) => {
        const draw = (below: number): number => numbers.next().value % below
        const { log } = await writer(blocksOf(count))
        const { copy, folder } = await copyOf(log)
        const left = [...Array(count).keys()]
        while (left.length > 0) {
          const batch: ReceivedBlock[] = []
          // Digests are of now: proofs of one batch know nothing of each other, as with requests in flight.
          for (let k = 1 + draw(4); k > 0 && left.length > 0; k--) {
            const [index = 0] = left.splice(draw(left.length), 1)
            batch.push(await message(log, copy, index, { hash: draw(5) === 0 }))
            if (batch.at(-1)?.value === null) left.push(index)
          }
          t.strictSame(
            await copy.receive(batch, null),
            batch.map(() => null),
          )
        }
        t.equal(copy.length, count)
        t.equal(copy.byteLength, log.byteLength)
        t.strictSame((await copy.getBatch(0, count)).map(toHex), blocksOf(count).map(toHex))
        await copy.close()
        const again = new Log(folder.open)
        await again.ready()
        t.equal(again.length, count)
        t.strictSame(await again.audit(), { valid: count, invalid: 0 })
        await again.close()
        await log.close()
      },
    ),
    { numRuns: 40 },
  ),
)

t.test('one wrong bit anywhere refuses a block, and leaves nothing of it', () =>
  fc.assert(
    fc.asyncProperty(fc.nat(10_000), fc.nat(10_000), async (which, bit) => {
      const { log } = await writer(blocksOf(9, 1))
      const { copy, folder } = await copyOf(log)
      const good = await message(log, copy, 4)
      const before = folder.snapshot()
      const nodes = good.nodes.map((node) => ({ ...node, hash: node.hash.slice() }))
      const parts = [
        good.value?.slice(),
        good.signature?.slice(),
        ...nodes.map((node) => node.hash),
      ]
      const part = parts[which % parts.length] ?? new Uint8Array(1)
      const at = bit % (8 * part.length)
      part[at >> 3] = (part[at >> 3] ?? 0) ^ (1 << (at & 7))
      const [value = null, signature = null] = parts
      const [error] = await copy.receive([{ index: 4, value, nodes, signature }], null)
      t.equal(error?.code, 'LOG_BAD_PROOF')
      t.equal(copy.length, 0)
      t.strictSame(folder.snapshot(), before)
      // The rest of a batch goes on.
      const [bad, fine] = await copy.receive([{ index: 4, value, nodes, signature }, good], null)
      t.ok(bad)
      t.equal(fine, null)
      await Promise.all([log.close(), copy.close()])
    }),
    { numRuns: 60 },
  ),
)

t.test(
  'events and the replicator hear of blocks in order, and of held ones only once',
  async (t) => {
    const { log } = await writer(blocksOf(3, 1))
    const { copy } = await copyOf(log)
    const notes = new Notes()
    copy.attach(notes)
    const heard: string[] = []
    copy.on('append', () => heard.push('append'))
    copy.on('download', (index) => heard.push(`download ${index}`))
    copy.on('sync', () => heard.push('sync'))
    const all = [0, 1, 2].map((index) => message(log, copy, index))
    await copy.receive(await Promise.all(all), null)
    t.strictSame(heard, ['append', 'download 0', 'download 1', 'download 2', 'sync'])
    t.ok(notes.heard.includes('stored 0,1,2'))
    const [again] = await copy.receive([await message(log, copy, 1)], null)
    t.equal(again, null)
    t.equal(heard.length, 5)
    await Promise.all([log.close(), copy.close()])
  },
)

t.test('digests count what was verified a moment ago, before it is stored', async (t) => {
  const { log } = await writer(blocksOf(4, 1))
  const { copy } = await copyOf(log)
  const first = await message(log, copy, 0)
  const storing = copy.receive([first], null)
  await Promise.resolve()
  t.equal(copy.digest(1), 1)
  await storing
  t.equal(copy.digest(1), 1)
  await Promise.all([log.close(), copy.close()])
})

t.test('a write that fails rejects, and the same block can be received afterwards', async (t) => {
  const { log } = await writer(blocksOf(4, 1))
  const folder = new FaultyFolder()
  const copy = new Log(folder.open, log.key, { sparse: true })
  await copy.ready()
  const block = await message(log, copy, 2)
  folder.fate = () => 'fails'
  await t.rejects(copy.receive([block], null), { code: 'STORAGE_IO' })
  t.equal(copy.has(2), false)
  t.equal(copy.length, 0)
  folder.fate = () => 'done'
  t.strictSame(await copy.receive([block], null), [null])
  t.strictSame(await copy.get(2), await log.get(2))
  await Promise.all([log.close(), copy.close()])
})

t.test('two signed histories of one key are a fork: told, and not mixed', async (t) => {
  const pair = signingKeyPair()
  const one = new Log(new MemoryFolder().open, pair.publicKey, { secretKey: pair.secretKey })
  const two = new Log(new MemoryFolder().open, pair.publicKey, { secretKey: pair.secretKey })
  await one.append(blocksOf(3, 1))
  await two.append(blocksOf(4, 5))
  const { copy } = await copyOf(one)
  for (const index of [0, 1, 2]) await copy.receive([await message(one, copy, index)], null)
  const forks: ForkEvidence[] = []
  copy.on('fork', (evidence) => forks.push(evidence))
  const [error] = await copy.receive([await message(two, copy, 3, { digest: 0 })], null)
  t.equal(error?.code, 'LOG_FORK')
  t.equal(forks.length, 1)
  t.equal(copy.fork, forks[0])
  t.equal(copy.length, 3)
  t.strictSame(await copy.audit(), { valid: 3, invalid: 0 })
  await Promise.all([one.close(), two.close(), copy.close()])
})

t.test('readers wait for their block, share its wish, and leave no trace', async (t) => {
  const { log } = await writer(blocksOf(5, 1))
  const { copy } = await copyOf(log)
  const notes = new Notes()
  copy.attach(notes)
  const waitedFor: number[] = []
  const reads = [copy.get(3, { onwait: (index) => waitedFor.push(index) }), copy.get(3)]
  await turn()
  t.strictSame([...copy.wishes.waiting], [{ type: 'block', index: 3 }])
  t.strictSame(notes.heard, ['wishes'])
  await copy.receive([await message(log, copy, 3)], null)
  const [a, b] = await Promise.all(reads)
  t.strictSame(a, await log.get(3))
  t.strictSame(b, a)
  t.not(a?.buffer, b?.buffer, 'each reader owns its bytes')
  t.strictSame(waitedFor, [3])
  t.equal(copy.wishes.waiting.size, 0)

  const abort = new AbortController()
  const aborted = copy.get(1, { signal: abort.signal })
  await turn()
  abort.abort(new Error('enough'))
  await t.rejects(aborted, { message: 'enough' })
  await t.rejects(copy.get(1, { signal: abort.signal }), { message: 'enough' })
  await t.rejects(copy.get(1, { timeout: 1 }), { code: 'ETIMEDOUT' })
  const cancelled = copy.get(1)
  await turn()
  copy.cancel(0, 2)
  await t.rejects(cancelled, { code: 'ECANCELED' })
  await t.rejects(copy.get(1, { wait: false }), { code: 'LOG_NOT_HELD' })
  t.equal(copy.wishes.waiting.size, 0)
  await Promise.all([log.close(), copy.close()])
})

t.test('whoever waits only for peers is answered once none can help', async (t) => {
  const { log } = await writer(blocksOf(5, 1))
  const { copy } = await copyOf(log)
  await t.rejects(copy.get(0, { wait: 'peers' }), { code: 'LOG_UNAVAILABLE', peersAsked: 0 })
  await t.rejects(copy.update({ ifAvailable: true }), LogUnavailableError)
  await t.rejects(copy.seek(5, { ifAvailable: true }), LogUnavailableError)
  const notes = new Notes()
  copy.attach(notes)
  notes.meets = () => true
  const release = copy.guard.hold()
  const read = copy.get(0, { wait: 'peers' })
  let answered = false
  read.catch(() => (answered = true))
  await turn()
  release()
  release()
  await turn()
  t.equal(answered, false, 'a peer may still have it')
  notes.meets = () => false
  copy.peersChanged()
  await t.rejects(read, { code: 'LOG_UNAVAILABLE' })
  await Promise.all([log.close(), copy.close()])
})

t.test('updates and seeks resolve with what arrives', async (t) => {
  const { log } = await writer(blocksOf(6, 1))
  const { copy } = await copyOf(log)
  const longer = copy.update()
  const exact = copy.update(6)
  const far = copy.update(7)
  far.catch(() => undefined)
  const where = copy.seek(log.byteLength - 1)
  await turn()
  t.equal(copy.wishes.waiting.size, 4)
  await copy.receive([await message(log, copy, 5, { hash: true })], null)
  await Promise.all([longer, exact])
  t.equal(copy.length, 6)
  await turn()
  const seek = [...copy.wishes.waiting].find((wish) => wish.type === 'seek')
  if (seek) await copy.receive([await message(log, copy, seek.start, { hash: true })], null)
  t.strictSame(await where, await log.seek(log.byteLength - 1))
  await copy.close()
  await t.rejects(far, { code: 'LOG_CLOSED' })
  await log.close()
})

t.test('downloads end when they are met, at once where they are already', async (t) => {
  const { log } = await writer(blocksOf(8, 1))
  await log.download({ start: 0, end: 8 }).done
  await log.download([]).done
  const { copy } = await copyOf(log)
  const range = copy.download({ start: 2, end: 4, linear: true })
  const list = copy.download([5, 2])
  const hashes = copy.download({ start: 0, end: 1, hash: true })
  const open = copy.download()
  const other = copy.download({ start: 6, end: 8 })
  t.equal(copy.wishes.selections.size, 5)
  for (const index of [2, 3, 5]) await copy.receive([await message(log, copy, index)], null)
  await Promise.all([range.done, list.done])
  await copy.receive([await message(log, copy, 0, { hash: true })], null)
  await hashes.done
  copy.undownload({ start: 6, end: 8 })
  await t.rejects(other.done, { code: 'ECANCELED' })
  open.destroy()
  open.destroy()
  await t.rejects(open.done, { code: 'ECANCELED' })
  t.equal(copy.wishes.selections.size, 0)
  const late = new Log(new MemoryFolder().open, log.key)
  const early = late.download({ start: 0, end: 2 })
  await late.ready()
  t.equal(late.wishes.selections.size, 2, 'its own, and that of everything')
  early.destroy()
  await t.rejects(early.done, { code: 'ECANCELED' })
  await Promise.all([log.close(), copy.close(), late.close()])
})

t.test('a hook that throws refuses a block', async (t) => {
  const { log } = await writer(blocksOf(3, 1))
  const { copy } = await copyOf(log, {
    onwrite: (index) => {
      if (index === 1) throw new Error('not this one')
      if (index === 2) throw new LogError('LOG_NOT_WRITABLE', 'nor this one')
    },
  })
  const [first] = await copy.receive([await message(log, copy, 0)], null)
  const [second] = await copy.receive([await message(log, copy, 1)], null)
  t.equal(first, null)
  t.equal(second?.code, 'LOG_BAD_PROOF')
  const [third] = await copy.receive([await message(log, copy, 2)], null)
  t.equal(third?.code, 'LOG_NOT_WRITABLE', 'its own reason stays')
  t.equal(copy.has(1), false)
  await Promise.all([log.close(), copy.close()])
})

t.test('a log that is longer than allowed is refused before anything is made for it', async (t) => {
  const { log } = await writer(blocksOf(6, 1))
  const { copy, folder } = await copyOf(log, { maxLength: 5 })
  const before = folder.snapshot()
  const [error] = await copy.receive([await message(log, copy, 5)], null)
  t.equal(error?.code, 'LOG_TOO_LONG')
  t.strictSame(folder.snapshot(), before)
  await Promise.all([log.close(), copy.close()])
})
