/**
 * Varve on a socket, as the kit asks it to stand there.
 *
 * @module
 */
import { connect, createServer, type Server, type Socket } from 'node:net'
import type { Drive } from 'varve'
import type { Log } from 'varve/log'
import type { Connection } from 'varve/wire'
import { bytesOf, hex } from '../../expect.ts'
import type { ServeArgs } from '../../operations.ts'
import type { Handlers } from '../answer.ts'
import type { Library } from './library.ts'

/** One log, or one drive, and whoever comes to it. */
export class PeerAnswers {
  readonly #library: Library
  #log: Log | null = null
  #drive: Drive | null = null
  #server: Server | null = null
  #open: (initiator: boolean) => Connection = () => {
    throw new Error('nothing is served')
  }
  readonly #sockets = new Set<Socket>()
  #messages: [string, string][] = []
  readonly #extensions = new Map<string, { broadcast(message: Uint8Array): boolean }>()

  constructor(library: Library) {
    this.#library = library
  }

  /** What the kit may ask. */
  handlers(): Handlers {
    return {
      serve: (args) => this.#serve(args),
      serveDrive: ({ folder, key }) => this.#serveDrive(folder, key),
      dial: async ({ port }) => {
        const socket = connect(port, '127.0.0.1')
        await new Promise<void>((resolve, reject) => {
          socket.once('connect', resolve)
          socket.once('error', reject)
        })
        this.#plug(socket, true)
        return null
      },
      state: () => this.#state(),
      get: async ({ index }) => ({ value: hex(await this.#theLog.get(index)) }),
      seekLog: async ({ bytes }) => {
        const { index, offset } = await this.#theLog.seek(bytes)
        return { index, offset }
      },
      update: async () => {
        await this.#theLog.update()
        return { length: this.#theLog.length }
      },
      append: async ({ blocks }) => {
        await this.#theLog.append(blocks.map(bytesOf))
        return null
      },
      clear: async ({ start, end }) => {
        await this.#theLog.clear(start, end)
        return null
      },
      download: ({ start, end }) => {
        // Only begun: what comes of it is seen in the state.
        this.#theLog.download({ start, end }).done.catch(() => undefined)
        return null
      },
      broadcast: ({ name, message }) => {
        this.#extensions.get(name)?.broadcast(bytesOf(message))
        return null
      },
      shut: async () => {
        await this.shut()
        return null
      },
    }
  }

  /** Close all that is open. */
  async shut(): Promise<void> {
    const [server, log, drive] = [this.#server, this.#log, this.#drive]
    this.#server = null
    this.#log = null
    this.#drive = null
    this.#messages = []
    this.#extensions.clear()
    for (const socket of this.#sockets) socket.destroy()
    await new Promise<void>((resolve) => (server ? server.close(() => resolve()) : resolve()))
    await log?.close()
    await drive?.close()
  }

  get #theLog(): Log {
    if (!this.#log) throw new Error('no log is served')
    return this.#log
  }

  async #serve(args: ServeArgs): Promise<{ port: number }> {
    await this.shut()
    const { log: layer, storage, wire } = this.#library
    const { key, folder, secretKey, blocks, sparse = false, extensions = [] } = args
    const log = new layer.Log(folder ?? new storage.MemoryFolder().open, bytesOf(key), {
      sparse,
      durability: 'none',
      ...(secretKey !== undefined && { secretKey }),
    })
    this.#log = log
    await log.ready()
    if (blocks) await log.append(blocks.map(bytesOf))
    for (const name of extensions) {
      const extension = log.registerExtension<Uint8Array>(name, {
        encoding: 'binary',
        onmessage: (message) => this.#messages.push([name, hex(message)]),
      })
      this.#extensions.set(name, extension)
    }
    const { live, ack, upload, download, encrypted, noise, timeout = 0 } = args
    this.#open = (initiator) =>
      wire.replicate(log, initiator, { live, ack, upload, download, encrypted, noise, timeout })
    return this.#listen()
  }

  async #serveDrive(folder: string, key: string | null): Promise<{ port: number }> {
    await this.shut()
    const drive = new this.#library.root.Drive(folder, key)
    this.#drive = drive
    await drive.ready()
    this.#open = (initiator) => drive.replicate(initiator, { live: true })
    return this.#listen()
  }

  async #listen(): Promise<{ port: number }> {
    const server = createServer((socket) => this.#plug(socket, false))
    this.#server = server
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(0, '127.0.0.1', resolve)
    })
    const address = server.address()
    if (typeof address !== 'object' || !address) throw new Error('no address')
    return { port: address.port }
  }

  #plug(socket: Socket, initiator: boolean): void {
    socket.setNoDelay(true)
    this.#sockets.add(socket)
    socket.on('close', () => this.#sockets.delete(socket))
    const connection = this.#open(initiator)
    // How a connection ends is for the other side to see.
    socket.on('error', () => connection.destroy())
    connection.on('error', () => socket.destroy())
    connection.on('close', () => socket.end())
    socket.pipe(connection).pipe(socket)
  }

  #state(): {
    length: number
    byteLength: number
    held: [number, number][]
    peers: number
    messages: [string, string][]
  } {
    const log = this.#theLog
    const held: [number, number][] = []
    for (let i = 0; i < log.length; i++) {
      if (!log.has(i)) continue
      const last = held.at(-1)
      if (last?.[1] === i) last[1] = i + 1
      else held.push([i, i + 1])
    }
    const { length, byteLength } = log
    return { length, byteLength, held, peers: log.peers.length, messages: this.#messages }
  }
}
