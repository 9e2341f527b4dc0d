import fc from 'fast-check'
import t from 'tap'
import { concat } from '../../src/bytes.ts'
import {
  Chain,
  MAGIC,
  type BundleHeader,
  decodeFrame,
  decodeHeader,
  encodeBlock,
  encodeEnd,
  encodeHeader,
  framed,
} from '../../src/drive/bundle/bundle-format.ts'
import { bodiesOf } from '../../src/drive/bundle/bundle-reader.ts'
import { Drive } from '../../src/drive/drive.ts'
import { importBundle } from '../../src/drive/bundle/import-bundle.ts'
import type { ReceivedBlock } from '../../src/log/index.ts'
import { MemoryStorage } from '../../src/storage/index.ts'
import { type Ends, cloneOf, code, memoryDrive, memoryDrives } from './drives.ts'

async function bytesOf(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  for await (const chunk of source) chunks.push(chunk)
  return Buffer.from(concat(chunks))
}

function keyOf(drive: Drive): Buffer {
  if (!drive.key) throw new Error('no key')
  return drive.key
}

/** A drive with some of everything. */
async function filled(t: Parameters<typeof memoryDrive>[0]): Promise<Drive> {
  const drive = await memoryDrive(t)
  for (let i = 0; i < 30; i++) await drive.writeFile(`many/${i % 3}/f${i}`, `file ${i}`)
  await drive.writeFile('big', Buffer.alloc(700_000, 'big'))
  await drive.writeFile('doc/readme', 'read me')
  await drive.create('doc/empty')
  await drive.symlink('readme', 'doc/link')
  await drive.symlink('/many/1', 'doc/one')
  await drive.mkdir('doc/dir')
  await drive.createTag('first')
  await drive.unlink('many/0/f0')
  return drive
}

async function contentOf(drive: Drive, path: string): Promise<Record<string, string>> {
  const all: Record<string, string> = {}
  for (const name of await drive.readdir(path, { recursive: true, wait: false })) {
    const file = `${path}/${name}`
    const stat = await drive.stat(file, { wait: false })
    all[name] = stat.isFile()
      ? await drive.readFile(file, { encoding: 'utf8', wait: false })
      : 'dir'
  }
  return all
}

t.test('a whole drive goes through its bundle, and needs only its key', async (t) => {
  const drive = await filled(t)
  const bundle = await bytesOf(drive.bundle())
  const folder = t.testdir()
  const imported = await importBundle([bundle], folder, keyOf(drive))
  t.match(imported, { version: drive.version, path: '/', key: drive.key })
  const opened = new Drive(folder, drive.key)
  t.teardown(() => opened.close())
  await opened.ready()
  t.equal(opened.version, drive.version)
  t.same(await contentOf(opened, '/'), await contentOf(drive, '/'))
  t.match(await opened.availability(), { metadata: 'all', isComplete: true })
  t.equal(await opened.getTaggedVersion('first'), await drive.getTaggedVersion('first'))
  t.ok((imported?.blocks ?? 0) > 30)
  await t.rejects(opened.writeFile('x', 'x'), code('EROFS'))
})

t.test(
  'the bundle of a path holds what listing and reading it need, and little more',
  async (t) => {
    const drive = await filled(t)
    for (const path of ['/doc', '/many/2', '/doc/link', '/big', '/many/0/f3']) {
      const bundle = await bytesOf(drive.bundle({ path }))
      const clone = await memoryClone(t, drive)
      await importBundle([bundle], clone, keyOf(drive))
      const stat = await clone.stat(path, { wait: false })
      t.match(stat, { mode: (await drive.stat(path)).mode, size: (await drive.stat(path)).size })
      if (stat.isFile()) {
        t.same(await clone.readFile(path, { wait: false }), await drive.readFile(path))
      } else {
        t.same(await contentOf(clone, path), await contentOf(drive, path))
        await t.rejects(clone.stat(`${path}/nope`, { wait: false }), code('ENOENT'))
      }
      t.match(await clone.availability(path), { metadata: 'all', isComplete: true })
      if (path !== '/big') t.ok(bundle.length < 40_000, `${path}: ${bundle.length} bytes`)
      t.match(await clone.availability('/'), { isComplete: false })
    }
  },
)

