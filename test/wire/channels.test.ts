/** Channels: who opened what, under which number, and what a stranger may not do. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { test } from 'tap'
import { concat, fromHex } from '../../src/bytes.ts'
import { discoveryKey } from '../../src/crypto.ts'
import type { ChannelHandlers } from '../../src/wire/channel.ts'
import { Connection } from '../../src/wire/connection.ts'
import { encode } from '../../src/wire/encode.ts'
import { encodeFrameHead } from '../../src/wire/frame.ts'
import { Outbox } from '../../src/wire/outbox.ts'
import { failureOf, RawRemote, RawSession, settled } from './raw-remote.ts'

const key = new Uint8Array(32).fill(1)
const other = new Uint8Array(32).fill(2)
const open = { discoveryKey: discoveryKey(key) }

/** Handlers that note their name. */
function noting(log: string[]): ChannelHandlers {
  const names = [
    'onopen',
    'onclose',
    'onoptions',
    'onstatus',
    'onhave',
    'onunhave',
    'onwant',
    'onunwant',
    'onrequest',
    'oncancel',
    'ondata',
    'onextension',
    'onbatchend',
    'ondrain',
  ]
  return Object.fromEntries(names.map((name) => [name, () => void log.push(name)]))
}

test('opening sends an Open, once, and numbers are never used again', async (t) => {
  const remote = new RawRemote()
  const { connection } = remote
  const channel = connection.open(key)
  t.equal(connection.open(key), channel)
  t.equal(channel.localId, 1)
  channel.close()
  t.ok(channel.closed)
  channel.close()
  channel.status({ uploading: true })
  t.equal(connection.open(key).localId, 2)
  await settled()
  const written = remote.take()
  t.strictSame(
    written.map(([name, id]) => [name, id]),
    [
      ['Open', 1],
      ['Close', 1],
      ['Open', 2],
    ],
  )
  connection.destroy()
})

test('every message of an open channel reaches its handler, then the batch ends', async (t) => {
  const remote = new RawRemote()
  const log: string[] = []
  const channel = remote.connection.open(key, noting(log))
  await remote.send(5, 'Open', open)
  t.ok(channel.remoteOpened && channel.remoteVerified)
  t.strictSame(log.splice(0), ['onopen'])
  const outbox = new Outbox()
  outbox.message(5, 'Options', { extensions: ['a'] })
  outbox.message(5, 'Status', {})
  outbox.message(5, 'Have', { start: 1 })
  outbox.message(5, 'Unhave', { start: 1 })
  outbox.message(5, 'Want', { start: 1 })
  outbox.message(5, 'Unwant', { start: 1 })
  outbox.message(5, 'Request', { index: 1 })
  outbox.message(5, 'Cancel', { index: 1 })
  outbox.message(5, 'Data', { index: 1 })
  outbox.extension(5, 0, new Uint8Array(1))
  await remote.bytes(outbox.take(null))
  t.strictSame(log.splice(0), [
    'onoptions',
    'onstatus',
    'onhave',
    'onunhave',
    'onwant',
    'onunwant',
    'onrequest',
    'oncancel',
    'ondata',
    'onextension',
    'onbatchend',
  ])
  // Types 11 to 14 mean nothing, and are not even read.
  await remote.bytes('025b80')
  t.strictSame(log, [])
  await remote.send(5, 'Close', {})
  t.strictSame(log, ['onclose'])
  t.equal(remote.connection.channelCount, 0)
  remote.connection.destroy()
})

test('every message of ours arrives on our own number', async (t) => {
  const remote = new RawRemote()
  const channel = remote.connection.open(key)
  channel.options({ extensions: [], ack: false })
  channel.status({ uploading: true, downloading: false })
  channel.have({ start: 1 })
  channel.unhave({ start: 1 })
  channel.want({ start: 0 })
  channel.unwant({ start: 0 })
  channel.request({ index: 1 })
  channel.cancel({ index: 1 })
  channel.data({ index: 1, value: new Uint8Array(0) })
  channel.extension(3, new Uint8Array(1))
  await settled()
  t.strictSame(
    remote.take().map(([name, id]) => `${name} ${id}`),
    [
      'Open 1',
      'Options 1',
      'Status 1',
      'Have 1',
      'Unhave 1',
      'Want 1',
      'Unwant 1',
      'Request 1',
      'Cancel 1',
      'Data 1',
      'Extension 1',
    ],
  )
  channel.destroy()
  t.ok(remote.connection.destroyed)
})

