/**
 * The real v10 as a subject: `NODE_PATH=<node_modules of v10> node subjects/v10.cjs`.
 *
 * It is asked through the calls that it documents, and nothing of it is read: what it does not offer as a
 * call is not answered, and skipped by the kit.
 */
'use strict'
const { createHash } = require('node:crypto')
const net = require('node:net')
const readline = require('node:readline')
const RandomAccess = require('random-access-storage')
const crypto = require('hypercore-crypto')
const flatTree = require('flat-tree')
const rle = require('bitfield-rle')
const hypercore = require('hypercore')
const hypertrie = require('hypertrie')
const hyperdrive = require('hyperdrive')

const bytes = (hex) => Buffer.from(hex, 'hex')
const text = (buffer) => Buffer.from(buffer).toString('hex')
const keyOrNone = (hex) => (hex === null || hex === undefined ? null : bytes(hex))

/** A promise of all that a function hands to its callback. */
function answers(start) {
  return new Promise((resolve, reject) => {
    start((error, ...results) => (error ? reject(error) : resolve(results)))
  })
}

/** A promise of the first that a function hands to its callback. */
const called = async (start) => (await answers(start))[0]

/** A file in memory. */
function memory() {
  let file = Buffer.alloc(0)
  return new RandomAccess({
    open: (request) => request.callback(null),
    read(request) {
      const end = request.offset + request.size
      if (end > file.length) request.callback(new Error('Could not satisfy length'))
      else request.callback(null, Buffer.from(file.subarray(request.offset, end)))
    },
    write(request) {
      const end = request.offset + request.size
      if (end > file.length) file = Buffer.concat([file, Buffer.alloc(end - file.length)])
      request.data.copy(file, request.offset)
      request.callback(null)
    },
    del(request) {
      if (request.offset + request.size >= file.length) file = file.subarray(0, request.offset)
      request.callback(null)
    },
    stat: (request) => request.callback(null, { size: file.length }),
    close: (request) => request.callback(null),
    destroy: (request) => request.callback(null),
  })
}

const node = ({ index, size, hash }) => ({ index, size, hash: text(hash) })
const unnode = ({ index, size, hash }) => ({ index, size, hash: bytes(hash) })

async function openFeed(key, options = {}, storage = () => memory()) {
  const feed = hypercore(storage, key && bytes(key), options)
  await called((done) => feed.ready(done))
  return feed
}

function runs(feed) {
  const held = []
  for (let i = 0; i < feed.length; i++) {
    if (!feed.has(i)) continue
    const last = held.at(-1)
    if (last && last[1] === i) last[1] = i + 1
    else held.push([i, i + 1])
  }
  return held
}

/** @type {Record<string, any>} what is served now */
const served = { feed: null, drive: null, server: null, open: null, messages: [] }
const extensions = new Map()
const sockets = new Set()

function plug(socket, initiator) {
  socket.setNoDelay(true)
  sockets.add(socket)
  socket.on('close', () => sockets.delete(socket))
  const stream = served.open(initiator)
  socket.on('error', () => stream.destroy())
  stream.on('error', () => socket.destroy())
  stream.on('close', () => socket.end())
  socket.pipe(stream).pipe(socket)
}

async function listen() {
  served.server = net.createServer((socket) => plug(socket, false))
  await called((done) => served.server.listen(0, '127.0.0.1', () => done(null)))
  return { port: served.server.address().port }
}

async function shut() {
  const { feed, drive, server } = served
  Object.assign(served, { feed: null, drive: null, server: null, messages: [] })
  extensions.clear()
  for (const socket of sockets) socket.destroy()
  if (server) await called((done) => server.close(() => done(null)))
  if (feed) await called((done) => feed.close(done))
  if (drive) await called((done) => drive.close(done))
  return null
}

const trieOptions = ({ hidden, flags }) => ({
  ...(hidden !== undefined && { hidden }),
  ...(flags !== undefined && { flags }),
})

