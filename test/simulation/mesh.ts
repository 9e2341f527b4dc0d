/**
 * Who is connected with whom, and what befalls the links: the weather of a simulated world.
 *
 * @module
 */
import { exchangeKeyPair } from '../../src/crypto.ts'
import type { Connection } from '../../src/wire/connection.ts'
import type { ReplicateOptions } from '../../src/wire/replicate.ts'
import { Network } from './link.ts'
import type { Link } from './link.ts'
import type { Event } from './outcome.ts'

/** Somebody who can be connected. */
export interface Node {
  readonly name: string
  /** A new connection for what it shares. */
  connect(isInitiator: boolean, options: ReplicateOptions): Connection
}

/** Two nodes and the link between them. */
interface Bond {
  readonly nodes: readonly [Node, Node]
  readonly ends: readonly [Connection, Connection]
  readonly link: Link
}

/** Milliseconds of silence that end a connection. */
export const TIMEOUT_MS = 6000

/** A piece takes so many milliseconds on a very slow link, at most. */
const SLOW_MS = 2500

/** What connections to honest peers may end with: the links here are bad. */
const EXPECTED: ReadonlySet<string> = new Set(['ETIMEDOUT', 'WIRE_REQUEST_TIMEOUT'])

/** Links between nodes, on one network. */
export class Mesh {
  readonly network: Network
  /** What connections ended with and should not have. */
  readonly faults: string[] = []
  /** Connections made. */
  made = 0
  /** How often each kind of thing happened. */
  readonly events: Map<Event, number> = new Map()
  #bonds: Bond[] = []
  readonly #ends: Connection[] = []
  readonly #plans = new Set<() => void>()

  /** @param seed - decides everything */
  constructor(seed: number) {
    this.network = new Network(seed)
  }

  /** Something happened. */
  count(event: Event): void {
    this.events.set(event, (this.events.get(event) ?? 0) + 1)
  }

  /** An integer in [0, end). */
  below(end: number): number {
    return Math.floor(this.network.random() * end)
  }

  /** True with this probability. */
  coin(probability = 0.5): boolean {
    return this.network.random() < probability
  }

  /** One of a list that is not empty. */
  pick<T>(list: readonly T[]): T {
    const chosen = list[this.below(list.length)]
    if (chosen === undefined) throw new RangeError('nothing to pick from')
    return chosen
  }

