/** Every call that may wait has three outcomes, and leaves nothing behind when it is given up. */
import t from 'tap'
import type { Log, WaitOptions } from '../../src/log/index.ts'
import { blocksOf, copyOf, message, Notes, writer } from './logs.ts'

const COUNT = 6

/** A copy that knows how long the log is, and holds block 0 and the last. */
async function partial(): Promise<{ log: Log; copy: Log; notes: Notes }> {
  const { log } = await writer(blocksOf(COUNT, 1))
  const { copy } = await copyOf(log)
  for (const index of [0, COUNT - 1]) await copy.receive([await message(log, copy, index)], null)
  const notes = new Notes()
  notes.meets = () => true
  copy.attach(notes)
  return { log, copy, notes }
}

/** Each waiting call, for something that is not here. */
const calls: Record<string, (copy: Log, options: WaitOptions) => Promise<unknown>> = {
  get: (copy, options) => copy.get(2, options),
  getBatch: (copy, options) => copy.getBatch(0, COUNT, options),
  readBlock: (copy, options) => copy.readBlock(3, options),
  seek: (copy, options) => copy.seek(12, options),
  update: (copy, options) => copy.update({ ...options }),
  blocks: async (copy, options) => {
    for await (const block of copy.blocks(options)) void block
  },
  'a read stream': async (copy, options) => {
    for await (const block of copy.createReadStream(options)) void block
  },
  'bytes to an end that is not known': async (copy, options) => {
    const range = { byteOffset: 1, byteLength: 11, ...options }
    for await (const piece of copy.readBytes(range)) void piece
  },
  'a byte stream': async (copy, options) => {
    for await (const piece of copy.createByteStream({ blockLength: COUNT, ...options })) void piece
  },
  download: (copy, options) => copy.download({ start: 1, end: 4 }, options).done,
  'download of a list': (copy, options) => copy.download([1, 3], options).done,
}

function traces(copy: Log): number {
  return copy.wishes.waiting.size + copy.wishes.selections.size
}

async function turn(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve))
}

for (const [name, call] of Object.entries(calls)) {
  t.test(`${name}: not waiting is an error at once`, async (t) => {
    const { log, copy } = await partial()
    await t.rejects(call(copy, { wait: false }), { code: /^LOG_(NOT_HELD|OUT_OF_BOUNDS)$/ })
    t.equal(traces(copy), 0)
    await Promise.all([log.close(), copy.close()])
  })

  t.test(`${name}: an abort frees every trace of the wish`, async (t) => {
    const { log, copy } = await partial()
    const abort = new AbortController()
    const waiting = call(copy, { signal: abort.signal })
    const rejected = t.rejects(waiting, { message: 'enough' })
    await turn()
    t.ok(traces(copy) > 0, 'it waits')
    abort.abort(new Error('enough'))
    await rejected
    await turn()
    t.equal(traces(copy), 0)
    await t.rejects(call(copy, { signal: AbortSignal.abort(new Error('before')) }), {
      message: 'before',
    })
    await turn()
    t.equal(traces(copy), 0)
    await Promise.all([log.close(), copy.close()])
  })

  t.test(`${name}: a timeout frees every trace too`, async (t) => {
    const { log, copy } = await partial()
    await t.rejects(call(copy, { timeout: 1 }), { code: 'ETIMEDOUT' })
    await turn()
    t.equal(traces(copy), 0)
    await Promise.all([log.close(), copy.close()])
  })

  t.test(`${name}: the last useful peer leaves, and a wait for peers ends`, async (t) => {
    const { log, copy, notes } = await partial()
    const rejected = t.rejects(call(copy, { wait: 'peers' }), { code: 'LOG_UNAVAILABLE' })
    await turn()
    t.ok(traces(copy) > 0, 'it waits while a peer may help')
    notes.meets = () => false
    copy.peersChanged()
    await rejected
    await turn()
    t.equal(traces(copy), 0)
    await t.rejects(call(copy, { wait: 'peers' }), { code: 'LOG_UNAVAILABLE' })
    t.equal(traces(copy), 0)
    await Promise.all([log.close(), copy.close()])
  })

  t.test(`${name}: closing answers it`, async (t) => {
    const { log, copy } = await partial()
    const rejected = t.rejects(call(copy, {}), { code: 'LOG_CLOSED' })
    await turn()
    await copy.close()
    await rejected
    t.equal(traces(copy), 0)
    await log.close()
  })
}

t.test('the head is read after an update that may fail', async (t) => {
  const { log, copy, notes } = await partial()
  notes.meets = () => false
  t.same(await copy.head({ update: true }), await log.head())
  t.equal(traces(copy), 0)
  await copy.clear(COUNT - 1)
  await t.rejects(copy.head({ update: true, wait: 'peers' }), { code: 'LOG_UNAVAILABLE' })
  await t.rejects(copy.head({ wait: false }), { code: 'LOG_NOT_HELD' })
  await t.rejects(copy.head({ timeout: 1 }), { code: 'ETIMEDOUT' })
  t.equal(traces(copy), 0)
  await Promise.all([log.close(), copy.close()])
})

t.test('a download that is met needs no patience, and one that needs none is met', async (t) => {
  const { log, copy } = await partial()
  await copy.download(0, { wait: false }).done
  await copy.download(0, { signal: AbortSignal.abort() }).done
  const abort = new AbortController()
  const download = copy.download([1], { signal: abort.signal, timeout: 100_000, wait: 'peers' })
  await copy.receive([await message(log, copy, 1)], null)
  await download.done
  abort.abort()
  t.equal(traces(copy), 0)
  await Promise.all([log.close(), copy.close()])
})

t.test('an expected length answers updates while answers are due', async (t) => {
  const { log, copy, notes } = await partial()
  const release = copy.guard.hold()
  copy.setExpectedLength(COUNT)
  await t.rejects(copy.update({ wait: 'peers' }), { code: 'LOG_UNAVAILABLE' })
  copy.setExpectedLength(COUNT + 1)
  const waiting = copy.update({ wait: 'peers' })
  await log.append(blocksOf(1))
  await copy.receive([await message(log, copy, COUNT)], null)
  await waiting
  t.equal(copy.length, COUNT + 1)
  copy.setExpectedLength(COUNT)
  release()
  await turn()
  notes.meets = () => true
  const later = copy.update({ wait: 'peers' })
  await turn()
  t.equal(copy.wishes.waiting.size, 1, 'the hint is spent')
  await copy.close()
  await t.rejects(later, { code: 'LOG_CLOSED' })
  t.throws(() => copy.setExpectedLength(-1), RangeError)
  await log.close()
})

t.test('an eager log always asks for more, until it is closed', async (t) => {
  const { log } = await writer(blocksOf(2, 1))
  const { copy } = await copyOf(log, { eagerUpdate: true })
  const failures: Error[] = []
  copy.on('update-error', (error) => failures.push(error))
  await turn()
  t.same([...copy.wishes.waiting], [{ type: 'length', minLength: 1, hash: true }])
  await copy.receive([await message(log, copy, 1)], null)
  await turn()
  t.same([...copy.wishes.waiting], [{ type: 'length', minLength: 3, hash: true }])
  await copy.close()
  await turn()
  t.equal(copy.wishes.waiting.size, 0)
  t.same(failures, [])
  const { copy: whole } = await copyOf(log, { eagerUpdate: true, sparse: false })
  await turn()
  t.equal(whole.wishes.waiting.size, 0, 'one that is not sparse asks anyway')
  await Promise.all([log.close(), whole.close()])
})
