/**
 * Logs in memory on a virtual network: what the tests of the exchange are played with.
 *
 * @module
 */
import { signingKeyPair } from '../../../src/crypto.ts'
import { Log } from '../../../src/log/index.ts'
import type { LogOptions } from '../../../src/log/index.ts'
import { MemoryFolder } from '../../../src/storage/index.ts'
import type { Connection } from '../../../src/wire/connection.ts'
import { replicate } from '../../../src/wire/replicate.ts'
import type { ReplicateOptions } from '../../../src/wire/replicate.ts'
import { Replication } from '../../../src/wire/replication.ts'
import { Network } from '../../simulation/link.ts'
import type { Link, LinkOptions } from '../../simulation/link.ts'

/** One link between two logs. */
export interface Pair extends Link {
  readonly first: Connection
  readonly second: Connection
  /** What the ends were destroyed with. */
  readonly errors: Error[]
}

/** A network and the logs on it. */
export class World {
  readonly network: Network
  readonly #keys = signingKeyPair()
  readonly #logs: Log[] = []
  readonly #connections: Connection[] = []

  constructor(seed = 1) {
    this.network = new Network(seed)
  }

  /** The writer of `length` small blocks. */
  async writer(length: number, options: LogOptions = {}): Promise<Log> {
    const { publicKey, secretKey } = this.#keys
    const log = await this.#open(publicKey, { ...options, secretKey })
    const blocks = Array.from({ length }, (_, index) => blockOf(index))
    if (length > 0) await log.append(blocks)
    return log
  }

  /** A replica that holds nothing yet. */
  reader(options: LogOptions = {}): Promise<Log> {
    return this.#open(this.#keys.publicKey, options)
  }

  /** A replica that holds some blocks of `writer`. */
  async replica(writer: Log, blocks: readonly number[], options: LogOptions = {}): Promise<Log> {
    const log = await this.reader(options)
    const received = []
    for (const index of blocks) {
      // oxlint-disable-next-line no-await-in-loop
      const [value = null] = await writer.readBlocks(index, index + 1)
      // oxlint-disable-next-line no-await-in-loop
      received.push({ index, value, ...(await writer.proof(index, {})) })
    }
    await log.receive(received, null)
    return log
  }

  /** Join two logs. */
  join(
    a: Log,
    b: Log,
    options: ReplicateOptions = {},
    link: LinkOptions = { delay: [1, 20] },
    more: { readonly a?: ReplicateOptions; readonly b?: ReplicateOptions } = {},
  ): Pair {
    const common = { timers: this.network, random: this.network.random, ...options }
    const first = replicate(a, true, { ...common, ...more.a })
    const second = replicate(b, false, { ...common, ...more.b })
    return { first, second, ...this.connect(first, second, link) }
  }

  /** Join two connections. */
  connect(
    first: Connection,
    second: Connection,
    link: LinkOptions = {},
  ): Link & { errors: Error[] } {
    const errors: Error[] = []
    for (const end of [first, second]) {
      end.on('error', (error) => errors.push(error))
      this.#connections.push(end)
    }
    return { errors, ...this.network.link(first, second, link) }
  }

  /** Close every log and look for what is left behind: names of it. */
  async close(): Promise<string[]> {
    await Promise.all(this.#logs.map((log) => log.close()))
    await this.network.settle()
    for (const connection of this.#connections) connection.destroy()
    await this.network.settle()
    const left: string[] = []
    if (this.network.timers > 0) left.push(`${this.network.timers} timers`)
    for (const log of this.#logs) {
      const replication = Replication.of(log)
      if (replication.reserved.size > 0) left.push(`${replication.reserved.size} reservations`)
      if (replication.peers.length > 0) left.push(`${replication.peers.length} peers`)
      if (log.guard.isHeld) left.push('a guard')
      if (log.wishes.waiting.size > 0) left.push('wishes')
    }
    return left
  }

  async #open(key: Uint8Array, options: LogOptions): Promise<Log> {
    const log = new Log(new MemoryFolder().open, key, { durability: 'none', ...options })
    this.#logs.push(log)
    await log.ready()
    return log
  }
}

/** The block that every writer has at `index`. */
export function blockOf(index: number): Uint8Array {
  return new TextEncoder().encode(`block ${index} ${'.'.repeat(index % 40)}`)
}

/** Numbers `[start, end)`. */
export function numbers(start: number, end: number): number[] {
  return Array.from({ length: end - start }, (_, i) => start + i)
}

/** Whether `log` holds `[0, length)`. */
export function holdsAll(log: Log, length: number): boolean {
  return log.length >= length && log.nextMissing(0, length) < 0
}
