/**
 * One drive in a process of its own, for the interop matrix: reads requests from stdin and answers on
 * stdout, one line of JSON each (see `line-process.ts`).
 *
 *     node driver.cjs MODULE      MODULE is what `require` gets: hyperdrive, or the path of Varve
 *
 * v10 and Varve are driven by the same lines below, through the API that they share: what this file
 * asks for is what a program written for v10 may ask of Varve.
 */
'use strict'
const { createHash } = require('node:crypto')
const { createReadStream, createWriteStream } = require('node:fs')
const net = require('node:net')
const readline = require('node:readline')
const { pipeline } = require('node:stream/promises')

const hyperdrive = require(process.argv[2])

/** No wait in here is longer: the other side then gets an error and not silence. */
const WAIT_LIMIT_MS = 60000

let drive = null
let server = null
let closing = false
const sockets = new Set()
const streams = new Set()
/** What went wrong on a connection before anyone closed it. */
const faults = []

const operations = {
  hello: () => ({ pid: process.pid, node: process.version }),

  async open({ folder, key, options }) {
    drive = key ? hyperdrive(folder, Buffer.from(key, 'hex'), options) : hyperdrive(folder, options)
    drive.on('error', (error) => faults.push(`drive: ${error.message}`))
    await called((done) => drive.ready(done))
    return { key: drive.key.toString('hex'), version: drive.version, writable: drive.writable }
  },

  /** `files`: { path, seed, length, options?, stream? }, written one after the other. */
  async write({ files }) {
    for (const { path, seed, length, options, stream } of files) {
      const bytes = pattern(seed, length)
      const opts = decodeOptions(options)
      if (stream) await writeStream(path, bytes, opts)
      else await called((done) => drive.writeFile(path, bytes, opts, done))
    }
    return { version: drive.version }
  },

  async unlink({ paths }) {
    for (const path of paths) await called((done) => drive.unlink(path, done))
    return { version: drive.version }
  },

  async mkdir({ path, options }) {
    await called((done) => drive.mkdir(path, options, done))
    return { version: drive.version }
  },

  async symlink({ target, path }) {
    await called((done) => drive.symlink(target, path, done))
    return { version: drive.version }
  },

  /** Operations that v10 lacks: `calls` are method and arguments, one after the other. */
  async change({ calls }) {
    for (const [method, ...args] of calls) await called((done) => drive[method](...args, done))
    return { version: drive.version }
  },

  /** Calls as of `change`, all in one batch. */
  async batch({ calls }) {
    await drive.batch(async (batch) => {
      for (const [method, ...args] of calls) await batch[method](...args)
    })
    return { version: drive.version }
  },

  /** Drives of the same store, each with one file, mounted in this one. */
  async mountMany({ count }) {
    for (let i = 0; i < count; i++) {
      const inner = hyperdrive(drive.corestore, null, { namespace: `mounted ${i}` })
      await called((done) => inner.ready(done))
      await called((done) => inner.writeFile('name', pattern(i, 100), done))
      await called((done) => drive.mount(`mounts/${i}`, inner.key, done))
    }
    return {}
  },

  /** A snapshot of a path into a file; only Varve has these two. */
  async bundle({ file, path }) {
    await pipeline(drive.bundle({ path }), createWriteStream(file))
    return {}
  },

  /** A bundle taken into a folder, by the key alone. */
  async importBundle({ file, folder, key }) {
    await hyperdrive.importBundle(createReadStream(file), folder, Buffer.from(key, 'hex'))
    return {}
  },

  /** Names at and below a directory, sorted. */
  async names({ path }) {
    const names = await called((done) => drive.readdir(path, { recursive: true }, done))
    return { names: names.toSorted() }
  },

  /** Writes at positions, through two descriptors of each file. Varve alone can do this. */
  async edit({ edits }) {
    for (const { path, writes = [], size } of edits) {
      const fds = []
      for (const flags of ['a+', 'r+', 'r+'])
        fds.push(await called((done) => drive.open(path, flags, done)))
      let turn = 0
      for (const [text, position] of writes) {
        const fd = fds[1 + (turn++ % 2)]
        const bytes = Buffer.from(text)
        await called((done) => drive.write(fd, bytes, 0, bytes.length, position, done))
      }
      if (size !== undefined) await called((done) => drive.ftruncate(fds[1], size, done))
      await called((done) => drive.fsync(fds[1], done))
      for (const fd of fds) await called((done) => drive.close(fd, done))
    }
    return { version: drive.version }
  },

  /** Everything there is to see: listings, stats and the hash of every file. */
  async tree({ at } = {}) {
    const seen = at === undefined ? drive : drive.checkout(at)
    const paths = await called((done) => seen.readdir('/', { recursive: true }, done))
    const entries = []
    for (const path of paths) {
      const stat = plainStat(await called((done) => seen.lstat(path, done)))
      const file = (stat.mode & 0o170000) === 0o100000
      const content = file ? describe(await called((done) => seen.readFile(path, done))) : null
      entries.push({ path, stat, content })
    }
    entries.sort((a, b) => (a.path < b.path ? -1 : 1))
    return { version: seen.version, folders: await folders(seen, '/'), entries }
  },

  async stat({ path }) {
    return plainStat(await called((done) => drive.stat(path, done)))
  },

  async readFile({ path }) {
    return describe(await called((done) => drive.readFile(path, done)))
  },

  /** One block at most: a short range of a file. */
  async readRange({ path, start, length }) {
    const chunks = []
    for await (const chunk of drive.createReadStream(path, { start, length })) chunks.push(chunk)
    return describe(Buffer.concat(chunks))
  },

  async serve({ initiator, live }) {
    server = net.createServer((socket) => connect(socket, initiator, live))
    await called((done) => server.listen(0, '127.0.0.1', () => done(null)))
    return { port: server.address().port }
  },

  async connect({ port, initiator, live }) {
    const socket = net.connect(port, '127.0.0.1')
    await called((done) => {
      socket.once('error', done)
      socket.once('connect', () => done(null))
    })
    connect(socket, initiator, live)
    return {}
  },

  /** Wait until the drive has at least this version, by a live update. */
  async awaitVersion({ version }) {
    if (drive.version < version) {
      await limited(`version ${version}`, (done) => {
        const look = () => drive.version >= version && done()
        drive.on('update', look)
        const watcher = drive.watch('/', look)
        look()
        return () => {
          drive.removeListener('update', look)
          watcher.destroy()
        }
      })
    }
    return { version: drive.version }
  },

  /** Wait until every block of both feeds is here, of at least these lengths. */
  async awaitComplete({ metadata, content }) {
    const feeds = [drive.metadata, await called((done) => drive.getContent(done))]
    const wanted = [metadata, content]
    await limited('every block', (done) => {
      const look = () => {
        if (
          feeds.every((f, i) => f.length >= wanted[i] && f.downloaded(0, f.length) === f.length)
        ) {
          done()
        }
      }
      for (const feed of feeds) feed.on('download', look).on('append', look).on('sync', look)
      look()
      return () => {
        for (const feed of feeds) {
          for (const name of ['download', 'append', 'sync']) feed.removeListener(name, look)
        }
      }
    })
    return operations.held()
  },

  /** Lengths of the two feeds, and how many blocks of them are here. */
  async held() {
    const content = await called((done) => drive.getContent(done))
    const count = (feed) => ({ length: feed.length, held: feed.downloaded(0, feed.length) })
    return { metadata: count(drive.metadata), content: count(content) }
  },

  /** Wait until every connection has ended by itself. */
  async awaitEnd() {
    for (const stream of streams) {
      await limited('the end of a connection', (done) => {
        stream.once('close', done)
        if (stream.destroyed) done()
        return () => stream.removeListener('close', done)
      })
    }
    return {}
  },

  faults: () => faults,

  async close() {
    closing = true
    for (const socket of sockets) socket.destroy()
    if (server) await called((done) => server.close(() => done(null)))
    if (drive) await called((done) => drive.close(done))
    return { faults }
  },
}