async function memoryClone(t: Ends, drive: Drive): Promise<Drive> {
  const clone = new Drive(() => new MemoryStorage(), drive.key)
  t.teardown(() => clone.close())
  await clone.ready()
  return clone
}

t.test('an older version is the same bytes as it was when it was the newest', async (t) => {
  const drive = await filled(t)
  const { version } = drive
  const before = await bytesOf(drive.bundle())
  await drive.writeFile('doc/readme', 'changed')
  await drive.writeFile('more', 'more')
  t.ok(before.equals(await bytesOf(drive.bundle(version))))
  t.ok(before.equals(await bytesOf(drive.checkout(version).bundle())))
  t.notOk(before.equals(await bytesOf(drive.bundle())))
  const clone = await cloneOf(t, drive)
  const [first, second] = [await bytesOf(clone.bundle()), await bytesOf(drive.bundle())]
  t.ok(first.equals(second), 'a clone that fetches all as it goes makes the same')
  const folder = t.testdir()
  await importBundle([before], folder, keyOf(drive))
  const opened = new Drive(folder, drive.key)
  t.teardown(() => opened.close())
  t.equal(await opened.readFile('doc/readme', 'utf8'), 'read me')
  await importBundle([second], opened, keyOf(drive))
  t.equal(await opened.readFile('doc/readme', 'utf8'), 'changed')
  await importBundle([before], opened, keyOf(drive))
  t.equal(await opened.readFile('doc/readme', 'utf8'), 'changed', 'older bundles take nothing back')
})

t.test('a version within one batch can be bundled, and checked out', async (t) => {
  const drive = await memoryDrive(t)
  await Promise.all(['a', 'b', 'c'].map((name) => drive.writeFile(name, name)))
  const clone = await memoryClone(t, drive)
  const bundle = await bytesOf(drive.bundle(drive.version - 1))
  const imported = await importBundle([bundle], clone, keyOf(drive))
  const shown = clone.checkout(imported?.version)
  const names = await drive.checkout(drive.version - 1).readdir('/')
  t.same(await shown.readdir('/', { wait: false }), names)
})

t.test(
  'an empty drive, one without content, and a path that is a directory by implication',
  async (t) => {
    const empty = await memoryDrive(t)
    const clone = await memoryClone(t, empty)
    t.match(await importBundle([await bytesOf(empty.bundle())], clone, keyOf(empty)), {
      version: 1,
    })
    t.same(await clone.readdir('/', { wait: false }), [])
    await empty.mkdir('only')
    await importBundle([await bytesOf(empty.bundle())], clone, keyOf(empty))
    t.same(await clone.readdir('/', { wait: false }), ['only'])
  },
)

t.test('what cannot be bundled says why', async (t) => {
  const [outer, inner] = (await memoryDrives(t, 2)) as [Drive, Drive]
  await inner.writeFile('f', 'fff')
  await outer.mount('m', keyOf(inner))
  await outer.writeFile('own', 'own')
  await t.rejects(bytesOf(outer.bundle({ path: 'm/f' })), code('EXDEV'))
  await t.rejects(bytesOf(outer.bundle({ path: 'nope' })), code('ENOENT'))
  await t.rejects(bytesOf(outer.bundle(0)), RangeError)
  const clone = await memoryClone(t, outer)
  await t.rejects(bytesOf(clone.bundle({ wait: false })), code('EUNAVAILABLE'))
  const reason = new Error('enough')
  const aborted = outer.bundle({ signal: AbortSignal.abort(reason) })
  await t.rejects(bytesOf(aborted), { name: 'AbortError', cause: reason })
  await outer.clear('own')
  await t.rejects(bytesOf(outer.bundle({ wait: false })), code('EUNAVAILABLE'))
  // What is mounted stays out, and is not missed.
  await t.rejects(bytesOf(outer.bundle({ path: '/m' })), code('EXDEV'))
  await outer.writeFile('own', 'again')
  await importBundle([await bytesOf(outer.bundle())], clone, keyOf(outer))
  t.match(await clone.stat('m', { wait: false }), { mount: { key: inner.key } })
})

