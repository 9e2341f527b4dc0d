/** What fsck finds, restores, drops, and leaves alone. */
import fc from 'fast-check'
import t from 'tap'
import { signingKeyPair } from '../../src/crypto.ts'
import { Log, fsck } from '../../src/log/index.ts'
import type { FsckReport } from '../../src/log/index.ts'
import { MemoryFolder } from '../../src/storage/index.ts'
import { message } from './logs.ts'

const keys = signingKeyPair(new Uint8Array(32).fill(5))
const BATCHES = [1, 4, 8, 1, 3]
const NODE_AT = 32

type Files = Map<string, Uint8Array>

function blockAt(index: number): Uint8Array {
  return new Uint8Array(10 + index).fill(index + 1)
}

async function stored(options: { readonly live?: boolean } = {}): Promise<Files> {
  const folder = new MemoryFolder()
  const own = options.live === false ? null : keys.publicKey
  const secretKey = own ? keys.secretKey : null
  const log = new Log(folder.open, own, { ...options, secretKey })
  for (const count of BATCHES) {
    const blocks = Array.from({ length: count }, (_, i) => blockAt(log.length + i))
    // oxlint-disable-next-line no-await-in-loop
    await log.append(blocks)
  }
  if (!own) await log.finalize()
  await log.close()
  return folder.snapshot()
}

/** The same, of a copy that got these blocks. */
async function storedCopy(wanted: readonly number[]): Promise<Files> {
  const source = new Log(new MemoryFolder(await stored()).open)
  const folder = new MemoryFolder()
  const copy = new Log(folder.open, keys.publicKey, { sparse: true })
  await copy.ready()
  await source.ready()
  for (const index of wanted) {
    // oxlint-disable-next-line no-await-in-loop
    await copy.receive([await message(source, copy, index)], null)
  }
  await Promise.all([source.close(), copy.close()])
  return folder.snapshot()
}

function flip(files: Files, name: string, at: number, mask = 1): void {
  const bytes = files.get(name)
  if (bytes) bytes[at] = (bytes[at] ?? 0) ^ mask
}

/** Check, check that nothing was written, repair, check again; then the log must be whole. */
async function cure(
  files: Files,
  key: Uint8Array | null = null,
): Promise<{ report: FsckReport; folder: MemoryFolder }> {
  const looked = new MemoryFolder(files)
  const report = await fsck(looked.open, { key })
  t.strictSame(looked.snapshot(), files, 'looking writes nothing')
  const folder = new MemoryFolder(files)
  await fsck(folder.open, { key, repair: true })
  t.strictSame((await fsck(folder.open, { key })).faults, [], 'nothing is left')
  return { report, folder }
}

t.test('a sound log has no faults, and a repair writes nothing', async (t) => {
  for (const files of [
    await stored(),
    await storedCopy([0, 3, 16]),
    await stored({ live: false }),
  ]) {
    const { report, folder } = await cure(files)
    t.strictSame(report.faults, [])
    t.strictSame(folder.snapshot(), files)
  }
  const report = await fsck(new MemoryFolder(await stored()).open)
  t.equal(report.length, 17)
  t.equal(report.blocks, 17)
  t.equal(report.nodes, 32)
  t.equal(report.signatures, BATCHES.length)
  await t.rejects(fsck(new MemoryFolder().open), { code: 'LOG_NOT_FOUND' })
})

t.test('one flipped bit anywhere in what a writer has is put back', async () => {
  const sound = await stored()
  const names = ['key', 'secret_key', 'tree', 'signatures'] as const
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...names), fc.nat(), fc.nat(7), async (name, place, bit) => {
      const files = new Map([...sound].map(([each, bytes]) => [each, Uint8Array.from(bytes)]))
      flip(files, name, place % (files.get(name)?.length ?? 1), 1 << bit)
      const { folder } = await cure(files)
      const now = folder.snapshot()
      // A blank slot that got a bit may stay: only what is used is put back.
      for (const each of ['key', 'secret_key', 'signatures']) {
        const [a, b] = [now.get(each), sound.get(each)]
        if (each !== 'signatures') t.strictSame(a, b)
      }
      const log = new Log(folder.open)
      await log.ready()
      t.equal(log.length, 17)
      t.equal((await log.audit()).valid, 17)
      await log.close()
    }),
    { numRuns: 60 },
  )
})

