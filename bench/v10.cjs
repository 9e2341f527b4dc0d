/**
 * v10's side of the benches, in a process of its own: one line of JSON per job each way, as in
 * `test/interop/line-process.ts`. Each job makes what it needs in a temporary folder, measures its
 * own work alone, and answers with milliseconds.
 */
'use strict'
const fs = require('node:fs')
const net = require('node:net')
const os = require('node:os')
const path = require('node:path')
const readline = require('node:readline')
const hypercore = require('hypercore')
const hyperdrive = require('hyperdrive')
const hypertrie = require('hypertrie')

const jobs = {
  hello: () => 0,

  /** Append `count` blocks of `size` bytes, `batch` at a time. */
  logAppend: ({ count, size, batch }, folder) =>
    withFeed(folder, (feed) => timed(() => appendAll(feed, count, size, batch))),

  /** Read `count` blocks one after the other (`random`: in a scattered order), from a closed folder. */
  async logGet({ count, size, random }, folder) {
    await withFeed(folder, (feed) => appendAll(feed, count, size, 1000))
    return withFeed(folder, (feed) =>
      timed(async () => {
        for (let i = 0; i < count; i++) {
          await called((done) => feed.get(random ? (i * 7919) % count : i, done))
        }
      }),
    )
  },

  /** Put `count` keys, `batch` at a time. */
  triePut: ({ count, batch }, folder) =>
    withTrie(folder, (trie) => timed(() => putAll(trie, count, batch))),

  /** Get each of `count` keys once. */
  trieGet: ({ count }, folder) =>
    withTrie(folder, async (trie) => {
      await putAll(trie, count, 1000)
      return timed(async () => {
        for (let i = 0; i < count; i++) await called((done) => trie.get(keyOf(i), done))
      })
    }),

  /** Iterate over `count` keys. */
  trieIterate: ({ count }, folder) =>
    withTrie(folder, async (trie) => {
      await putAll(trie, count, 1000)
      return timed(async () => {
        const iterator = trie.iterator('')
        while (await called((done) => iterator.next(done)));
      })
    }),

  /** Copy a log of `count` blocks of `size` bytes over a loopback socket with Noise. */
  wireCopy: ({ count, size }, folder) =>
    withFeed(path.join(folder, 'a'), async (source) => {
      await appendAll(source, count, size, 1000)
      const copy = hypercore(path.join(folder, 'b'), source.key)
      await called((done) => copy.ready(done))
      const server = net.createServer((socket) => join(socket, source.replicate(false, live)))
      await called((done) => server.listen(0, '127.0.0.1', () => done(null)))
      const socket = net.connect(server.address().port, '127.0.0.1')
      const time = await timed(() =>
        called((done) => {
          copy.once('sync', () => done(null))
          join(socket, copy.replicate(true, live))
        }),
      )
      socket.destroy()
      await called((done) => server.close(() => done(null)))
      await called((done) => copy.close(done))
      return time
    }),

  /** Write `count` files of `size` bytes, one after the other. */
  driveWrite: ({ count, size }, folder) =>
    withDrive(folder, (drive) => timed(() => writeAll(drive, count, size))),

  /** Read `count` files of `size` bytes, one after the other. */
  driveRead: ({ count, size }, folder) =>
    withDrive(folder, async (drive) => {
      await writeAll(drive, count, size)
      return timed(async () => {
        for (let i = 0; i < count; i++) await called((done) => drive.readFile(fileOf(i), done))
      })
    }),

  /** List one folder of 100 files, `times` times, in a drive of `count` files. */
  driveList: ({ count, times }, folder) =>
    withDrive(folder, async (drive) => {
      await writeAll(drive, count, 10)
      return timed(async () => {
        for (let i = 0; i < times; i++) await called((done) => drive.readdir('/folder-0', done))
      })
    }),

  /** Write `count` files of `size` bytes, all at once. */
  driveWriteAtOnce: ({ count, size }, folder) =>
    withDrive(folder, (drive) => timed(() => writeAtOnce(drive, count, size))),

  /** `stat` of each of `count` files. */
  driveStat: ({ count }, folder) =>
    withDrive(folder, async (drive) => {
      await writeAtOnce(drive, count, 10)
      return timed(() => statAll(drive, count))
    }),

  /** The same with a drive that was just opened. */
  driveStatOpened: async ({ count }, folder) => {
    await withDrive(folder, (drive) => writeAtOnce(drive, count, 10))
    return withDrive(folder, (drive) => timed(() => statAll(drive, count)))
  },

  /** List everything, in a drive that was just opened. */
  driveListAll: async ({ count }, folder) => {
    await withDrive(folder, (drive) => writeAtOnce(drive, count, 10))
    return withDrive(folder, (drive) =>
      timed(() => called((done) => drive.readdir('/', { recursive: true }, done))),
    )
  },
}

