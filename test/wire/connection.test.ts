/** The connection as a stream: handshake, life and end, timers, back-pressure, roles, and what strangers send. */
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'
import { Duplex, PassThrough, pipeline } from 'node:stream'
import fc from 'fast-check'
import { test } from 'tap'
import { discoveryKey, exchangeKeyPair } from '../../src/crypto.ts'
import type { KeyPair } from '../../src/crypto.ts'
import { Connection } from '../../src/wire/connection.ts'
import type { ConnectionOptions } from '../../src/wire/connection-options.ts'
import { Outbox } from '../../src/wire/outbox.ts'
import { ManualTimers } from './manual-timers.ts'
import { failureOf, RawRemote, settled } from './raw-remote.ts'

const key = new Uint8Array(32).fill(1)

/** Two connections with a pipe between them. */
function pair(
  options: ConnectionOptions = {},
  roles: readonly [boolean | null, boolean | null] = [true, false],
): [Connection, Connection] {
  const [a, b] = [new Connection(roles[0], options), new Connection(roles[1], options)]
  a.pipe(b).pipe(a)
  return [a, b]
}

async function handshaken(...ends: readonly Connection[]): Promise<void> {
  // oxlint-disable-next-line no-await-in-loop -- one after the other
  for (const end of ends) if (!end.handshaken) await once(end, 'handshake')
}

/** Resolves when all are closed, with or without an error. */
async function closed(...ends: readonly Connection[]): Promise<void> {
  await Promise.all(ends.map((end) => new Promise<void>((resolve) => end.once('close', resolve))))
}

for (const options of [{}, { encrypted: false }, { encrypted: false, noise: false }]) {
  test(`blocks of any size arrive, and both ends close, with ${JSON.stringify(options)}`, async (t) => {
    const [a, b] = pair(options)
    const sizes = [0, 1, 1023, 1024, 70_000, 3_000_000]
    const received: Uint8Array[] = []
    let batches = 0
    const done = new Promise<void>((resolve) => {
      b.open(key, {
        ondata({ value }) {
          received.push(value ?? new Uint8Array(0))
          if (received.length === sizes.length) resolve()
        },
        onbatchend: () => void batches++,
      })
    })
    const channel = a.open(key, {
      onopen() {
        for (const [index, size] of sizes.entries()) {
          channel.data({ index, value: new Uint8Array(size).fill(index) })
        }
      },
    })
    await done
    t.strictSame(
      received.map((value) => value.length),
      sizes,
    )
    for (const [index, value] of received.entries()) t.ok(value.every((byte) => byte === index))
    t.ok(batches > 0)
    t.equal(a.encrypted, options.encrypted !== false)
    t.equal(a.hasHandshake, options.noise !== false)
    t.strictSame(a.handshakeHash, b.handshakeHash)
    t.strictSame(a.remotePublicKey, b.publicKey)
    t.equal(a.publicKey === null, !a.hasHandshake)
    t.equal(a.bytesSent, b.bytesReceived)
    t.equal(a.initiator, a.hasHandshake ? true : null)
    channel.close()
    await closed(a, b)
    t.strictSame([failureOf(a), failureOf(b)], [null, null])
    t.equal(b.channelCount, 0)
  })
}

test('what is written in one turn leaves as one buffer', async (t) => {
  const remote = new RawRemote()
  const chunks: Uint8Array[] = []
  remote.connection.on('data', (chunk: Uint8Array) => chunks.push(chunk))
  const channel = remote.connection.open(key)
  channel.want({ start: 0 })
  channel.data({ index: 0, value: new Uint8Array(5000) })
  remote.connection.ping()
  await settled()
  t.equal(chunks.length, 1)
  t.equal(chunks[0]?.length, remote.connection.bytesSent)
  remote.connection.destroy()
})

