/** Shortening a log leaves the old one or the new one, wherever it is broken off. */
import assert from 'node:assert/strict'
import t from 'tap'
import { signingKeyPair } from '../../src/crypto.ts'
import { Log } from '../../src/log/index.ts'
import type { Durability } from '../../src/log/index.ts'
import { MemoryFolder } from '../../src/storage/index.ts'
import { FaultyFolder } from './faulty-folder.ts'
import { Chance } from '../torture/chance.ts'

const keys = signingKeyPair(new Uint8Array(32).fill(13))
const LENGTH = 11
/** Cleared in the log that is cut. */
const CLEARED = [2, 8]

function blockAt(index: number, generation = 0): Uint8Array {
  return new Uint8Array(20).fill(1 + index + 100 * generation)
}

function open(folder: FaultyFolder | MemoryFolder, durability: Durability, live = true): Log {
  const options = { durability, live, secretKey: live ? keys.secretKey : null }
  return new Log(folder.open, live ? keys.publicKey : null, options)
}

/** A log with cleared blocks; then it is cut, from `start` changes on, of which number `at` fares ill. */
async function cut(
  durability: Durability,
  to: number,
  fate: 'ends' | 'fails',
  at: number,
  live = true,
): Promise<{ folder: FaultyFolder; log: Log; failed: boolean; begun: number }> {
  const folder = new FaultyFolder()
  const log = open(folder, durability, live)
  for (const [start, count] of [
    [0, 4],
    [4, 1],
    [5, 6],
  ] as const) {
    // oxlint-disable-next-line no-await-in-loop
    await log.append(Array.from({ length: count }, (_, i) => blockAt(start + i)))
  }
  for (const block of CLEARED) {
    // oxlint-disable-next-line no-await-in-loop
    await log.clear(block)
  }
  const begun = folder.changes
  folder.fate = (n) => (n === begun + at ? fate : 'done')
  let failed = false
  await log.truncate(to).catch(() => {
    failed = true
  })
  return { folder, log, failed, begun }
}

async function assertEither(folder: MemoryFolder, to: number, durability: Durability, live = true) {
  const log = open(folder, durability, live)
  await log.ready()
  assert.ok(log.length === LENGTH || log.length === to, `${log.length} blocks`)
  for (let index = 0; index < log.length; index++) {
    assert.equal(log.has(index), !CLEARED.includes(index), `block ${index} of ${log.length}`)
    // oxlint-disable-next-line no-await-in-loop
    if (log.has(index)) assert.deepEqual(await log.get(index), blockAt(index))
  }
  const { length } = log
  assert.equal(await log.append(blockAt(length, 1)), length)
  await log.close()
  const again = open(folder, durability, live)
  await again.ready()
  assert.equal(again.length, length + 1)
  assert.deepEqual(await again.get(length), blockAt(length, 1))
  await again.close()
}

for (const live of [true, false]) {
  for (const durability of ['sync', 'batch', 'none'] as const) {
    for (const to of [0, 4, 7]) {
      const title = `${live ? 'a log' : 'a static log'} cut to ${to} blocks, mode ${durability}`
      t.test(`${title}: the old or the new one is left`, async (t) => {
        const chance = new Chance(to)
        let at = 1
        for (; ; at++) {
          // oxlint-disable-next-line no-await-in-loop
          const { folder, failed } = await cut(durability, to, 'ends', at, live)
          if (!failed) break
          // oxlint-disable-next-line no-await-in-loop
          await assertEither(folder.left(), to, durability, live)
          if (durability === 'none') continue
          for (let k = 0; k < 4; k++) {
            const left = folder.afterPowerCut(() => chance.coin())
            // oxlint-disable-next-line no-await-in-loop
            await assertEither(left, to, durability, live)
          }
        }
        t.ok(at > 5)
      })
    }
  }
}

