/** Workload 5: one large file. */
import { createHash } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { MinimalLog } from '../minimal-log.ts'
import { blocks, bytesOf, check, scattered } from '../material.ts'
import {
  FS,
  H13,
  MINIMAL,
  V10,
  VARVE,
  VARVE_BATCH,
  VARVE_SYNC,
  type Workload,
  faster,
  scaled,
} from '../workload.ts'

const BLOCK = 65_536
const NAME = '/big'

/**
 * The file, chunk by chunk.
 *
 * @yields 64 KiB each
 */
export function* chunks(count: number): Generator<Uint8Array> {
  for (let i = 0; i < count; i++) yield bytesOf(i, BLOCK)
}

/** Read a stream to its end and throw it away. */
async function drain(stream: Readable): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    stream.on('data', () => undefined)
    stream.on('end', resolve)
    stream.on('error', reject)
  })
}

/** Fail unless a stream gives the file of `count` chunks. */
export async function checkStream(stream: Readable, count: number): Promise<void> {
  const want = createHash('sha1')
  for (const chunk of chunks(count)) want.update(chunk)
  const got = createHash('sha1')
  for await (const chunk of stream) got.update(chunk as Uint8Array)
  if (want.digest('hex') !== got.digest('hex')) throw new Error('the file is another one')
}

async function readRanges(
  read: (position: number, length: number) => Promise<Uint8Array>,
  order: readonly number[],
): Promise<void> {
  // oxlint-disable-next-line no-await-in-loop -- one at a time
  for (const i of order) await read(i * BLOCK + 1000, BLOCK)
}

/** Ranges that begin inside a block, so that each needs two. */
function rangesOf(count: number, ranges: number): number[] {
  const order = scattered(count - 1)
  return Array.from({ length: ranges }, (_, i) => order[i % order.length] ?? 0)
}

/** A file of 1 GiB at full size. */
export const largeFile: Workload = {
  number: 5,
  name: 'drive-file',
  title: 'drive: one file by stream in and out; random 64 KiB ranges',
  contenders: [VARVE, V10, FS, MINIMAL, VARVE_BATCH, VARVE_SYNC, H13],
  sizes: (scale, quick) => {
    const count = scaled(16_384, scale, quick, 32)
    const parameters = { count, ranges: scaled(10_000, scale, quick, 50) }
    return [{ label: `${Math.round(count / 16)} MiB`, parameters }]
  },
  steps: [
    {
      name: 'in',
      disk: true,
      async drive(context) {
        const count = context.size('count')
        const drive = await context.side.openDrive(context.path('drive'))
        await context.time('in', { bytes: count * BLOCK }, () =>
          pipeline(Readable.from(chunks(count)), drive.writeStream(NAME)),
        )
        await drive.close()
      },
      async fs(context) {
        const count = context.size('count')
        await context.time('in', { bytes: count * BLOCK }, () =>
          pipeline(Readable.from(chunks(count)), createWriteStream(context.path('big'))),
        )
      },
      async minimal(context) {
        const count = context.size('count')
        const log = new MinimalLog(context.path('log'))
        await context.time('in', { bytes: count * BLOCK }, () => {
          for (let at = 0; at < count; at += 16)
            log.append(blocks(at, Math.min(16, count - at), BLOCK))
        })
        log.close()
      },
    },
    {
      name: 'out',
      async drive(context) {
        const count = context.size('count')
        const drive = await context.side.openDrive(context.path('drive'))
        await context.time('out', { bytes: count * BLOCK }, () => drain(drive.readStream(NAME)))
        await checkStream(drive.readStream(NAME), count)
        await drive.close()
      },
      async fs(context) {
        const count = context.size('count')
        await context.time('out', { bytes: count * BLOCK }, () =>
          drain(createReadStream(context.path('big'))),
        )
      },
    },
    {
      name: 'ranges',
      async drive(context) {
        const order = rangesOf(context.size('count'), context.size('ranges'))
        const drive = await context.side.openDrive(context.path('drive'))
        const read = await drive.openRanges(NAME)
        await context.time('ranges', { count: order.length }, () => readRanges(read, order))
        for (let i = 0; i < context.size('count'); i += 101) {
          // oxlint-disable-next-line no-await-in-loop
          check(await read(i * BLOCK, BLOCK), i, BLOCK)
        }
        await drive.close()
      },
      async fs(context) {
        const order = rangesOf(context.size('count'), context.size('ranges'))
        const file = await open(context.path('big'))
        await context.time('ranges', { count: order.length }, () =>
          readRanges(async (position, length) => {
            const { buffer } = await file.read(Buffer.allocUnsafe(length), 0, length, position)
            return buffer
          }, order),
        )
        await file.close()
      },
    },
  ],
  rows: [
    { figure: 'in', title: 'in', unit: 'MiB/s', targets: [faster('v10', 1.6)] },
    { figure: 'out', title: 'out', unit: 'MiB/s', targets: [faster('v10', 2)] },
    { figure: 'ranges', title: 'a range', unit: 'µs', targets: [faster('v10', 2)] },
  ],
}