test('the chunk that came in is never changed, and never kept', async (t) => {
  for (const options of [{}, { encrypted: false }]) {
    const [a, b] = [new Connection(true, options), new Connection(false, options)]
    const before: string[] = []
    const after: Uint8Array[] = []
    const values: (Uint8Array | null)[] = []
    a.on('data', (chunk: Uint8Array) => {
      before.push(Buffer.from(chunk).toString('hex'))
      after.push(chunk)
      b.write(chunk)
    })
    b.on('data', (chunk: Uint8Array) => a.write(chunk))
    b.open(key, { ondata: ({ value }) => void values.push(value) })
    const channel = a.open(key, {
      onopen: () => channel.data({ index: 0, value: new Uint8Array(9).fill(5) }),
    })
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    while (values.length === 0) await settled()
    t.strictSame(
      after.map((chunk) => Buffer.from(chunk).toString('hex')),
      before,
    )
    for (const chunk of after) chunk.fill(0)
    t.ok(values[0]?.every((byte) => byte === 5))
    a.destroy()
    b.destroy()
  }
})

test('options that make no sense are refused at once', async (t) => {
  // @ts-expect-error: what untyped programs do
  t.throws(() => new Connection('yes'), TypeError)
  t.throws(() => new Connection(true, { nonce: new Uint8Array(23) }), RangeError)
  t.throws(() => new Connection(true, { timeout: -1 }), RangeError)
  t.throws(
    () => new Connection(true, { keyPair: { publicKey: key, secretKey: new Uint8Array(64) } }),
    RangeError,
  )
  const connection = new Connection(true)
  t.throws(() => connection.open(new Uint8Array(31)), RangeError)
  connection.destroy()
})

test('the hooks of the options are called as the events are', async (t) => {
  const called: string[] = []
  const b = new Connection(false, {
    onhandshake: () => called.push('handshake'),
    ondiscoverykey: () => called.push('discovery-key'),
    onremoteopen: () => called.push('remote-open'),
    onextensions: (names) => called.push(names.join()),
    onchannelclose: (_discoveryKey, of) => called.push(of ? 'opened' : 'not opened'),
  })
  const a = new Connection(true)
  a.pipe(b).pipe(a)
  a.registerExtension('x').send('')
  const channel = a.open(key)
  await once(b, 'extensions')
  t.strictSame(b.remoteExtensions, ['x'])
  channel.close()
  await closed(a, b)
  t.strictSame(called, ['handshake', 'x', 'discovery-key', 'remote-open', 'not opened'])
})

test('stream extensions carry messages both ways, and a bad one goes to onerror', async (t) => {
  const [a, b] = pair({ live: true })
  const got: unknown[] = []
  const listen = (name: string, to: Connection): ReturnType<Connection['registerExtension']> =>
    to.registerExtension(name, {
      encoding: 'json',
      onmessage: (message) => got.push([name, message]),
      onerror: (error) => got.push(error.name),
    })
  listen('a', a)
  const fromA = listen('z', a)
  listen('z', b)
  const raw = b.registerExtension('a')
  t.notOk(fromA.remoteSupports())
  fromA.send({ n: 1 })
  raw.send('{')
  await handshaken(a, b)
  await settled()
  t.strictSame(new Set(got.splice(0)), new Set(['SyntaxError', ['z', { n: 1 }]]))
  t.ok(fromA.remoteSupports())
  t.throws(() => a.registerExtension('z'), TypeError)
  // Without 'a', 'z' is number 0: the list goes out again before the message.
  const late = a.registerExtension('0')
  late.destroy()
  late.destroy()
  late.send('nothing')
  t.equal(late.id, -1)
  fromA.send(2)
  await settled()
  t.strictSame(got.splice(0), [['z', 2]])
  raw.destroy()
  fromA.destroy()
  t.equal(fromA.id, -1)
  a.destroy()
  b.destroy()
})

test('onauthenticate decides, at once or later, and nothing is read before', async (t) => {
  for (const late of [false, true]) {
    const seen: Uint8Array[] = []
    const decide: (() => void)[] = []
    const options: ConnectionOptions = {
      onauthenticate(remotePublicKey, done) {
        seen.push(remotePublicKey)
        const answer = (): void => {
          done()
          done(new Error('too late to change'))
        }
        if (late) decide.push(answer)
        else answer()
      },
    }
    const [a, b] = pair(options)
    const batches: string[] = []
    a.open(key, { onopen: () => batches.push('open'), onbatchend: () => batches.push('end') })
    const channel = b.open(key, { onopen: () => channel.want({ start: 0 }) })
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await settled()
    for (let turn = 0; turn < 4; turn++) {
      t.notOk(batches.length > 0 && decide.length > 0)
      decide.shift()?.()
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await settled()
    }
    t.strictSame(batches, ['open', 'end'])
    t.strictSame(seen[0], b.publicKey)
    t.strictSame(seen[1], a.publicKey)
    a.destroy()
    b.destroy()
  }
})

