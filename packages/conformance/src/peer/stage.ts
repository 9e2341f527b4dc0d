/**
 * Where a case meets the subject: who listens, who connects, and what the subject was asked to be.
 *
 * A subject that is a program of the kit's protocol is put into every state a case needs. One that only
 * stands at an address serves the fixture log, or reads it: the other cases are left out.
 *
 * @module
 */
import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Skip, within } from '../case.ts'
import type { OperationName, Operations, ServeArgs } from '../operations.ts'
import type { Subject } from '../subject.ts'
import { FIXTURE_LOG, KEY } from './fixture.ts'
import { LIMIT_MS, Remote, type RemoteOptions } from './remote.ts'

/** Where the subject is, or how it is driven. */
export type Target =
  | { readonly kind: 'driven'; readonly subject: Subject }
  | { readonly kind: 'at'; readonly host: string; readonly port: number }
  | { readonly kind: 'comes'; readonly port: number }

/** What `serve` is asked for: the log of the fixture unless said otherwise. */
export type Serving = Partial<ServeArgs>

/** The stage of one run. */
export class Stage {
  readonly target: Target
  readonly #root = mkdtempSync(join(tmpdir(), 'varve-conformance-'))
  readonly #remotes = new Set<Remote>()
  #served = ''
  #port = 0
  #starts = 0
  #copies = 0
  #server: Server | null = null
  #arrived: Socket[] = []
  #onArrival: () => void = () => {}

  constructor(target: Target) {
    this.target = target
    if (target.kind === 'at') this.#port = target.port
  }

  /** Ask the subject; left out where it cannot be asked. */
  ask<Op extends OperationName>(
    op: Op,
    args: Operations[Op]['args'],
    ms = LIMIT_MS,
  ): Promise<Operations[Op]['result']> {
    if (this.target.kind !== 'driven') {
      return Promise.reject(new Skip('needs a subject that the kit can drive (--subject)'))
    }
    return this.target.subject.ask(op, args, ms)
  }

  /** The subject has all of the fixture log and serves it; asked once for as long as nothing else is. */
  async source(serving: Serving = {}, fresh = false): Promise<void> {
    if (this.target.kind === 'at' && Object.keys(serving).length === 0) return
    const args = { key: KEY, folder: FIXTURE_LOG, live: true, ...serving }
    await this.#serve(args, fresh)
  }

  /** The subject has nothing of the fixture log, and wants all of it unless it is sparse. */
  async reader(serving: Serving = {}): Promise<void> {
    if (this.target.kind === 'comes' && Object.keys(serving).length === 0) return
    await this.#serve({ key: KEY, folder: null, live: true, ...serving }, true)
  }

  /** The subject serves a drive of a folder. */
  async drive(folder: string): Promise<void> {
    const { port } = await this.ask('serveDrive', { folder: this.#copy(folder), key: null })
    this.#served = ''
    this.#port = port
  }

  /** Connect to the subject; the kit begins the handshake. */
  async connect(options: Partial<RemoteOptions> = {}): Promise<Remote> {
    if (this.target.kind === 'comes') throw new Skip('needs a subject that listens (--connect)')
    const host = this.target.kind === 'at' ? this.target.host : '127.0.0.1'
    const socket = connect(this.#port, host)
    const open = new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve)
      socket.once('error', reject)
    })
    await within(open, LIMIT_MS, `a connection to ${host}:${this.#port}`)
    return this.#remote(socket, { initiator: true, ...options })
  }

