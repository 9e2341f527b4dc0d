/** Blocks and bytes as streams. */
import { once } from 'node:events'
import fc from 'fast-check'
import t from 'tap'
import { concat, fromUtf8, toHex } from '../../src/bytes.ts'
import { Log } from '../../src/log/index.ts'
import { MemoryFolder } from '../../src/storage/index.ts'
import { blocksOf, copyOf, message, writer } from './logs.ts'

async function all(source: AsyncIterable<Uint8Array>): Promise<Uint8Array[]> {
  const items: Uint8Array[] = []
  for await (const item of source) items.push(item)
  return items
}

t.test('a byte range is the same bytes as a slice of everything', async (t) => {
  const blocks = blocksOf(30)
  const { log } = await writer(blocks)
  const whole = concat(blocks)
  await fc.assert(
    fc.asyncProperty(fc.nat(whole.length - 1), fc.nat(whole.length), async (start, wanted) => {
      const byteLength = Math.min(wanted, whole.length - start)
      const read = concat(await all(log.readBytes({ byteOffset: start, byteLength })))
      t.equal(toHex(read), toHex(whole.subarray(start, start + byteLength)))
    }),
    { numRuns: 60 },
  )
  const first = blocks.slice(0, 5).reduce((sum, block) => sum + block.length, 0)
  const range = { blockOffset: 5, blockLength: 10, byteOffset: first }
  const streamed = concat(await all(log.createByteStream(range)))
  t.equal(toHex(streamed), toHex(concat(blocks.slice(5, 15))))
  await t.rejects(all(log.readBytes({ byteOffset: -1, byteLength: 3 })), RangeError)
  await log.close()
})

t.test('a byte stream downloads ahead of itself, and stops when it is left', async (t) => {
  const { log } = await writer(blocksOf(10, 1))
  const { copy } = await copyOf(log)
  await copy.receive([await message(log, copy, 9, { hash: true })], null)
  const bytes = copy.readBytes({ blockOffset: 0, blockLength: 10 })
  const first = bytes.next()
  await new Promise((resolve) => setImmediate(resolve))
  t.strictSame([...copy.wishes.waiting], [{ type: 'block', index: 0 }])
  t.match([...copy.wishes.selections], [{ type: 'range', start: 0, end: 10, linear: true }])
  await copy.receive([await message(log, copy, 0)], null)
  t.strictSame((await first).value, await log.get(0))
  await bytes.return()
  t.equal(copy.wishes.selections.size, 0)

  const stream = copy.createByteStream({ blockOffset: 1, blockLength: 3, byteOffset: 3 })
  stream.on('error', () => undefined)
  stream.resume()
  await new Promise((resolve) => setImmediate(resolve))
  stream.destroy()
  await once(stream, 'close')
  await new Promise((resolve) => setImmediate(resolve))
  t.equal(copy.wishes.waiting.size, 0)
  t.equal(copy.wishes.selections.size, 0)
  await Promise.all([log.close(), copy.close()])
})

t.test('a live stream goes on with what is appended, and ends when it is destroyed', async (t) => {
  const { log } = await writer(blocksOf(2, 1))
  const stream = log.createReadStream({ live: true, tail: true })
  const got: unknown[] = []
  stream.on('data', (block: unknown) => got.push(block))
  await new Promise((resolve) => setImmediate(resolve))
  const arriving = once(stream, 'data')
  await log.append(fromUtf8('later'))
  await arriving
  t.strictSame(
    got.map((block) => toHex(block as Uint8Array)),
    [toHex(fromUtf8('later'))],
  )
  stream.on('error', () => undefined)
  stream.destroy()
  await once(stream, 'close')
  t.equal(log.wishes.waiting.size, 0)
  await log.close()
})

t.test('without a snapshot the end is where the log ends by then', async (t) => {
  const { log } = await writer(blocksOf(2, 1))
  const reading = log.blocks({ snapshot: false })
  await reading.next()
  await log.append(blocksOf(1, 7))
  t.equal((await all(reading)).length, 2)
  t.equal((await all(log.blocks({ start: 2, end: 1 }))).length, 0)
  await log.close()
})

t.test('a null value does not end a stream', async (t) => {
  const log = new Log<unknown>(new MemoryFolder().open, null, { valueEncoding: 'json' })
  await log.append([1, null, 2])
  const values: unknown[] = []
  for await (const value of log.createReadStream()) values.push(value)
  t.equal(values.length, 3)
  await log.close()
})

t.test('a stream that cannot append fails with the reason', async (t) => {
  const { log } = await writer()
  const stream = log.createWriteStream()
  await log.close()
  stream.write(fromUtf8('x'))
  const [error] = (await once(stream, 'error')) as [Error]
  t.match(error, { code: 'LOG_CLOSED' })
})