test('who is refused is refused with one error', async (t) => {
  const [a] = pair({ onauthenticate: (_key, done) => done(new Error('go away')) })
  await closed(a)
  t.equal(failureOf(a), 'WIRE_HANDSHAKE')
})

test('a key pair may come later, and what arrived waits for it', async (t) => {
  let answer: (pair?: KeyPair) => void = () => {}
  const b = new Connection(false, {
    keyPair: (done) => {
      answer = (given) => done(null, given)
    },
  })
  const a = new Connection(true)
  a.pipe(b).pipe(a)
  await settled()
  t.equal(b.publicKey, null)
  const own = exchangeKeyPair()
  answer(own)
  answer(exchangeKeyPair())
  await handshaken(a, b)
  t.strictSame(a.remotePublicKey, own.publicKey)
  a.destroy()
  b.destroy()
})

test('a key pair that fails, is none, or throws ends the connection', async (t) => {
  const sources: ConnectionOptions['keyPair'][] = [
    (done) => done(new Error('locked')),
    (done) => done(null),
    (done) => done(null, { publicKey: key, secretKey: new Uint8Array(1) }),
    () => {
      throw new Error('broken')
    },
  ]
  const codes = ['WIRE_HANDSHAKE', 'WIRE_HANDSHAKE', 'WIRE_HANDLER', 'WIRE_HANDLER']
  for (const [i, keyPair] of sources.entries()) {
    const connection = new Connection(true, { keyPair })
    t.ok(connection.destroyed)
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await settled()
    t.equal(failureOf(connection), codes[i])
  }
})

test('silence ends a connection, a keepalive prevents it, and a trickle does not stretch the handshake', async (t) => {
  const timers = new ManualTimers()
  const [a, b] = pair({ timers, live: true, timeout: 400 })
  await handshaken(a, b)
  for (let i = 0; i < 20; i++) {
    timers.advance(200)
    // oxlint-disable-next-line no-await-in-loop -- keepalives cross
    await settled()
  }
  t.notOk(a.destroyed || b.destroyed)
  b.setKeepAlive(0)
  let timeouts = 0
  a.on('timeout', () => timeouts++)
  timers.advance(400)
  await settled()
  t.equal(timeouts, 1)
  t.equal(failureOf(a), 'ETIMEDOUT')
  b.destroy()

  const trickle = new Connection(false, { timers, timeout: 400 })
  trickle.resume()
  for (let i = 0; i < 5; i++) {
    trickle.write(Uint8Array.of(i === 0 ? 58 : 1))
    timers.advance(100)
  }
  t.equal(failureOf(trickle), 'ETIMEDOUT')
  await settled()
  t.equal(timers.count, 0, 'no timer is left behind')
})

test('timeouts can be changed, and switched off', async (t) => {
  const timers = new ManualTimers()
  for (const timeout of [0, false] as const) {
    const quiet = new Connection(true, { timers, timeout })
    t.equal(timers.count, 0)
    t.equal(quiet.timeout, 0)
    quiet.destroy()
  }
  const connection = new RawRemote({ timers, timeout: 1000 }).connection
  let told = 0
  connection.setTimeout(50, () => told++)
  const release = connection.holdIncoming()
  timers.advance(100)
  t.notOk(connection.destroyed, 'while the transport waits for us, its silence is our doing')
  release()
  release()
  timers.advance(50)
  t.equal(told, 1)
  t.ok(connection.destroyed)
})

test('a transport waits while somebody holds it', async (t) => {
  const remote = new RawRemote()
  const { connection } = remote
  const [first, second] = [connection.holdIncoming(), connection.holdIncoming()]
  let answered = false
  connection.write(Uint8Array.of(0), () => {
    answered = true
  })
  await settled()
  first()
  await settled()
  t.notOk(answered)
  second()
  await settled()
  t.ok(answered)
  connection.destroy()
})

