/** A log that is not open yet, one that is closed, and what its owner may do to it in between. */
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import t from 'tap'
import { fromUtf8, toHex } from '../../src/bytes.ts'
import { signingKeyPair } from '../../src/crypto.ts'
import { Log } from '../../src/log/index.ts'
import { decodeRle } from '../../src/log/rle.ts'
import { MemoryFolder } from '../../src/storage/index.ts'
import type { RandomAccess } from '../../src/storage/index.ts'
import type { RandomAccessObject } from '../../src/storage/index.ts'
import { MemoryPeer } from '../trie/memory-log.ts'
import { Notes, blocksOf, copyOf, message, writer } from './logs.ts'

// It has no types.
const require = createRequire(import.meta.url)
const ForeignMemory = require('random-access-memory') as new () => RandomAccessObject

t.test('a log that is not open yet has nothing, and what has to know waits for it', async (t) => {
  const { log: source, folder } = await writer(blocksOf(3, 1))
  await source.close()
  const log = new Log(folder.open, source.key, { live: true })
  t.equal(log.opened, false)
  t.strictSame(log.key, source.key)
  t.equal(new Log(new MemoryFolder().open).key, null)
  t.equal(log.length, 0)
  t.equal(log.byteLength, 0)
  t.equal(log.live, true)
  t.equal(new Log(new MemoryFolder().open, null, { live: false }).live, false)
  t.equal(new Log(new MemoryFolder().open).live, true)
  t.equal(log.writable, false)
  t.equal(log.downloaded(), 0)
  t.equal(log.has(0), false)
  t.equal(log.hasNode(0), false)
  t.equal(log.nextMissing(2, 5), 2)
  t.equal(log.nextMissing(5, 5), -1)
  t.equal(log.digest(0), 0)
  t.equal(log.compressBitfield(0, 8192).length, 0)
  t.equal(log.wishes.waiting.size, 0)
  t.equal(log.wishes.selections.size, 0)
  log.cancel(0, 9)
  log.undownload({ start: 0 })
  log.peersChanged()
  const proof = await log.proof(1)
  t.ok(proof.signature)
  t.equal(log.opened, true)
  t.equal(log.length, 3)
  await log.close()
})

t.test('a copy takes blocks while it is still opening', async (t) => {
  const { log } = await writer(blocksOf(3, 1))
  const { copy } = await copyOf(log)
  const block = await message(log, copy, 2)
  const opening = new Log(new MemoryFolder().open, log.key, { sparse: true })
  t.strictSame(await opening.receive([block], null), [null])
  t.strictSame(await opening.get(2), await log.get(2))
  await Promise.all([log.close(), copy.close(), opening.close()])
})

t.test('a closed log takes no block, and begins no download', async (t) => {
  const { log } = await writer(blocksOf(3, 1))
  const { copy } = await copyOf(log)
  const block = await message(log, copy, 2)
  await copy.close()
  const [error] = await copy.receive([block], null)
  t.equal(error?.code, 'LOG_CLOSED')
  t.equal(copy.has(2), false)
  await t.rejects(copy.download({ start: 0, end: 3 }).done, { code: 'LOG_CLOSED' })
  t.equal(copy.wishes.selections.size, 0)
  await log.close()
})

t.test('a log that did not open can be closed', async (t) => {
  const pair = signingKeyPair()
  const log = new Log(new MemoryFolder().open, pair.publicKey, {
    secretKey: signingKeyPair().secretKey,
  })
  let closed = false
  log.on('close', () => (closed = true))
  await t.rejects(log.ready(), { code: 'LOG_BAD_KEY_PAIR' })
  await log.close()
  t.equal(log.closed, true)
  t.equal(closed, false, 'it was never open')
})

t.test('what was appended just before the log closes is stored', async (t) => {
  const { log, folder } = await writer(blocksOf(1, 1))
  const appending = log.append(fromUtf8('last'))
  await log.close()
  t.equal(await appending, 1)
  const again = new Log(folder.open)
  t.equal(toHex(await again.get(1)), toHex(fromUtf8('last')))
  await again.close()
})