  /** Bytes. */
  bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.below(256))
  }

  /** Do something later, unless the world ends before. */
  later(run: () => void, ms: number): void {
    const forget = this.network.set(() => {
      this.#plans.delete(forget)
      run()
    }, ms)
    this.#plans.add(forget)
  }

  /** A link of any kind: fast, slow or very slow, live or not, sometimes one that is lost at some byte. */
  joinSomehow(a: Node, b: Node): void {
    const pace = this.pick([1, 20, 80, 80, SLOW_MS])
    const live = this.coin(0.8)
    const bytes = this.coin(0.3) ? 1 + this.below(this.pick([200, 2000, 20_000])) : Infinity
    this.count(pace === SLOW_MS ? 'slow source' : 'delayed link')
    if (bytes < Infinity) this.count('lost at a byte')
    this.#join(a, b, live, [0, pace], bytes, false)
  }

  /** A link that works. */
  join(a: Node, b: Node): void {
    this.#join(a, b, true, [1, 1 + this.below(30)], Infinity, true)
  }

  /** Something happens to one of the links. */
  disturb(): void {
    if (this.#bonds.length === 0) return
    const { link } = this.pick(this.#bonds)
    const kind = this.below(6)
    this.network.note(kind)
    const what = ['cut', 'dead source', 'dead one way', 'dead one way', 'half open'] as const
    this.count(what[kind] ?? 'pause')
    if (kind === 0) link.cut()
    else if (kind === 1) link.swallow()
    else if (kind === 2) link.swallow('there')
    else if (kind === 3) link.swallow('back')
    else if (kind === 4) link.drop(this.coin() ? 'first' : 'second')
    else this.#pause([link])
  }

  /** The nodes fall into two camps for a while; then what was on its way goes on, or all is lost. */
  part(): void {
    const camp = new Map<string, boolean>()
    const between = this.#bonds.filter(({ nodes }) => {
      const [a, b] = nodes.map(({ name }) => {
        const side = camp.get(name) ?? this.coin()
        camp.set(name, side)
        return side
      })
      return a !== b
    })
    const links = between.map(({ link }) => link)
    const isForGood = this.coin(0.3)
    if (links.length > 0) this.count(isForGood ? 'partition for good' : 'partition that heals')
    if (isForGood) for (const link of links) link.swallow()
    else this.#pause(links)
  }

  /** A node is gone; the others hear of it, or not. */
  lose(node: Node): void {
    for (const { nodes, ends, link } of this.#bonds) {
      const place = nodes.indexOf(node)
      if (place < 0 || ends.every((end) => end.destroyed)) continue
      if (this.coin()) link.cut()
      else link.drop(place === 0 ? 'first' : 'second')
    }
    this.#bonds = this.#bonds.filter(({ nodes }) => !nodes.includes(node))
  }

  /** Every link there is breaks. */
  cutAll(): void {
    for (const { link } of this.#bonds) link.cut()
    this.#bonds = []
  }

  /** Let time pass until `isDone`, `ms` at most. Returns whether it came to that. */
  async until(isDone: () => boolean, ms: number): Promise<boolean> {
    const end = this.network.now() + ms
    await this.network.settle()
    while (!isDone()) {
      if (this.network.now() >= end) return false
      // oxlint-disable-next-line no-await-in-loop
      await this.network.run(200)
    }
    return true
  }

  /** Connections that hold bytes although nothing is under way. */
  loaded(): string[] {
    const open = this.#ends.filter((end) => !end.destroyed)
    const loaded = open.filter(
      (end) => end.congested || end.readableLength > 0 || end.writableLength > 0,
    )
    return loaded.map(
      (end) => `a connection holds ${end.readableLength + end.writableLength} bytes`,
    )
  }

  /** Destroy what is left of connections. Returns what stays behind. */
  async close(): Promise<string[]> {
    await this.network.settle()
    for (const end of this.#ends) end.destroy()
    await this.network.settle()
    for (const forget of this.#plans) forget()
    const { timers } = this.network
    return timers > 0 ? [`${timers} timers`] : []
  }

  #pause(links: readonly Link[]): void {
    for (const link of links) link.pause()
    this.later(
      () => {
        for (const link of links) link.resume()
      },
      100 + this.below(9000),
    )
  }

  #join(
    a: Node,
    b: Node,
    live: boolean,
    delay: readonly [number, number],
    bytes: number,
    isGood: boolean,
  ): void {
    this.made++
    const end = (node: Node, isInitiator: boolean): Connection => {
      const connection = node.connect(isInitiator, {
        live,
        timeout: TIMEOUT_MS,
        timers: this.network,
        random: this.network.random,
        ephemeralSecret: this.bytes(32),
        nonce: this.bytes(24),
        keyPair: this.#keyPair(),
      })
      connection.on('error', (error: Error & { code?: string }) => {
        this.network.note(error.code?.length ?? 0)
        if (!isGood && EXPECTED.has(error.code ?? '')) return
        const cause = error.cause instanceof Error ? ` (${error.cause.message})` : ''
        this.faults.push(`${node.name}: ${error.code} ${error.message}${cause}`)
      })
      this.#ends.push(connection)
      return connection
    }
    const first = end(a, true)
    const second = end(b, false)
    const link = this.network.link(first, second, { delay, bytes })
    this.#bonds.push({ nodes: [a, b], ends: [first, second], link })
  }

  #keyPair(): ReturnType<typeof exchangeKeyPair> {
    return exchangeKeyPair(this.bytes(32))
  }
}
