import fc from 'fast-check'
import t from 'tap'
import { endsOnStatus, endStep, isDone } from '../../../src/wire/exchange/ending.ts'
import type { Progress } from '../../../src/wire/exchange/ending.ts'
import { RemoteState } from '../../../src/wire/exchange/remote-state.ts'
import {
  DEFAULT_WINDOW,
  MAX_WINDOW,
  RequestWindow,
  WINDOW_BYTES,
} from '../../../src/wire/exchange/request-window.ts'
import type { Outstanding } from '../../../src/wire/exchange/request-window.ts'
import { Reservations } from '../../../src/wire/exchange/reservations.ts'
import {
  MAX_QUEUED_REQUESTS,
  MAX_QUEUED_WANTS,
  ServeQueue,
} from '../../../src/wire/exchange/serve-queue.ts'
import { MAX_UNANSWERED_WANTS, WANT_BLOCKS, Wants } from '../../../src/wire/exchange/wants.ts'
import type { SeekWish, WaitingWish } from '../../../src/log/wish.ts'

const seek: SeekWish = { type: 'seek', byteOffset: 9, start: 0, end: 10, hash: true }

function request(index: number, options: Partial<Outstanding> = {}): Outstanding {
  return { index, hash: false, seek: null, sentAt: 0, late: false, ...options }
}

t.test('a window that was not asked for grows with answers, within its bytes', (t) => {
  const window = new RequestWindow(null)
  t.equal(window.limit, DEFAULT_WINDOW)
  for (let i = 0; i < 2000; i++) {
    window.add(request(i))
    t.equal(window.answer(i, 100, 0)?.index, i)
  }
  t.equal(window.limit, MAX_WINDOW)
  for (let i = 0; i < 200; i++) {
    window.add(request(i))
    window.answer(i, 65_536, 0)
  }
  t.ok(window.limit * 60_000 <= WINDOW_BYTES)
  t.equal(window.size, 0)
  const fixed = new RequestWindow(2)
  fixed.add(request(1))
  fixed.answer(1, 5, 0)
  t.equal(fixed.limit, 2)
  t.end()
})

t.test('a window shrinks while answers stand in a queue, and looks for the best time anew', (t) => {
  const window = new RequestWindow(null)
  const exchange = (count: number, ms: number, from: number): number => {
    for (let i = 0; i < count; i++) {
      window.add(request(i, { sentAt: from + i }))
      window.answer(i, 100, from + i + ms)
    }
    return window.limit
  }
  const grown = exchange(100, 20, 0)
  t.equal(grown, DEFAULT_WINDOW + 100)
  t.ok(exchange(50, 60, 100) < grown, 'answers take three times the best time')
  t.equal(exchange(500, 60, 1000), DEFAULT_WINDOW)
  t.ok(exchange(100, 60, 20_000) > DEFAULT_WINDOW, 'the line has become longer')
  t.end()
})

t.test(
  'a window knows how long answers take, at best and lately, also one of a fixed size',
  (t) => {
    const window = new RequestWindow(4)
    t.same([window.bestMs, window.usualMs], [Infinity, Infinity])
    for (const [index, ms] of [100, 20, 100].entries()) {
      window.add(request(index, { sentAt: 0 }))
      window.answer(index, 10, ms)
    }
    t.same([window.bestMs, window.usualMs, window.limit], [20, 91.25, 4])
    t.end()
  },
)

t.test('an answer clears only requests of its kind', (t) => {
  const window = new RequestWindow(null)
  window.add(request(4))
  window.add(request(4, { hash: true, sentAt: 1 }))
  window.add(request(2, { hash: true, seek, sentAt: 2 }))
  t.equal(window.size, 3)
  t.equal(window.oldest?.sentAt, 0)
  t.equal(window.answer(4, null, 0)?.hash, true)
  t.ok(window.has(4, false), 'the block is still due')
  t.equal(window.answer(7, null, 0)?.seek, seek, 'a bare hash of another block answers the seek')
  t.equal(window.answer(7, null, 0), null)
  t.equal(window.answer(4, 3, 0)?.index, 4)
  t.equal(window.oldest, null)
  window.add(request(2, { seek }))
  t.equal(
    window.answer(7, null, 0),
    null,
    'a bare hash is no answer to a seek that wants the block',
  )
  t.equal(window.answer(7, 3, 0)?.seek, seek, 'the block is')
  window.add(request(2, { hash: true, seek }))
  window.add(request(3))
  t.equal(window.clear().length, 2)
  t.equal([...window].length, 0)
  t.end()
})

