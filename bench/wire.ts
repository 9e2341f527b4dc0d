/** The wire: copying a log over a loopback socket, beside the bare socket. */
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import type { AddressInfo, Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream'
import type { Duplex } from 'node:stream'
import { Log } from '../src/log/index.ts'
import { openFolder } from '../src/storage/index.ts'
import { replicate } from '../src/wire/index.ts'
import type { Bench } from './measure.ts'

/** Copy logs of small, middling and large blocks. */
export async function run(bench: Bench): Promise<void> {
  for (const [count, size] of [
    [10_000, 64],
    [10_000, 1024],
    [1000, 65_536],
  ] as const) {
    const blocks = bench.quick ? count / 100 : count
    // oxlint-disable-next-line no-await-in-loop -- one bench after the other
    await bench.compare(`copy ${blocks} blocks of ${size} B`, {
      ours: () => copyLog(blocks, size),
      v10: bench.v10?.('wireCopy', { count: blocks, size }),
      limit: { name: 'bare socket', round: () => sendBytes(blocks * size) },
    })
  }
}

async function copyLog(count: number, size: number): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'varve-bench-'))
  const source = new Log(openFolder(join(folder, 'a')))
  await source.ready()
  for (let at = 0; at < count; at += 1000) {
    const blocks = Array.from({ length: Math.min(1000, count - at) }, (_, i) =>
      new Uint8Array(size).fill(at + i),
    )
    // oxlint-disable-next-line no-await-in-loop
    await source.append(blocks)
  }
  const copy = new Log(openFolder(join(folder, 'b')), source.key)
  await copy.ready()
  const server = createServer((socket) => {
    pump(socket, replicate(source, false, { live: true }))
  })
  const port = await listen(server)
  const start = performance.now()
  const synced = new Promise<void>((resolve) => copy.once('sync', resolve))
  const socket = connect(port, '127.0.0.1')
  pump(socket, replicate(copy, true, { live: true }))
  await synced
  const time = performance.now() - start
  socket.destroy()
  await new Promise((resolve) => server.close(resolve))
  await copy.close()
  await source.close()
  rmSync(folder, { recursive: true })
  return time
}

/** What the socket alone takes for as many bytes. */
async function sendBytes(bytes: number): Promise<number> {
  const chunk = new Uint8Array(65_536)
  const server = createServer((socket) => {
    for (let left = bytes; left > 0; left -= chunk.length) {
      socket.write(chunk.subarray(0, Math.min(left, chunk.length)))
    }
    socket.end()
  })
  const port = await listen(server)
  const start = performance.now()
  const socket = connect(port, '127.0.0.1')
  socket.resume()
  await new Promise((resolve) => socket.once('close', resolve))
  const time = performance.now() - start
  await new Promise((resolve) => server.close(resolve))
  return time
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

function pump(socket: Duplex, connection: Duplex): void {
  // How it ends is not measured.
  pipeline(socket, connection, socket, () => undefined)
}
