/** A writer that holds only part of its log, as after a backup was put back, never takes it for a shorter one. */
import t from 'tap'
import { signingKeyPair } from '../../src/crypto.ts'
import { Log } from '../../src/log/index.ts'
import type { Durability, LogOptions } from '../../src/log/index.ts'
import { MemoryFolder } from '../../src/storage/index.ts'
import type { OpenStorage } from '../../src/storage/index.ts'
import { Chance } from '../torture/chance.ts'
import { FaultyFolder } from './faulty-folder.ts'
import { blocksOf, message } from './logs.ts'

const { publicKey, secretKey } = signingKeyPair(new Uint8Array(32).fill(13))
const MODES: readonly Durability[] = ['sync', 'batch', 'none']
/** Blocks that were put back, and blocks that others have. */
const [OWN, ALL] = [3, 12]

function open(storage: OpenStorage, durability: Durability, options: LogOptions = {}): Log {
  return new Log(storage, publicKey, { secretKey, durability, sparse: true, ...options })
}

/** All of the log, as others have it. */
async function others(): Promise<Log> {
  const log = open(new MemoryFolder().open, 'none')
  await log.append(blocksOf(OWN))
  await log.append(blocksOf(ALL - OWN, OWN))
  return log
}

/** Put the first blocks back, and fetch one of those behind. */
async function fetchOne(folder: FaultyFolder, whole: Log, durability: Durability): Promise<Log> {
  const log = open(folder.open, durability)
  await log.append(blocksOf(OWN))
  await log.flush()
  await log.receive([await message(whole, log, 10)], null)
  return log
}

for (const durability of MODES) {
  t.test(`${durability}: it opens as long as it was, closed or killed`, async (t) => {
    const whole = await others()
    for (const end of ['closed', 'killed'] as const) {
      const folder = new FaultyFolder()
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      const log = await fetchOne(folder, whole, durability)
      t.equal(log.length, ALL)
      // oxlint-disable-next-line no-await-in-loop
      if (end === 'closed') await log.close()
      const again = open(folder.left().open, durability)
      // oxlint-disable-next-line no-await-in-loop
      await again.ready()
      t.equal(again.length, ALL, end)
      t.ok(again.has(10))
      t.notOk(again.has(5))
      // oxlint-disable-next-line no-await-in-loop
      t.equal(await again.append(blocksOf(1, ALL)), ALL, 'what is appended comes behind')
      // oxlint-disable-next-line no-await-in-loop
      t.strictSame(await whole.receive([await message(again, whole, ALL)], null), [null])
      t.equal(whole.fork, null)
      // oxlint-disable-next-line no-await-in-loop
      await again.close()
      // oxlint-disable-next-line no-await-in-loop
      await whole.truncate(ALL)
    }
    await whole.close()
  })
}

t.test('wherever the process ends, or the power, nothing is appended in place of it', async (t) => {
  const whole = await others()
  const chance = new Chance(3)
  for (const durability of ['sync', 'batch'] as const) {
    for (let last = 1; ; last++) {
      const folder = new FaultyFolder()
      folder.fate = (n) => (n < last ? 'done' : 'ends')
      let taken = 0
      try {
        // oxlint-disable-next-line no-await-in-loop
        const log = await fetchOne(folder, whole, durability)
        taken = log.length
        // oxlint-disable-next-line no-await-in-loop
        await log.close()
      } catch (error) {
        if (!folder.ended) throw error
      }
      for (const power of [false, true]) {
        const left = power ? folder.afterPowerCut(() => chance.coin()) : folder.left()
        const again = open(left.open, durability)
        // oxlint-disable-next-line no-await-in-loop
        await again.ready()
        // In mode batch a power cut may take back what was fetched and not synced.
        if (durability === 'sync' || !power) t.ok(again.length >= taken, `${again.length}`)
        if (again.length > OWN) t.equal(again.length, ALL)
        // oxlint-disable-next-line no-await-in-loop
        const index = await again.append(blocksOf(1, again.length))
        t.equal(index, again.length - 1)
        // oxlint-disable-next-line no-await-in-loop
        await again.close()
      }
      if (!folder.ended) break
    }
  }
  await whole.close()
})

t.test(
  'once all of it has come, what a crash takes of its own appends is cut off again',
  async (t) => {
    const whole = await others()
    const folder = new FaultyFolder()
    const log = await fetchOne(folder, whole, 'batch')
    for (let index = 0; index < ALL; index++) {
      // oxlint-disable-next-line no-await-in-loop
      if (!log.has(index)) await log.receive([await message(whole, log, index)], null)
    }
    await log.append(new Uint8Array(20).fill(1))
    await log.flush()
    await log.append(new Uint8Array(20).fill(2))
    const files = folder.left().snapshot()
    files.get('data')?.fill(0, log.byteLength - 20)
    const again = open(new MemoryFolder(files).open, 'batch')
    await again.ready()
    t.equal(again.length, ALL + 1, 'the last block never reached the disk')
    t.strictSame(await again.audit(), { valid: ALL + 1, invalid: 0 })
    await Promise.all([again.close(), log.close(), whole.close()])
  },
)
