/** Every call that reads, with each limit, by a clone that lacks what it needs: what it says, and what it leaves. */
import { getEventListeners } from 'node:events'
import t from 'tap'
import { Drive } from '../../src/drive/drive.ts'
import type { ReadOptions } from '../../src/drive/context.ts'
import { MemoryStorage } from '../../src/storage/index.ts'
import { type Ends, memoryDrive } from './drives.ts'

type Call = (drive: Drive, options: ReadOptions) => PromiseLike<unknown>

/** Each call that reads, of a file that the clone cannot have. */
const CALLS: Readonly<Record<string, Call>> = {
  stat: (drive, options) => drive.stat('d/f', options),
  lstat: (drive, options) => drive.lstat('d/f', options),
  access: (drive, options) => drive.access('d/f', options),
  exists: (drive, options) => drive.exists('d/f', options),
  readlink: (drive, options) => drive.readlink('d/f', options),
  readFile: (drive, options) => drive.readFile('d/f', options),
  createReadStream: (drive, options) => drain(drive.createReadStream('d/f', options)),
  readdir: (drive, options) => drive.readdir('/', options),
  'readdir of a folder': (drive, options) => drive.readdir('d', options),
  'readdir, recursive': (drive, options) => drive.readdir('/', { ...options, recursive: true }),
  'readdir with stats': (drive, options) => drive.readdir('/', { ...options, includeStats: true }),
  'readdir with types': (drive, options) => drive.readdir('/', { ...options, withFileTypes: true }),
  createDirectoryStream: (drive, options) => drain(drive.createDirectoryStream('/', options)),
  stats: (drive, options) => drive.stats('/', options),
  'stats of a file': (drive, options) => drive.stats('d/f', options),
  download: (drive, options) => drive.download('/', options),
  'download of a file': (drive, options) => drive.download('d/f', options),
  clear: (drive, options) => drive.clear('/', options),
  createDiffStream: (drive, options) => drain(drive.createDiffStream(1, '/', options)),
  createHistoryStream: (drive, options) => drain(drive.createHistoryStream(options)),
  getAllMounts: (drive, options) => drive.getAllMounts({ ...options, content: true }),
  createMountStream: (drive, options) =>
    drain(drive.createMountStream({ ...options, content: true })),
  info: (drive, options) => drive.info('d/f', options),
  getTaggedVersion: (drive, options) => drive.getTaggedVersion('tag', options),
  getAllTags: (drive, options) => drive.getAllTags(options),
  getContent: (drive, options) => drive.getContent(options),
  bundle: (drive, options) => drain(drive.bundle(options)),
  'promises.stat': (drive, options) => drive.promises.stat('d/f', options),
  'promises.readFile': (drive, options) => drive.promises.readFile('d/f', options),
  'promises.readdir': (drive, options) => drive.promises.readdir('d', options),
}

async function drain(stream: AsyncIterable<unknown>): Promise<number> {
  let count = 0
  for await (const _ of stream) count++
  return count
}

/** A clone that has met nobody. */
async function unknownClone(t: Ends): Promise<Drive> {
  const writer = await memoryDrive(t)
  const clone = new Drive(() => new MemoryStorage(), writer.key)
  t.teardown(() => clone.close())
  await clone.ready()
  return clone
}

/** A clone that knows how long the metadata is, and has none of it. */
async function emptyClone(t: Ends): Promise<Drive> {
  const writer = await memoryDrive(t)
  await writer.writeFile('d/f', 'f')
  await writer.createTag('tag')
  const clone = new Drive(() => new MemoryStorage(), writer.key)
  t.teardown(() => clone.close())
  await clone.ready()
  const [left, right] = [writer.replicate(true, { live: true }), clone.replicate(false)]
  left.pipe(right).pipe(left)
  await clone.metadata?.update({ minLength: 3 })
  left.destroy()
  right.destroy()
  await clone.metadata?.clear(0, 3)
  return clone
}

/** What a read may leave behind. The clone itself waits for its header, in the background. */
function traces({ metadata }: Drive): unknown {
  return {
    waiting: metadata && [...metadata.wishes.waiting].length,
    selections: metadata && [...metadata.wishes.selections].length,
    downloads: metadata?.listenerCount('download'),
    appends: metadata?.listenerCount('append'),
    timers: process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length,
  }
}

async function settled(): Promise<void> {
  for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve))
}

async function failureOf(call: PromiseLike<unknown>): Promise<unknown> {
  try {
    return { got: await call }
  } catch (error) {
    return error
  }
}

/** The reason that was given, or an AbortError with it, as Node's streams have it. */
function reasonIn(error: unknown): unknown {
  if (!(error instanceof Error)) return error
  return error.name === 'AbortError' ? error.cause : error
}

for (const [kind, make] of Object.entries({ unknown: unknownClone, empty: emptyClone })) {
  t.test(`by a clone that is ${kind}, every read tells what is not here`, async (t) => {
    const clone = await make(t)
    await settled()
    const before = traces(clone)
    for (const [name, call] of Object.entries(CALLS)) {
      const now = await failureOf(call(clone, { wait: false }))
      t.match(now, { code: 'EUNAVAILABLE' }, `${name}: not now`)
      const cached = await failureOf(call(clone, { cached: true }))
      t.match(cached, { code: 'EUNAVAILABLE' }, `${name}: what is cached`)
      const peers = await failureOf(call(clone, { wait: 'peers' }))
      t.match(peers, { code: 'EUNAVAILABLE', peersAsked: 0 }, `${name}: no peer`)
      const late = await failureOf(call(clone, { timeout: 2 }))
      t.match(late, { code: 'ETIMEDOUT' }, `${name}: in time`)
      const reason = new Error('enough')
      const gone = await failureOf(call(clone, { signal: AbortSignal.abort(reason) }))
      t.equal(reasonIn(gone), reason, `${name}: aborted before`)
      const controller = new AbortController()
      const waiting = failureOf(call(clone, { signal: controller.signal, timeout: 60_000 }))
      await settled()
      controller.abort(reason)
      t.equal(reasonIn(await waiting), reason, `${name}: aborted meanwhile`)
      await settled()
      t.equal(getEventListeners(controller.signal, 'abort').length, 0, `${name}: no listener`)
      t.same(traces(clone), before, `${name}: no trace`)
    }
  })
}

t.test('a read that waits ends when the drive is closed', async (t) => {
  for (const [name, call] of Object.entries(CALLS)) {
    const clone = await emptyClone(t)
    const waiting = failureOf(call(clone, {}))
    await settled()
    await clone.close()
    t.match(await waiting, { code: 'DRIVE_CLOSED' }, name)
  }
})