test('messages of channels that are unknown, closed or not opened here are dropped', async (t) => {
  const remote = new RawRemote({ live: true })
  await remote.send(7, 'Have', { start: 1 })
  await remote.send(8, 'Open', open)
  await remote.send(8, 'Have', { start: 1 })
  await remote.send(8, 'Close', {})
  await remote.send(8, 'Have', { start: 1 })
  await remote.send(0, 'Have', { start: 1 })
  await remote.send(0, 'Close', {})
  t.equal(failureOf(remote.connection), null)
  t.notOk(remote.connection.destroyed)
  remote.connection.destroy()
})

test('what does not decode is fatal on every channel, open or not, and 0 too', async (t) => {
  // A Have with a cut integer, a Data whose value runs past the end, an extension message without number.
  const frames = [
    { type: '3', payload: '0880' },
    { type: '9', payload: '0801127f00' },
    { type: 'f', payload: '' },
    { type: 'f', payload: '80' },
  ]
  for (const { type, payload } of frames) {
    for (const id of ['0', '1', '7']) {
      const remote = new RawRemote()
      remote.connection.open(key)
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await remote.send(1, 'Open', open)
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await remote.bytes(`0${payload.length / 2 + 1}${id}${type}${payload}`)
      t.equal(failureOf(remote.connection), 'WIRE_BAD_MESSAGE', `${type} on channel ${id}`)
    }
  }
})

test('an Open on channel 0, on a number in use, or of an open log is fatal', async (t) => {
  const wrong = [
    [[0, open]],
    [
      [3, open],
      [3, { discoveryKey: discoveryKey(other) }],
    ],
    [
      [3, open],
      [4, open],
    ],
  ] as const
  for (const opens of wrong) {
    const remote = new RawRemote({ live: true })
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    for (const [id, message] of opens) await remote.send(id, 'Open', message)
    t.equal(failureOf(remote.connection), 'WIRE_BAD_OPEN')
  }
})

test('a remote may open as many channels as the limit says', async (t) => {
  const remote = new RawRemote({ limits: { channels: 2 } })
  const seen: Uint8Array[] = []
  remote.connection.on('discovery-key', (each: Uint8Array) => seen.push(each))
  const outbox = new Outbox()
  for (let id = 1; id <= 3; id++) {
    outbox.message(id, 'Open', { discoveryKey: new Uint8Array(32).fill(id) })
  }
  await remote.bytes(outbox.take(null))
  t.equal(seen.length, 2)
  t.equal(failureOf(remote.connection), 'WIRE_LIMIT')
})

test('nothing after a fatal message of the same chunk is looked at', async (t) => {
  const remote = new RawRemote()
  const log: string[] = []
  remote.connection.open(key, noting(log))
  await remote.send(1, 'Open', open)
  const [bad, good] = [new Outbox(), new Outbox()]
  bad.message(0, 'Open', open)
  good.message(1, 'Have', { start: 1 })
  await remote.bytes(concat([bad.take(null), good.take(null)]))
  t.notOk(log.includes('onhave'))
  t.strictSame(log, ['onopen', 'onclose'])
})

test('closing a log that is not open here tells the remote by its discovery key', async (t) => {
  const remote = new RawRemote()
  remote.connection.on('discovery-key', (each: Uint8Array) => remote.connection.close(each))
  await remote.send(1, 'Open', open)
  t.strictSame(remote.take(), [['Close', 1, { discoveryKey: Buffer.from(open.discoveryKey) }]])
  t.ok(remote.connection.remoteOpened(key))
  const [channel] = remote.connection.channels
  channel?.close()
  await settled()
  t.equal(remote.take()[0]?.[1], 2)
  await remote.send(1, 'Close', {})
  t.notOk(remote.connection.remoteOpened(key))
  remote.connection.destroy()
})

test('a Close by discovery key closes the channel and every entry of it', async (t) => {
  const remote = new RawRemote({ live: true })
  const log: string[] = []
  remote.connection.open(key, noting(log))
  await remote.send(1, 'Open', open)
  await remote.send(9, 'Close', open)
  await remote.send(1, 'Have', { start: 1 })
  t.strictSame(log, ['onopen', 'onclose'])
  await remote.send(9, 'Close', open)
  t.strictSame(
    remote.take().map(([name, id]) => [name, id]),
    [
      ['Open', 1],
      ['Close', 1],
    ],
  )
  remote.connection.destroy()
})

