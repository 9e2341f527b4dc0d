/** Workloads 8 and 17: one large file over a socket, between two processes. */
import { closeSync, fstatSync, openSync, readSync, writeSync } from 'node:fs'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { once } from 'node:events'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { StreamCipher } from '../../src/crypto.ts'
import { leafHash } from '../../src/merkle/index.ts'
import type { StepContext } from '../context.ts'
import { bytesOf } from '../material.ts'
import { dial, listen } from '../network.ts'
import { sideOf } from '../sides/side.ts'
import {
  type Contender,
  H13,
  MINIMAL,
  type Row,
  type Step,
  V10,
  VARVE,
  VARVE_BATCH,
  type Workload,
  faster,
  scaled,
  share,
} from '../workload.ts'
import { checkStream, chunks } from './drive-file.ts'

const BLOCK = 65_536
const NAME = '/big'

const filling: Step = {
  name: 'fill',
  by: 'server',
  async drive(context) {
    const drive = await context.side.openDrive(context.path('source'))
    await pipeline(Readable.from(chunks(context.size('count'))), drive.writeStream(NAME))
    await drive.close()
  },
  minimal(context) {
    const file = openSync(context.path('source'), 'w')
    for (const chunk of chunks(context.size('count'))) writeSync(file, chunk)
    closeSync(file)
  },
}

const fetching: Step = {
  name: 'fetch',
  disk: true,
  async serve(context) {
    if (context.contender.program === 'minimal') return serveMinimal(context)
    const drive = await context.side.openDrive(context.path('source'))
    const { port } = await listen(() => drive.replicate(false))
    await context.serving({ port, key: Buffer.from(drive.key).toString('hex') })
  },
  async drive(context) {
    const count = context.size('count')
    const { port, key } = context.offer as { port: number; key: string }
    const drive = await context.side.openDrive(context.path('copy'), {
      key: Buffer.from(key, 'hex'),
    })
    const hangUp = await context.time('fetch', { bytes: count * BLOCK }, async () => {
      const hangUp = dial(port, drive.replicate(true))
      await drive.known()
      await drive.download(NAME)
      return hangUp
    })
    hangUp()
    await drive.close()
    const again = await (
      await sideOf(context.contender)
    )?.openDrive(context.path('copy'), {
      key: Buffer.from(key, 'hex'),
    })
    if (!again) throw new Error('no drive')
    await checkStream(again.readStream(NAME), count)
    await again.close()
  },
  async minimal(context) {
    const bytes = context.size('count') * BLOCK
    const { port } = context.offer as { port: number }
    await context.time('fetch', { bytes }, () => fetchMinimal(context, port, bytes))
  },
}

/** Read, encipher, send. */
async function serveMinimal(context: StepContext): Promise<void> {
  const server = createServer((socket) => void sendMinimal(socket, context.path('source')))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  await context.serving({ port: (server.address() as AddressInfo).port })
}

async function sendMinimal(socket: Socket, path: string): Promise<void> {
  const cipher = new StreamCipher(new Uint8Array(24), new Uint8Array(32))
  const file = openSync(path, 'r')
  const { size } = fstatSync(file)
  for (let at = 0; at < size; at += BLOCK) {
    const block = Buffer.allocUnsafe(BLOCK)
    readSync(file, block)
    cipher.update(block, block)
    // oxlint-disable-next-line no-await-in-loop -- as the socket takes it
    if (!socket.write(block)) await once(socket, 'drain')
  }
  socket.end()
}

/** Decipher, hash each block as a leaf, write. */
async function fetchMinimal(context: StepContext, port: number, bytes: number): Promise<void> {
  const cipher = new StreamCipher(new Uint8Array(24), new Uint8Array(32))
  const file = openSync(context.path('copy'), 'w')
  let block = Buffer.allocUnsafe(BLOCK)
  let filled = 0
  let written = 0
  for await (const chunk of connect(port, '127.0.0.1')) {
    const received = chunk as Buffer
    cipher.update(received, received)
    for (let at = 0; at < received.length;) {
      const taken = received.copy(block, filled, at)
      filled += taken
      at += taken
      if (filled < BLOCK) continue
      leafHash(block)
      writeSync(file, block)
      written += BLOCK
      block = Buffer.allocUnsafe(BLOCK)
      filled = 0
    }
  }
  closeSync(file)
  if (written !== bytes) throw new Error(`${written} of ${bytes} bytes came`)
  const first = Buffer.alloc(BLOCK)
  const copy = openSync(context.path('copy'), 'r')
  readSync(copy, first)
  closeSync(copy)
  if (Buffer.compare(first, bytesOf(0, BLOCK)) !== 0) throw new Error('other bytes came')
}

const sizes: Workload['sizes'] = (scale, quick) => {
  const count = scaled(16_384, scale, quick, 32)
  return [{ label: `${Math.round(count / 16)} MiB`, parameters: { count } }]
}

/** Between two of a kind. */
export const transfer: Workload = {
  number: 8,
  name: 'transfer',
  title: 'one file over loopback TCP, two processes, encrypted, verified, onto disk',
  contenders: [VARVE, V10, MINIMAL, VARVE_BATCH, H13],
  sizes,
  steps: [filling, fetching],
  rows: [
    {
      figure: 'fetch',
      title: 'fetch',
      unit: 'MiB/s',
      targets: [faster('v10', 2.4), faster('m', 0.8)],
    },
    { figure: 'fetch cpu', title: 'reader: CPU', unit: 's', targets: [share('v10', 0.5)] },
    { figure: 'serve cpu', title: 'server: CPU', unit: 's', targets: [share('v10', 0.5)] },
  ],
}

const FROM_V10: Contender = { ...VARVE, name: 'varve from v10', server: 'v10' }
const TO_V10: Contender = { ...V10, name: 'v10 from varve', server: 'varve' }
const V10_ALONE: Contender = { ...V10, name: 'v10 from v10' }
const mixedRow = (of: string): Row => ({
  figure: 'fetch',
  title: `fetch, ${of}`,
  unit: 'MiB/s',
  of,
  targets: [faster('v10 from v10', 1)],
})

/** Between Varve and v10. */
export const mixedTransfer: Workload = {
  number: 17,
  name: 'mixed-transfer',
  title: "Varve and v10 as each other's peer: the same file",
  contenders: [FROM_V10, TO_V10, V10_ALONE],
  sizes,
  steps: [filling, fetching],
  rows: [mixedRow(FROM_V10.name), mixedRow(TO_V10.name)],
}
