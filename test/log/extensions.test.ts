/** Named messages beside a log, and the guard that says when no answer is due. */
import t from 'tap'
import { fromUtf8 } from '../../src/bytes.ts'
import { ExtensionRegistry, Guard } from '../../src/log/index.ts'
import type { LogPeer } from '../../src/log/index.ts'

class Peer implements LogPeer {
  readonly remotePublicKey = null
  readonly remoteAddress = null
  readonly remoteType = 'test'
  readonly remoteOpened = true
  readonly remoteLength = 0
  readonly stats = { uploadedBlocks: 0, uploadedBytes: 0, downloadedBlocks: 0, downloadedBytes: 0 }
  readonly sent: [number, Uint8Array][] = []

  extension(id: number, message: Uint8Array): void {
    this.sent.push([id, message])
  }
}

t.test('numbers are places in the sorted list, and change with it', async (t) => {
  const peer = new Peer()
  let changes = 0
  const registry = new ExtensionRegistry({ peers: () => [peer], changed: () => changes++ })
  const b = registry.register<string>('b', { encoding: 'utf8' })
  t.equal(b.id, 0)
  const a = registry.register('a')
  t.strictSame([a.id, b.id, registry.names], [0, 1, ['a', 'b']])
  b.send('hello', peer)
  t.equal(b.broadcast('all'), true)
  a.destroy()
  a.destroy()
  t.strictSame([a.id, b.id], [-1, 0])
  t.equal(a.broadcast(new Uint8Array(1)), false)
  a.send(new Uint8Array(1), peer)
  t.strictSame(peer.sent, [
    [1, fromUtf8('hello')],
    [1, fromUtf8('all')],
  ])
  t.equal(changes, 3)
  t.throws(() => registry.register('b'), { code: 'LOG_BAD_EXTENSION' })
})

t.test('a received number is looked up in the list of the remote', async (t) => {
  const peer = new Peer()
  const registry = new ExtensionRegistry({ peers: () => [], changed: () => undefined })
  const got: unknown[] = []
  const wrong: Error[] = []
  registry.register('x', {
    encoding: 'json',
    onmessage: (message) => got.push(message),
    onerror: (error) => wrong.push(error),
  })
  const remote = ['a', 'x', 'z']
  registry.receive(1, remote, fromUtf8('{"n":1}'), peer)
  registry.receive(0, remote, fromUtf8('{"n":2}'), peer)
  registry.receive(9, remote, fromUtf8('{"n":3}'), peer)
  registry.receive(1, remote, fromUtf8('{'), peer)
  registry.receive(1, ['x'], fromUtf8('{"n":4}'), peer)
  t.strictSame(got, [{ n: 1 }])
  t.equal(wrong.length, 1)
  const late = registry.register('a', { encoding: 'utf8', onmessage: (text) => got.push(text) })
  registry.receive(0, remote, fromUtf8('now'), peer)
  t.strictSame(got, [{ n: 1 }, 'now'])
  t.equal(late.id, 0)
})

t.test('what a handler throws goes to its onerror', async (t) => {
  const registry = new ExtensionRegistry({ peers: () => [], changed: () => undefined })
  const wrong: Error[] = []
  registry.register('x', {
    onmessage: () => {
      throw new Error('of the handler')
    },
    onerror: (error) => wrong.push(error),
  })
  registry.receive(0, ['x'], new Uint8Array(1), new Peer())
  t.match(wrong, [{ message: 'of the handler' }])
})

t.test('a guard is idle once everybody let go, however often each says so', async (t) => {
  const guard = new Guard()
  await guard.idle()
  const releases = [guard.hold(), guard.hold()]
  let idle = false
  const waiting = guard.idle().then(() => (idle = true))
  for (let i = 0; i < 3; i++) releases[0]?.()
  await new Promise((resolve) => setImmediate(resolve))
  t.equal(idle, false)
  t.equal(guard.isHeld, true)
  releases[1]?.()
  await waiting
  t.equal(guard.isHeld, false)
})
