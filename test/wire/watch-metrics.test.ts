import t from 'tap'
import { watchMetrics } from '../../src/wire/index.ts'
import type { MetricChange } from '../../src/wire/index.ts'
import { World } from './exchange/world.ts'

/** Changes of one figure: its value, and by how much. */
function of(changes: readonly MetricChange[], name: string): [number, number][] {
  return changes.filter((change) => change.name === name).map(({ value, by }) => [value, by])
}

t.test('what changed is told at every look, with its value and by how much', async (t) => {
  const world = new World()
  const writer = await world.writer(5)
  const reader = await world.reader({ sparse: true })
  const watch = watchMetrics([reader], { everyMs: 100, timers: world.network })
  const changes: MetricChange[] = []
  let looks = 0
  watch.on('change', (change) => changes.push(change))
  watch.on('look', ([figures]) => {
    looks++
    t.equal(figures?.length, reader.length)
  })
  await world.network.run(250)
  t.same(changes, [], 'nothing happened')
  t.equal(looks, 2)
  world.join(writer, reader, { live: true }, { delay: [1, 1] })
  await world.network.run(100)
  t.same(of(changes, 'log_peers'), [[1, 1]])
  await Promise.all([reader.get(1), world.network.run(100)])
  await Promise.all([reader.get(2), reader.get(4), world.network.run(100)])
  t.same(of(changes, 'log_downloaded_blocks'), [
    [1, 1],
    [3, 2],
  ])
  const waiting = reader.get(9)
  await world.network.run(100)
  const waits = changes.filter(
    ({ name, labels }) => name === 'log_waits' && labels['type'] === 'block',
  )
  t.match(waits.at(-1), { value: 1, by: 1 })
  t.ok(of(changes, 'log_longest_wait_seconds').length > 0, 'since when is told too')
  watch.stop()
  watch.stop()
  const told = changes.length
  await Promise.all([t.rejects(waiting, { code: 'LOG_CLOSED' }), world.close()])
  t.equal(changes.length, told)
  t.equal(world.network.timers, 0)
})

t.test('how a peer ended is told at once, and its own figures go away', async (t) => {
  const world = new World()
  const writer = await world.writer(3)
  const pair = world.join(writer, await world.reader(), { live: true })
  const watch = watchMetrics([writer], { everyMs: 1e9, timers: world.network })
  await world.network.settle()
  const changes: MetricChange[] = []
  watch.look()
  watch.on('change', (change) => changes.push(change))
  pair.second.channels[0]?.request({ index: 99 })
  await world.network.settle()
  const endings = changes.filter(({ name }) => name === 'log_endings')
  t.match(endings, [{ labels: { reason: 'WIRE_BAD_REQUEST' }, value: 1, by: 1, type: 'counter' }])
  t.match(of(changes, 'peer_uploaded_bytes'), [[0, -writer.byteLength]])
  watch.stop()
  t.same(await world.close(), [])
})

t.test('a time that is none is refused', (t) => {
  t.throws(() => watchMetrics([], { everyMs: 0 }), RangeError)
  t.throws(() => watchMetrics([], { everyMs: NaN }), RangeError)
  watchMetrics([]).stop()
  t.end()
})
