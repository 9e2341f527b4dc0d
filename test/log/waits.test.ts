/** How waits and downloads are given up, and what ends them otherwise. */
import t from 'tap'
import { concat, toHex } from '../../src/bytes.ts'
import { Log } from '../../src/log/index.ts'
import { MemoryFolder } from '../../src/storage/index.ts'
import { Notes, blocksOf, copyOf, message, writer } from './logs.ts'

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

t.test('cancel ends what lies inside its range, and nothing else', async (t) => {
  const { log } = await writer(blocksOf(8, 1))
  const { copy } = await copyOf(log)
  const inside = [
    copy.get(1),
    copy.seek(3, { start: 1, end: 3 }),
    copy.download({ start: 1, end: 3 }).done,
    copy.download([2, 1]).done,
    copy.download(1).done,
  ]
  for (const work of inside) work.catch(() => undefined)
  const outside = [copy.get(3), copy.seek(3), copy.update(99)]
  for (const work of outside) work.catch(() => undefined)
  copy.download([1, 3])
  copy.download({ start: 0, end: 2 })
  await turn()
  copy.cancel(1, 3)
  for (const work of inside) await t.rejects(Promise.resolve(work), { code: 'ECANCELED' })
  t.strictSame([...copy.wishes.waiting].map(({ type }) => type).toSorted(), [
    'block',
    'length',
    'seek',
  ])
  t.match(
    [...copy.wishes.selections],
    [
      { type: 'blocks', blocks: [1, 3] },
      { type: 'range', start: 0, end: 2 },
    ],
  )
  await Promise.all([log.close(), copy.close()])
  for (const work of outside) await t.rejects(Promise.resolve(work), { code: 'LOG_CLOSED' })
})

t.test('undownload takes a handle, or the first download of the same range', async (t) => {
  const { log } = await writer(blocksOf(8, 1))
  const { copy } = await copyOf(log)
  const list = copy.download([1, 2])
  const first = copy.download({ start: 1, end: 3 })
  const second = copy.download({ start: 1, end: 3 })
  const linear = copy.download({ start: 1, end: 3, linear: true })
  copy.undownload({ start: 1, end: 9 })
  copy.undownload({ blocks: [1, 2] })
  t.equal(copy.wishes.selections.size, 4, 'there is none of that range, and lists have handles')
  copy.undownload({ start: 1, end: 3 })
  await t.rejects(first.done, { code: 'ECANCELED' })
  t.strictSame([...copy.wishes.selections], [list.wish, second.wish, linear.wish])
  copy.undownload(list)
  copy.undownload(list)
  await t.rejects(list.done, { code: 'ECANCELED' })
  t.equal(copy.wishes.selections.size, 2)
  await Promise.all([log.close(), copy.close()])
})

t.test(
  'a list is met by all of its blocks; what is cleared meanwhile is not waited for',
  async (t) => {
    const { log } = await writer(blocksOf(8, 1))
    const { copy } = await copyOf(log)
    const { done } = copy.download([5, 2])
    let met = false
    void done.then(() => (met = true))
    await copy.receive([await message(log, copy, 5)], null)
    await copy.clear(5)
    await turn()
    t.equal(met, false, 'block 2 is lacking')
    await copy.receive([await message(log, copy, 2)], null)
    await done
    t.equal(copy.has(5), false)
    await Promise.all([log.close(), copy.close()])
  },
)

t.test('a block that an audit drops while a list is on is lacking again', async (t) => {
  const { log } = await writer(blocksOf(8, 1))
  const { copy, folder } = await copyOf(log)
  const { done } = copy.download([5, 2])
  let met = false
  void done.then(() => (met = true))
  await copy.receive([await message(log, copy, 5)], null)
  const { length } = folder.snapshot().get('data') ?? new Uint8Array(0)
  await folder.open('data').write(length - 1, Uint8Array.of(255))
  t.strictSame(await copy.audit(), { valid: 0, invalid: 1 })
  await copy.receive([await message(log, copy, 2)], null)
  await turn()
  t.equal(met, false)
  await copy.receive([await message(log, copy, 5)], null)
  await done
  t.strictSame(await copy.get(5), await log.get(5))
  await Promise.all([log.close(), copy.close()])
})

