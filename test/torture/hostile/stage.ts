/**
 * Where an attack is played: the victim's process on one side, scripted and honest peers on the other.
 *
 * @module
 */
import { fork } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { connect } from 'node:net'
import { fileURLToPath } from 'node:url'
import { equals } from '../../../src/bytes.ts'
import { Log } from '../../../src/log/index.ts'
import { MemoryFolder } from '../../../src/storage/index.ts'
import { replicate } from '../../../src/wire/index.ts'
import type { Limits } from '../../../src/wire/index.ts'
import { allBlocks, KEYS } from './protocol.ts'
import type { Answers, Cost, Order, Role } from './protocol.ts'
import { ScriptedPeer } from './scripted-peer.ts'

/** A victim that says nothing for so long hangs. Wide: the machine may be busy. */
const WATCHDOG_MS = 40_000

/** An attack, played against a fresh log. */
export interface Attack {
  readonly name: string
  readonly role: Role
  /** How every connection has to end: a code, `ended`, or `open`; several where either is right. */
  readonly ends: string | readonly string[]
  /** What the victim is in the handshake: a responder unless said otherwise. */
  readonly initiator?: boolean | null
  readonly limits?: Partial<Limits>
  /** The victim's timeout in milliseconds: none unless said otherwise. */
  readonly timeout?: number
  /** The victim sees that the key signed two histories: from this block on it has none. */
  readonly forksAt?: number
  /** Play it; resolves when the victim has read it all, or has closed. */
  play(stage: Stage): Promise<void>
}

/** Parent of one victim. */
export class Stage {
  /** The log as its writer has it, and the large one: for genuine proofs, and honest peers. */
  readonly writer: Log
  readonly large: Log
  /** Numbers in [0, 1) by the seed. */
  readonly random: () => number
  #port = 0
  #role: Role = 'writer'
  readonly #child: ChildProcess
  readonly #peers: ScriptedPeer[] = []
  #settle: ((answer: { answer?: unknown; failure?: string }) => void) | null = null

  private constructor(child: ChildProcess, writer: Log, large: Log, random: () => number) {
    this.#child = child
    this.writer = writer
    this.large = large
    this.random = random
    child.on('message', (message) => this.#settle?.(message as { answer?: unknown }))
    child.on('exit', (code, signal) => {
      this.#settle?.({ failure: `the victim died: ${code ?? signal}` })
    })
  }

  /** Start a victim. */
  static async open(random: () => number): Promise<Stage> {
    const path = fileURLToPath(new URL('./victim.js', import.meta.url))
    const child = fork(path, [], { execArgv: ['--expose-gc'], serialization: 'advanced' })
    return new Stage(child, await writerOf(false), await writerOf(true), random)
  }

  /** Ask the victim. Rejects when it fails, dies or says nothing. */
  ask<Type extends Order['type']>(order: Order & { readonly type: Type }): Promise<Answers[Type]> {
    return new Promise((resolve, reject) => {
      const watchdog = setTimeout(
        () => reject(new Error(`no answer to ${order.type}`)),
        WATCHDOG_MS,
      )
      this.#settle = ({ answer, failure }) => {
        clearTimeout(watchdog)
        this.#settle = null
        if (failure === undefined) resolve(answer as Answers[Type])
        else reject(new Error(failure))
      }
      this.#child.send(order)
    })
  }

  /** A new log and server for the victim. */
  async reset(attack: Pick<Attack, 'role' | 'initiator' | 'limits' | 'timeout'>): Promise<void> {
    const { role, initiator = false, limits = {}, timeout = 0 } = attack
    this.#role = role
    const { port } = await this.ask({ type: 'reset', role, initiator, limits, timeout })
    this.#port = port
  }

  /** A new peer with nothing said yet. */
  peer(): ScriptedPeer {
    const peer = new ScriptedPeer(this.#port)
    this.#peers.push(peer)
    return peer
  }

  /** A peer that has opened the log. */
  entered(): Promise<ScriptedPeer> {
    return this.peer().enter()
  }

  /** Play an attack on a fresh log, then let honest peers look at what is left. */
  async measure(attack: Attack): Promise<{ cost: Cost; faults: string[] }> {
    await this.reset(attack)
    await this.ask({ type: 'begin' })
    const faults: string[] = []
    try {
      await timely(attack.play(this), `${attack.name}: it goes on and on`)
    } catch (error) {
      faults.push(String(error))
    }
    await this.ask({ type: 'ping' })
    const cost = await this.ask({ type: 'end' })
    for (const peer of this.#peers.splice(0)) peer.end()
    const right: readonly string[] = typeof attack.ends === 'string' ? [attack.ends] : attack.ends
    const wrong = new Set(cost.endings.filter((ending) => !right.includes(ending)))
    if (cost.connections === 0) faults.push('no connection was made')
    if (wrong.size > 0) faults.push(`ended with ${[...wrong].join()}, wanted ${right.join(' or ')}`)
    for (const thrown of cost.uncaught) faults.push(`uncaught: ${thrown}`)
    faults.push(...(await this.ask({ type: 'verify', fetch: false })))
    if (attack.forksAt !== undefined) return { cost, faults }
    if (attack.initiator === undefined) faults.push(...(await this.honest()))
    return { cost, faults }
  }

  /** What an honest peer costs this role. */
  async honestCost(role: Role): Promise<Cost> {
    await this.reset({ role })
    await this.ask({ type: 'begin' })
    const faults = await this.honest()
    if (faults.length > 0) throw new Error(`an honest peer fails: ${faults.join()}`)
    return this.ask({ type: 'end' })
  }

  /** An honest peer gives the victim everything, or gets everything. Returns what went wrong. */
  async honest(): Promise<string[]> {
    const isLarge = this.#role === 'large'
    const serves = isLarge || this.#role === 'writer'
    const source = isLarge ? this.large : this.writer
    const mine = serves
      ? new Log(new MemoryFolder().open, KEYS.publicKey, { sparse: true })
      : source
    const socket = connect(this.#port, '127.0.0.1')
    const connection = replicate(mine, true, { live: true, timeout: 0 })
    socket.pipe(connection).pipe(socket)
    const faults: string[] = []
    try {
      if (!serves) return [...(await this.ask({ type: 'verify', fetch: true }))]
      for (const [index, block] of allBlocks(isLarge).entries()) {
        // oxlint-disable-next-line no-await-in-loop
        const got = await mine.get(index, { timeout: 30_000 })
        if (!equals(got, block)) faults.push(`an honest reader gets wrong bytes for ${index}`)
      }
    } catch (error) {
      const { errored } = connection
      faults.push(`an honest reader fails: ${String(error)}${errored ? ` (${errored})` : ''}`)
    } finally {
      connection.destroy()
      socket.destroy()
      if (serves) await mine.close()
    }
    return faults
  }

  /** End the victim. */
  async close(): Promise<void> {
    this.#child.kill()
    await Promise.all([this.writer.close(), this.large.close()])
  }
}

async function writerOf(large: boolean): Promise<Log> {
  const { publicKey, secretKey } = KEYS
  const log = new Log(new MemoryFolder().open, publicKey, { secretKey, durability: 'none' })
  await log.append(allBlocks(large))
  return log
}

async function timely(work: Promise<void>, complaint: string): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(complaint)), WATCHDOG_MS)
  })
  try {
    await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}