function trieCall(trie, call) {
  if (call.op === 'put') {
    const value = keyOrNone(call.value)
    return called((done) => trie.put(call.key, value, trieOptions(call), done))
  }
  if (call.op === 'del') return called((done) => trie.del(call.key, trieOptions(call), done))
  const batch = call.ops.map((each) => ({
    type: each.op === 'del' ? 'del' : 'put',
    key: each.key,
    ...(each.op === 'put' && { value: keyOrNone(each.value) }),
    ...trieOptions(each),
  }))
  return called((done) => trie.batch(batch, done))
}

function collect(stream) {
  return new Promise((resolve, reject) => {
    const rows = []
    stream.on('data', (row) => rows.push(row))
    stream.on('error', reject)
    stream.on('end', () => resolve(rows))
  })
}

async function trieAnswer(live, { q, at, key = '', prefix = '', against = 0, opts }) {
  const trie = at === 0 ? live : live.checkout(at)
  if (q === 'get') {
    const found = await called((done) => trie.get(key, opts, done))
    if (!found) return null
    const { seq, value, flags } = found
    return {
      key: found.key,
      seq,
      value: value && text(value),
      flags,
      hidden: Boolean(found.hidden ?? opts.hidden),
    }
  }
  if (q === 'iterate') {
    const rows = await called((done) => trie.list(prefix, opts, done))
    return rows.map((row) => [row.key, row.seq])
  }
  if (q === 'diff') {
    const rows = await collect(trie.createDiffStream(live.checkout(against), prefix, opts))
    return rows.map((row) => [row.key, row.left ? row.left.seq : 0, row.right ? row.right.seq : 0])
  }
  const rows = await collect(trie.createHistoryStream(opts))
  return rows.map((row) => [row.seq, row.key])
}

/** The key of a node block: its first field, a string. */
function keyOf(block) {
  let length = 0
  let at = 1
  for (let shift = 0; ; shift += 7) {
    const byte = block[at++]
    length += (byte & 127) * 2 ** shift
    if (byte < 128) break
  }
  return block.toString('utf8', at, at + length)
}

function driveCall(drive, call) {
  const { op, path } = call
  if (op === 'writeFile') {
    const { mode, metadata = {} } = call.options ?? {}
    const options = { metadata: {}, ...(mode !== undefined && { mode }) }
    for (const [name, value] of Object.entries(metadata)) options.metadata[name] = bytes(value)
    return called((done) => drive.writeFile(path, bytes(call.data), options, done))
  }
  if (op === 'symlink') return called((done) => drive.symlink(call.target, path, done))
  if (op === 'truncate') return called((done) => drive.truncate(path, call.size, done))
  return called((done) => drive[op](path, done))
}

async function inMemory(use) {
  const drive = hyperdrive(() => memory())
  await called((done) => drive.ready(done))
  const result = await use(drive)
  await called((done) => drive.close(done))
  return result
}

