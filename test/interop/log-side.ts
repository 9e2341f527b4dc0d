/**
 * A log of Varve or of v10 behind the same calls, in this process; and how two of them are joined.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import type { Duplex } from 'node:stream'
import { Log } from '../../src/log/index.ts'
import { replicate } from '../../src/wire/index.ts'
import type { Connection } from '../../src/wire/index.ts'
import { installOriginal } from './install.ts'

/** What both take. */
export interface ReplicateOptions {
  readonly live?: boolean
  readonly ack?: boolean
  readonly upload?: boolean
  readonly download?: boolean
}

/** An extension as its owner holds it. */
export interface Said {
  broadcast(text: string): void
  destroy(): void
}

/** What both have, as promises. */
export interface Side {
  readonly key: Uint8Array
  readonly discoveryKey: Uint8Array
  readonly length: () => number
  append(blocks: readonly Uint8Array[]): Promise<unknown>
  get(index: number, options?: { readonly ifAvailable?: boolean }): Promise<Uint8Array>
  has(index: number): boolean
  seek(byteOffset: number): Promise<readonly [index: number, offset: number]>
  update(minLength: number): Promise<unknown>
  clear(start: number, end: number): Promise<unknown>
  /** Take part in an extension whose messages are text. */
  extension(name: string, onmessage: (text: string) => void): Said
  /** Put the log on a new connection, or on one that is there. */
  replicate(role: boolean | Duplex, options: ReplicateOptions): Duplex
  close(): Promise<unknown>
  /** Blocks downloaded, and blocks sent. */
  readonly downloads: () => number
  readonly uploads: () => number
}

/** Opens a log; a key of null makes one. */
export type Open = (folder: string, key: Uint8Array | null, sparse: boolean) => Promise<Side>

/** Varve's. */
export const openVarve: Open = async (folder, key, sparse) => {
  const log = new Log(folder, key, { sparse })
  await log.ready()
  const counts = counted(log)
  assert.ok(log.key && log.discoveryKey)
  return {
    ...counts,
    key: log.key,
    discoveryKey: log.discoveryKey,
    length: () => log.length,
    append: (blocks) => log.append(blocks),
    get: (index, options) => log.get(index, options),
    has: (index) => log.has(index),
    seek: async (byteOffset) => {
      const { index, offset } = await log.seek(byteOffset)
      return [index, offset]
    },
    update: (minLength) => log.update({ minLength }),
    clear: (start, end) => log.clear(start, end),
    extension: (name, onmessage) => {
      const extension = log.registerExtension<string>(name, { encoding: 'utf8', onmessage })
      return {
        broadcast: (text) => void extension.broadcast(text),
        destroy: () => extension.destroy(),
      }
    },
    replicate: (role, options) =>
      typeof role === 'boolean'
        ? replicate(log, role, options)
        : replicate(log, role as Connection, options),
    close: () => log.close(),
  }
}

/** v10's log, as far as it is called here. */
interface Feed extends NodeJS.EventEmitter {
  readonly key: Buffer
  readonly discoveryKey: Buffer
  readonly length: number
  has(index: number): boolean
  replicate(role: boolean | Duplex, options: ReplicateOptions): Duplex
  registerExtension(
    name: string,
    handlers: { encoding: string; onmessage: (text: string) => void },
  ): Said
  ready(done: (error: Error | null) => void): void
  append(blocks: readonly Uint8Array[], done: (error: Error | null) => void): void
  get(index: number, options: object, done: (error: Error | null, block: Buffer) => void): void
  seek(byteOffset: number, done: (error: Error | null, index: number, at: number) => void): void
  update(minLength: number, done: (error: Error | null) => void): void
  clear(start: number, end: number, done: (error: Error | null) => void): void
  close(done: (error: Error | null) => void): void
}

/** The real v10's. */
export const openOriginal: Open = async (folder, key, sparse) => {
  const load = createRequire(`${installOriginal()}/`)
  const hypercore = load('hypercore') as (
    folder: string,
    key: Uint8Array | null,
    options: object,
  ) => Feed
  const feed = hypercore(folder, key && Buffer.from(key), { sparse })
  const told = <T>(start: (done: (error: Error | null, value?: T) => void) => void): Promise<T> =>
    new Promise((resolve, reject) => {
      start((error, value) => (error ? reject(error) : resolve(value as T)))
    })
  await told((done) => feed.ready(done))
  const counts = counted(feed)
  return {
    ...counts,
    key: feed.key,
    discoveryKey: feed.discoveryKey,
    length: () => feed.length,
    append: (blocks) => told((done) => feed.append(blocks, done)),
    get: (index, options = {}) => told<Uint8Array>((done) => feed.get(index, options, done)),
    has: (index) => feed.has(index),
    seek: (byteOffset) =>
      told<readonly [number, number]>((done) =>
        feed.seek(byteOffset, (error, index, at) => done(error, [index, at])),
      ),
    update: (minLength) => told((done) => feed.update(minLength, done)),
    clear: (start, end) => told((done) => feed.clear(start, end, done)),
    extension: (name, onmessage) => feed.registerExtension(name, { encoding: 'utf8', onmessage }),
    replicate: (role, options) => feed.replicate(role, options),
    close: () => told((done) => feed.close(done)),
  }
}

/** Two ends of one connection. */
export type Ends = readonly [first: Duplex, second: Duplex]

/** Join two logs; what their connections end with is not looked at here. */
export function join(a: Side, b: Side, isInitiator: boolean, options: ReplicateOptions = {}): Ends {
  const live = { live: true, ...options }
  return connect(a.replicate(isInitiator, live), b.replicate(!isInitiator, live))
}

/** Join two connections. */
export function connect(first: Duplex, second: Duplex): Ends {
  for (const end of [first, second]) end.on('error', () => undefined)
  first.pipe(second).pipe(first)
  return [first, second]
}

/** Resolves when both ends are closed. */
export async function closed(ends: Ends): Promise<void> {
  await Promise.all(
    ends.map((end) => new Promise<void>((resolve) => void end.once('close', () => resolve()))),
  )
}

/** Waits until it holds; what it depends on must be on its way. */
export async function until(condition: () => boolean, what: string): Promise<void> {
  const end = performance.now() + 30_000
  while (!condition()) {
    if (performance.now() > end) throw new Error(`still not: ${what}`)
    // oxlint-disable-next-line no-await-in-loop
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
}

/** Blocks of every log here. */
export const BLOCKS = 200

/** The block at `index`. */
export const blockOf = (index: number): Buffer => Buffer.alloc(10 + (index % 30), index)

/** A new log of `BLOCKS` blocks. */
export async function sourceOf(open: Open, folder: string): Promise<Side> {
  const source = await open(folder, null, false)
  await source.append(Array.from({ length: BLOCKS }, (_, index) => blockOf(index)))
  return source
}

/** Blocks `[0, BLOCKS)` are there, and right. */
export async function holdsAll(side: Side): Promise<void> {
  for (let index = 0; index < BLOCKS; index++) {
    assert.equal(side.has(index), true, `block ${index} is here`)
    // oxlint-disable-next-line no-await-in-loop
    assert.deepEqual(Buffer.from(await side.get(index)), blockOf(index))
  }
}

function counted(log: Pick<NodeJS.EventEmitter, 'on'>): Pick<Side, 'downloads' | 'uploads'> {
  let [downloads, uploads] = [0, 0]
  log.on('download', () => downloads++)
  log.on('upload', () => uploads++)
  return { downloads: () => downloads, uploads: () => uploads }
}
