/**
 * A network in one process: a virtual clock, and links between duplex streams that split, delay and cut what
 * passes by a seed. The same seed gives the same run, as long as what hangs on it takes the clock's timers.
 *
 *     network.link(a, b)      a ⇄ b, every chunk cut into seeded pieces, each delayed
 *     await network.settle()  until nothing is under way (storage in memory counts, timers do not)
 *     await network.run(ms)   let virtual time pass: deliveries and timers in their order
 *     network.trace           a number that is different when anything on the way was different
 *
 * @module
 */
import type { Duplex } from 'node:stream'
import type { Timers } from '../../src/timers.ts'

/** Numbers in [0, 1) that depend on nothing but the seed (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** How a link treats what passes. */
export interface LinkOptions {
  /** Milliseconds of virtual time that a piece takes, `[least, most]` ([0, 0]). */
  readonly delay?: readonly [number, number]
  /** Cut chunks at random places (true). */
  readonly split?: boolean
  /** Both ends see their transport die once so many bytes were sent in either direction. */
  readonly bytes?: number
}

/** Two streams joined. */
export interface Link {
  /** Both ends see their transport die. */
  cut(): void
  /** Nothing passes any more, and neither end is told. With a direction, only that way. */
  swallow(way?: 'there' | 'back'): void
  /** One end sees its transport die, and the other is not told. */
  drop(end: 'first' | 'second'): void
  /** What passes waits, as on a net that is down for a while. */
  pause(): void
  /** What waited arrives. */
  resume(): void
}

/** Turns of the event loop without anything happening that count as rest. */
const QUIET_TURNS = 4

interface Due {
  readonly at: number
  readonly order: number
  readonly run: () => void
}

/** A clock, the links that hang on it, and how to let time pass. */
export class Network implements Timers {
  readonly random: () => number
  #now = 0
  #order = 0
  readonly #timers = new Queue()
  readonly #deliveries = new Queue()
  #activity = 0
  #trace = 0x811c9dc5

  /** @param seed - decides every cut and delay */
  constructor(seed: number) {
    this.random = seeded(seed)
  }

  /** Virtual milliseconds since the start. */
  now(): number {
    return this.#now
  }

  /** Everything that was delivered and noted so far, as 32 bits. */
  get trace(): number {
    return this.#trace
  }