t.test(
  'a truncation waits for the append before it, and the next append for the truncation',
  async (t) => {
    const { log } = await writer(blocksOf(4, 1))
    const before = log.append(fromUtf8('x'))
    const cut = log.truncate(2)
    const after = log.append(fromUtf8('y'))
    t.equal(await before, 4)
    await cut
    t.equal(await after, 2)
    t.equal(log.length, 3)
    t.equal(toHex(await log.get(2)), toHex(fromUtf8('y')))
    await log.truncate(7)
    t.equal(log.length, 3, 'a log cannot be cut to more than it is')
    await log.close()
  },
)

t.test('only who can sign may truncate, and only to roots that are here', async (t) => {
  const pair = signingKeyPair()
  const owned = { secretKey: pair.secretKey }
  const log = new Log(new MemoryFolder().open, pair.publicKey, owned)
  await log.append(blocksOf(8, 1))
  const { copy } = await copyOf(log)
  await copy.receive([await message(log, copy, 7)], null)
  await t.rejects(copy.truncate(0), { code: 'LOG_NOT_WRITABLE' })
  // The owner on a new device, with one block so far.
  const device = new Log(new MemoryFolder().open, pair.publicKey, { ...owned, sparse: true })
  await device.ready()
  await device.receive([await message(log, device, 7)], null)
  await t.rejects(device.truncate(3), { code: 'LOG_NOT_PROVABLE' })
  t.equal(device.length, 8)
  await Promise.all([log.close(), copy.close(), device.close()])
})

t.test('switches tell the replicator only when they turn', async (t) => {
  const { log } = await writer()
  const notes = new Notes()
  log.attach(notes)
  log.setUploading(true)
  log.setDownloading(false)
  t.strictSame(notes.heard, [], 'a writer uploads and does not download as it is')
  log.setUploading(false)
  log.setDownloading(true)
  t.strictSame(notes.heard, ['switched', 'switched'])
  t.equal(log.uploading, false)
  t.equal(log.downloading, true)
  await log.close()
})

t.test('counters are kept unless they are not wanted', async (t) => {
  const { log } = await writer(blocksOf(2, 1))
  const { copy } = await copyOf(log)
  const { copy: silent } = await copyOf(log, { stats: false })
  const peer = new MemoryPeer()
  for (const each of [copy, silent]) await each.receive([await message(log, each, 0)], peer)
  t.match(copy.stats, { totals: { downloadedBlocks: 1, downloadedBytes: 3 }, peers: [] })
  t.equal(silent.stats, null)
  await Promise.all([log.close(), copy.close(), silent.close()])
})

t.test('a span of 0 from 0 is the bits of every block', async (t) => {
  const { log } = await writer(blocksOf(3, 1))
  const bits = decodeRle(log.compressBitfield(0, 0), 2 ** 20)
  t.equal(bits[0], 0b11100000)
  t.strictSame(decodeRle(log.compressBitfield(0, 8192), 1024)[0], 0b11100000)
  await log.close()
})

t.test('a byte is found in the tree that is here, and nowhere else', async (t) => {
  const { log } = await writer(blocksOf(4, 1))
  const { copy } = await copyOf(log)
  await copy.receive([await message(log, copy, 3, { hash: true })], null)
  t.strictSame(await log.seekLocal(4), { index: 1, offset: 1 })
  t.equal(await log.seekLocal(log.byteLength), null, 'the end is in no block')
  t.equal(await copy.seekLocal(4), null, 'the tree of the copy does not tell')
  t.strictSame(await copy.seekLocal(copy.byteLength - 1), { index: 3, offset: 0 })
  await Promise.all([log.close(), copy.close()])
})

t.test(
  'a static log is read again before it has its key, and takes nothing from others',
  async (t) => {
    const folder = new MemoryFolder()
    const log = new Log(folder.open, null, { live: false })
    await log.append(blocksOf(3, 1))
    await log.close()
    const again = new Log(folder.open, null, { live: false })
    await again.ready()
    t.equal(again.key, null)
    t.equal(toHex(await again.get(2)), toHex(blocksOf(3, 1)[2] ?? new Uint8Array(0)))
    const { log: other } = await writer(blocksOf(3, 1))
    const [error] = await again.receive(
      [{ index: 3, value: null, nodes: [], signature: null }],
      null,
    )
    t.ok(error)
    t.equal(again.length, 3)
    const finalizing = again.finalize()
    const late = again.append(blocksOf(1, 9))
    late.catch(() => undefined)
    const key = await finalizing
    await t.rejects(late, { code: 'LOG_NOT_WRITABLE' })
    t.strictSame(await again.finalize(), key, 'finalizing twice changes nothing')
    await Promise.all([again.close(), other.close()])
    // Reopened, its proofs are made from disk, without signatures.
    const served = new Log(folder.open, key)
    const proof = await served.proof(1)
    t.equal(proof.signature, null)
    const copy = new Log(new MemoryFolder().open, key, { sparse: true })
    t.strictSame(await copy.receive([{ index: 1, value: await served.get(1), ...proof }], null), [
      null,
    ])
    t.equal(copy.live, false)
    await Promise.all([served.close(), copy.close()])
  },
)