test('a log can be opened again from its own onclose', async (t) => {
  const remote = new RawRemote({ live: true })
  const { connection } = remote
  connection.open(key, { onclose: () => void connection.open(key) })
  await remote.send(1, 'Open', open)
  connection.close(open.discoveryKey)
  await settled()
  t.strictSame(
    remote.take().map(([name, id]) => [name, id]),
    [
      ['Open', 1],
      ['Close', 1],
      ['Open', 2],
    ],
  )
  t.ok(connection.opened(key))
  await remote.send(2, 'Open', open)
  t.ok(connection.remoteVerified(key))
  connection.destroy()
})

test('handlers may be given later, and a handler that throws ends the connection', async (t) => {
  const remote = new RawRemote()
  remote.connection.open(key)
  const thrown = new Error('no')
  remote.connection.open(key, {
    onhave() {
      throw thrown
    },
  })
  await remote.send(1, 'Open', open)
  await remote.send(1, 'Have', { start: 1 })
  t.equal(failureOf(remote.connection), 'WIRE_HANDLER')
  t.equal((remote.connection.errored as Error).cause, thrown)
})

test('when the connection ends, every channel is told, and every handler that throws is heard of', async (t) => {
  const closed: unknown[] = []
  const remote = new RawRemote({ onchannelclose: (_discoveryKey, of) => closed.push(of) })
  const log: string[] = []
  remote.connection.open(key, noting(log))
  remote.connection.open(other, {
    onclose() {
      throw new Error('late')
    },
  })
  await remote.send(1, 'Open', { discoveryKey: new Uint8Array(32) })
  remote.connection.destroy()
  await settled()
  t.strictSame(log, ['onclose'])
  t.strictSame(closed, [key, null])
  t.equal(failureOf(remote.connection), 'WIRE_HANDLER')
  t.throws(() => remote.connection.open(key), { code: 'WIRE_CLOSED' })
  remote.connection.close(open.discoveryKey)
})

test('a log that came first can be judged before it is opened', async (t) => {
  const [a, b] = [new Connection(true, { live: true }), new Connection(false, { live: true })]
  a.pipe(b).pipe(a)
  const verified: boolean[] = []
  b.on('discovery-key', () => {
    verified.push(b.remoteVerified(key), b.remoteVerified(other))
    b.open(key)
  })
  const duplex = new Promise((resolve) => a.on('duplex-channel', resolve))
  const channel = a.open(key)
  t.notOk(channel.remoteVerified)
  await duplex
  t.strictSame(verified, [true, false])
  t.ok(a.remoteVerified(key) && channel.remoteVerified)
  a.destroy()
  b.destroy()
})

test('without the capability, a remote ends the connection if we opened first, and not otherwise', async (t) => {
  for (const opened of [true, false]) {
    for (const capability of [null, new Uint8Array(32), new Uint8Array(31)]) {
      const victim = new Connection(false, { live: true })
      const stranger = new RawSession(victim)
      if (opened) victim.open(key)
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await settled()
      stranger.session.send(1, 'Open', { ...open, capability })
      // oxlint-disable-next-line no-await-in-loop -- one after the other
      await settled()
      t.ok(victim.handshaken)
      t.equal(failureOf(victim), opened ? 'WIRE_BAD_CAPABILITY' : null)
      if (!opened) t.ok(victim.remoteOpened(key) && !victim.remoteVerified(key))
      victim.destroy()
    }
  }
})

test('any frames leave the process alone, and end in order or in a WireError', async (t) => {
  const frame = fc.record({
    channel: fc.nat(3),
    type: fc.nat(15),
    payload: fc.oneof(
      fc.uint8Array({ maxLength: 60 }),
      fc.constant(encode.Open(open)),
      fc.constant(encode.Close(open)),
      fc.constant(fromHex('08011001')),
    ),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(frame, { maxLength: 20 }), async (frames) => {
      const remote = new RawRemote({ live: true })
      remote.connection.open(other, noting([]))
      remote.connection.on('discovery-key', (each: Uint8Array) => {
        if (frames.length % 2 === 0) remote.connection.open(key, noting([]))
        else remote.connection.close(each)
      })
      for (const { channel, type, payload } of frames) {
        const bytes = new Uint8Array(payload.length + 13)
        const at = encodeFrameHead(channel, type, payload.length, bytes, 0)
        bytes.set(payload, at)
        // oxlint-disable-next-line no-await-in-loop -- one after the other
        if (!remote.connection.destroyed) await remote.bytes(bytes.subarray(0, at + payload.length))
      }
      const code = failureOf(remote.connection)
      assert.ok(code === null || code.startsWith('WIRE_'), String(code))
      remote.connection.destroy()
    }),
    { numRuns: 200 },
  )
  t.pass('any frames')
})