t.test('a bundle stream that is destroyed while it waits leaves nothing behind', async (t) => {
  const writer = await memoryDrive(t)
  await writer.writeFile('a', 'a')
  const clone = await cloneOf(t, writer)
  await clone.stat('a')
  await writer.clear('a')
  const content = await clone.getContent()
  const stream = clone.bundle()
  stream.resume()
  await new Promise<void>((resolve) => {
    const look = setInterval(() => {
      if ([...content.wishes.waiting].length === 0) return
      clearInterval(look)
      resolve()
    }, 1)
  })
  await new Promise<void>((resolve) => {
    stream.once('close', () => resolve())
    stream.destroy()
  })
  await new Promise((resolve) => setImmediate(resolve))
  t.equal([...content.wishes.waiting].length, 0)
})

t.test('a bundle of another key, or for none, is refused before anything is opened', async (t) => {
  const drive = await memoryDrive(t)
  const bundle = await bytesOf(drive.bundle())
  const opened: string[] = []
  const folder = (name: string): MemoryStorage => {
    opened.push(name)
    return new MemoryStorage()
  }
  await t.rejects(importBundle([bundle], folder, Buffer.alloc(32)).done, code('DRIVE_BAD_BUNDLE'))
  await t.rejects(importBundle([bundle], folder, 'nope').done, code('DRIVE_BAD_KEY'))
  await t.rejects(importBundle([], folder, keyOf(drive)).done, code('DRIVE_BAD_BUNDLE'))
  await t.rejects(importBundle(['text'] as never, folder, keyOf(drive)).done, TypeError)
  t.same(opened, [])
  const other = await memoryDrive(t)
  await t.rejects(importBundle([bundle], other, keyOf(drive)).done, code('DRIVE_BAD_BUNDLE'))
  const signal = AbortSignal.abort(new Error('enough'))
  const aborted = importBundle([bundle], folder, keyOf(drive), { signal })
  await t.rejects(aborted.done, { message: 'enough' })
})

t.test('the writer gets back what it lost', async (t) => {
  const drive = await filled(t)
  const bundle = await bytesOf(drive.bundle())
  await drive.clear('/')
  t.match(await drive.availability('/big'), { isComplete: false })
  const transfer = importBundle([bundle], drive, keyOf(drive))
  await transfer
  t.match(transfer.progress, { blocks: transfer.progress.totalBlocks, msLeft: 0 })
  t.match(await drive.availability(), { isComplete: true })
  await drive.writeFile('on', 'and on')
})

/** Where the parts of a bundle begin and end, and what they are. */
async function partsOf(bundle: Uint8Array): Promise<Uint8Array[]> {
  const parts: Uint8Array[] = []
  for await (const body of bodiesOf([bundle])) parts.push(Uint8Array.from(body))
  return parts
}

t.test(
  'cut anywhere, or with any byte changed, it is refused, and nothing wrong is stored',
  async (t) => {
    const drive = await memoryDrive(t)
    await drive.writeFile('a', 'aaaa')
    await drive.writeFile('d/b', 'bbbbbb')
    await drive.symlink('a', 'd/link')
    await drive.writeFile('d/c', 'c')
    const bundle = await bytesOf(drive.bundle())
    const all = await contentOf(drive, '/')
    const check = async (damaged: Uint8Array, chunk: number): Promise<void> => {
      const opened = await memoryClone({ teardown: () => undefined }, drive)
      const chunks: Uint8Array[] = []
      for (let at = 0; at < damaged.length; at += chunk)
        chunks.push(damaged.subarray(at, at + chunk))
      const error: unknown = await importBundle(chunks, opened, keyOf(drive)).done.then(
        () => null,
        (failure: unknown) => failure,
      )
      if (!(error instanceof Error) || Reflect.get(error, 'code') !== 'DRIVE_BAD_BUNDLE') {
        throw new Error(`want a refusal, got ${String(error)}`)
      }
      try {
        for (const log of [opened.metadata, opened.content]) {
          if (log && log.length > 0 && (await log.audit()).invalid > 0) throw new Error('unsound')
        }
        // What is there is right, and the whole bundle makes it whole.
        await importBundle([bundle], opened, keyOf(drive))
        t.same(await contentOf(opened, '/'), all)
      } finally {
        await opened.close()
      }
    }
    for (let end = 0; end < bundle.length; end += 1 + Math.floor(bundle.length / 80)) {
      await check(bundle.subarray(0, end), 1000)
    }
    await check(concat([bundle, new Uint8Array(1)]), 1000)
    await check(concat([bundle, framed(encodeEnd(new Uint8Array(32)))]), 1000)
    const place = fc.nat(bundle.length - 1)
    await fc.assert(
      fc.asyncProperty(
        place,
        fc.integer({ min: 1, max: 255 }),
        fc.integer({ min: 1, max: 99 }),
        async (at, bits, chunk) => {
          const damaged = Uint8Array.from(bundle)
          damaged[at] = (damaged[at] ?? 0) ^ bits
          await check(damaged, chunk)
        },
      ),
      { numRuns: process.env['SLOW'] ? 5000 : 80 },
    )
  },
)