test('a connection whose output is not read says that it is congested, and when it is over', async (t) => {
  const connection = new Connection(true, {
    encrypted: false,
    noise: false,
    limits: { outgoingBytes: 1000 },
  })
  let drained = 0
  const channel = connection.open(key, { ondrain: () => void drained++ })
  t.notOk(connection.congested)
  channel.data({ index: 0, value: new Uint8Array(2000) })
  t.ok(connection.congested)
  await settled()
  t.ok(connection.congested)
  channel.data({ index: 0, value: new Uint8Array(2000) })
  await settled()
  t.equal(drained, 0)
  connection.on('data', () => {})
  await settled()
  t.notOk(connection.congested)
  t.equal(drained, 1)
  connection.destroy()
})

test('a remote that never reads is given up', async (t) => {
  const connection = new Connection(true, {
    encrypted: false,
    noise: false,
    limits: { queuedBytes: 10_000 },
  })
  const channel = connection.open(key)
  for (let i = 0; i < 20 && !connection.destroyed; i++) {
    channel.data({ index: i, value: new Uint8Array(1000) })
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await settled()
  }
  t.equal(failureOf(connection), 'WIRE_LIMIT')
})

test('a connection that is not live ends with its last channel, unless somebody holds it', async (t) => {
  const [a, b] = [new Connection(true), new Connection(false, { live: true })]
  a.pipe(b).pipe(a)
  let asked = 0
  a.on('prefinalize', () => asked++)
  b.on('discovery-key', (discoveryKey: Uint8Array) => b.close(discoveryKey))
  const release = a.prefinalize.hold()
  a.open(key)
  await once(a, 'prefinalize')
  await settled()
  t.equal(a.channelCount, 0)
  t.notOk(a.readableEnded)
  release()
  await closed(a, b)
  t.equal(asked, 1)
  t.strictSame([failureOf(a), failureOf(b)], [null, null])
})

test('a live connection stays when its last channel closes, and ends with the remote', async (t) => {
  const [a, b] = pair({ live: true })
  const channel = a.open(key)
  await once(b, 'discovery-key')
  channel.close()
  await settled()
  t.notOk(a.readableEnded || b.readableEnded)
  a.finalize()
  a.finalize()
  await closed(a, b)
  channel.have({ start: 1 })
})

test('a stream that ends inside the handshake or a frame closes without an error', async (t) => {
  const early = new Connection(false)
  early.resume()
  early.end(Uint8Array.of(58, 1))
  await closed(early)
  t.equal(failureOf(early), null)
  const { connection } = new RawRemote()
  connection.end(Uint8Array.of(9, 0x13))
  await closed(connection)
  t.equal(failureOf(connection), null)
})

test('a transport that dies without an end ends the connection', async (t) => {
  const socket = new PassThrough()
  const connection = new Connection(false)
  socket.pipe(connection)
  socket.destroy()
  await closed(connection)
  t.equal(failureOf(connection), null)
  t.equal(connection.remoteAddress, null)
  t.equal(connection.remoteType, 'unknown')
})

/** Two connections without a role over a socket each; resolves with both, server's first. */
async function overSocket(
  serverRole: boolean | null,
  clientRole: boolean | null,
): Promise<[Connection, Connection]> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const accepted = new Promise<Connection>((resolve) => {
    server.once('connection', (socket) => {
      server.close()
      const connection = new Connection(serverRole)
      socket.pipe(connection).pipe(socket)
      resolve(connection)
    })
  })
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
  const client = new Connection(clientRole)
  socket.pipe(client).pipe(socket)
  return [await accepted, client]
}

test('on sockets nobody has to say who begins, whatever the other end was told', async (t) => {
  for (const [serverRole, clientRole] of [
    [null, null],
    [null, true],
    [false, null],
  ] as const) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    const [server, client] = await overSocket(serverRole, clientRole)
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await handshaken(server, client)
    t.strictSame([server.initiator, client.initiator], [false, true])
    t.match(client.remoteAddress, '127.0.0.1')
    t.equal(server.remoteType, 'tcp')
    const over = closed(server, client)
    server.finalize()
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await over
    t.match(client.remoteAddress, '127.0.0.1', 'also when the socket is closed')
  }
})

