/**
 * One key, two histories: what happens when they meet over the wire.
 */
import { test } from 'tap'
import type { ForkEvidence, Log } from '../../src/log/index.ts'
import { isFork } from '../../src/merkle/index.ts'
import { blockOf, holdsAll, World } from './exchange/world.ts'

/** A writer whose folder was copied at `common` blocks and then appended to up to `length`. */
async function forked(world: World, common: number, length: number, options = {}): Promise<Log> {
  const log = await world.writer(common, options)
  const blocks = Array.from({ length: length - common }, (_, i) => blockOf(1000 + common + i))
  await log.append(blocks)
  return log
}

function proofs(log: Log): ForkEvidence[] {
  const heard: ForkEvidence[] = []
  log.on('fork', (evidence) => heard.push(evidence))
  return heard
}

for (const [common, ours, theirs] of [
  [4, 6, 9],
  [5, 6, 7],
  [0, 3, 8],
  [3, 4, 8],
  [7, 8, 9],
  [2, 5, 64],
] as const) {
  const title = `a reader of ${ours} blocks meets ${theirs} that share ${common}: a fork, proven`
  test(title, async (t) => {
    const world = new World(common + ours + theirs)
    const one = await world.writer(ours)
    const two = await forked(world, common, theirs)
    const reader = await world.reader()
    const heard = proofs(reader)
    world.join(one, reader)
    await world.network.run(1000)
    t.ok(holdsAll(reader, ours))
    const pair = world.join(two, reader, { live: true })
    await world.network.run(5000)
    t.equal(heard.length, 1)
    const [evidence] = heard
    t.ok(evidence && reader.key && isFork(evidence.ours, evidence.theirs, reader.key))
    t.ok((evidence?.commonLength ?? Infinity) <= common)
    // Until something was compared that both histories have, it may have grown.
    const { length } = reader
    t.ok(holdsAll(reader, ours))
    t.equal((await reader.audit()).invalid, 0)
    await t.rejects(reader.get(theirs), { code: 'LOG_FORK' })
    await t.rejects(reader.update(), { code: 'LOG_FORK' })
    await t.rejects(reader.download({ start: 0, end: theirs + 1 }).done, { code: 'LOG_FORK' })
    t.notOk(pair.first.destroyed, 'the connection may carry other logs')
    for (const log of [one, two]) {
      // oxlint-disable-next-line no-await-in-loop
      await log.append([blockOf(0), blockOf(1)])
      world.join(log, reader, { live: true })
      // oxlint-disable-next-line no-await-in-loop
      await world.network.run(1000)
    }
    t.equal(reader.length, length, 'it grows no more, by neither')
    t.equal(heard.length, 1)
    t.same(await world.close(), [])
  })
}

test('a sparse reader that grew over a fork unseen asks for what shows it', async (t) => {
  const world = new World(5)
  const one = await world.writer(3)
  const two = await forked(world, 0, 8)
  const reader = await world.replica(one, [0, 1, 2], { sparse: true })
  const heard = proofs(reader)
  world.join(two, reader, { live: true })
  const updated = reader.update()
  await world.network.run(5000)
  await updated
  t.equal(heard.length, 1)
  t.equal(reader.fork, heard[0])
  t.same(await world.close(), [])
})

test('two writers of one key find out when they meet', async (t) => {
  for (const [a, b] of [
    [12, 11],
    [11, 11],
    [11, 14],
    [11, 64],
  ] as const) {
    const world = new World(a + b)
    const one = await world.writer(a)
    const two = await forked(world, 10, b)
    const heard = [proofs(one), proofs(two)]
    const pair = world.join(one, two, { live: true })
    await world.network.run(5000)
    // Whoever sees it first leaves, maybe before the other does.
    t.ok(
      heard.some((each) => each.length === 1),
      `${a} and ${b}`,
    )
    t.same(pair.errors, [])
    for (const log of [one, two]) {
      if (!log.fork) continue
      t.ok(log.fork.commonLength <= 10)
      await t.rejects(log.append(blockOf(1)), { code: 'LOG_FORK' })
    }
    t.same(await world.close(), [])
  }
})

test('a writer put back to an earlier state hears that it is behind, and does not fork', async (t) => {
  const world = new World(8)
  const ahead = await world.writer(9)
  const behind = await world.writer(6)
  const pair = world.join(ahead, behind, { live: true })
  await world.network.run(2000)
  await t.rejects(behind.append(blockOf(6)), { code: 'LOG_BEHIND' })
  t.equal(await ahead.append(blockOf(9)), 9)
  t.equal(behind.length, 6)
  behind.setDownloading(true)
  await world.network.run(2000)
  t.ok(holdsAll(behind, 10))
  t.equal(await behind.append(blockOf(10)), 10)
  t.same(pair.errors, [])
  t.equal(ahead.fork, null)
  t.equal(behind.fork, null)
  t.same(await world.close(), [])
})

test('writers with one and the same history part in peace', async (t) => {
  const world = new World(9)
  const [one, two] = [await world.writer(7), await world.writer(7)]
  const pair = world.join(one, two, { live: true })
  await world.network.run(2000)
  t.equal(one.peers.length, 1)
  t.same(pair.errors, [])
  t.equal(one.fork, null)
  t.equal(await two.append(blockOf(7)), 7)
  t.same(await world.close(), [])
})
