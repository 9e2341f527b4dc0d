/** The handshake on a stream: limits, order, refusals, and roles that nobody gave. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { test } from 'tap'
import { concat, fromHex, toHex } from '../../src/bytes.ts'
import { exchangeKeyPair } from '../../src/crypto.ts'
import type { KeyPair } from '../../src/crypto.ts'
import { WireError } from '../../src/wire/errors.ts'
import { Handshake } from '../../src/wire/handshake.ts'
import { NoiseXX } from '../../src/wire/noise.ts'
import { hintOf, staysInitiator } from '../../src/wire/role.ts'

const handshake = (initiator: boolean | null, ephemeral: KeyPair = exchangeKeyPair()): Handshake =>
  new Handshake({
    initiator,
    keyPair: exchangeKeyPair(),
    ephemeral,
    nonce: new Uint8Array(24).fill(1),
    maxBytes: 65_535,
  })

/** Carry bytes to and fro until both are silent, in pieces of `step`. */
function settle(a: Handshake, b: Handshake, step = 1000): void {
  for (let idle = 0; idle < 2;) {
    idle = 0
    for (const [from, to] of [
      [a, b],
      [b, a],
    ] as const) {
      const bytes = concat(from.take())
      if (bytes.length === 0) idle++
      for (let at = 0; at < bytes.length; at += step) to.receive(bytes.subarray(at, at + step))
      if (to.asking) to.accept()
    }
  }
}

function codeOf(work: () => unknown): string | null {
  try {
    work()
    return null
  } catch (error) {
    if (error instanceof WireError) return error.code
    throw error
  }
}

test('two ends agree on keys and hash, in pieces of any size', async (t) => {
  for (const step of [1, 2, 7, 1000]) {
    const [a, b] = [handshake(true), handshake(false)]
    a.begin()
    settle(a, b, step)
    const [left, right] = [a.result(), b.result()]
    t.ok(left && right)
    t.strictSame(left?.split.tx, right?.split.rx)
    t.strictSame(left?.split.rx, right?.split.tx)
    t.strictSame(left?.handshakeHash, right?.handshakeHash)
    t.strictSame([left?.initiator, right?.initiator], [true, false])
  }
})

test('a length of more than three bytes, of 0, or above 65535 is an error at once', async (t) => {
  for (const hex of ['ffffff', '808080', '00', '8000', '808000', '808004', 'ffff04']) {
    t.equal(
      codeOf(() => handshake(false).receive(fromHex(hex))),
      'WIRE_HANDSHAKE',
      hex,
    )
    t.equal(
      codeOf(() => handshake(null).receive(fromHex(hex))),
      'WIRE_HANDSHAKE',
      hex,
    )
  }
  t.equal(
    codeOf(() => handshake(false).receive(fromHex('ffff03'))),
    null,
  )
})

test('bytes behind the last message are left over for the transport', async (t) => {
  const [a, b] = [handshake(true), handshake(false)]
  a.begin()
  b.receive(concat(a.take()))
  a.receive(concat(b.take()))
  t.ok(a.asking)
  a.accept()
  const last = concat([...a.take(), fromHex('010203')])
  b.receive(last)
  t.equal(b.result(), null)
  b.receive(fromHex('0405'))
  b.accept()
  const rest = b.result()?.rest
  t.equal(rest && toHex(rest), '0102030405')
})

test('no message leaves before the remote is accepted', async (t) => {
  const [a, b] = [handshake(true), handshake(false)]
  a.begin()
  b.receive(concat(a.take()))
  a.receive(concat(b.take()))
  t.equal(a.take().length, 0)
  t.equal(a.result(), null)
  a.accept()
  t.equal(a.take().length, 1)
})

test('two initiators fail', async (t) => {
  const [a, b] = [handshake(true), handshake(true)]
  a.begin()
  b.begin()
  t.equal(
    codeOf(() => settle(a, b)),
    'WIRE_HANDSHAKE',
  )
})

test('a payload that is none fails once the handshake is through', async (t) => {
  const noise = new NoiseXX(true, exchangeKeyPair(), exchangeKeyPair())
  const victim = handshake(false)
  const say = (payload: Uint8Array): void => {
    const message = noise.write(payload)
    victim.receive(concat([Uint8Array.of(message.length), message]))
  }
  say(fromHex('0a05aa'))
  noise.read(concat(victim.take()).subarray(1))
  say(new Uint8Array(0))
  victim.accept()
  t.equal(
    codeOf(() => victim.result()),
    'WIRE_HANDSHAKE_PAYLOAD',
  )
})

