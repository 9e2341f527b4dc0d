/** No crash loses what was acknowledged, and none leaves a log that cannot be opened and written. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { equals, toHex } from '../../src/bytes.ts'
import { signingKeyPair } from '../../src/crypto.ts'
import { Log } from '../../src/log/index.ts'
import type { Durability } from '../../src/log/index.ts'
import { MemoryFolder } from '../../src/storage/index.ts'
import type { OpenStorage } from '../../src/storage/index.ts'
import { FaultyFolder } from './faulty-folder.ts'

const keys = signingKeyPair(new Uint8Array(32).fill(7))
/** Batches of the script: single blocks, batches, an empty block. */
const SCRIPT = [1, 1, 3, 1, 5, 2, 1, 8]

function blockAt(index: number): Uint8Array {
  return new Uint8Array(index % 5).fill(index + 1)
}

/** Append the script. Returns the length that was acknowledged, by `append` and by `flush`. */
async function play(
  folder: FaultyFolder,
  durability: Durability,
  flushAfter = -1,
): Promise<{ acknowledged: number; flushed: number }> {
  let acknowledged = 0
  let flushed = 0
  const log = new Log(folder.open, keys.publicKey, { secretKey: keys.secretKey, durability })
  try {
    for (const [i, count] of SCRIPT.entries()) {
      const blocks = Array.from({ length: count }, (_, k) => blockAt(log.length + k))
      // oxlint-disable-next-line no-await-in-loop
      await log.append(blocks)
      acknowledged = log.length
      if (i !== flushAfter) continue
      // oxlint-disable-next-line no-await-in-loop
      await log.flush()
      flushed = log.length
    }
    if (!folder.ended) await log.close()
  } catch (error) {
    if (!folder.ended) throw error
  }
  return { acknowledged, flushed }
}

/**
 * The folder opens as a sound log of at least `least` blocks, which can be appended to and opened again.
 */
async function assertSound(folder: MemoryFolder, least: number): Promise<void> {
  const log = new Log(folder.open, keys.publicKey, { secretKey: keys.secretKey })
  await log.ready()
  assert.ok(log.length >= least, `${log.length} of ${least} acknowledged blocks`)
  assert.equal(log.live, true)
  assert.equal(log.downloaded(log.length), 0, 'no block past the end is held')
  assert.equal(log.downloaded(), log.length, 'every block is held')
  for (let i = 0; i < log.length; i++) {
    assert.ok(equals(await log.get(i, { wait: false }), blockAt(i)), `block ${i}`)
  }
  assert.equal(await log.append(new Uint8Array(3).fill(200)), log.length - 1, 'sequence number')
  assert.equal((await log.signature()).index, log.length - 1, 'signed head')
  const { length } = log
  await log.close()
  const before = [...folder.snapshot()].map(([name, bytes]) => name + toHex(bytes))
  const again = new Log(folder.open, keys.publicKey)
  await again.ready()
  assert.equal(again.length, length)
  assert.equal(again.writable, true)
  await again.close()
  assert.deepEqual(
    [...folder.snapshot()].map(([name, bytes]) => name + toHex(bytes)),
    before,
  )
}

/** Changes of an undisturbed run: every point at which it may end. */
async function points(durability: Durability): Promise<number> {
  const folder = new FaultyFolder()
  await play(folder, durability)
  return folder.changes
}

for (const durability of ['sync', 'batch', 'none'] as const) {
  t.test(
    `a process that ends after any write loses nothing acknowledged (${durability})`,
    async () => {
      for (let at = 1; at <= (await points(durability)); at++) {
        const folder = new FaultyFolder()
        folder.fate = (n) => (n >= at ? 'ends' : 'done')
        const { acknowledged } = await play(folder, durability)
        await assertSound(folder.left(), acknowledged)
      }
    },
  )
}

t.test('a power cut at any write loses nothing acknowledged in mode sync', async () => {
  const last = await points('sync')
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: last + 1 }),
      fc.infiniteStream(fc.boolean()),
      async (at, coins) => {
        const folder = new FaultyFolder()
        folder.fate = (n) => (n >= at ? 'ends' : 'done')
        const { acknowledged } = await play(folder, 'sync')
        await assertSound(
          folder.afterPowerCut(() => coins.next().value),
          acknowledged,
        )
      },
    ),
    { numRuns: 300 },
  )
})

t.test(
  'a power cut in mode batch loses nothing flushed, and leaves no block that cannot be read',
  async () => {
    const last = await points('batch')
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: last + 1 }),
        fc.integer({ min: 0, max: SCRIPT.length - 1 }),
        fc.infiniteStream(fc.boolean()),
        async (at, flushAfter, coins) => {
          const folder = new FaultyFolder()
          folder.fate = (n) => (n >= at ? 'ends' : 'done')
          const { flushed } = await play(folder, 'batch', flushAfter)
          await assertSound(
            folder.afterPowerCut(() => coins.next().value),
            flushed,
          )
        },
      ),
      { numRuns: 300 },
    )
  },
)

t.test('a write that fails fails its append alone, and the log goes on', async () => {
  const last = await points('none')
  for (let at = 6; at <= last; at++) {
    const folder = new FaultyFolder()
    folder.fate = (n) => (n === at ? 'fails' : 'done')
    const log = new Log(folder.open, keys.publicKey, { secretKey: keys.secretKey })
    await log.ready()
    let failures = 0
    for (const count of SCRIPT) {
      const blocks = Array.from({ length: count }, (_, k) => blockAt(log.length + k))
      try {
        await log.append(blocks)
      } catch (error) {
        failures++
        assert.ok(error instanceof Error)
      }
    }
    assert.ok(failures <= 1)
    await log.append(blockAt(log.length))
    const { length } = log
    await log.close()
    const left = folder.left()
    await assertSound(left, length)
  }
})

t.test(
  'a new secret key is safe on disk before the key that would be read-only without it',
  async (t) => {
    for (const durability of ['sync', 'batch'] as const) {
      const folder = new MemoryFolder()
      const calls: string[] = []
      const open: OpenStorage = (name) => {
        const file = folder.open(name)
        const note = (call: string): number => calls.push(`${call} ${name}`)
        return {
          read: (offset, length) => file.read(offset, length),
          write: (offset, bytes) => (note('write'), file.write(offset, bytes)),
          truncate: (length) => file.truncate(length),
          punch: (offset, length) => file.punch(offset, length),
          size: () => file.size(),
          sync: () => (note('sync'), file.sync()),
          close: () => file.close(),
          destroy: () => file.destroy(),
        }
      }
      const log = new Log(open, null, { durability })
      // One mode after the other.
      // oxlint-disable-next-line no-await-in-loop
      await log.ready()
      const order = ['write secret_key', 'sync secret_key', 'write key'].map((each) =>
        calls.indexOf(each),
      )
      t.ok(!order.includes(-1), durability)
      t.same(
        order,
        order.toSorted((a, b) => a - b),
        durability,
      )
      // oxlint-disable-next-line no-await-in-loop
      await log.close()
    }
  },
)