t.test('a request that is given up leaves alone what was asked since', (t) => {
  const window = new RequestWindow(null)
  const [old, sought] = [request(1), request(2, { hash: true, seek })]
  window.add(old)
  window.add(sought)
  window.add(request(1, { sentAt: 5 }))
  window.forget(old)
  t.ok(window.has(1, false))
  window.forget(sought)
  window.forget(sought)
  t.equal(window.size, 1)
  t.end()
})

t.test('reservations count how many were asked', (t) => {
  const reserved = new Reservations()
  reserved.reserve(3, false)
  reserved.reserve(3, false)
  reserved.release(3, false)
  t.ok(reserved.hasBlock(3))
  t.ok(reserved.hasHash(3), 'a block brings its hash')
  reserved.reserve(4, true)
  t.notOk(reserved.hasBlock(4))
  reserved.reserveSeek(seek)
  t.equal(reserved.size, 3)
  reserved.release(3, false)
  reserved.release(3, false)
  reserved.release(4, true)
  reserved.releaseSeek(seek)
  t.equal(reserved.size, 0)
  t.end()
})

/** A guard that counts, and whose releases count once. */
function once(up: () => void, down: () => void): () => () => void {
  return () => {
    up()
    let released = false
    return () => {
      if (!released) down()
      released = true
    }
  }
}

t.test('Wants: those of readers, one new part a selection, and the first', (t) => {
  let held = 0
  const wants = new Wants({
    hold: once(
      () => held++,
      () => held--,
    ),
  })
  const waiting: WaitingWish[] = [
    { type: 'block', index: 3_000_000 },
    { type: 'length', minLength: 1, hash: true },
    { type: 'seek', byteOffset: 1, start: 5 * WANT_BLOCKS, end: Infinity, hash: true },
  ]
  const range = { type: 'range', start: 0, end: Infinity, linear: false, hash: false } as const
  const list = { type: 'blocks', blocks: [1, 9 * WANT_BLOCKS, 10 * WANT_BLOCKS] } as const
  t.same(
    wants.next(waiting, [range, list], 7 * WANT_BLOCKS, 5).map((start) => start / WANT_BLOCKS),
    [2, 0, 5, 1, 9, 10],
  )
  t.same(
    wants.next([], [range, list], 7 * WANT_BLOCKS, 5).map((start) => start / WANT_BLOCKS),
    [3],
  )
  t.equal(held, wants.unanswered)
  t.ok(wants.answered())
  t.equal(held, 6)
  wants.giveUp(5)
  t.equal(held, 6)
  wants.giveUp(6)
  t.equal(held, 0, 'nobody waits')
  t.equal(wants.unanswered, 6, 'but they may be answered')
  wants.reset()
  t.equal(held, 0)
  t.notOk(wants.answered())
  const many = {
    type: 'blocks',
    blocks: Array.from({ length: 40 }, (_, i) => i * WANT_BLOCKS),
  } as const
  t.equal(wants.next([], [many], 0, 6).length, MAX_UNANSWERED_WANTS)
  t.equal(wants.next([], [many], 0, 6).length, 0)
  t.equal(wants.next(waiting, [], 0, 6).length, 0)
  wants.disable()
  t.equal(wants.next([], [], 0, 6).length, 0)
  t.ok(wants.disabled)
  t.end()
})

t.test('the queue hands out runs of neighbours, and what was canceled is gone', (t) => {
  const queue = new ServeQueue()
  const ask = (index: number, hash = false, bytes = 0): void =>
    queue.push({ index, bytes, hash, nodes: 0 })
  for (const index of [3, 4, 5, 9]) ask(index)
  ask(10, true)
  ask(11, false, 6)
  t.same(
    queue.take(2).map((each) => each.index),
    [3, 4],
  )
  queue.cancel({ index: 9, bytes: 0, hash: false })
  t.same(
    queue.take(9).map((each) => each.index),
    [5],
  )
  t.same(
    queue.take(9).map((each) => each.index),
    [10],
  )
  t.equal(queue.size, 1)
  t.same(
    queue.take(9).map((each) => each.bytes),
    [6],
  )
  t.same(queue.take(9), [])
  queue.cancel({ index: 1, bytes: 0, hash: false })
  ask(1)
  t.equal(queue.take(1).length, 1, 'a Cancel before its Request means nothing')
  t.end()
})