t.test(
  'a forger who makes the digest right again is found by the proofs, or by what is missing',
  async (t) => {
    const drive = await memoryDrive(t)
    await drive.writeFile('a', 'aaaa')
    await drive.writeFile('d/b', 'bbbbbb')
    const [head, ...rest] = await partsOf(await bytesOf(drive.bundle()))
    if (!head) throw new Error('no header')
    const header = decodeHeader(head)
    const blocks = rest.map(decodeFrame).flatMap((frame) => (frame.type === 'block' ? [frame] : []))
    type Part = (typeof blocks)[number]
    const forged = (changes: Partial<BundleHeader>, parts: readonly Part[]): Uint8Array => {
      const chain = new Chain()
      const bodies = [encodeHeader({ ...header, ...changes })]
      for (const { log, block } of parts) bodies.push(encodeBlock(log, block))
      for (const body of bodies) chain.take(body)
      return concat([MAGIC, ...bodies.map(framed), framed(encodeEnd(chain.digest))])
    }
    const withBlock = (at: number, change: (block: ReceivedBlock) => ReceivedBlock): Part[] =>
      blocks.map((part, i) => (i === at ? { ...part, block: change(part.block) } : part))
    const counts = { metadataBlocks: header.metadataBlocks, contentBlocks: header.contentBlocks }
    const last = blocks.length - 1
    const cases: Record<string, Uint8Array> = {
      'another version': forged({ version: header.version - 1, path: '/d' }, blocks),
      'a version that is not signed': forged({ version: 9, metadataLength: 9 }, blocks),
      'another path': forged({ path: '/nope' }, blocks),
      'a block left out': forged({ contentBlocks: counts.contentBlocks - 1 }, blocks.slice(0, -1)),
      'a block left out, and counted': forged({}, blocks.slice(0, -1)),
      'an entry left out': forged(
        { metadataBlocks: counts.metadataBlocks - 1 },
        blocks.filter((_, i) => i !== 1),
      ),
      'no header block': forged(
        {},
        blocks.filter(({ log }) => log === 'content'),
      ),
      'content first': forged({}, blocks.toReversed()),
      'a block twice': forged({}, [...blocks, ...blocks.slice(-1)]),
      'other bytes': forged(
        {},
        withBlock(last, (block) => ({ ...block, value: Buffer.from('x') })),
      ),
      'no bytes': forged(
        {},
        withBlock(0, (block) => ({ ...block, value: new Uint8Array(0) })),
      ),
      'another index': forged(
        {},
        withBlock(last, (block) => ({ ...block, index: 77 })),
      ),
      'no proof': forged(
        {},
        withBlock(0, (block) => ({ ...block, nodes: [], signature: null })),
      ),
      'another signature': forged(
        {},
        withBlock(0, (block) => ({ ...block, signature: new Uint8Array(64) })),
      ),
      'a node of another size': forged(
        {},
        withBlock(0, (block) => ({
          ...block,
          nodes: block.nodes.map((node) => ({ ...node, size: node.size + 1 })),
        })),
      ),
    }
    for (const [name, bytes] of Object.entries(cases)) {
      const clone = await memoryClone(t, drive)
      await t.rejects(
        importBundle([bytes], clone, keyOf(drive)).done,
        code('DRIVE_BAD_BUNDLE'),
        name,
      )
      for (const log of [clone.metadata, clone.content]) {
        if (log && log.length > 0) t.match(await log.audit(), { invalid: 0 }, `${name}: sound`)
      }
    }
  },
)

