/**
 * One log and its peers on bad links: a writer that appends, readers that keep everything, readers that read, seek,
 * clear and leave, peers that crash and come back with what their disks kept.
 *
 * In the end the net is whole again, and then everything must be: every wait answered, every reader converged,
 * nothing left behind.
 *
 * @module
 */
import { equals } from '../../src/bytes.ts'
import { signingKeyPair } from '../../src/crypto.ts'
import type { KeyPair } from '../../src/crypto.ts'
import { Log } from '../../src/log/index.ts'
import type { Durability, WaitOptions } from '../../src/log/index.ts'
import { treeHash } from '../../src/merkle/index.ts'
import type { Connection } from '../../src/wire/connection.ts'
import { replicate } from '../../src/wire/replicate.ts'
import type { ReplicateOptions } from '../../src/wire/replicate.ts'
import { Replication } from '../../src/wire/replication.ts'
import { blockAt, blockOf, byteOffsetOf } from './blocks.ts'
import { Disk } from './disk.ts'
import { live } from './life.ts'
import type { Mortal } from './life.ts'
import type { Outcome } from './outcome.ts'
import { Mesh, TIMEOUT_MS } from './mesh.ts'
import type { Node } from './mesh.ts'
import { Waits } from './waits.ts'

/** Virtual time that the last part may take. */
const PATIENCE_MS = 120_000

interface Member extends Node, Mortal {
  readonly isWriter: boolean
  readonly sparse: boolean
  readonly durability: Durability
  disk: Disk
  log: Log
  /** Content of it was synced before it crashed. */
  wasSynced: boolean
  /** Power was cut before all was synced. */
  wasCut: boolean
  /** Crashes so far. */
  crashes: number
  cancelled: boolean
}

/** Play the world of a seed. */
export async function playLogs(seed: number): Promise<Outcome> {
  const world = new LogWorld(seed)
  await world.begin()
  await world.live()
  return world.end()
}

class LogWorld {
  readonly #mesh: Mesh
  readonly #keys: KeyPair
  readonly #members: Member[] = []
  /** Every log there was. */
  readonly #logs: Log[] = []
  readonly #waits: Waits
  readonly #failures: string[] = []
  /** What the writer acknowledged, and must have after a crash. */
  #acknowledged = 0
  /** Blocks that anybody waits for are below. */
  #wanted = 0
  #crashes = 0

  constructor(seed: number) {
    this.#mesh = new Mesh(seed)
    this.#waits = new Waits(this.#mesh.network)
    this.#keys = signingKeyPair(this.#mesh.bytes(32))
  }

  async begin(): Promise<void> {
    const mesh = this.#mesh
    await this.#enter('writer', false)
    await this.#append(1 + mesh.below(mesh.pick([10, 60, 200])))
    for (let i = 1 + mesh.below(2); i > 0; i--) await this.#enter('full', false)
    for (let i = 1 + mesh.below(2); i > 0; i--) await this.#enter('sparse', true)
  }

  live(): Promise<void> {
    const mesh = this.#mesh
    return live({
      mesh,
      members: this.#members,
      steps: 10 + mesh.below(15),
      pauseMs: 400,
      act: (action) => this.#act(action),
      comeBack: (member) => this.#return(member),
    })
  }

