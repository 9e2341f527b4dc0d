/**
 * Logs of Varve and of v10 on one connection, in both roles: sparse reads, seek, clear, update, extensions, a cut
 * connection, the end of one that is not live, and several sources.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import type { Duplex } from 'node:stream'
import { Log } from '../../src/log/index.ts'
import { replicate } from '../../src/wire/index.ts'
import { installOriginal } from './install.ts'

/** What both have, as promises. */
interface Side {
  readonly key: Uint8Array
  readonly length: () => number
  append(blocks: readonly Uint8Array[]): Promise<unknown>
  get(index: number): Promise<Uint8Array>
  has(index: number): boolean
  seek(byteOffset: number): Promise<readonly [index: number, offset: number]>
  update(minLength: number): Promise<unknown>
  clear(start: number, end: number): Promise<unknown>
  /** What comes of extension `x`, and how to say something. */
  extension(onmessage: (text: string) => void): (text: string) => void
  replicate(isInitiator: boolean, live: boolean): Duplex
  close(): Promise<unknown>
  /** How many blocks were downloaded. */
  readonly downloads: () => number
}

type Open = (folder: string, key: Uint8Array | null, sparse: boolean) => Promise<Side>
type Check = (name: string, run: () => Promise<void>) => Promise<boolean>

const BLOCKS = 200
const blockOf = (index: number): Buffer => Buffer.alloc(10 + (index % 30), index)

const openVarve: Open = async (folder, key, sparse) => {
  const log = new Log(folder, key, { sparse })
  await log.ready()
  let downloads = 0
  log.on('download', () => downloads++)
  assert.ok(log.key)
  return {
    key: log.key,
    length: () => log.length,
    append: (blocks) => log.append(blocks),
    get: (index) => log.get(index),
    has: (index) => log.has(index),
    seek: async (byteOffset) => {
      const { index, offset } = await log.seek(byteOffset)
      return [index, offset]
    },
    update: (minLength) => log.update({ minLength }),
    clear: (start, end) => log.clear(start, end),
    extension: (onmessage) => {
      const extension = log.registerExtension<string>('x', {
        encoding: 'utf8',
        onmessage,
      })
      return (text) => void extension.broadcast(text)
    },
    replicate: (isInitiator, live) => replicate(log, isInitiator, { live }),
    close: () => log.close(),
    downloads: () => downloads,
  }
}

/** v10's log, as far as it is called here. */
interface Feed extends NodeJS.EventEmitter {
  readonly key: Buffer
  readonly length: number
  has(index: number): boolean
  replicate(isInitiator: boolean, options: { live: boolean }): Duplex
  registerExtension(
    name: string,
    handlers: { encoding: string; onmessage: (text: string) => void },
  ): { broadcast(text: string): void }
  ready(done: (error: Error | null) => void): void
  append(blocks: readonly Uint8Array[], done: (error: Error | null) => void): void
  get(index: number, done: (error: Error | null, block: Buffer) => void): void
  seek(byteOffset: number, done: (error: Error | null, index: number, at: number) => void): void
  update(minLength: number, done: (error: Error | null) => void): void
  clear(start: number, end: number, done: (error: Error | null) => void): void
  close(done: (error: Error | null) => void): void
}

const openOriginal: Open = async (folder, key, sparse) => {
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
  let downloads = 0
  feed.on('download', () => downloads++)
  return {
    key: feed.key,
    length: () => feed.length,
    append: (blocks) => told((done) => feed.append(blocks, done)),
    get: (index) => told<Uint8Array>((done) => feed.get(index, done)),
    has: (index) => feed.has(index),
    seek: (byteOffset) =>
      told<readonly [number, number]>((done) =>
        feed.seek(byteOffset, (error, index, at) => done(error, [index, at])),
      ),
    update: (minLength) => told((done) => feed.update(minLength, done)),
    clear: (start, end) => told((done) => feed.clear(start, end, done)),
    extension: (onmessage) => {
      const extension = feed.registerExtension('x', { encoding: 'utf8', onmessage })
      return (text) => extension.broadcast(text)
    },
    replicate: (isInitiator, live) => feed.replicate(isInitiator, { live }),
    close: () => told((done) => feed.close(done)),
    downloads: () => downloads,
  }
}

