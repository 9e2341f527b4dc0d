import t from 'tap'
import type { Selection, SeekWish, WaitingWish } from '../../../src/log/wish.ts'
import { RemoteState } from '../../../src/wire/exchange/remote-state.ts'
import { RequestWindow } from '../../../src/wire/exchange/request-window.ts'
import { Reservations } from '../../../src/wire/exchange/reservations.ts'
import { RUN_BLOCKS, Scheduler } from '../../../src/wire/exchange/scheduler.ts'
import type { Source } from '../../../src/wire/exchange/scheduler.ts'

/** A log of numbers: what is held, what is wished for. */
class FakeLog {
  readonly held = new Set<number>()
  readonly known = new Set<number>()
  readonly wishes = { waiting: new Set<WaitingWish>(), selections: new Set<Selection>() }
  length = 0
  byteLength = 0
  looks = 0

  has(index: number): boolean {
    this.looks++
    return this.held.has(index)
  }

  hasNode(treeIndex: number): boolean {
    return this.known.has(treeIndex)
  }

  nextMissing(start: number, end: number): number {
    this.looks++
    for (let index = start; index < end; index++) if (!this.held.has(index)) return index
    return -1
  }
}

class FakeSource implements Source {
  readonly remote = new RemoteState()
  readonly window: RequestWindow
  readonly asked: string[] = []
  canAsk = true
  readonly #reserved: Reservations

  constructor(reserved: Reservations, blocks: number, window = 1000) {
    this.#reserved = reserved
    this.window = new RequestWindow(window)
    if (blocks > 0) this.has(0, blocks)
  }

  has(start: number, length: number): void {
    this.remote.have({ start, length, bitfield: null, ack: false })
  }

  ask(index: number, hash: boolean, seek: SeekWish | null): void {
    if (seek) this.#reserved.reserveSeek(seek)
    else this.#reserved.reserve(index, hash)
    this.window.add({ index, hash, seek, sentAt: 0, late: false })
    this.asked.push(`${seek ? 'seek ' : hash ? 'hash ' : ''}${index}`)
  }
}

function setUp(random = 0): { log: FakeLog; reserved: Reservations; scheduler: Scheduler } {
  const log = new FakeLog()
  const reserved = new Reservations()
  return { log, reserved, scheduler: new Scheduler(log, reserved, () => random) }
}

function range(
  start: number,
  end: number,
  options: { linear?: boolean; hash?: boolean } = {},
): Selection {
  return { type: 'range', start, end, linear: false, hash: false, ...options }
}

t.test('a range is asked for in order, or in runs from a random start that wraps', (t) => {
  for (const [random, linear, first] of [
    [0.5, true, 0],
    [0.5, false, 200],
    [0, false, 0],
  ] as const) {
    const { log, reserved, scheduler } = setUp(random)
    const source = new FakeSource(reserved, 400)
    log.wishes.selections.add(range(0, Infinity, { linear }))
    t.ok(scheduler.schedule(source))
    t.equal(source.asked.length, 400)
    t.equal(new Set(source.asked).size, 400)
    t.same(source.asked.slice(0, 2), [String(first), String(first + 1)])
  }
  t.end()
})

t.test('what is held, reserved, or not there is not asked for', (t) => {
  const { log, reserved, scheduler } = setUp()
  const source = new FakeSource(reserved, 0)
  source.has(2, 4)
  log.held.add(3)
  reserved.reserve(4, false)
  log.wishes.selections.add(range(0, 5))
  t.ok(scheduler.schedule(source))
  t.same(source.asked, ['2'])
  reserved.release(4, false)
  t.ok(scheduler.schedule(source), 'a source that is dry is not looked at again')
  t.same(source.asked, ['2'])
  scheduler.changed()
  t.ok(scheduler.schedule(source))
  t.same(source.asked, ['2', '4'])
  source.canAsk = false
  scheduler.changed()
  t.ok(scheduler.schedule(source))
  t.end()
})

t.test('readers who stand still come first, and have room of their own', (t) => {
  const { log, reserved, scheduler } = setUp()
  const source = new FakeSource(reserved, 100, 3)
  log.wishes.selections.add(range(0, 100))
  for (const index of [50, 60]) log.wishes.waiting.add({ type: 'block', index })
  t.notOk(scheduler.schedule(source))
  t.same(source.asked, ['50', '60', '0'])
  for (let index = 61; index < 100; index++) log.wishes.waiting.add({ type: 'block', index })
  scheduler.changed()
  t.notOk(scheduler.schedule(source))
  t.equal(source.asked.length, 3 + 16)
  t.end()
})

t.test('selections take turns', (t) => {
  const { log, reserved, scheduler } = setUp(0.6)
  const source = new FakeSource(reserved, 100)
  log.wishes.selections.add(range(0, 3, { linear: true }))
  log.wishes.selections.add({ type: 'blocks', blocks: [9, 7, 8] })
  t.ok(scheduler.schedule(source))
  t.same(source.asked, ['9', '0', '7', '1', '8', '2'])
  t.end()
})