t.test('a download that is given up before the log is open never begins', async (t) => {
  const { log } = await writer(blocksOf(3, 1))
  const copy = new Log(new MemoryFolder().open, log.key, { sparse: true })
  const notes = new Notes()
  copy.attach(notes)
  const download = copy.download({ start: 0, end: 2 })
  download.destroy()
  await t.rejects(download.done, { code: 'ECANCELED' })
  t.equal(copy.wishes.selections.size, 0)
  await Promise.all([log.close(), copy.close()])
})

t.test('who was aborted before gets the reason at once, as an error whatever it was', async (t) => {
  const { log } = await writer(blocksOf(3, 1))
  const { copy } = await copyOf(log)
  const error = new Error('enough')
  await t.rejects(copy.seek(2, { signal: AbortSignal.abort(error) }), error)
  await t.rejects(copy.seek(2, { signal: AbortSignal.abort('bored') }), { cause: 'bored' })
  const abort = new AbortController()
  const waiting = copy.seek(2, { signal: abort.signal })
  waiting.catch(() => undefined)
  await turn()
  abort.abort('later')
  await t.rejects(waiting, { cause: 'later' })
  t.equal(copy.wishes.waiting.size, 0)
  await Promise.all([log.close(), copy.close()])
})

t.test('a seek ends as soon as the tree says that the byte is not in its range', async (t) => {
  const { log } = await writer(blocksOf(8, 1))
  const { copy } = await copyOf(log)
  await t.rejects(copy.seek(5, { wait: false }), { code: 'LOG_OUT_OF_BOUNDS' })
  const seeking = copy.seek(log.byteLength - 1, { start: 0, end: 2 })
  seeking.catch(() => undefined)
  await turn()
  await copy.receive([await message(log, copy, 0, { hash: true })], null)
  await t.rejects(seeking, { code: 'LOG_OUT_OF_BOUNDS' })
  await t.rejects(copy.seek(log.byteLength - 1, { wait: false }), { code: 'LOG_NOT_HELD' })
  t.equal(copy.wishes.waiting.size, 0)
  await Promise.all([log.close(), copy.close()])
})

t.test(
  'bytes are read from blocks held and blocks that come, to exactly the last one',
  async (t) => {
    const blocks = blocksOf(14)
    const { log } = await writer(blocks)
    const whole = concat(blocks)
    // Blocks 0 and 11 are empty: a range that ends where block 11 begins has nothing of it.
    const upTo = concat(blocks.slice(0, 11)).length
    const held: Uint8Array[] = []
    for await (const piece of log.readBytes({ byteOffset: 0, byteLength: upTo })) held.push(piece)
    t.equal(toHex(concat(held)), toHex(whole.subarray(0, upTo)))

    const { copy } = await copyOf(log)
    for (const index of [0, 1, 2, 3, 6, 7])
      await copy.receive([await message(log, copy, index)], null)
    const start = (blocks[0]?.length ?? 0) + (blocks[1]?.length ?? 0) + 1
    const byteLength = concat(blocks.slice(2, 9)).length - 1
    const read: Uint8Array[] = []
    const reading = (async () => {
      for await (const piece of copy.readBytes({ byteOffset: start, byteLength })) read.push(piece)
    })()
    for (let wanted = 0; wanted < 20 && !copy.has(8); wanted++) {
      await turn()
      for (const wish of copy.wishes.waiting) {
        const index = wish.type === 'block' ? wish.index : wish.type === 'seek' ? wish.start : 0
        await copy.receive([await message(log, copy, index, { hash: wish.type !== 'block' })], null)
      }
    }
    await reading
    t.equal(toHex(concat(read)), toHex(whole.subarray(start, start + byteLength)))
    t.equal(copy.wishes.selections.size, 0, 'the download ahead is over')
    await Promise.all([log.close(), copy.close()])
  },
)
