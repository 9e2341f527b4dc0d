/**
 * The victim: a process of its own with a log and a server, so that its memory and CPU time are nobody else's.
 *
 * Memory is what is in use. While a round runs it is looked at every few milliseconds; when it seems high, garbage is
 * collected first; the time for looking is not counted.
 *
 * CPU time is no constant of the work: a core whose other thread, caches and memory are in use does less in it. So a
 * fixed piece of work is timed before and after every round, by the same clock; part.ts sets the two against each other.
 *
 * @module
 */
import { createServer } from 'node:net'
import type { Server, Socket } from 'node:net'
import { equals } from '../../../src/bytes.ts'
import { hash } from '../../../src/crypto.ts'
import { Log } from '../../../src/log/index.ts'
import { MemoryFolder } from '../../../src/storage/index.ts'
import { replicate } from '../../../src/wire/index.ts'
import type { Connection } from '../../../src/wire/index.ts'
import { allBlocks, blockOf, BLOCKS, KEYS, LARGE_BLOCKS } from './protocol.ts'
import type { Answers, Cost, Order, Role } from './protocol.ts'

const LOOK_MS = 5
/** Beyond so much more than at the beginning, garbage is collected before memory counts. */
const SUSPICIOUS_BYTES = 4 * 1_048_576

const collect = (globalThis as { gc?: () => void }).gc
if (!collect) throw new Error('run with --expose-gc')
const send = process.send?.bind(process)
if (!send) throw new Error('run as a child process')

