/**
 * The examples of the user's document, run as they are written but for the name of the package: its
 * Usage, and its replication over a socket with no role given on either end. Then both once more
 * with promises.
 */
import { once } from 'node:events'
import net from 'node:net'
import t, { type Test } from 'tap'
import varve, { type Drive } from '../../src/index.ts'
import { called } from './called.ts'

const usage = `
var hyperdrive = require('varve')
var drive = hyperdrive('./my-first-hyperdrive') // content will be stored in this folder
drive.writeFile('/hello.txt', 'world', function (err) {
  if (err) throw err
  drive.readdir('/', function (err, list) {
    if (err) throw err
    console.log(list) // prints ['hello.txt']
    drive.readFile('/hello.txt', 'utf-8', function (err, data) {
      if (err) throw err
      console.log(data) // prints 'world'
    })
  })
})
`

const replication = `
var net = require('net')

// ... on one machine

var server = net.createServer(function (socket) {
  socket.pipe(drive.replicate()).pipe(socket)
})
server.listen(10000)

// ... on another

var clonedDrive = hyperdrive('./my-cloned-hyperdrive', origKey)
var socket = net.connect(10000)
socket.pipe(clonedDrive.replicate()).pipe(socket)
`

/**
 * Run code of the document. `given` are the names that it takes from outside, `kept` those of its
 * variables that come back.
 */
function runDocument(
  code: string,
  given: Record<string, unknown>,
  kept: string,
): Readonly<Record<string, Drive>> {
  // oxlint-disable-next-line no-new-func, no-implied-eval -- the document's text is the test
  const run = new Function(...Object.keys(given), `${code}\nreturn { ${kept} }`)
  return run(...Object.values(given)) as Readonly<Record<string, Drive>>
}

/** `require` of the two modules that the document names; the fixed port becomes a free one. */
function requireFor(t: Test): (name: string) => unknown {
  let port = 0
  const netWithFreePort = {
    createServer(onSocket: (socket: net.Socket) => void) {
      const server = net.createServer(onSocket)
      const listen = server.listen.bind(server)
      t.teardown(() => server.close())
      return Object.assign(server, {
        listen() {
          listen(0)
          port = (server.address() as net.AddressInfo).port
        },
      })
    },
    connect() {
      const socket = net.connect(port)
      t.teardown(() => socket.destroy())
      return socket
    },
  }
  return (name) => (name === 'net' ? netWithFreePort : varve)
}

/** Work in a folder of this test's own: the document's folders are relative. */
function enterFolder(t: Test): void {
  const before = process.cwd()
  process.chdir(t.testdir())
  t.teardown(() => process.chdir(before))
}

t.test('the Usage example prints what the document says', async (t) => {
  enterFolder(t)
  const printed: unknown[] = []
  const { drive } = await new Promise<Readonly<Record<string, Drive>>>((resolve) => {
    const console = {
      log(value: unknown) {
        printed.push(value)
        if (printed.length === 2) resolve(kept)
      },
    }
    const given = { require: requireFor(t), console }
    const kept = runDocument(usage, given, 'drive')
  })
  t.strictSame(printed, [['hello.txt'], 'world'])
  await drive?.close()
})

t.test('the replication example clones a drive, with no role on either end', async (t) => {
  enterFolder(t)
  const drive = varve('./my-first-hyperdrive')
  await called<void>((done) => drive.writeFile('/hello.txt', 'world', done))
  const given = { require: requireFor(t), hyperdrive: varve, drive, origKey: drive.key }
  const { clonedDrive } = runDocument(replication, given, 'clonedDrive')
  if (!clonedDrive) throw new Error('the document has this variable')
  const text = await called<string>((done) => clonedDrive.readFile('/hello.txt', 'utf-8', done))
  t.equal(text, 'world')
  t.strictSame(await called<string[]>((done) => clonedDrive.readdir('/', done)), ['hello.txt'])
  await called<void>((done) => clonedDrive.close(done))
  await called<void>((done) => drive.close(done))
})

t.test('both examples, with promises', async (t) => {
  enterFolder(t)
  const drive = varve('./my-first-hyperdrive')
  await drive.writeFile('/hello.txt', 'world')
  t.strictSame(await drive.readdir('/'), ['hello.txt'])
  t.equal(await drive.readFile('/hello.txt', 'utf-8'), 'world')

  const server = net.createServer((socket) => {
    socket.pipe(drive.replicate()).pipe(socket)
  })
  t.teardown(() => server.close())
  server.listen(0)
  await once(server, 'listening')
  const clonedDrive = varve('./my-cloned-hyperdrive', drive.key)
  const socket = net.connect((server.address() as net.AddressInfo).port)
  t.teardown(() => socket.destroy())
  socket.pipe(clonedDrive.replicate()).pipe(socket)
  t.equal(await clonedDrive.promises.readFile('/hello.txt', 'utf-8'), 'world')
  t.strictSame(await clonedDrive.promises.readdir('/'), ['hello.txt'])
  await clonedDrive.close()
  await drive.close()
})