t.test('a log that could not be cut, or half, goes on', async (t) => {
  for (const durability of ['sync', 'batch', 'none'] as const) {
    for (let at = 1; ; at++) {
      // oxlint-disable-next-line no-await-in-loop
      const { folder, log, failed } = await cut(durability, 4, 'fails', at)
      if (!failed) break
      const { length } = log
      t.ok(length === 4 || length === LENGTH)
      // oxlint-disable-next-line no-await-in-loop
      t.equal(await log.append(blockAt(length, 1)), length)
      const left = folder.left()
      const again = open(left, durability)
      // oxlint-disable-next-line no-await-in-loop
      await again.ready()
      t.equal(again.length, length + 1)
      // oxlint-disable-next-line no-await-in-loop
      t.same(await again.get(length), blockAt(length, 1))
      // oxlint-disable-next-line no-await-in-loop
      await Promise.all([log.close(), again.close()])
    }
  }
})

t.test('what grew since is not cut by whoever finds that it was being cut', async (t) => {
  const { folder } = await cut('batch', 4, 'ends', 4) // after the note, before the bits
  const note = folder.left().snapshot().get('durable')
  t.equal(note?.[49], 1)
  const grown = new FaultyFolder()
  const log = open(grown, 'batch')
  await log.append(Array.from({ length: LENGTH + 1 }, (_, i) => blockAt(i)))
  await log.close()
  const files = grown.left().snapshot()
  if (note) files.set('durable', note)
  const folderOfIt = new FaultyFolder(files)
  const again = open(folderOfIt, 'batch')
  await again.ready()
  t.equal(again.length, LENGTH + 1)
  t.equal(folderOfIt.left().snapshot().get('durable')?.[49], 0, 'nor by anybody later')
  await again.close()
})

t.test('a note of which half was written is not followed', async (t) => {
  const { folder } = await cut('batch', 4, 'ends', 3) // after the note, before the bits
  const files = folder.left().snapshot()
  const note = files.get('durable')
  t.equal(note?.[49], 1)
  note?.fill(0, 64, 128) // the disk was full: the length to cut to did not arrive
  const again = open(new MemoryFolder(files), 'batch')
  await again.ready()
  t.equal(again.length, LENGTH)
  for (let index = 0; index < LENGTH; index++)
    t.equal(again.has(index), !CLEARED.includes(index), `block ${index}`)
  await again.close()
})

t.test('a static log that is cut gets no signatures', async (t) => {
  const folder = new FaultyFolder()
  const log = open(folder, 'batch', false)
  await log.append(Array.from({ length: LENGTH }, (_, index) => blockAt(index)))
  await log.truncate(5)
  await log.close()
  t.equal(folder.left().snapshot().get('signatures')?.length, 32)
})

t.test('of a cut that lost blocks in mode none nothing is ended', async (t) => {
  for (const left of [
    { blocks: 3, opens: false },
    { blocks: 7, opens: true },
  ]) {
    const folder = new FaultyFolder()
    const log = open(folder, 'none')
    // oxlint-disable-next-line no-await-in-loop
    await log.append(Array.from({ length: LENGTH }, (_, index) => blockAt(index)))
    const begun = folder.changes
    folder.fate = (n) => (n === begun + 3 ? 'ends' : 'done') // after the signature and the note
    // oxlint-disable-next-line no-await-in-loop
    await t.rejects(log.truncate(7))
    const files = folder.left().snapshot()
    t.equal(files.get('durable')?.[49], 1)
    // A power cut: of what is cut off nobody cares, of the rest the log has to be proven.
    files.set('data', files.get('data')?.slice(0, 20 * left.blocks) ?? new Uint8Array(0))
    const found = new FaultyFolder(files)
    const again = open(found, 'none')
    if (left.opens) {
      // oxlint-disable-next-line no-await-in-loop
      await again.ready()
      t.equal(again.length, 7)
      // oxlint-disable-next-line no-await-in-loop
      t.strictSame(await again.audit(), { valid: 7, invalid: 0 })
      // oxlint-disable-next-line no-await-in-loop
      await again.close()
      continue
    }
    // oxlint-disable-next-line no-await-in-loop
    await t.rejects(again.ready(), { code: 'LOG_CORRUPT' })
    t.strictSame(found.left().snapshot(), files, 'a log that refuses to open is left as it was')
  }
})
