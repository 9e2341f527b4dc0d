/** A bit that flipped on our own disk is found; it is never handed out as data. */
import fc from 'fast-check'
import t from 'tap'
import { equals } from '../../src/bytes.ts'
import { Log, LogError } from '../../src/log/index.ts'
import { MemoryFolder } from '../../src/storage/index.ts'
import { blocksOf, copyOf, message, writer } from './logs.ts'

const COUNT = 13

async function filesOf(sparse: boolean): Promise<Map<string, Uint8Array>> {
  const { log, folder } = await writer()
  for (const block of blocksOf(COUNT, 1)) await log.append(block)
  if (!sparse) {
    await log.close()
    return folder.snapshot()
  }
  const { copy, folder: copied } = await copyOf(log)
  for (const index of [11, 2, 3, 7, 8]) await copy.receive([await message(log, copy, index)], null)
  await Promise.all([log.close(), copy.close()])
  return copied.snapshot()
}

for (const sparse of [false, true]) {
  const kind = sparse ? 'sparse copy' : 'writer'
  t.test(`any flipped bit of a ${kind} is found or does not matter`, async (t) => {
    const sound = await filesOf(sparse)
    const names = ['data', 'tree', 'bitfield', 'signatures']
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...names), fc.nat(2 ** 20), async (name, bit) => {
        const files = new Map([...sound].map(([file, bytes]) => [file, bytes.slice()] as const))
        const bytes = files.get(name) ?? new Uint8Array(1)
        const at = bit % (8 * bytes.length)
        bytes[at >> 3] = (bytes[at >> 3] ?? 0) ^ (1 << (at & 7))
        const log = new Log(new MemoryFolder(files).open, null, { sparse: true })
        try {
          await log.ready()
        } catch (error) {
          if (!(error instanceof LogError)) throw error
          t.match(error.code, /^LOG_(CORRUPT|OTHER_KEY)$/)
          return
        }
        for (let i = 0; i < log.length; i++) {
          try {
            const block = await log.get(i, { wait: false })
            t.ok(equals(block, blocksOf(1, 1 + i)[0] ?? new Uint8Array(0)), `block ${i}`)
          } catch (error) {
            if (!(error instanceof LogError)) throw error
            t.match(error.code, /^LOG_(CORRUPT|NOT_HELD)$/)
          }
        }
        await log.close()
      }),
      { numRuns: 300 },
    )
  })
}

t.test('audit drops a damaged block, which can then be had from a peer again', async (t) => {
  const { log } = await writer(blocksOf(6, 1))
  const { copy, folder } = await copyOf(log)
  for (let i = 0; i < 6; i++) await copy.receive([await message(log, copy, i)], null)
  await copy.close()
  await folder.open('data').write(1, Uint8Array.of(255))
  const again = new Log(folder.open, null, { sparse: true })
  await again.ready()
  await t.rejects(again.get(0), { code: 'LOG_CORRUPT' })
  t.strictSame(await again.get(3), await log.get(3))
  t.strictSame(await again.audit(), { valid: 5, invalid: 1 })
  await t.rejects(again.get(0, { wait: false }), { code: 'LOG_NOT_HELD' })
  t.strictSame(await again.receive([await message(log, again, 0)], null), [null])
  t.strictSame(await again.get(0), await log.get(0))
  await Promise.all([log.close(), again.close()])
})

t.test('a damaged tree node is replaced by the next proof that brings the right one', async (t) => {
  const { log } = await writer(blocksOf(8, 1))
  const { copy, folder } = await copyOf(log)
  await copy.receive([await message(log, copy, 0)], null)
  await copy.close()
  const tree = folder.open('tree')
  // Node 2, the sibling of block 0.
  await tree.write(32 + 2 * 40, Uint8Array.of(1, 2, 3))
  const again = new Log(folder.open, null, { sparse: true })
  await again.ready()
  await t.rejects(again.get(0), { code: 'LOG_CORRUPT' })
  const [error] = await again.receive([await message(log, again, 1, { digest: 0 })], null)
  t.equal(error, null)
  t.strictSame(await again.get(1), await log.get(1))
  t.strictSame(await again.get(0), await log.get(0))
  await Promise.all([log.close(), again.close()])
})