  /** Let the subject connect; it begins the handshake. */
  async accept(options: Partial<RemoteOptions> = {}): Promise<Remote> {
    if (this.target.kind === 'at') throw new Skip('needs a subject that connects (--listen)')
    const port = await this.#listen()
    const dialled =
      this.target.kind === 'driven' ? this.ask('dial', { port }) : Promise.resolve(null)
    const [socket] = await Promise.all([this.#arrival(), dialled])
    return this.#remote(socket, { initiator: false, ...options })
  }

  /** Connect, shake hands and open the fixture log: everything that an honest peer does first. */
  async entered(key?: Uint8Array): Promise<Remote> {
    const remote = await this.connect()
    await remote.greet()
    return remote.open(key ?? Buffer.from(KEY, 'hex'))
  }

  /** The same, whichever side can connect: a reader is met where it is. */
  async met(): Promise<Remote> {
    const remote = this.target.kind === 'comes' ? await this.accept() : await this.connect()
    await remote.greet()
    return remote.open(Buffer.from(KEY, 'hex'))
  }

  /** A subject that is driven begins anew, as another process. */
  renew(): void {
    if (this.target.kind === 'driven') this.target.subject.kill()
    this.#served = ''
    for (const socket of this.#arrived.splice(0)) socket.destroy()
  }

  /** End what a case left open. */
  sweep(): void {
    for (const remote of this.#remotes) remote.end()
    this.#remotes.clear()
  }

  /** What the subject has used so far, where the system tells: CPU in milliseconds, memory in bytes. */
  usage(): { cpuMs: number; rss: number } | null {
    const pid = this.target.kind === 'driven' ? this.target.subject.pid : null
    if (pid === null || process.platform !== 'linux') return null
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      const ticks = Number(fields[11]) + Number(fields[12])
      const status = readFileSync(`/proc/${pid}/status`, 'latin1')
      const rss = Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) * 1024
      return { cpuMs: ticks * 10, rss }
    } catch {
      return null // it has died meanwhile
    }
  }

  /** End all, and delete what was written. */
  async close(): Promise<void> {
    this.sweep()
    for (const socket of this.#arrived) socket.destroy()
    await new Promise<void>((resolve) => {
      if (this.#server) this.#server.close(() => resolve())
      else resolve()
    })
    if (this.target.kind === 'driven') await this.target.subject.stop()
    rmSync(this.#root, { recursive: true, force: true })
  }

  async #serve(args: ServeArgs, fresh: boolean): Promise<void> {
    const text = JSON.stringify(args)
    if (this.target.kind === 'driven' && this.#served !== '') {
      // A subject that died or hangs meanwhile serves nothing any more.
      const { subject } = this.target
      const lives = await subject.ask('state', {}, LIMIT_MS).then(
        () => subject.starts === this.#starts,
        () => false,
      )
      if (!lives) this.renew()
    }
    if (!fresh && this.#served === text) return
    const folder = args.folder === null ? null : this.#copy(args.folder)
    const { port } = await this.ask('serve', { ...args, folder }, 10_000)
    if (this.target.kind === 'driven') this.#starts = this.target.subject.starts
    this.#served = fresh ? '' : text
    this.#port = port
  }

  #copy(from: string): string {
    const to = join(this.#root, String(this.#copies++))
    cpSync(from, to, { recursive: true })
    return to
  }

  #remote(socket: Socket, options: RemoteOptions): Remote {
    const remote = new Remote(socket, options)
    this.#remotes.add(remote)
    return remote
  }

  async #listen(): Promise<number> {
    if (!this.#server) {
      const server = createServer((socket) => {
        this.#arrived.push(socket)
        socket.on('error', () => {})
        this.#onArrival()
      })
      this.#server = server
      const port = this.target.kind === 'comes' ? this.target.port : 0
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject)
        server.listen(port, resolve)
      })
    }
    const address = this.#server.address()
    if (typeof address !== 'object' || !address) throw new Error('the kit has no address')
    return address.port
  }

  async #arrival(): Promise<Socket> {
    const waiting = new Promise<void>((resolve) => {
      this.#onArrival = resolve
      if (this.#arrived.length > 0) resolve()
    })
    await within(waiting, 2 * LIMIT_MS, 'a connection of the subject')
    const socket = this.#arrived.shift()
    if (!socket) throw new Skip('no connection came')
    return socket
  }
}