t.test('a writer may look at its own blocks before they are stored, and refuse', async (t) => {
  const seen: string[] = []
  const { log } = await writer([], {
    onwrite: (index, block, peer) => {
      seen.push(`${index} ${toHex(block)} ${peer === null}`)
      if (block[0] === 9) throw new Error('no nines')
    },
  })
  await log.append([Uint8Array.of(1), Uint8Array.of(2)])
  await t.rejects(log.append(Uint8Array.of(9)), { message: 'no nines' })
  t.equal(log.length, 2)
  t.equal(await log.append(Uint8Array.of(3)), 2)
  t.strictSame(seen, ['0 01 true', '1 02 true', '2 09 true', '2 03 true'])
  await log.close()
})

t.test('blocks are decoded as the call says, and the head after a look at the peers', async (t) => {
  const { log } = await writer([fromUtf8('"a"\n')])
  t.equal(await log.get(0, { valueEncoding: 'json' }), 'a')
  t.strictSame(await log.getBatch(0, 1, { valueEncoding: 'utf8' }), ['"a"\n'])
  t.equal(await log.head({ update: true, valueEncoding: 'json' }), 'a')
  const { copy } = await copyOf(log)
  await t.rejects(copy.head({ update: true }), { code: 'LOG_EMPTY' })
  await t.rejects(copy.update({ wait: false }), { code: 'LOG_NOT_HELD' })
  await Promise.all([log.close(), copy.close()])
})

t.test(
  'clear keeps the bytes when it is told to, and where nobody knows which they are',
  async (t) => {
    const { log, folder } = await writer(blocksOf(8, 1))
    const stored = folder.snapshot().get('data')?.length
    t.strictSame(await log.clear(6, 8, { delete: false }), { bytesFreed: 0 })
    t.equal(log.has(6), false)
    t.equal(folder.snapshot().get('data')?.length, stored)
    const { copy, folder: copied } = await copyOf(log)
    await copy.receive([await message(log, copy, 4)], null)
    const before = copied.snapshot().get('data')
    // Block 3 was never here, nor was the tree that says where it begins.
    t.strictSame(await copy.clear(3, 8), { bytesFreed: 0 })
    t.equal(copy.has(4), false)
    t.strictSame(copied.snapshot().get('data'), before)
    await Promise.all([log.close(), copy.close()])
  },
)

t.test('a log lives in a folder, and in any random-access-storage', async (t) => {
  const folder = t.testdir()
  const log = new Log(folder)
  await log.append(blocksOf(2, 1))
  t.equal(existsSync(join(folder, 'data')), true)
  await log.close()
  const again = new Log(folder)
  await again.ready()
  t.equal(again.length, 2)
  await again.destroy()
  t.equal(existsSync(join(folder, 'data')), false)
  const foreign = new Log(() => new ForeignMemory())
  await foreign.append(blocksOf(2, 1))
  t.equal(toHex(await foreign.get(1)), toHex(blocksOf(2, 1)[1] ?? new Uint8Array(0)))
  await foreign.close()
})

t.test('a file that does not close fails the close, after all others were closed', async (t) => {
  const folder = new MemoryFolder()
  const closed: string[] = []
  const open = (name: string): RandomAccess => {
    const file = folder.open(name)
    const close = async (): Promise<void> => {
      closed.push(name)
      if (name === 'key') throw new Error('stuck')
    }
    return new Proxy(file, {
      get: (target, property) => {
        const value: unknown = property === 'close' ? close : Reflect.get(target, property)
        return typeof value === 'function' ? (value.bind(target) as unknown) : value
      },
    })
  }
  const log = new Log(open)
  await log.append(blocksOf(1, 1))
  await t.rejects(log.close(), { message: 'stuck' })
  for (const name of ['tree', 'data', 'bitfield', 'signatures']) t.ok(closed.includes(name), name)
})