const live = { live: true }

/** Pipe both ways. That the other end goes away when the job is done is no error. */
function join(socket, stream) {
  for (const end of [socket, stream]) end.on('error', () => {})
  socket.pipe(stream).pipe(socket)
}

function keyOf(i) {
  return `key-${i % 10}/${i}`
}

function fileOf(i) {
  return `/folder-${Math.floor(i / 100)}/file-${i}`
}

async function withFeed(folder, run) {
  const feed = hypercore(folder)
  await called((done) => feed.ready(done))
  const result = await run(feed)
  await called((done) => feed.close(done))
  return result
}

async function withTrie(folder, run) {
  const trie = hypertrie(folder, { valueEncoding: 'binary' })
  await called((done) => trie.ready(done))
  const result = await run(trie)
  await called((done) => trie.feed.close(done))
  return result
}

async function withDrive(folder, run) {
  const drive = hyperdrive(folder)
  await called((done) => drive.ready(done))
  const result = await run(drive)
  await called((done) => drive.close(done))
  return result
}

async function appendAll(feed, count, size, batch) {
  const block = Buffer.alloc(size, 7)
  for (let at = 0; at < count; at += batch) {
    const blocks = Array.from({ length: Math.min(batch, count - at) }, () => block)
    await called((done) => feed.append(blocks, done))
  }
}

async function putAll(trie, count, batch) {
  const value = Buffer.alloc(32, 7)
  for (let at = 0; at < count; at += batch) {
    const puts = Array.from({ length: Math.min(batch, count - at) }, (_, i) => ({
      type: 'put',
      key: keyOf(at + i),
      value,
    }))
    await called((done) => trie.batch(puts, done))
  }
}

async function writeAll(drive, count, size) {
  const bytes = Buffer.alloc(size, 7)
  for (let i = 0; i < count; i++) await called((done) => drive.writeFile(fileOf(i), bytes, done))
}

async function writeAtOnce(drive, count, size) {
  const bytes = Buffer.alloc(size, 7)
  await Promise.all(
    Array.from({ length: count }, (_, i) =>
      called((done) => drive.writeFile(fileOf(i), bytes, done)),
    ),
  )
}

async function statAll(drive, count) {
  for (let i = 0; i < count; i++) await called((done) => drive.stat(fileOf(i), done))
}

async function timed(work) {
  const start = performance.now()
  await work()
  return performance.now() - start
}

/** A promise of what a function hands to its callback. */
function called(start) {
  return new Promise((resolve, reject) => {
    start((error, result) => (error ? reject(error) : resolve(result)))
  })
}

async function work({ id, op, args }) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'varve-bench-v10-'))
  try {
    answer({ id, result: await jobs[op](args, folder) })
  } catch (error) {
    answer({ id, error: error.stack ?? String(error) })
  } finally {
    fs.rmSync(folder, { recursive: true, force: true })
  }
}

const answer = (message) => process.stdout.write(`${JSON.stringify(message)}\n`)
const lines = readline.createInterface({ input: process.stdin })
lines.on('line', (line) => void work(JSON.parse(line)))
lines.on('close', () => process.exit(0))
