/**
 * One drive and its peers on bad links: a writer that writes, moves and removes files, clones that keep everything,
 * clones that only read, all of which may crash and come back.
 *
 * A read must give what the file held at some time. In the end the net is whole again, and then every clone must
 * show the writer's files, and nothing may be left behind.
 *
 * @module
 */
import { equals } from '../../src/bytes.ts'
import { Drive } from '../../src/drive/index.ts'
import type { ReadOptions } from '../../src/drive/index.ts'
import type { Connection } from '../../src/wire/connection.ts'
import type { ReplicateOptions } from '../../src/wire/replicate.ts'
import { Replication } from '../../src/wire/replication.ts'
import { Disk } from './disk.ts'
import { ABSENT, hasAll, headOf, markAt, markOf, pathOf, viewOf } from './drive-view.ts'
import type { View } from './drive-view.ts'
import { Mesh, TIMEOUT_MS } from './mesh.ts'
import type { Node } from './mesh.ts'
import { live } from './life.ts'
import type { Mortal } from './life.ts'
import type { Outcome } from './outcome.ts'
import { Waits } from './waits.ts'

/** Virtual time that the last part may take. */
const PATIENCE_MS = 120_000
const PATHS = ['/a', '/b', '/d/a', '/d/b', '/d/e/a', '/d/e/f', '/g/h', '/g/i'] as const
/** 2020-01-01, when every world begins. */
const BEGINNING_MS = 1_577_836_800_000

interface Member extends Node, Mortal {
  readonly isWriter: boolean
  readonly isFull: boolean
  readonly durability: 'sync' | 'batch' | 'none'
  readonly masterKey: Uint8Array
  disk: Disk
  drive: Drive
  crashes: number
}

/** Play the world of a seed. */
export async function playDrives(seed: number): Promise<Outcome> {
  const world = new DriveWorld(seed)
  await world.begin()
  await world.live()
  return world.end()
}

class DriveWorld {
  readonly #mesh: Mesh
  readonly #waits: Waits
  readonly #members: Member[] = []
  readonly #drives: Drive[] = []
  readonly #failures: string[] = []
  /** Every content that a path had, by its hash. */
  readonly #history = new Map<string, Set<string>>(PATHS.map((path) => [path, new Set([ABSENT])]))
  /** What the writer acknowledged. */
  readonly #files = new Map<string, string>()
  #key: Uint8Array | null = null
  #crashes = 0

  constructor(seed: number) {
    this.#mesh = new Mesh(seed)
    this.#waits = new Waits(this.#mesh.network)
  }

  async begin(): Promise<void> {
    const mesh = this.#mesh
    const writer = await this.#enter('writer', false)
    this.#key = writer.drive.key
    for (let i = mesh.below(6); i >= 0; i--) await this.#write(writer)
    await this.#enter('full', true)
    await this.#enter('sparse', false)
  }

  live(): Promise<void> {
    const mesh = this.#mesh
    return live({
      mesh,
      members: this.#members,
      steps: 8 + mesh.below(10),
      pauseMs: 600,
      act: (action) => this.#act(action),
      comeBack: (member) => this.#return(member),
    })
  }