  async end(): Promise<Outcome> {
    const mesh = this.#mesh
    mesh.cutAll()
    for (const member of this.#members) {
      if (member.away > 0) await this.#return(member)
      member.log.setUploading(true)
      if (!member.isWriter) member.log.setDownloading(true)
    }
    const [writer, ...readers] = this.#members
    if (!writer) throw new Error('no writer')
    const longest = Math.max(this.#wanted, ...this.#members.map(({ log }) => log.length))
    await this.#append(longest + 3 - writer.log.length)
    const { length } = writer.log
    const sources = [writer]
    for (const reader of readers) {
      mesh.join(mesh.pick(sources), reader)
      // Who lost what was not synced may tell of blocks that it lacks, until it reads them.
      if (!reader.sparse && !reader.wasCut) sources.push(reader)
      if (reader.sparse) {
        this.#watch(reader, {}, reader.log.update({ minLength: length }))
        for (let i = 0; i < 3; i++) this.#get(reader, mesh.below(length), {})
      }
    }
    this.#heal(readers, length)
    const isDone = (): boolean =>
      readers.every(({ sparse, log }) =>
        sparse ? log.wishes.waiting.size === 0 : log.length >= length && log.has(0, length),
      )
    if (!(await mesh.until(() => this.#waits.open === 0 && isDone(), PATIENCE_MS)))
      this.#tellWhoLacks(readers, length)
    // Ends whose other end vanished have noticed by then.
    await mesh.network.run(2 * TIMEOUT_MS)
    await mesh.network.settle()
    await this.#compare(writer, readers)
    this.#quiet()
    await this.#close()
    return {
      failures: [...this.#failures, ...this.#waits.failures, ...mesh.faults],
      trace: mesh.network.trace,
      connections: mesh.made,
      crashes: this.#crashes,
      waits: this.#waits.count,
      events: mesh.events,
    }
  }

  async #act(action: number): Promise<void> {
    const mesh = this.#mesh
    const here = this.#members.filter(({ away }) => away === 0)
    const writer = here.find(({ isWriter }) => isWriter)
    const readers = here.filter(({ isWriter }) => !isWriter)
    if (action < 6) {
      const [a, b] = [mesh.pick(here), mesh.pick(here)]
      if (a !== b) mesh.joinSomehow(a, b)
    } else if (action < 8) mesh.disturb()
    else if (action === 8) mesh.part()
    else if (action < 11) {
      if (writer) await this.#append(1 + mesh.below(5))
    } else if (action === 11) await this.#crash(mesh.pick(here))
    else if (action === 12 && this.#members.length < 7) {
      const sparse = mesh.coin()
      await this.#enter(sparse ? 'sparse' : 'full', sparse)
    } else if (action === 13) {
      const { log } = mesh.pick(here)
      log.setUploading(!log.uploading)
    } else if (readers.length > 0) await this.#read(mesh.pick(readers), action)
  }

  async #read(member: Member, action: number): Promise<void> {
    const mesh = this.#mesh
    const { log } = member
    const length = this.#acknowledged
    if (action === 14 && member.sparse && log.length > 0) {
      const start = mesh.below(log.length)
      await log.clear(start, start + 1 + mesh.below(8))
    } else if (action === 15) {
      const options = this.#options()
      const byteOffset = mesh.below(byteOffsetOf(length))
      const found = log.seek(byteOffset, options)
      this.#watch(member, options, found, ({ index, offset }) =>
        byteOffsetOf(index) + offset === byteOffset && offset < blockOf(index).length
          ? null
          : `byte ${byteOffset} found in block ${index} at ${offset}`,
      )
    } else if (action === 16) {
      const options = { ...this.#options(), minLength: log.length + 1 + mesh.below(3) }
      this.#watch(member, options, log.update(options), () =>
        log.length >= options.minLength ? null : `updated to ${log.length}`,
      )
    } else if (action === 17) {
      const start = mesh.below(length)
      const end = start + 1 + mesh.below(length - start)
      const download = log.download({ start, end, linear: mesh.coin() })
      if (mesh.coin(0.4)) mesh.later(() => download.destroy(), mesh.below(1000))
      this.#watch(member, { cancels: true }, download.done)
      if (mesh.coin(0.1)) {
        member.cancelled = true
        log.cancel(start, end)
      }
    } else {
      for (let i = mesh.below(4); i >= 0; i--) {
        this.#get(member, mesh.below(length + 2), this.#options())
      }
    }
  }

  #get(member: Member, index: number, options: WaitOptions): void {
    this.#watch(member, options, member.log.get(index, options), (block) =>
      equals(block, blockOf(index)) ? null : `block ${index} is wrong`,
    )
  }

