/**
 * Process A: makes a drive, fills it, and serves it on a loopback port.
 *
 *     node writer.js FOLDER
 */
import { createReadStream, createWriteStream } from 'node:fs'
import { mkdir, readdir, readFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join, relative } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import varve from 'varve'
import { bytes, line } from './print.js'

const BIG_FILE = 64 * 1024 * 1024

const [folder = ''] = process.argv.slice(2)
const start = performance.now()

// What goes in: this repository's own sources and documents, and one large file.
const source = join(folder, 'source')
await mkdir(source)
await pipeline(Readable.from(noise(BIG_FILE)), createWriteStream(join(source, 'large.bin')))

const drive = varve(join(folder, 'a'))
await drive.ready()
let files = 0
for (const root of ['src', 'docs']) {
  for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    const path = relative('.', join(entry.parentPath, entry.name))
    await drive.writeFile(path, await readFile(path))
    files++
  }
}
await pipeline(createReadStream(join(source, 'large.bin')), drive.createWriteStream('large.bin'))
line('A', `writes a drive of ${files} files, and one more of ${bytes(BIG_FILE)}`, start)

// Any duplex stream will do; here it is a socket. The connection is encrypted and both ends are
// known to have the key before a byte of the drive is sent.
const server = createServer((socket) => {
  const connection = drive.replicate(false, { live: true })
  socket.on('error', () => connection.destroy())
  connection.on('error', () => socket.destroy())
  socket.pipe(connection).pipe(socket)
})
server.listen(0, '127.0.0.1', () => {
  const key = drive.key.toString('hex')
  const { port } = server.address()
  line('', `key ${key}`)
  line('', `served on port ${port}`)
  process.send({ key, port })
})

process.on('message', (message) => void obey(message))

async function obey(message) {
  if (message === 'write') {
    line('A', 'writes hello.txt')
    const now = performance.timeOrigin + performance.now()
    await drive.writeFile('hello.txt', `hello from A at ${now}`)
  }
  if (message === 'close') {
    server.close()
    await drive.close()
    process.disconnect()
  }
}

// Bytes that do not repeat, the same on every run.
function* noise(length) {
  let state = 1
  const words = new Uint32Array(16_384)
  for (let at = 0; at < length; at += words.byteLength) {
    for (let i = 0; i < words.length; i++) {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
      words[i] = state ^ (state >>> 15)
    }
    yield new Uint8Array(words.buffer.slice(0))
  }
}