function join(a: Side, b: Side, isInitiator: boolean, live = true): [Duplex, Duplex] {
  const [first, second] = [a.replicate(isInitiator, live), b.replicate(!isInitiator, live)]
  for (const end of [first, second]) end.on('error', () => undefined)
  first.pipe(second).pipe(first)
  return [first, second]
}

async function pair(
  openSource: Open,
  openReader: Open,
  folder: string,
  isInitiator: boolean,
): Promise<void> {
  const source = await openSource(`${folder}-source`, null, false)
  await source.append(Array.from({ length: BLOCKS }, (_, index) => blockOf(index)))
  const reader = await openReader(`${folder}-reader`, source.key, true)
  const heard: string[] = []
  const say = [source, reader].map((side) => side.extension((text) => void heard.push(text)))
  const ends = join(source, reader, isInitiator)
  assert.deepEqual(Buffer.from(await reader.get(150)), blockOf(150))
  assert.equal(reader.downloads(), 1)
  const before = Array.from({ length: 77 }, (_, index) => blockOf(index).length)
  const byteOffset = before.reduce((sum, length) => sum + length, 3)
  assert.deepEqual(await reader.seek(byteOffset), [77, 3])
  await reader.clear(150, 151)
  assert.equal(reader.has(150), false)
  // v10 does not ask again on the connection that it got the block by (quirk Q-3).
  if (openReader === openVarve) {
    assert.deepEqual(Buffer.from(await reader.get(150)), blockOf(150))
  }
  await source.append([blockOf(BLOCKS)])
  await reader.update(BLOCKS + 1)
  assert.equal(reader.length(), BLOCKS + 1)
  say[0]?.('from the source')
  say[1]?.('from the reader')
  while (heard.length < 2) {
    // oxlint-disable-next-line no-await-in-loop -- both messages are on their way
    await new Promise((resolve) => setImmediate(resolve))
  }
  assert.deepEqual(heard.toSorted(), ['from the reader', 'from the source'])
  // Cut, and once more.
  for (const end of ends) end.destroy()
  const late = reader.get(3)
  join(source, reader, !isInitiator)
  assert.deepEqual(Buffer.from(await late), blockOf(3))
  await Promise.all([source.close(), reader.close()])
}

async function whole(openSource: Open, openReader: Open, folder: string): Promise<void> {
  const source = await openSource(`${folder}-source`, null, false)
  await source.append(Array.from({ length: BLOCKS }, (_, index) => blockOf(index)))
  const mirror = await openSource(`${folder}-mirror`, source.key, false)
  const [, copied] = join(source, mirror, true, false)
  await once(copied, 'close')
  assert.equal(mirror.has(BLOCKS - 1), true, 'what is not live ends when everything is copied')
  const reader = await openReader(`${folder}-reader`, source.key, false)
  const ends = [source, mirror].map((side) => join(side, reader, true, false)[1])
  await Promise.all(ends.map((end) => once(end, 'close')))
  for (let index = 0; index < BLOCKS; index++) {
    // oxlint-disable-next-line no-await-in-loop
    assert.deepEqual(Buffer.from(await reader.get(index)), blockOf(index))
  }
  assert.equal(reader.downloads(), BLOCKS, 'each block once')
  await Promise.all([source.close(), mirror.close(), reader.close()])
}

/** All cases; `folder` gives a fresh name. */
export async function logs(check: Check, folder: () => string): Promise<void> {
  for (const [names, source, reader] of [
    ['Varve reads from v10', openOriginal, openVarve],
    ['v10 reads from Varve', openVarve, openOriginal],
  ] as const) {
    for (const isInitiator of [true, false]) {
      const role = isInitiator ? 'source' : 'reader'
      // oxlint-disable-next-line no-await-in-loop
      await check(`a log, sparse: ${names}, the ${role} initiates`, () =>
        pair(source, reader, folder(), isInitiator),
      )
    }
  }
  await check('a log, not live: Varve reads from two v10 sources, each block once', () =>
    whole(openOriginal, openVarve, folder()),
  )
}