t.test('the queue is bounded', (t) => {
  const queue = new ServeQueue()
  for (let i = 0; i < MAX_QUEUED_REQUESTS; i++)
    queue.push({ index: i, bytes: 0, hash: false, nodes: 0 })
  t.throws(() => queue.push({ index: 0, bytes: 0, hash: false, nodes: 0 }), {
    code: 'WIRE_TOO_MANY_REQUESTS',
  })
  for (let i = 0; i < MAX_QUEUED_WANTS; i++) queue.pushWant({ start: 0, length: 8192 })
  t.throws(() => queue.pushWant({ start: 0, length: 0 }), { code: 'WIRE_TOO_MANY_REQUESTS' })
  t.same(queue.shiftWant(), { start: 0, length: 8192 })
  queue.clear()
  t.equal(queue.size, 0)
  t.equal(queue.shiftWant(), null)
  t.end()
})

t.test('a Have of anything is bounded work, and what is none is refused', (t) => {
  const have = (start: number, length: number, bitfield: Uint8Array | null = null): unknown =>
    new RemoteState().have({ start, length, bitfield, ack: false })
  const refused = { code: 'WIRE_BAD_HAVE' }
  t.throws(() => have(2 ** 53 - 1, 1), refused)
  t.throws(() => have(3, 2 ** 20, new Uint8Array([2, 128])), refused, 'not aligned')
  t.throws(() => have(0, 2 ** 20, new Uint8Array([1, 128])), refused, 'cut')
  t.throws(() => have(0, 64, new Uint8Array([4 * 9 + 3])), refused, 'nine bytes for 64 blocks')
  t.throws(
    () => have(0, 2 ** 52, new Uint8Array([0x83, 0x80, 0x80, 0x08])),
    refused,
    '4 MiB of ones',
  )
  t.throws(() => have(2 ** 53 - 8192, 2 ** 20, new Uint8Array(2 * 8192).fill(7)), refused)
  const state = new RemoteState()
  t.same(state.have({ start: 0, length: 2 ** 52, bitfield: null, ack: false }), {
    changed: true,
    news: true,
    legacy: false,
  })
  t.same(state.have({ start: 5, length: 1, bitfield: null, ack: false }), {
    changed: false,
    news: false,
    legacy: false,
  })
  state.unhave({ start: 1, length: 2 ** 51 })
  t.equal(state.blocks.next(1, 2 ** 53), 2 ** 51 + 1)
  t.throws(() => state.unhave({ start: 2 ** 53 - 1, length: 9 }), refused)
  t.end()
})

t.test('a farewell says uploading, and is not believed when the remote never was', (t) => {
  const state = new RemoteState()
  t.notOk(state.status({ uploading: false, downloading: true }).farewell)
  t.ok(state.status({ uploading: true, downloading: false }).farewell)
  t.notOk(state.uploading)
  const honest = new RemoteState()
  t.notOk(honest.status({ uploading: false, downloading: false }).farewell, 'its first word')
  t.notOk(honest.status({ uploading: true, downloading: false }).farewell)
  t.ok(honest.uploading)
  t.end()
})

const flags = fc.record({
  live: fc.boolean(),
  sparse: fc.boolean(),
  downloading: fc.boolean(),
  remoteDownloading: fc.boolean(),
  remoteUploading: fc.boolean(),
  hasSelections: fc.boolean(),
  wantsAnswered: fc.boolean(),
  idle: fc.boolean(),
  dry: fc.boolean(),
  complete: fc.boolean().map((value) => () => value),
})

t.test('what is live never ends, and nobody ends with something under way', (t) => {
  fc.assert(
    fc.property(flags, (progress: Progress) => {
      if (progress.live) return !isDone(progress) && !endsOnStatus(progress)
      if (!progress.idle || !progress.wantsAnswered || progress.sparse) return !isDone(progress)
      return progress.remoteDownloading ? !endsOnStatus(progress) : true
    }),
  )
  t.end()
})

t.test('the last words depend on how a side began', (t) => {
  const state = {
    live: false,
    sparse: false,
    downloading: false,
    remoteDownloading: false,
    remoteUploading: true,
    hasSelections: true,
  }
  t.equal(endStep({ ...state, downloading: true }, true), 'say-done')
  t.equal(endStep(state, false), 'say-nothing-and-close')
  t.equal(endStep(state, true), 'close')
  t.equal(endStep({ ...state, remoteDownloading: true }, false), 'close')
  t.ok(endsOnStatus(state))
  t.notOk(endsOnStatus({ ...state, downloading: true }))
  t.ok(endsOnStatus({ ...state, downloading: true, hasSelections: false }))
  t.notOk(endsOnStatus({ ...state, sparse: true }))
  t.ok(endsOnStatus({ ...state, sparse: true, remoteUploading: false }))
  t.end()
})