t.test('each fault is named with its place', async (t) => {
  const cases: Array<[name: string, at: number, type: string, file: string, offset: number]> = [
    ['key', 3, 'key', 'key', 0],
    ['secret_key', 40, 'secret-key', 'secret_key', 0],
    ['tree', 1, 'header', 'tree', 0],
    ['bitfield', 9, 'header', 'bitfield', 0],
    ['signatures', 2, 'header', 'signatures', 0],
    ['tree', NODE_AT + 40 * 7 + 3, 'node', 'tree', NODE_AT + 280],
    ['tree', NODE_AT + 40 * 4 + 39, 'node', 'tree', NODE_AT + 160],
    ['signatures', 32 + 64 * 4 + 9, 'signature', 'signatures', 32 + 256],
    ['data', 0, 'block', 'data', 0],
    ['bitfield', 32, 'bits', 'bitfield', 32],
    ['bitfield', 32 + 1024, 'bits', 'bitfield', 32 + 1024],
    ['bitfield', 32 + 500, 'bits', 'bitfield', 32 + 500],
    ['bitfield', 32 + 1024 + 900, 'bits', 'bitfield', 32 + 1024 + 900],
  ]
  for (const [name, at, type, file, byteOffset] of cases) {
    const files = await stored()
    flip(files, name, at, 0x80)
    const { report } = await cure(files)
    const found = report.faults.find((fault) => fault.type === type)
    t.equal(found?.file, file, `${name} ${at}`)
    t.equal(found?.byteOffset, byteOffset, `${name} ${at}`)
  }
})

t.test('a damaged block is dropped, and comes again from a peer', async (t) => {
  const files = await storedCopy([0, 3, 16])
  flip(files, 'data', 0)
  const { report, folder } = await cure(files)
  t.strictSame(
    report.faults.map(({ type, remedy }) => `${type} ${remedy}`),
    ['block dropped', 'bits restored'],
  )
  const copy = new Log(folder.open, null, { sparse: true })
  const source = new Log(new MemoryFolder(await stored()).open)
  await Promise.all([copy.ready(), source.ready()])
  t.notOk(copy.has(0))
  t.strictSame(await copy.receive([await message(source, copy, 0)], null), [null])
  t.strictSame(await copy.get(0), blockAt(0))
  await Promise.all([copy.close(), source.close()])
})

t.test('nodes that nothing vouches for are dropped from a copy', async (t) => {
  const files = await storedCopy([3, 9])
  const tree = files.get('tree')
  tree?.fill(7, NODE_AT + 40 * 6, NODE_AT + 40 * 7)
  tree?.fill(8, NODE_AT + 40 * 4, NODE_AT + 40 * 5)
  const { report, folder } = await cure(files)
  t.ok(report.faults.some(({ type, remedy }) => type === 'node' && remedy === 'dropped'))
  const copy = new Log(folder.open, null, { sparse: true })
  await copy.ready()
  t.strictSame(await copy.get(9), blockAt(9))
  await copy.close()
})

t.test('a lost bitfield is made again from what is stored', async (t) => {
  const files = await stored()
  files.set('bitfield', new Uint8Array(0))
  const { folder } = await cure(files)
  const log = new Log(folder.open)
  await log.ready()
  t.strictSame(await log.audit(), { valid: 17, invalid: 0 })
  await log.close()
})

t.test('a head signature that is gone is made again where the secret key is', async (t) => {
  const files = await stored()
  files.get('signatures')?.fill(0, 32 + 64 * 16)
  const { folder } = await cure(files)
  t.strictSame(folder.snapshot().get('signatures'), (await stored()).get('signatures'))
})

t.test('when nothing verifies, nothing is touched', async (t) => {
  const files = await storedCopy([3])
  const other = signingKeyPair(new Uint8Array(32).fill(6)).publicKey
  files.set('key', other)
  const folder = new MemoryFolder(files)
  const report = await fsck(folder.open, { repair: true })
  t.strictSame(
    report.faults.map(({ type, remedy }) => `${type} ${remedy}`),
    ['key left'],
  )
  t.equal(report.repaired, false)
  t.strictSame(folder.snapshot(), files)
  // The right key, given, is put back.
  const { report: second } = await cure(files, keys.publicKey)
  t.equal(second.faults[0]?.type, 'key')
})

t.test('a secret key of somebody else is named and left', async (t) => {
  const files = await stored()
  files.set('secret_key', signingKeyPair(new Uint8Array(32).fill(6)).secretKey)
  const folder = new MemoryFolder(files)
  const report = await fsck(folder.open, { repair: true })
  t.strictSame(
    report.faults.map(({ type, remedy }) => `${type} ${remedy}`),
    ['secret-key left'],
  )
  t.strictSame(folder.snapshot(), files)
})