  #options(): WaitOptions {
    const mesh = this.#mesh
    const kind = mesh.below(6)
    if (kind === 0) return { wait: 'peers' }
    if (kind === 1) return { ifAvailable: true }
    if (kind === 2) return { timeout: 1 + mesh.below(3000) }
    if (kind > 3) return {}
    const leave = new AbortController()
    mesh.later(() => leave.abort(), mesh.below(2000))
    return { signal: leave.signal }
  }

  /** Somebody waits, and may be told no only as the options say. */
  #watch<T>(
    member: Member,
    options: WaitOptions & { readonly cancels?: boolean },
    answer: Promise<T>,
    judge?: (value: T) => string | null,
  ): void {
    const { crashes, name } = member
    const mayFail = (code: string): boolean => {
      if (code === 'LOG_CLOSED') return member.crashes !== crashes
      if (code === 'LOG_UNAVAILABLE') return options.wait === 'peers' || !!options.ifAvailable
      if (code === 'ETIMEDOUT') return !!options.timeout
      if (code === 'aborted') return !!options.signal
      // A batch that was not synced is lost, and said to be: no wrong byte, and no hang.
      if (code === 'LOG_CORRUPT') return member.wasCut
      return code === 'ECANCELED' && (member.cancelled || !!options.cancels)
    }
    this.#waits.watch(answer, { what: name, mayFail, ...(judge && { judge }) })
  }

  async #enter(name: string, sparse: boolean): Promise<void> {
    const disk = new Disk()
    const isWriter = this.#members.length === 0
    const durability = this.#mesh.pick(['sync', 'batch', 'batch', 'none'] as const)
    const member: Member = {
      name: `${name} ${this.#members.length} (${durability})`,
      isWriter,
      sparse,
      durability,
      disk,
      log: this.#open(disk, isWriter, sparse, durability),
      away: 0,
      wasSynced: false,
      wasCut: false,
      crashes: 0,
      cancelled: false,
      connect: (isInitiator: boolean, options: ReplicateOptions): Connection =>
        replicate(member.log, isInitiator, options),
    }
    await member.log.ready()
    this.#members.push(member)
  }

  #open(disk: Disk, isWriter: boolean, sparse: boolean, durability: Durability): Log {
    const { publicKey, secretKey } = this.#keys
    const { network } = this.#mesh
    const options = { sparse, durability, timers: network, ...(isWriter && { secretKey }) }
    const log = new Log(disk.open, publicKey, options)
    this.#logs.push(log)
    return log
  }

  async #append(count: number): Promise<void> {
    const writer = this.#members[0]
    if (!writer) return
    const { length } = writer.log
    await writer.log.append(Array.from({ length: count }, (_, i) => blockOf(length + i)))
    this.#acknowledged = writer.log.length
    this.#wanted = Math.max(this.#wanted, this.#acknowledged)
  }

  /** The process is killed, perhaps while it appends, or the power goes. */
  async #crash(member: Member): Promise<void> {
    const mesh = this.#mesh
    const { log, disk, isWriter, durability } = member
    if (isWriter && mesh.coin()) {
      void log.append([blockOf(log.length), blockOf(log.length + 1)]).catch(() => undefined)
      // oxlint-disable-next-line no-await-in-loop
      for (let turns = mesh.below(40); turns > 0; turns--) await Promise.resolve()
    }
    const isCut = durability !== 'none' && mesh.coin()
    mesh.count(isCut ? 'power cut' : 'process killed')
    member.disk = isCut ? disk.cut(mesh.network.random) : disk.killed()
    member.crashes++
    if (isCut && durability === 'batch') member.wasCut = true
    member.wasSynced = !isCut || disk.wasSynced('tree', 32)
    this.#crashes++
    if (isWriter && isCut && durability === 'batch') this.#acknowledged = 0
    member.away = 1 + mesh.below(5)
    mesh.lose(member)
    await log.close()
  }

  async #return(member: Member): Promise<void> {
    const { disk, isWriter, sparse, durability } = member
    member.away = 0
    member.log = this.#open(disk, isWriter, sparse, durability)
    try {
      await member.log.ready()
    } catch (error) {
      if (member.wasSynced) throw error
      // A log of which nothing was on disk for sure may say so and be made anew.
      member.disk = new Disk()
      return this.#return(member)
    }
    const { length } = member.log
    if (!isWriter) return
    if (length < this.#acknowledged) {
      this.#failures.push(`${member.name}: ${this.#acknowledged} blocks became ${length}`)
    }
    // What a batch lost it may write again, since every block is what it was.
    if (length === 0) await this.#append(1)
    this.#acknowledged = member.log.length
  }

  #tellWhoLacks(readers: readonly Member[], length: number): void {
    for (const { name, log, sparse } of readers) {
      const missing = sparse ? -1 : log.nextMissing(0, length)
      if (missing >= 0) this.#failures.push(`${name} lacks block ${missing} of ${length}`)
      for (const wish of log.wishes.waiting) {
        this.#failures.push(`${name} still waits: ${JSON.stringify(wish)}`)
      }
    }
  }

  /** What a power cut took from a log that was not synced is noticed when it is read, and fetched again. */
  #heal(readers: readonly Member[], length: number): void {
    for (const reader of readers) {
      if (!reader.wasCut) continue
      for (let index = 0; index < length; index++) {
        if (reader.log.has(index)) this.#get(reader, index, {})
      }
    }
  }

  /** Everybody has the same log. */
  async #compare(writer: Member, readers: readonly Member[]): Promise<void> {
    const { length } = writer.log
    const head = treeHash(await writer.log.rootHashes(length - 1))
    const data = writer.disk.read('data')?.subarray(0, writer.log.byteLength)
    for (const { name, log, sparse, disk, wasCut } of readers) {
      if (log.length !== length) {
        this.#failures.push(`${name} has ${log.length} of ${length} blocks`)
        continue
      }
      if (!equals(treeHash(await log.rootHashes(length - 1)), head)) {
        this.#failures.push(`${name} has another tree`)
      }
      this.#mesh.network.note(log.downloaded())
      for (let index = 0; index < length; index++) {
        if (!log.has(index)) continue
        const block = await blockAt(log, index)
        if (block === null ? !wasCut : !equals(block, blockOf(index))) {
          this.#failures.push(`${name}: block ${index} is ${block ? 'wrong' : 'damaged'}`)
        }
      }
      if (wasCut) continue
      // Behind the last block may be what an interrupted append wrote.
      const copied = disk.read('data')?.subarray(0, log.byteLength)
      if (!sparse && !(data && copied && equals(copied, data))) {
        this.#failures.push(`${name} has other bytes in its file`)
      }
    }
  }

  /** Nothing is under way: then nothing may be held. */
  #quiet(): void {
    this.#failures.push(...this.#mesh.loaded(), ...this.#leftOf(this.#logs, 'at rest'))
  }

  #leftOf(logs: readonly Log[], when: string): string[] {
    const left: string[] = []
    for (const [place, log] of logs.entries()) {
      const { reserved } = Replication.of(log)
      const name = `${when}, log ${place}${log.closed ? ' (closed)' : ''}`
      if (reserved.size > 0) left.push(`${name}: ${reserved.size} reservations`)
      if (log.guard.isHeld) left.push(`${name}: a guard is held`)
      if (log.wishes.waiting.size > 0) left.push(`${name}: a wish`)
    }
    return left
  }

  async #close(): Promise<void> {
    await Promise.all(this.#members.map(({ log }) => log.close()))
    const left = await this.#mesh.close()
    left.push(...this.#leftOf(this.#logs, 'after the end'))
    for (const log of this.#logs) {
      if (Replication.of(log).peers.length > 0) left.push('a peer is left')
    }
    this.#failures.push(...left)
    const { open } = this.#waits
    if (open > 0) this.#failures.push(`${open} waits were never answered`)
  }
}
