/**
 * Process B: knows a key and a port, and clones what it finds there.
 *
 *     node reader.js FOLDER KEY PORT
 */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createReadStream } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import varve from 'varve'
import { bar, bytes, duration, line } from './print.js'

const [folder = '', key = '', port = ''] = process.argv.slice(2)

const clone = varve(join(folder, 'b'), key)
await clone.ready()
line('B', 'knows this key and the port, nothing else')

const fetched = { blocks: 0, bytes: 0 }
for (const event of ['metadata-download', 'content-download']) {
  clone.on(event, (_index, block) => {
    fetched.blocks++
    fetched.bytes += block.length
  })
}

// A clone knows nothing of its drive until a peer tells: then the first version arrives.
const told = once(clone, 'update')
const socket = connect(Number(port), '127.0.0.1')
const connection = clone.replicate(true, { live: true })
for (const end of [socket, connection]) end.on('error', fail)
socket.pipe(connection).pipe(socket)
await told

// A clone is sparse: it fetches what is read.
let start = performance.now()
const entries = await clone.readdir('/', { recursive: true, includeStats: true })
const total = entries.reduce((sum, { stat }) => sum + stat.size, 0)
const blocks = entries.reduce((sum, { stat }) => sum + stat.blocks, 0)
line('', `lists the drive: ${entries.length} files, ${bytes(total)}`, start)
for (const text of outline(entries)) line('', `  ${text}`)

start = performance.now()
const before = { ...fetched }
const [first] = entries.filter(({ name }) => name.startsWith('docs/'))
const page = await clone.readFile(first.name)
const count = fetched.blocks - before.blocks
line(
  '',
  `reads ${first.name} (${bytes(page.length)}): fetched ${count} of ${blocks} blocks, ` +
    `${bytes(fetched.bytes - before.bytes)} of ${bytes(total)}`,
  start,
)

start = performance.now()
const progress = setInterval(showProgress, 100)
await clone.download('/')
clearInterval(progress)
if (process.stdout.isTTY) process.stdout.write('\r\u001B[K')
const seconds = (performance.now() - start) / 1000
line('', `downloads the rest: ${bar(1)}  ${bytes(total / seconds)} a second`, start)

start = performance.now()
for (const { name } of entries) {
  const source = name === 'large.bin' ? join(folder, 'source', name) : name
  const [theirs, ours] = await Promise.all([
    hash(createReadStream(source)),
    hash(clone.createReadStream(name)),
  ])
  assert.equal(ours, theirs, `${name} differs from its source`)
}
line('', `compares all ${entries.length} files with their source: equal`, start)

// Live: what A writes from now on arrives by itself.
const version = clone.version
const arrived = new Promise((resolve) => {
  const watcher = clone.watch('/', () => {
    if (clone.version === version) return
    watcher.destroy()
    resolve()
  })
})
process.send('complete')
await arrived
const text = await clone.readFile('hello.txt', 'utf8')
const written = Number(text.split(' ').at(-1))
const delay = performance.timeOrigin + performance.now() - written
line('B', `sees version ${clone.version} arrive, ${duration(delay)} later: “${text.slice(0, 12)}”`)

const old = clone.checkout(version)
assert.equal(await exists(old, 'hello.txt'), false)
assert.equal(await exists(clone, 'hello.txt'), true)
line('', `checks out version ${version}: no hello.txt in it, as it was`)

socket.destroy()
await clone.close()
process.disconnect()

function fail(error) {
  line('B', `the connection failed: ${error.message}`)
  process.exit(1)
}

/** `exists` calls back with the boolean alone, as in v10. */
function exists(drive, name) {
  return new Promise((resolve) => {
    drive.exists(name, resolve)
  })
}

/** The folders at the top, with what is below them. */
function outline(all) {
  const tops = new Map()
  for (const { name, stat } of all) {
    const [top, ...rest] = name.split('/')
    const shown = rest.length > 0 ? `${top}/` : top
    const { files, size } = tops.get(shown) ?? { files: 0, size: 0 }
    tops.set(shown, { files: files + 1, size: size + stat.size })
  }
  return [...tops]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, { files, size }]) => {
      const what = name.endsWith('/') ? `${files} files, ${bytes(size)}` : bytes(size)
      return `${name.padEnd(12)} ${what}`
    })
}

function showProgress() {
  if (!process.stdout.isTTY) return
  const share = Math.min(1, fetched.bytes / total)
  process.stdout.write(`\r   downloads the rest: ${bar(share)}  ${bytes(fetched.bytes)}`)
}

async function hash(stream) {
  const digest = createHash('sha256')
  stream.on('data', (chunk) => digest.update(chunk))
  await once(stream, 'end')
  return digest.digest('hex')
}