test('any bytes at any stage are waited on or a WireError', async (t) => {
  fc.assert(
    fc.property(fc.nat(2), fc.array(fc.uint8Array({ maxLength: 200 })), (stage, chunks) => {
      const [a, b] = [handshake(true), handshake(false)]
      a.begin()
      if (stage > 0) b.receive(concat(a.take()))
      const victim = stage === 2 ? a : b
      const code = codeOf(() => chunks.forEach((chunk) => victim.receive(chunk)))
      assert.ok(code === null || code === 'WIRE_HANDSHAKE')
      assert.equal(victim.result(), null)
    }),
  )
  t.pass('any bytes')
})

test('without a role, who hears bytes first responds', async (t) => {
  const [a, b] = [handshake(true), handshake(null)]
  a.begin()
  settle(a, b)
  b.begin() // the timer comes late: nothing happens
  t.equal(b.take().length, 0)
  t.equal(b.result()?.initiator, false)
  const [c, d] = [handshake(null), handshake(null)]
  c.begin()
  settle(c, d)
  t.equal(c.result()?.initiator, true)
  t.equal(d.result()?.initiator, false)
})

test('when both spoke, the lower ephemeral key responds, and both finish', async (t) => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 200 }), (step) => {
      const pairs = [exchangeKeyPair(), exchangeKeyPair()] as const
      const [a, b] = [handshake(null, pairs[0]), handshake(null, pairs[1])]
      a.begin()
      b.begin()
      settle(a, b, step)
      const [left, right] = [a.result(), b.result()]
      assert.ok(left && right)
      assert.notEqual(left.initiator, right.initiator)
      assert.equal(left.initiator, toHex(pairs[0].publicKey) > toHex(pairs[1].publicKey))
      assert.deepEqual(left.handshakeHash, right.handshakeHash)
    }),
    { numRuns: 30 },
  )
  t.pass('any keys')
})

test('the same ephemeral key on both ends is an error', async (t) => {
  const end = handshake(null)
  end.begin()
  const own = concat(end.take())
  t.equal(
    codeOf(() => end.receive(own)),
    'WIRE_ROLE',
  )
  t.throws(() => staysInitiator(own, own), { code: 'WIRE_ROLE' })
})

test('a first message is answered at most once', async (t) => {
  // Whoever stayed the initiator ignores one first message; a second one is no answer to its own.
  for (let tries = 0; tries < 20; tries++) {
    const pairs = [exchangeKeyPair(), exchangeKeyPair()] as const
    if (toHex(pairs[0].publicKey) < toHex(pairs[1].publicKey)) continue
    const [winner, loser] = [handshake(null, pairs[0]), handshake(null, pairs[1])]
    winner.begin()
    loser.begin()
    const first = concat(loser.take())
    winner.receive(first)
    t.equal(
      codeOf(() => winner.receive(first)),
      'WIRE_HANDSHAKE',
    )
    return
  }
})

test('a socket of a server responds, a connecting one initiates, anything else listens', async (t) => {
  t.equal(hintOf({ connect() {}, server: {} }), 'respond')
  t.equal(hintOf({ connect() {}, server: null }), 'initiate')
  t.equal(hintOf({ connect() {} }), 'initiate')
  for (const other of [{}, { server: null }, null, undefined, 'pipe']) {
    t.equal(hintOf(other), 'listen')
  }
})

test('Noise is written and read in turn, and never again after a failure', async (t) => {
  const responder = new NoiseXX(false, exchangeKeyPair(), exchangeKeyPair())
  t.throws(() => responder.write(new Uint8Array(0)), { code: 'WIRE_HANDSHAKE' })
  t.throws(() => responder.read(new Uint8Array(31)), { code: 'WIRE_HANDSHAKE' })
  t.throws(() => responder.read(new Uint8Array(58)), { code: 'WIRE_HANDSHAKE' })
  const initiator = new NoiseXX(true, exchangeKeyPair(), exchangeKeyPair())
  t.throws(() => initiator.read(new Uint8Array(58)), { code: 'WIRE_HANDSHAKE' })
  t.ok(initiator.writes)
})
