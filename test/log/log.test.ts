/** What programs do with a log that they write themselves. */
import fc from 'fast-check'
import t from 'tap'
import { fromUtf8, toHex, toUtf8 } from '../../src/bytes.ts'
import { signingKeyPair } from '../../src/crypto.ts'
import { Log, MAX_BLOCK_BYTES } from '../../src/log/index.ts'
import { MemoryFolder } from '../../src/storage/index.ts'
import { Notes, blocksOf, writer } from './logs.ts'

const file = (folder: MemoryFolder, name: string): Uint8Array =>
  folder.snapshot().get(name) ?? new Uint8Array(0)

async function done(work: Promise<unknown>): Promise<void> {
  await work
}

t.test('a log behaves as an array of its blocks, in memory and opened again', () =>
  fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 12 }), { maxLength: 8 }),
      async (batches) => {
        const { log, folder } = await writer()
        const model: Uint8Array[] = []
        for (const batch of batches) {
          t.equal(await log.append(batch), model.length)
          model.push(...batch)
        }
        await log.close()
        const again = new Log(folder.open)
        await again.ready()
        t.equal(again.length, model.length)
        t.equal(
          again.byteLength,
          model.reduce((sum, block) => sum + block.length, 0),
        )
        const read = await again.getBatch(0, model.length)
        t.strictSame(read.map(toHex), model.map(toHex))
        let byteOffset = 0
        for (const [index, block] of model.entries()) {
          // Byte 0 is in block 0, even when that is empty.
          if (byteOffset + block.length > 1 && block.length > 0) {
            t.strictSame(await again.seek(byteOffset + block.length - 1), {
              index,
              offset: block.length - 1,
            })
          }
          byteOffset += block.length
        }
        t.strictSame(await again.audit(), { valid: model.length, invalid: 0 })
        await again.close()
      },
    ),
    { numRuns: 40 },
  ),
)

t.test('appends that are called together become batches in their order', async (t) => {
  const { log } = await writer()
  const indices = await Promise.all(blocksOf(50).map((block) => log.append(block)))
  t.strictSame(indices, [...indices.keys()])
  t.strictSame((await log.getBatch(0, 50)).map(toHex), blocksOf(50).map(toHex))
  await log.close()
})

t.test('a block that is too large, or that the codec refuses, changes nothing', async (t) => {
  const { log } = await writer(blocksOf(3))
  await t.rejects(log.append([new Uint8Array(1), new Uint8Array(MAX_BLOCK_BYTES + 1)]), {
    code: 'LOG_BLOCK_TOO_LARGE',
  })
  await t.rejects(log.append(7 as unknown as Uint8Array), TypeError)
  t.equal(log.length, 3)
  t.equal(await log.append(new Uint8Array(2)), 3)
  t.equal((await log.signature()).index, 3)
  await log.close()
})

t.test('a closed log answers everything with LOG_CLOSED, also what waited', async (t) => {
  const { log } = await writer(blocksOf(2))
  const waits: Promise<unknown>[] = [
    log.get(9),
    log.update(),
    log.seek(10_000),
    log.download({ start: 5, end: 9 }).done,
  ]
  for (const wait of waits) wait.catch(() => undefined)
  await Promise.all([log.close(), log.close()])
  const calls = [log.get(0), log.append(new Uint8Array(1)), log.ready(), log.clear(0), log.flush()]
  for (const call of [...waits, ...calls]) await t.rejects(done(call), { code: 'LOG_CLOSED' })
  t.equal(log.has(0), true)
  t.equal(log.writable, false)
})

t.test('keys are checked before anything is written', async (t) => {
  const pair = signingKeyPair()
  const other = signingKeyPair()
  const folder = new MemoryFolder()
  t.throws(() => new Log(folder.open, new Uint8Array(31)), { code: 'LOG_BAD_KEY' })
  t.throws(() => new Log(folder.open, 'xyz'), { code: 'LOG_BAD_KEY' })
  t.throws(() => new Log(7 as unknown as string), TypeError)
  const mixed = new Log(folder.open, pair.publicKey, { secretKey: other.secretKey })
  await t.rejects(mixed.ready(), { code: 'LOG_BAD_KEY_PAIR' })
  const missing = new Log(folder.open, null, { createIfMissing: false })
  await t.rejects(missing.ready(), { code: 'LOG_NOT_FOUND' })
  const unwritable = new Log(folder.open, pair.publicKey, { writable: true })
  await t.rejects(unwritable.ready(), { code: 'LOG_NOT_WRITABLE' })
  t.equal(folder.snapshot().size, 0)
})

t.test(
  'a folder of another log is refused and left alone; force and overwrite take it',
  async (t) => {
    const { log, folder } = await writer(blocksOf(4))
    await log.close()
    const before = file(folder, 'bitfield')
    const pair = signingKeyPair()
    const refused = new Log(folder.open, pair.publicKey)
    const failures: Error[] = []
    refused.on('error', (error) => failures.push(error))
    await t.rejects(refused.ready(), { code: 'LOG_OTHER_KEY' })
    t.equal(failures.length, 1)
    t.strictSame(file(folder, 'bitfield'), before)
    const forced = new Log(folder.open, pair.publicKey, { secretKey: pair.secretKey, force: true })
    await forced.append(new Uint8Array(5))
    t.equal(forced.length, 1)
    await forced.close()
    const replica = new Log(folder.open, signingKeyPair().publicKey, { overwrite: true })
    await replica.ready()
    t.equal(replica.length, 0)
    t.equal(replica.writable, false)
    await replica.close()
    // The old secret key must not make the next open believe that it may write.
    const last = new Log(folder.open)
    await last.ready()
    t.equal(last.writable, false)
    await last.close()
  },
)