t.test('bytes that are no part of a bundle are refused at once, whatever they claim', async (t) => {
  const bad = async (...chunks: Uint8Array[]): Promise<void> => {
    await t.rejects(async () => {
      for await (const body of bodiesOf(chunks)) decodeFrame(body)
    }, code('DRIVE_BAD_BUNDLE'))
  }
  await bad(Buffer.from('no bundle'))
  await bad(MAGIC, Buffer.from([0]))
  await bad(MAGIC, Buffer.from('ffffffff7f', 'hex'))
  await bad(MAGIC, Buffer.from('ffffffffffffffffffff01', 'hex'))
  await bad(MAGIC, framed(Buffer.from([9])))
  await bad(MAGIC, framed(Buffer.from([1, 0xff])))
  await bad(MAGIC, framed(Buffer.from([1, 0, 0xff, 1])))
  await bad(MAGIC, framed(Buffer.from([1, 0, 0, 2])))
  await bad(MAGIC, framed(Buffer.from([1, 0, 0, 1, 5])))
  await bad(MAGIC, framed(Buffer.from([0, 1])))
  await bad(MAGIC, framed(concat([encodeEnd(new Uint8Array(32)), MAGIC])))
  const header = { key: new Uint8Array(32), version: 2, metadataLength: 2, contentLength: 0 }
  const whole = { ...header, metadataBlocks: 1, contentBlocks: 0, path: '/é' }
  t.same(decodeHeader(encodeHeader(whole)), whole)
  for (const wrong of [{ version: 0 }, { version: 3 }, { path: 'relative' }]) {
    t.throws(() => decodeHeader(encodeHeader({ ...whole, ...wrong })), code('DRIVE_BAD_BUNDLE'))
  }
  t.throws(() => decodeHeader(concat([encodeHeader(whole), MAGIC])), code('DRIVE_BAD_BUNDLE'))
})

t.test('a large bundle goes into a clone that has a little of the drive already', async (t) => {
  const drive = await memoryDrive(t)
  await drive.writeFile('first', 'first')
  const clone = await memoryClone(t, drive)
  await importBundle([await bytesOf(drive.bundle())], clone, keyOf(drive))
  const names = Array.from({ length: 400 }, (_, i) => `f${i}`)
  await Promise.all(names.map((name) => drive.writeFile(name, name)))
  const bundle = await bytesOf(drive.bundle())
  t.ok(bundle.length < 400 * 500, `${bundle.length} bytes: proofs lean on those before`)
  t.match(await importBundle([bundle], clone, keyOf(drive)), { blocks: 803 })
  t.match(await clone.availability(), { isComplete: true, files: 401 })
  t.equal(await clone.readFile('f399', { encoding: 'utf8', wait: false }), 'f399')
})

t.test(
  'a bundle that leaves out a node is refused by a clone that has a little, too',
  async (t) => {
    const drive = await memoryDrive(t)
    await drive.writeFile('first', 'first')
    const clone = await memoryClone(t, drive)
    await importBundle([await bytesOf(drive.bundle())], clone, keyOf(drive))
    for (let i = 0; i < 6; i++) await drive.writeFile(`f${i}`, 'f')
    const parts = await partsOf(await bytesOf(drive.bundle()))
    const chain = new Chain()
    const bodies = parts.slice(0, -1).map((body, i) => {
      const frame = i === 0 ? null : decodeFrame(body)
      if (frame?.type !== 'block') return body
      return encodeBlock(frame.log, { ...frame.block, nodes: frame.block.nodes.slice(1) })
    })
    for (const body of bodies) chain.take(body)
    const forged = concat([MAGIC, ...bodies.map(framed), framed(encodeEnd(chain.digest))])
    await t.rejects(importBundle([forged], clone, keyOf(drive)).done, code('DRIVE_BAD_BUNDLE'))
  },
)
