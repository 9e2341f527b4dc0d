/** Loopback sockets between two programs, a slow line between them, and plain pipes. */
import { once } from 'node:events'
import { type Socket, connect, createServer } from 'node:net'
import type { AddressInfo, Server } from 'node:net'
import { type Duplex, Transform, pipeline } from 'node:stream'

/** A listening socket. */
export interface Listening {
  readonly port: number
  close(): void
}

/** Serve what `stream` makes to everyone who connects. */
export async function listen(stream: () => Duplex): Promise<Listening> {
  return listening(createServer((socket) => pump(socket, stream())))
}

/** Connect a stream to a port of this machine. Returns what ends it. */
export function dial(port: number, stream: Duplex): () => void {
  const socket = connect(port, '127.0.0.1')
  pump(socket, stream)
  return () => socket.destroy()
}

/** A port that passes everything on to `port`, `delayMs` later in each direction. */
export async function slowLine(port: number, delayMs: number): Promise<Listening> {
  return listening(
    createServer((near) => {
      const far = connect(port, '127.0.0.1')
      delayed(near, far, delayMs)
      delayed(far, near, delayMs)
    }),
  )
}

/** Pass bytes on later, in order. */
function delayed(from: Socket, to: Socket, delayMs: number): void {
  from.setNoDelay(true)
  from.on('data', (bytes) => setTimeout(() => to.writable && to.write(bytes), delayMs))
  from.on('error', () => to.destroy())
  from.on('close', () => setTimeout(() => to.destroy(), delayMs))
}

/** Join two streams both ways. How they end is not measured. */
export function pump(one: Duplex, other: Duplex): void {
  if ('setNoDelay' in one) (one as Socket).setNoDelay(true)
  pipeline(one, other, one, () => undefined)
}

/** Let at most `bytesPerSecond` through, and count what passed. */
export class Throttle extends Transform {
  passed = 0
  readonly #bytesPerSecond: number
  #freeAt = 0

  constructor(bytesPerSecond: number) {
    super()
    this.#bytesPerSecond = bytesPerSecond
  }

  override _transform(
    chunk: Uint8Array,
    _: string,
    done: (error: null, chunk: Uint8Array) => void,
  ): void {
    this.passed += chunk.length
    const now = performance.now()
    this.#freeAt = Math.max(now, this.#freeAt) + (chunk.length / this.#bytesPerSecond) * 1000
    setTimeout(done, this.#freeAt - now, null, chunk)
  }
}

async function listening(server: Server): Promise<Listening> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { port: (server.address() as AddressInfo).port, close: () => void server.close() }
}