function connect(socket, initiator, live) {
  const stream = drive.replicate(initiator, { live })
  sockets.add(socket)
  streams.add(stream)
  for (const [name, end] of [
    ['socket', socket],
    ['connection', stream],
  ]) {
    end.on('error', (error) => {
      if (!closing) faults.push(`${name}: ${error.message}`)
    })
  }
  stream.once('close', () => {
    streams.delete(stream)
    socket.end()
  })
  socket.once('close', () => sockets.delete(socket))
  socket.pipe(stream).pipe(socket)
}

async function folders(seen, path) {
  const names = (await called((done) => seen.readdir(path, done))).toSorted()
  const result = { [path]: names }
  for (const name of names) {
    const below = path === '/' ? `/${name}` : `${path}/${name}`
    const stat = await called((done) => seen.lstat(below, done))
    if ((stat.mode & 0o170000) === 0o040000) Object.assign(result, await folders(seen, below))
  }
  return result
}

function writeStream(path, bytes, options) {
  return called((done) => {
    const stream = drive.createWriteStream(path, options)
    stream.once('error', done)
    stream.once('finish', () => done(null))
    for (let at = 0; at < bytes.length; at += 65536) stream.write(bytes.subarray(at, at + 65536))
    stream.end()
  })
}

function plainStat(stat) {
  const { mode, uid, gid, size, blocks, offset, byteOffset, linkname } = stat
  const metadata = Object.entries(stat.metadata ?? {}).map(([name, value]) => [
    name,
    value && Buffer.from(value).toString('hex'),
  ])
  const times = { mtime: Number(stat.mtime), ctime: Number(stat.ctime) }
  return { mode, uid, gid, size, blocks, offset, byteOffset, ...times, linkname, metadata }
}

function describe(bytes) {
  return { length: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') }
}

/** Byte i of the pattern is (seed + 7 i + 13 floor(i / 256)) mod 256. */
function pattern(seed, length) {
  const bytes = Buffer.allocUnsafe(length)
  for (let i = 0; i < length; i++) bytes[i] = seed + 7 * i + 13 * Math.floor(i / 256)
  return bytes
}

function decodeOptions({ metadata, ...rest } = {}) {
  if (!metadata) return rest
  const decoded = {}
  for (const [name, text] of Object.entries(metadata)) decoded[name] = Buffer.from(text)
  return { ...rest, metadata: decoded }
}

/** A promise of what a function hands to its callback. */
function called(start) {
  return new Promise((resolve, reject) => {
    start((error, result) => (error ? reject(error) : resolve(result)))
  })
}

/** Wait for `start`'s done, not longer than the limit; `start` returns what to clean up with. */
async function limited(what, start) {
  let timer
  let clean = () => {}
  try {
    await new Promise((resolve, reject) => {
      timer = setTimeout(() => reject(new Error(`still waiting for ${what}`)), WAIT_LIMIT_MS)
      clean = start(resolve)
    })
  } finally {
    clearTimeout(timer)
    clean()
  }
}

const answer = (message) => process.stdout.write(`${JSON.stringify(message)}\n`)
const lines = readline.createInterface({ input: process.stdin })
lines.on('line', (line) => {
  const { id, op, args } = JSON.parse(line)
  Promise.resolve()
    .then(() => operations[op](args))
    .then(
      (result) => answer({ id, result: result ?? null }),
      (error) => answer({ id, error: error.stack ?? String(error) }),
    )
})
lines.on('close', () => process.exit(0))
