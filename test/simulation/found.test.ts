import t from 'tap'
import { Drive } from '../../src/drive/index.ts'
import { Log } from '../../src/log/index.ts'
import { MemoryFolder } from '../../src/storage/index.ts'
import { holdsAll, World } from '../wire/exchange/world.ts'
import { Disk } from './disk.ts'
import { playLogs } from './log-world.ts'

// What the simulation found, each by its cause.

t.test('a file that is written while it is looked up is never taken for a directory', async (t) => {
  const drive = new Drive(new MemoryFolder().open)
  await drive.writeFile('/other', 'x')
  const seen = new Set<string>()
  for (let turns = 0; turns < 150; turns++) {
    const path = `/file ${turns}`
    const writing = drive.writeFile(path, 'x')
    // oxlint-disable-next-line no-await-in-loop
    for (let turn = 0; turn < turns; turn++) await Promise.resolve()
    const looks = [
      drive.stat(path).then((stat) => (stat.isDirectory() ? 'directory' : 'file')),
      drive.readFile(path).then(() => 'file'),
    ]
    // oxlint-disable-next-line no-await-in-loop
    for (const kind of await Promise.all(looks.map((look) => look.catch(codeOf)))) seen.add(kind)
    // oxlint-disable-next-line no-await-in-loop
    await writing
  }
  t.same([...seen].toSorted(), ['ENOENT', 'file'])
  await drive.close()
})

t.test('a power cut takes nobody the right to write', async (t) => {
  const masterKey = new Uint8Array(32).fill(7)
  const options = { masterKey, durability: 'sync' } as const
  const disk = new Disk()
  const drive = new Drive(disk.open, null, options)
  await drive.writeFile('/a', 'x')
  // Nothing that was not synced is left.
  const left = disk.cut(() => 0)
  await drive.close()
  const again = new Drive(left.open, null, options)
  t.equal((await again.readFile('/a')).toString(), 'x')
  await again.writeFile('/b', 'y')
  t.ok(again.contentWritable)
  await again.close()
})

t.test('a download ends when what it lacks is cleared', async (t) => {
  const world = new World()
  const writer = await world.writer(20)
  const reader = await world.replica(writer, [4, 5, 6, 7], { sparse: true })
  const range = reader.download({ start: 4, end: 10 })
  const list = reader.download([5, 12])
  const later = reader.download({ start: 4, end: 8, hash: true })
  world.join(writer, reader, { live: true })
  await reader.clear(5, 7)
  await world.network.run(2000)
  await Promise.all([range.done, list.done, later.done])
  t.notOk(reader.has(5))
  t.ok(reader.has(12))
  t.ok(reader.has(7, 10))
  t.equal(reader.wishes.selections.size, 0)
  const whole = reader.download({ start: 0, end: 20 })
  await world.network.run(2000)
  await whole.done
  t.ok(holdsAll(reader, 20), 'a later download fetches what was cleared')
  t.same(await world.close(), [])
})

t.test('the timeouts and the sync window of a log are of the clock it was given', async (t) => {
  const { network } = new World()
  const disk = new Disk()
  const log = new Log(disk.open, null, { timers: network, timeout: 5000, syncWindow: 300 })
  await log.append(new Uint8Array(10))
  t.notOk(disk.wasSynced('data', 0))
  await network.run(300)
  t.ok(disk.wasSynced('data', 9))
  const read = log.get(7).catch(codeOf)
  await network.run(5000)
  t.equal(await read, 'ETIMEDOUT')
  t.equal(network.timers, 0)
  await log.close()
})

/** Worlds that found something, by what it was. */
const FOUND: Readonly<Record<string, number>> = {
  'an answer to a request from before its block was distrusted ends no connection': seedOf(7, 909),
  'a peer whose disk lost nodes of the tree refuses, and blames nobody': seedOf(11, 373),
  'what a power cut took is fetched again when it is read': seedOf(11, 785),
  'a block is fetched although our disk lost the nodes that its proof leans on': seedOf(
    20261125,
    5282,
  ),
}

for (const [title, seed] of Object.entries(FOUND)) {
  t.test(title, async (t) => {
    t.same((await playLogs(seed)).failures, [])
  })
}

/** The seed of world `number` in a run of seed `run`. */
function seedOf(run: number, number: number): number {
  return (Math.imul(run, 0x9e3779b1) + number) >>> 0
}

function codeOf(error: unknown): string {
  if (error instanceof Error && 'code' in error) return String(error.code)
  throw error
}