t.test('hashes alone: leaves that are not known', (t) => {
  const { log, reserved, scheduler } = setUp()
  const source = new FakeSource(reserved, 5)
  log.known.add(2)
  reserved.reserve(3, false)
  log.wishes.selections.add(range(0, 5, { hash: true }))
  t.ok(scheduler.schedule(source))
  t.same(source.asked, ['hash 0', 'hash 2', 'hash 4'])
  t.end()
})

t.test('a longer log is asked for by its head, once', (t) => {
  const { log, reserved, scheduler } = setUp()
  const [first, second] = [new FakeSource(reserved, 5), new FakeSource(reserved, 0)]
  second.has(8, 2)
  log.wishes.waiting.add({ type: 'length', minLength: 7, hash: true })
  t.ok(scheduler.schedule(first))
  t.same(first.asked, [], 'it is no longer itself')
  t.ok(scheduler.schedule(second))
  t.same(second.asked, ['hash 8'], 'any later block proves the length')
  first.has(0, 20)
  scheduler.sourceChanged(first)
  t.ok(scheduler.schedule(first))
  t.same(first.asked, [], 'the question is under way')
  t.ok(scheduler.couldMeet(first, { type: 'length', minLength: 20, hash: true }))
  t.notOk(scheduler.couldMeet(first, { type: 'length', minLength: 21, hash: true }))
  log.length = 7
  reserved.release(8, true)
  scheduler.changed()
  t.ok(scheduler.schedule(first))
  t.same(first.asked, [])
  t.end()
})

t.test('a byte is looked for among blocks whose hash is not known', (t) => {
  const { log, reserved, scheduler } = setUp()
  const source = new FakeSource(reserved, 10)
  log.length = 10
  log.byteLength = 100
  for (const index of [2, 3]) log.known.add(2 * index)
  const wish: SeekWish = { type: 'seek', byteOffset: 40, start: 2, end: 6, hash: true }
  log.wishes.waiting.add(wish)
  t.ok(scheduler.couldMeet(source, wish))
  t.ok(scheduler.schedule(source))
  scheduler.changed()
  t.ok(scheduler.schedule(source))
  t.same(source.asked, ['seek 4'], 'one request a seek')
  const beyond: SeekWish = { type: 'seek', byteOffset: 100, start: 0, end: Infinity, hash: true }
  log.wishes.waiting.add(beyond)
  t.notOk(scheduler.couldMeet(source, beyond), 'only a longer log can hold that byte')
  source.has(0, 12)
  scheduler.changed()
  t.ok(scheduler.schedule(source))
  t.same(source.asked, ['seek 4', 'seek 10'])
  t.end()
})

t.test('what was cleared here is left alone by downloads that were on, and counts as met', (t) => {
  const { log, reserved, scheduler } = setUp()
  const source = new FakeSource(reserved, 6)
  const list: Selection = { type: 'blocks', blocks: [1, 5] }
  const all = range(0, 6)
  log.wishes.selections.add(list)
  log.wishes.selections.add(all)
  scheduler.cleared(1, 3)
  t.ok(scheduler.schedule(source))
  t.same(source.asked.toSorted(), ['0', '3', '4', '5'])
  t.notOk(scheduler.isMet(all, 6))
  t.notOk(scheduler.isMet(list, 6))
  for (const index of [0, 3, 4, 5]) log.held.add(index)
  t.ok(scheduler.isMet(all, 6))
  t.ok(scheduler.isMet(list, 6))
  t.notOk(scheduler.isMet(range(0, 6), 6), 'a later one wants it')
  t.end()
})

t.test('whether a source could meet a wish does not depend on what is under way', (t) => {
  const { log, reserved, scheduler } = setUp()
  const source = new FakeSource(reserved, 5)
  reserved.reserve(1, false)
  log.held.add(0)
  t.ok(scheduler.couldMeet(source, { type: 'block', index: 1 }))
  t.ok(scheduler.couldMeet(source, range(0, 2)))
  t.notOk(scheduler.couldMeet(source, range(0, 1)))
  t.ok(scheduler.couldMeet(source, { type: 'blocks', blocks: [0, 4] }))
  t.notOk(scheduler.couldMeet(source, { type: 'blocks', blocks: [0, 5] }))
  source.canAsk = false
  t.notOk(scheduler.couldMeet(source, { type: 'block', index: 1 }))
  t.end()
})

t.test('a request costs a constant number of looks', (t) => {
  const { log, reserved, scheduler } = setUp(0.3)
  const source = new FakeSource(reserved, 4 * RUN_BLOCKS, 64)
  log.wishes.selections.add(range(0, Infinity))
  let answered = 0
  while (answered < 4 * RUN_BLOCKS) {
    scheduler.schedule(source)
    const next = Number(source.asked[answered++])
    source.window.answer(next, 10, 0)
    reserved.release(next, false)
    log.held.add(next)
  }
  t.ok(log.looks < 8 * 4 * RUN_BLOCKS, `${log.looks} looks for ${4 * RUN_BLOCKS} blocks`)
  t.end()
})