t.test('an identity that is found while opening takes the place of the keys given', async (t) => {
  const pair = signingKeyPair()
  const folder = new MemoryFolder()
  const log = new Log(folder.open, null, {
    identify: async () => ({
      key: pair.publicKey,
      secretKey: pair.secretKey,
      storeSecretKey: false,
    }),
  })
  await log.append(new Uint8Array(1))
  t.strictSame(log.key, pair.publicKey)
  t.equal(folder.snapshot().has('secret_key'), false)
  await log.close()
  const failing = new Log(folder.open, null, { identify: () => Promise.reject(new Error('no')) })
  await t.rejects(failing.ready(), { message: 'no' })
})

t.test('clear forgets blocks, gives the tail back and tells; the length stays', async (t) => {
  const { log, folder } = await writer([fromUtf8('aaaa'), fromUtf8('bbb'), fromUtf8('cc')])
  const notes = new Notes()
  log.attach(notes)
  const events: unknown[] = []
  log.on('clear', (start, end) => events.push([start, end]))
  t.strictSame(await log.clear(0), { bytesFreed: 0 })
  t.strictSame(await log.clear(1, 3), { bytesFreed: 5 })
  t.equal(file(folder, 'data').length, 4)
  t.strictSame(events, [
    [0, 1],
    [1, 3],
  ])
  t.ok(notes.heard.includes('cleared 1 2'))
  t.equal(log.length, 3)
  await t.rejects(log.get(1, { wait: false }), { code: 'LOG_NOT_HELD' })
  t.strictSame(await log.clear(1, 3), { bytesFreed: 0 })
  t.strictSame(await log.clear(5, 2 ** 50), { bytesFreed: 0 })
  t.equal(await log.append(fromUtf8('dddd')), 3)
  await log.close()
  const again = new Log(folder.open)
  t.equal(toUtf8(await again.get(3)), 'dddd')
  t.equal(again.downloaded(), 1)
  await again.close()
})

t.test('truncate shortens a log that stays whole, also when it grows again', async (t) => {
  const { log, folder } = await writer()
  for (const block of blocksOf(9)) await log.append(block)
  await log.truncate(5)
  t.equal(log.length, 5)
  t.strictSame((await log.getBatch(0, 5)).map(toHex), blocksOf(5).map(toHex))
  await log.append(blocksOf(2, 40))
  t.equal((await log.signature()).index, 6)
  await log.close()
  const again = new Log(folder.open)
  await again.ready()
  t.equal(again.length, 7)
  t.strictSame(await again.audit(), { valid: 7, invalid: 0 })
  t.equal(toHex(await again.get(6)), toHex(blocksOf(2, 40)[1] ?? new Uint8Array(0)))
  await again.truncate(0)
  t.equal(again.length, 0)
  await again.close()
})

t.test('a static log gets its key from its content, and then is complete', async (t) => {
  const folder = new MemoryFolder()
  const log = new Log(folder.open, null, { live: false })
  await log.append(blocksOf(3))
  t.equal(log.key, null)
  const key = await log.finalize()
  t.strictSame(log.key, key)
  await t.rejects(log.append(new Uint8Array(1)), { code: 'LOG_NOT_WRITABLE' })
  await log.close()
  const again = new Log(folder.open, key)
  await again.ready()
  t.equal(again.live, false)
  t.equal(again.length, 3)
  await again.close()
})

t.test('indices and ranges that are none are refused', async (t) => {
  const { log } = await writer(blocksOf(3))
  for (const index of [-1, 0.5, Number.NaN, 2 ** 53]) await t.rejects(log.get(index), RangeError)
  await t.rejects(log.getBatch(2, 1), RangeError)
  await t.rejects(log.clear(2, 1), RangeError)
  await t.rejects(log.seek(-1), RangeError)
  t.throws(() => log.download([-1]), RangeError)
  t.throws(() => log.digest(0) && log.proof(-1), RangeError)
  await log.close()
})

t.test('what a listener throws does not disturb the log', async (t) => {
  const { log } = await writer()
  const thrown: unknown[] = []
  const caught = t.intercept(process, 'emit')
  process.once('uncaughtException', (error) => thrown.push(error))
  log.on('append', () => {
    throw new Error('of the listener')
  })
  t.equal(await log.append(new Uint8Array(1)), 0)
  await new Promise((resolve) => setImmediate(resolve))
  t.equal(thrown.length, 1)
  caught.restore()
  await log.close()
})

t.test('destroy deletes what is stored, also of a log that has no data', async (t) => {
  const { log, folder } = await writer()
  await log.destroy()
  t.equal(folder.snapshot().size, 0)
})