test('elsewhere they listen first, and both may speak', async (t) => {
  for (const jitter of [
    [0, 0.9],
    [0.9, 0],
    [0, 0],
  ] as const) {
    const timers = new ManualTimers()
    const ends = jitter.map((random) => new Connection(null, { timers, random: () => random }))
    const [a, b] = ends as [Connection, Connection]
    a.pipe(b).pipe(a)
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await settled()
    timers.advance(99)
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await settled()
    t.equal(a.bytesSent + b.bytesSent, 0)
    timers.advance(1)
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await settled()
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await handshaken(a, b)
    t.not(a.initiator, b.initiator)
    if (jitter[0] !== jitter[1]) t.equal(a.initiator, jitter[0] < jitter[1])
    a.destroy()
    b.destroy()
  }
})

test('any bytes, before or after the handshake, leave the process alone', async (t) => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(true, false, null),
      fc.boolean(),
      fc.array(fc.uint8Array({ maxLength: 100 }), { maxLength: 10 }),
      async (role, plain, chunks) => {
        const options = { live: true, ...(plain ? { encrypted: false, noise: false } : {}) }
        const victim = new Connection(role, options)
        victim.resume()
        victim.open(key)
        for (const chunk of chunks) if (!victim.destroyed) victim.write(chunk)
        await settled()
        const code = failureOf(victim)
        t.ok(code === null || code.startsWith('WIRE_'), String(code))
        victim.destroy()
      },
    ),
    { numRuns: 200 },
  )
})

test('the transport does not outlive a connection that is destroyed', async (t) => {
  const [server, client] = await overSocket(null, null)
  await handshaken(server, client)
  const over = closed(server, client)
  server.destroy()
  await over
  t.strictSame([failureOf(server), failureOf(client)], [null, null])
})

test('a transport that fails is an error of the connection, and of nothing else', async (t) => {
  const [server, client] = await overSocket(null, null)
  await handshaken(server, client)
  const over = closed(server, client)
  const reset = new Error('connection reset')
  // A reset of the remote is an `error` event of the socket that nobody else listens to.
  server.emit('pipe', new Duplex({ read() {}, write() {} }).destroy(reset))
  await over
  t.equal(failureOf(server), 'WIRE_TRANSPORT')
  t.equal((server.errored as Error).cause, reset)
  t.equal(failureOf(client), null)
})

test('what a transport brought before it closed is still read, and the connection closes', async (t) => {
  const connection = new Connection(true, { encrypted: false, noise: false })
  const transport = new PassThrough()
  const release = connection.holdIncoming()
  let received = 0
  connection.open(key, { onhave: () => void received++ })
  transport.pipe(connection)
  const outbox = new Outbox()
  outbox.message(1, 'Open', { discoveryKey: discoveryKey(key) })
  outbox.message(1, 'Have', { start: 1 })
  transport.write(Uint8Array.of(0))
  transport.end(outbox.take(null))
  await once(transport, 'end')
  transport.destroy()
  await settled()
  t.equal(received, 0)
  release()
  await closed(connection)
  t.equal(received, 1)
  t.equal(failureOf(connection), null)
})

test('a pipeline of sockets ends without an error', async (t) => {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const failures: unknown[] = []
  const over = new Promise<void>((resolve) => {
    const finish = (error: unknown): void => {
      failures.push(error ?? null)
      if (failures.length === 2) resolve()
    }
    const join = (socket: Socket): void => {
      const connection = new Connection()
      connection.once('close', () => failures.push(failureOf(connection)))
      pipeline(socket, connection, socket, finish)
      const channel = connection.open(key, { onopen: () => channel.close() })
    }
    server.once('connection', (socket) => {
      server.close()
      join(socket)
    })
    join(connect((server.address() as AddressInfo).port, '127.0.0.1'))
  })
  await over
  await settled()
  t.strictSame(new Set(failures), new Set([null]))
})