/** Memory in use: the heap, and buffers outside of it. */
function used(): number {
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

function cpuMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

const PACE_BYTES = new Uint8Array(524_288)

/** CPU time of work that is always the same: some arithmetic, some objects, some hashing; a few milliseconds. */
function pace(): number {
  const before = cpuMs()
  let state = 1
  const kept = new Map<number, { readonly place: number }>()
  for (let place = 0; place < 40_000; place++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    kept.set(state & 0x3fff, { place })
  }
  PACE_BYTES[0] = kept.size & 0xff
  hash(PACE_BYTES)
  return cpuMs() - before
}

/** One round of measuring. */
class Meter {
  readonly #memory: number
  readonly #cpu: number
  readonly #pace: number
  readonly #timer: ReturnType<typeof setInterval>
  #looking = 0
  #peak = 0

  constructor() {
    this.#pace = pace()
    collect?.()
    this.#memory = used()
    this.#cpu = cpuMs()
    this.#timer = setInterval(() => this.look(), LOOK_MS)
  }

  look(): void {
    const before = cpuMs()
    let bytes = used() - this.#memory
    if (bytes > this.#peak && bytes > SUSPICIOUS_BYTES) {
      // Twice: memory of buffers is given back by the collection after the one that finds them.
      collect?.()
      collect?.()
      bytes = used() - this.#memory
    }
    this.#peak = Math.max(this.#peak, bytes)
    this.#looking += cpuMs() - before
  }

  end(): Pick<Cost, 'peakBytes' | 'keptBytes' | 'cpuMs' | 'paceMs'> {
    clearInterval(this.#timer)
    const cpu = cpuMs() - this.#cpu - this.#looking
    collect?.()
    const keptBytes = Math.max(0, used() - this.#memory)
    return { peakBytes: this.#peak, keptBytes, cpuMs: cpu, paceMs: (this.#pace + pace()) / 2 }
  }
}

const uncaught: string[] = []
process.on('uncaughtException', (error) => uncaught.push(String(error.stack)))
process.on('unhandledRejection', (error) => uncaught.push(String(error)))

let log: Log | null = null
let role: Role = 'writer'
let server: Server | null = null
let meter: Meter | null = null
let connections: { readonly connection: Connection; readonly socket: Socket }[] = []

async function openLog(wanted: Role): Promise<Log> {
  const { publicKey, secretKey } = KEYS
  const storage = new MemoryFolder().open
  if (wanted === 'writer' || wanted === 'large') {
    const opened = new Log(storage, publicKey, { secretKey, durability: 'none' })
    await opened.append(allBlocks(wanted === 'large'))
    return opened
  }
  const allowPush = wanted === 'pushed'
  const sparse = wanted !== 'full'
  const opened = new Log(storage, publicKey, { sparse, allowPush, durability: 'none' })
  await opened.ready()
  if (wanted === 'replica' || wanted === 'waiting') {
    const writer = await openLog('writer')
    for (let index = 0; index < BLOCKS; index++) {
      const value = index === 2 ? null : blockOf(index)
      const hash = value === null
      await opened.receive([{ index, value, ...(await writer.proof(index, { hash })) }], null)
    }
    await writer.close()
  }
  if (wanted !== 'replica' && sparse) opened.get(2).catch(() => undefined)
  return opened
}

async function reset(order: Order & { type: 'reset' }): Promise<Answers['reset']> {
  for (const { connection, socket } of connections) {
    connection.destroy()
    socket.destroy()
  }
  connections = []
  await log?.close()
  server?.close()
  role = order.role
  const opened = await openLog(role)
  log = opened
  const listening = createServer((socket) => {
    const connection = replicate(opened, {
      initiator: order.initiator,
      live: true,
      timeout: order.timeout,
      limits: order.limits,
    })
    connections.push({ connection, socket })
    socket.pipe(connection).pipe(socket)
  })
  server = listening
  await new Promise<void>((resolve) => listening.listen(0, '127.0.0.1', resolve))
  const address = listening.address()
  return { port: typeof address === 'object' && address ? address.port : 0 }
}

function endingOf(connection: Connection): string {
  const error: unknown = connection.errored
  if (error instanceof Error && 'code' in error) return String(error.code)
  if (error instanceof Error) return error.message
  return connection.destroyed ? 'ended' : 'open'
}

function end(): Cost {
  meter?.look()
  const endings = connections.map(({ connection }) => endingOf(connection))
  const count = connections.length
  for (const { connection } of connections) connection.destroy()
  connections = []
  const cost = meter?.end() ?? { peakBytes: 0, keptBytes: 0, cpuMs: 0, paceMs: 0 }
  meter = null
  return { ...cost, connections: count, endings, uncaught: uncaught.splice(0) }
}

/** Nothing wrong is stored, nothing right was lost; with `fetch`, everything comes from whoever connects. */
async function verify(fetch: boolean): Promise<string[]> {
  if (!log) return ['no log']
  const large = role === 'large'
  const length = large ? LARGE_BLOCKS : BLOCKS
  const faults: string[] = []
  if (log.length > length) faults.push(`a length of ${log.length}`)
  for (let index = 0; index < length; index++) {
    const held = log.has(index)
    if (!held && !fetch) continue
    try {
      // oxlint-disable-next-line no-await-in-loop
      const block = await log.get(index, { timeout: 30_000 })
      if (!equals(block, blockOf(index, large))) faults.push(`wrong bytes in block ${index}`)
    } catch (error) {
      faults.push(`block ${index}: ${String(error)}`)
    }
  }
  const { invalid } = await log.audit()
  if (invalid > 0) faults.push(`${invalid} blocks that do not verify`)
  return faults
}

async function obey(order: Order): Promise<Answers[keyof Answers]> {
  switch (order.type) {
    case 'reset':
      return reset(order)
    case 'begin':
      for (const { connection } of connections) connection.destroy()
      connections = []
      meter = new Meter()
      return null
    case 'end':
      return end()
    case 'verify':
      return verify(order.fetch)
    case 'ping':
      return null
  }
}

process.on('message', (message) => {
  obey(message as Order).then(
    (answer) => send({ answer }),
    (error: unknown) => send({ failure: String(error instanceof Error ? error.stack : error) }),
  )
})