const operations = {
  leaf: ({ data }) => ({ hash: text(crypto.data(bytes(data))), size: data.length / 2 }),
  parent({ first, second }) {
    const hash = crypto.parent(unnode(first), unnode(second))
    return { hash: text(hash), size: first.size + second.size }
  },
  tree: ({ roots }) => ({ hash: text(crypto.tree(roots.map(unnode))) }),
  keyPair({ seed }) {
    const { publicKey, secretKey } = crypto.keyPair(bytes(seed))
    return { publicKey: text(publicKey), secretKey: text(secretKey) }
  },
  discoveryKey: ({ publicKey }) => ({ discoveryKey: text(crypto.discoveryKey(bytes(publicKey))) }),
  sign: ({ secretKey, message }) => ({
    signature: text(crypto.sign(bytes(message), bytes(secretKey))),
  }),
  flatTree: ({ index }) => ({
    depth: flatTree.depth(index),
    offset: flatTree.offset(index),
    parent: flatTree.parent(index),
    sibling: flatTree.sibling(index),
    children: flatTree.children(index),
    leftSpan: flatTree.leftSpan(index),
    rightSpan: flatTree.rightSpan(index),
    count: flatTree.count(index),
  }),
  fullRoots: ({ index }) => ({ roots: flatTree.fullRoots(index) }),
  encodeBitfield: ({ bits }) => ({ bytes: text(rle.encode(bytes(bits))) }),
  decodeBitfield: ({ bytes: coded }) => ({ bits: text(rle.decode(bytes(coded))) }),

  async prove({ secretKey, blocks, index, digest, hash }) {
    const feed = await openFeed(secretKey.slice(64), { secretKey: bytes(secretKey) })
    for (const block of blocks) await called((done) => feed.append(bytes(block), done))
    try {
      const proof = await called((done) => feed.proof(index, { digest, hash }, done))
      return { nodes: proof.nodes.map(node), signature: proof.signature && text(proof.signature) }
    } catch {
      return null
    } finally {
      await called((done) => feed.close(done))
    }
  },
  async replica({ publicKey, messages }) {
    const feed = await openFeed(publicKey, { sparse: true })
    const steps = []
    for (const { index, value, nodes, signature } of messages) {
      const digest = feed.digest(index)
      const proof = { nodes: nodes.map(unnode), signature: keyOrNone(signature) }
      const put = called((done) => feed.put(index, keyOrNone(value), proof, done))
      const accepted = await put.then(
        () => true,
        () => false,
      )
      const held = runs(feed).flatMap(([a, b]) => Array.from({ length: b - a }, (_, i) => a + i))
      steps.push({ digest, accepted, length: feed.length, byteLength: feed.byteLength, held })
    }
    await called((done) => feed.close(done))
    return { steps }
  },
  async seek({ sizes, bytes: position }) {
    const feed = await openFeed(null)
    await called((done) =>
      feed.append(
        sizes.map((size) => Buffer.alloc(size)),
        done,
      ),
    )
    try {
      const [index, offset] = await answers((done) => feed.seek(position, { wait: false }, done))
      return { index, offset }
    } finally {
      await called((done) => feed.close(done))
    }
  },

  async trie({ calls, queries }) {
    const trie = hypertrie(() => memory())
    await called((done) => trie.ready(done))
    const appended = []
    for (const call of calls) {
      const before = trie.feed.length
      await trieCall(trie, call)
      const blocks = []
      for (let i = before; i < trie.feed.length; i++) {
        blocks.push(text(await called((done) => trie.feed.get(i, done))))
      }
      appended.push(blocks)
    }
    const answers = []
    for (const query of queries) answers.push(await trieAnswer(trie, query))
    return { appended, answers }
  },
  drivePath: ({ name }) =>
    inMemory(async (drive) => {
      await called((done) => drive.writeFile(name, 'x', done))
      return { key: keyOf(await called((done) => drive.metadata.get(1, done))) }
    }),
  linkTarget: ({ target }) =>
    inMemory(async (drive) => {
      await called((done) => drive.symlink(target, 'link', done))
      return { stored: await called((done) => drive.readlink('link', done)) }
    }),

  async writeLog({ folder, publicKey, secretKey, batches, clear }) {
    const feed = await openFeed(publicKey, { secretKey: bytes(secretKey) }, folder)
    for (const batch of batches) await called((done) => feed.append(batch.map(bytes), done))
    for (const [start, end] of clear) await called((done) => feed.clear(start, end, done))
    const { length, byteLength } = feed
    await called((done) => feed.close(done))
    return { length, byteLength }
  },
  async readLog({ folder }) {
    const feed = await openFeed(null, {}, folder)
    const blocks = []
    for (let i = 0; i < feed.length; i++) {
      blocks.push(feed.has(i) ? text(await called((done) => feed.get(i, done))) : null)
    }
    const { length, byteLength, writable } = feed
    const key = text(feed.key)
    await called((done) => feed.close(done))
    return { key, length, byteLength, writable, blocks }
  },
  async writeDrive({ folder, calls }) {
    const drive = hyperdrive(folder)
    await called((done) => drive.ready(done))
    for (const call of calls) await driveCall(drive, call)
    const content = await called((done) => drive.getContent(done))
    const result = { key: text(drive.key), contentKey: text(content.key), version: drive.version }
    await called((done) => drive.close(done))
    return result
  },
  async readDrive({ folder, key }) {
    const drive = hyperdrive(folder, keyOrNone(key))
    await called((done) => drive.ready(done))
    const paths = await called((done) => drive.readdir('/', { recursive: true }, done))
    const entries = []
    for (const path of paths) {
      const stat = await called((done) => drive.lstat(path, done))
      const isFile = (stat.mode & 0o170000) === 0o100000
      const file = isFile ? await called((done) => drive.readFile(path, done)) : null
      const sha256 = file && createHash('sha256').update(file).digest('hex')
      entries.push({ path, size: stat.size, linkname: stat.linkname || null, sha256 })
    }
    const result = { key: text(drive.key), version: drive.version, entries }
    await called((done) => drive.close(done))
    return result
  },

  async serve(args) {
    await shut()
    const { key, folder, secretKey, blocks, sparse = false, extensions: names = [] } = args
    const options = { sparse, ...(secretKey && { secretKey: bytes(secretKey) }) }
    const feed = await openFeed(key, options, folder ?? (() => memory()))
    served.feed = feed
    if (blocks) await called((done) => feed.append(blocks.map(bytes), done))
    for (const name of names) {
      const onmessage = (message) => served.messages.push([name, text(message)])
      extensions.set(name, feed.registerExtension(name, { encoding: 'binary', onmessage }))
    }
    const { live, ack, upload, download, encrypted, noise, timeout = 0 } = args
    const given = { live, ack, upload, download, encrypted, noise, timeout }
    for (const name of Object.keys(given)) if (given[name] === undefined) delete given[name]
    served.open = (initiator) => feed.replicate(initiator, { ...given })
    return listen()
  },
  async serveDrive({ folder, key }) {
    await shut()
    const drive = hyperdrive(folder, keyOrNone(key))
    served.drive = drive
    await called((done) => drive.ready(done))
    served.open = (initiator) => drive.replicate(initiator, { live: true })
    return listen()
  },
  async dial({ port }) {
    const socket = net.connect(port, '127.0.0.1')
    await called((done) => {
      socket.once('connect', () => done(null))
      socket.once('error', done)
    })
    plug(socket, true)
    return null
  },
  state() {
    const { feed, messages } = served
    const { length, byteLength, peers } = feed
    return { length, byteLength, held: runs(feed), peers: peers.length, messages }
  },
  get: async ({ index }) => ({ value: text(await called((done) => served.feed.get(index, done))) }),
  async seekLog({ bytes: position }) {
    const [index, offset] = await answers((done) => served.feed.seek(position, done))
    return { index, offset }
  },
  async update() {
    await called((done) => served.feed.update(done))
    return { length: served.feed.length }
  },
  append: ({ blocks }) =>
    called((done) => served.feed.append(blocks.map(bytes), (error) => done(error, null))),
  clear: ({ start, end }) =>
    called((done) => served.feed.clear(start, end, (error) => done(error, null))),
  download({ start, end }) {
    served.feed.download({ start, end }, () => {})
    return null
  },
  broadcast({ name, message }) {
    extensions.get(name).broadcast(bytes(message))
    return null
  },
  shut,
}

const say = (message) => process.stdout.write(`${JSON.stringify(message)}\n`)
const lines = readline.createInterface({ input: process.stdin })
lines.on('line', (line) => {
  const { id, op, args } = JSON.parse(line)
  if (op === 'hello') {
    say({ id, result: { version: 1, name: 'v10', operations: Object.keys(operations) } })
    return
  }
  if (!operations[op]) {
    say({ id, unsupported: true })
    return
  }
  Promise.resolve()
    .then(() => operations[op](args))
    .then(
      (result) => say({ id, result: result ?? null }),
      (error) => say({ id, error: String(error && error.message) }),
    )
})
lines.on('close', () => process.exit(0))