  /** Something to be in the trace. */
  note(what: number): void {
    const mixed = Math.imul(this.#trace ^ what, 0x85ebca6b)
    this.#trace = (mixed ^ (mixed >>> 15)) >>> 0
  }

  /** A timer of the virtual clock. */
  set(run: () => void, ms: number): () => void {
    const due = { at: this.#now + ms, order: this.#order++, run }
    this.#timers.add(due)
    return () => this.#timers.remove(due)
  }

  /** Timers that wait. */
  get timers(): number {
    return this.#timers.size
  }

  /** Join two streams. */
  link(a: Duplex, b: Duplex, options: LinkOptions = {}): Link {
    let left = options.bytes ?? Infinity
    const cut = (): void => {
      there.stop()
      back.stop()
      a.destroy()
      b.destroy()
    }
    const pass = (bytes: number): boolean => {
      if (bytes < left) {
        left -= bytes
        return true
      }
      this.deliver(this.#now, cut)
      return false
    }
    const there = new Way(this, a, b, options, pass)
    const back = new Way(this, b, a, options, pass)
    return {
      cut,
      swallow: (way) => {
        if (way !== 'back') there.stop()
        if (way !== 'there') back.stop()
      },
      drop: (end) => {
        there.stop()
        back.stop()
        if (end === 'first') a.destroy()
        else b.destroy()
      },
      pause: () => {
        there.pause()
        back.pause()
      },
      resume: () => {
        there.resume()
        back.resume()
      },
    }
  }

  /** Something happens on a link at `at`. */
  deliver(at: number, run: () => void): void {
    this.#deliveries.add({ at, order: this.#order++, run })
    this.#activity++
  }

  /** Until nothing is under way. Virtual time passes as deliveries need it; timers that fall due run. */
  async settle(): Promise<void> {
    for (;;) {
      // oxlint-disable-next-line no-await-in-loop
      await this.#rest()
      const next = this.#deliveries.first
      if (next === null) return
      this.#step(next.at)
    }
  }

  /** Let `ms` pass. */
  async run(ms: number): Promise<void> {
    const end = this.#now + ms
    for (;;) {
      // oxlint-disable-next-line no-await-in-loop
      await this.#rest()
      const next = earlier(this.#deliveries.first, this.#timers.first)
      if (next === null || next.at > end) break
      this.#step(next.at)
    }
    this.#now = end
  }

  #step(at: number): void {
    this.#now = Math.max(this.#now, at)
    for (;;) {
      const next = earlier(this.#deliveries.first, this.#timers.first)
      if (next === null || next.at > this.#now) return
      this.#deliveries.remove(next)
      this.#timers.remove(next)
      this.#activity++
      next.run()
    }
  }

  async #rest(): Promise<void> {
    let seen = this.#activity
    for (let quiet = 0; quiet < QUIET_TURNS; quiet++) {
      // oxlint-disable-next-line no-await-in-loop
      await new Promise((resolve) => setImmediate(resolve))
      if (this.#activity !== seen) quiet = 0
      seen = this.#activity
    }
  }
}

/** One direction of a link; keeps the order of what passes. */
class Way {
  readonly #network: Network
  readonly #to: Duplex
  readonly #options: LinkOptions
  readonly #pass: (bytes: number) => boolean
  #last = 0
  #stopped = false
  /** What arrived while the way was paused. */
  #held: (() => void)[] | null = null

  /** @param pass - told of every piece; false when the link ends with it */
  constructor(
    network: Network,
    from: Duplex,
    to: Duplex,
    options: LinkOptions,
    pass: (bytes: number) => boolean,
  ) {
    this.#pass = pass
    this.#network = network
    this.#to = to
    this.#options = options
    from.on('data', (chunk: Uint8Array) => this.#send(chunk))
    from.on('end', () => this.#later(() => to.end()))
    from.on('close', () => this.#later(() => to.destroy()))
    from.on('error', () => undefined)
  }

  stop(): void {
    this.#stopped = true
    this.#held = null
  }

  pause(): void {
    this.#held ??= []
  }

  resume(): void {
    const held = this.#held ?? []
    this.#held = null
    for (const run of held) run()
  }

  #send(chunk: Uint8Array): void {
    const { random } = this.#network
    for (let at = 0; at < chunk.length;) {
      const left = chunk.length - at
      const take = this.#options.split === false ? left : 1 + Math.floor(random() ** 3 * left)
      if (this.#stopped || !this.#pass(take)) return
      const piece = Uint8Array.from(chunk.subarray(at, at + take))
      this.#later(() => {
        const [first = 0] = piece
        this.#network.note(take * 0x10000 + first * 0x100 + (piece[take - 1] ?? 0))
        this.#network.note(this.#network.now())
        this.#to.write(piece)
      })
      at += take
    }
  }

  #later(run: () => void): void {
    const [least, most] = this.#options.delay ?? [0, 0]
    const delay = least + this.#network.random() * (most - least)
    this.#last = Math.max(this.#last, this.#network.now() + delay)
    const arrive = (): void => {
      if (this.#held) this.#held.push(arrive)
      else if (!this.#stopped && !this.#to.destroyed) run()
    }
    this.#network.deliver(this.#last, arrive)
  }
}

/** What is due, in order of time, then of making. */
class Queue {
  readonly #dues: Due[] = []

  get size(): number {
    return this.#dues.length
  }

  get first(): Due | null {
    return this.#dues[0] ?? null
  }

  add(due: Due): void {
    this.#dues.splice(this.#placeOf(due), 0, due)
  }

  remove(due: Due): void {
    const place = this.#placeOf(due)
    if (this.#dues[place] === due) this.#dues.splice(place, 1)
  }

  #placeOf(due: Due): number {
    let low = 0
    let high = this.#dues.length
    while (low < high) {
      const middle = (low + high) >>> 1
      const other = this.#dues[middle]
      if (other && earlier(other, due) === other && other !== due) low = middle + 1
      else high = middle
    }
    return low
  }
}

function earlier(a: Due | null, b: Due | null): Due | null {
  if (a === null || b === null) return a ?? b
  return b.at < a.at || (b.at === a.at && b.order < a.order) ? b : a
}