  async end(): Promise<Outcome> {
    const mesh = this.#mesh
    mesh.cutAll()
    for (const member of this.#members) if (member.away > 0) await this.#return(member)
    const [writer, ...readers] = this.#members
    if (!writer) throw new Error('no writer')
    await this.#write(writer)
    const sources = [writer]
    for (const reader of readers) {
      mesh.join(mesh.pick(sources), reader)
      if (reader.isFull) sources.push(reader)
    }
    const { metadata, content } = writer.drive
    const { length } = metadata ?? { length: 0 }
    for (const { drive, name } of readers) {
      const updated = drive.metadata?.update({ minLength: length }) ?? Promise.resolve()
      this.#waits.watch(updated, { what: `${name}: update`, mayFail: () => false })
    }
    const isDone = (): boolean => this.#waits.open === 0 && readers.every(isFollowing)
    const isFollowing = ({ drive, isFull }: Member): boolean =>
      !isFull || (hasAll(drive.metadata, metadata) && hasAll(drive.content, content))
    if (!(await mesh.until(isDone, PATIENCE_MS))) {
      this.#failures.push(`${this.#waits.open} waits are open after ${PATIENCE_MS} ms`)
      for (const reader of readers) {
        if (!isFollowing(reader)) this.#failures.push(`${reader.name} lacks blocks`)
      }
    }
    await this.#compare(writer, readers)
    await mesh.network.run(2 * TIMEOUT_MS)
    await mesh.network.settle()
    this.#failures.push(...mesh.loaded(), ...this.#leftOf('at rest'))
    await Promise.all(this.#members.map(({ drive }) => drive.close()))
    this.#failures.push(...(await mesh.close()), ...this.#leftOf('after the end'))
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
    if (action < 5) {
      const [a, b] = [mesh.pick(here), mesh.pick(here)]
      if (a !== b) mesh.joinSomehow(a, b)
    } else if (action < 7) mesh.disturb()
    else if (action === 7) mesh.part()
    else if (action < 12) {
      if (writer) await this.#write(writer)
    } else if (action === 12) await this.#crash(mesh.pick(here))
    else if (action === 13 && this.#members.length < 5) {
      const isFull = mesh.coin()
      await this.#enter(isFull ? 'full' : 'sparse', isFull)
    } else if (readers.length > 0) this.#read(mesh.pick(readers), action)
  }

  /** The writer changes a file. */
  async #write({ drive }: Member): Promise<void> {
    const mesh = this.#mesh
    const path = mesh.pick(PATHS)
    const kind = mesh.below(5)
    const old = this.#files.get(path)
    if (kind === 0 && old !== undefined) {
      await drive.unlink(path)
      this.#files.delete(path)
      this.#history.get(path)?.add(ABSENT)
      return
    }
    if (kind === 1 && old !== undefined) {
      const target = mesh.pick(PATHS)
      if (target === path) return
      this.#history.get(target)?.add(old)
      await drive.rename(path, target)
      this.#files.delete(path)
      this.#files.set(target, old)
      return
    }
    const bytes = mesh.bytes(mesh.pick([0, 10, 100, 2000]))
    const mark = markOf(bytes)
    this.#history.get(path)?.add(mark)
    await drive.writeFile(path, bytes)
    this.#files.set(path, mark)
  }

  #read(member: Member, action: number): void {
    const mesh = this.#mesh
    const { drive } = member
    const options = this.#options()
    const path = mesh.pick(PATHS)
    if (action < 17) {
      this.#watch(member, options, `readFile ${path}`, drive.readFile(path, options), (bytes) =>
        this.#history.get(path)?.has(markOf(bytes)) ? null : 'never held that',
      )
    } else if (action === 17) {
      this.#watch(member, options, `stat ${path}`, drive.stat(path, options))
    } else if (action === 18) {
      const list = drive.readdir('/', { recursive: true, ...options })
      this.#watch(member, options, 'readdir', list, (names) =>
        names.every((name) => PATHS.some((known) => known.startsWith(`/${name}`)))
          ? null
          : `names that never were: ${names.join()}`,
      )
    } else if (!member.isFull) {
      // A full clone does not fetch again what was cleared.
      this.#watch(member, options, `clear ${path}`, drive.clear(path))
    }
  }

  #options(): ReadOptions {
    const mesh = this.#mesh
    const kind = mesh.below(5)
    if (kind === 0) return { wait: 'peers' }
    if (kind === 1) return { timeout: 1 + mesh.below(3000) }
    if (kind > 2) return {}
    const leave = new AbortController()
    mesh.later(() => leave.abort(), mesh.below(2000))
    return { signal: leave.signal }
  }

  #watch<T>(
    member: Member,
    options: ReadOptions,
    what: string,
    answer: PromiseLike<T>,
    judge?: (value: T) => string | null,
  ): void {
    const { crashes, name } = member
    const mayFail = (code: string): boolean => {
      if (code === 'ENOENT') return true
      if (code === 'DRIVE_CLOSED') return member.crashes !== crashes
      if (code === 'EUNAVAILABLE') return options.wait === 'peers'
      if (code === 'ETIMEDOUT') return !!options.timeout
      return code === 'aborted' && !!options.signal
    }
    const terms = { what: `${name}: ${what}`, mayFail, ...(judge && { judge }) }
    this.#waits.watch(Promise.resolve(answer), terms)
  }

  async #enter(name: string, isFull: boolean): Promise<Member> {
    const isWriter = this.#members.length === 0
    const durability = this.#mesh.pick(['sync', 'batch', 'none'] as const)
    const disk = new Disk()
    const masterKey = this.#mesh.bytes(32)
    const member: Member = {
      name: `${name} ${this.#members.length} (${durability})`,
      isWriter,
      isFull,
      durability,
      masterKey,
      disk,
      drive: this.#open({ disk, masterKey, isFull, durability }),
      away: 0,
      crashes: 0,
      connect: (isInitiator: boolean, options: ReplicateOptions): Connection =>
        member.drive.replicate(isInitiator, {
          ...options,
          initiator: isInitiator,
          stream: undefined,
        }),
    }
    await member.drive.ready()
    this.#members.push(member)
    return member
  }

  #open(of: Pick<Member, 'disk' | 'masterKey' | 'isFull' | 'durability'>): Drive {
    const { network } = this.#mesh
    const drive = new Drive((path) => of.disk.open(path), this.#key, {
      masterKey: of.masterKey,
      durability: of.durability,
      timers: network,
      now: () => BEGINNING_MS + network.now(),
      ...(of.isFull && { sparse: false, sparseMetadata: false }),
    })
    this.#drives.push(drive)
    return drive
  }

  /** The process is killed, perhaps while it writes; with `sync` the power may go too. */
  async #crash(member: Member): Promise<void> {
    const mesh = this.#mesh
    const { drive, disk, isWriter, durability } = member
    if (isWriter && mesh.coin()) {
      const path = mesh.pick(PATHS)
      const bytes = mesh.bytes(50)
      this.#history.get(path)?.add(markOf(bytes))
      drive.writeFile(path, bytes).catch(() => undefined)
      // oxlint-disable-next-line no-await-in-loop
      for (let turns = mesh.below(100); turns > 0; turns--) await Promise.resolve()
    }
    const isCut = durability === 'sync' && mesh.coin()
    mesh.count(isCut ? 'power cut' : 'process killed')
    member.disk = isCut ? disk.cut(mesh.network.random) : disk.killed()
    member.crashes++
    this.#crashes++
    member.away = 1 + mesh.below(4)
    mesh.lose(member)
    await drive.close()
  }

  async #return(member: Member): Promise<void> {
    member.away = 0
    member.drive = this.#open(member)
    await member.drive.ready()
    if (!member.isWriter) return
    const changed: string[] = []
    for (const path of PATHS) {
      // oxlint-disable-next-line no-await-in-loop
      const mark = await markAt(member.drive, path)
      if (mark === (this.#files.get(path) ?? ABSENT)) continue
      // One write was on its way.
      changed.push(path)
      if (!this.#history.get(path)?.has(mark)) this.#failures.push(`${path} is what it never was`)
      if (mark === ABSENT) this.#files.delete(path)
      else this.#files.set(path, mark)
    }
    if (changed.length > 1) this.#failures.push(`a crash changed ${changed.join()}`)
  }

  /** Every clone shows what the writer shows. */
  async #compare(writer: Member, readers: readonly Member[]): Promise<void> {
    const expected = await viewOf(writer.drive)
    for (const path of PATHS) {
      // oxlint-disable-next-line no-await-in-loop
      const mark = await markAt(writer.drive, path)
      if (mark !== (this.#files.get(path) ?? ABSENT)) this.#failures.push(`${path}: not as written`)
    }
    for (const { name, drive } of readers) {
      const judge = (view: View): string | null =>
        view === expected ? null : `shows\n${view}\ninstead of\n${expected}`
      this.#waits.watch(viewOf(drive), { what: name, judge, mayFail: () => false })
    }
    if (!(await this.#mesh.until(() => this.#waits.open === 0, PATIENCE_MS))) {
      this.#failures.push('a clone was never shown')
    }
    const head = await headOf(writer.drive.metadata)
    for (const { name, drive, isFull, disk } of readers) {
      // oxlint-disable-next-line no-await-in-loop
      if ((await headOf(drive.metadata)) !== head)
        this.#failures.push(`${name}: another metadata log`)
      const { content } = drive
      const written = writer.drive.content
      if (!isFull || !content || !written) continue
      const place = `${pathOf(content)}/data`
      const [ours, theirs] = [disk.read(place), writer.disk.read(place)]
      const { byteLength } = written
      if (ours && theirs && equals(ours.subarray(0, byteLength), theirs.subarray(0, byteLength)))
        continue
      if (byteLength > 0) this.#failures.push(`${name}: other bytes in its content`)
    }
  }

  #leftOf(when: string): string[] {
    const left: string[] = []
    for (const [place, drive] of this.#drives.entries()) {
      for (const log of [drive.metadata, drive.content]) {
        if (!log) continue
        const { reserved, peers } = Replication.of(log)
        const name = `${when}, drive ${place}${drive.closed ? ' (closed)' : ''}`
        if (reserved.size > 0) left.push(`${name}: ${reserved.size} reservations`)
        if (log.guard.isHeld) left.push(`${name}: a guard is held`)
        if (drive.closed && log.wishes.waiting.size > 0) left.push(`${name}: a wish`)
        if (drive.closed && peers.length > 0) left.push(`${name}: a peer`)
      }
    }
    return left
  }
}
