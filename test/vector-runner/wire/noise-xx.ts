/** Vectors of the Noise XX handshake: all bytes and states, and what an altered message must not do. */
import { strict as assert } from 'node:assert'
import { fromHex, toHex } from '../../../src/bytes.ts'
import { exchangeKeyPair, exchangeKeyPairOf } from '../../../src/crypto.ts'
import { NoiseXX } from '../../../src/wire/noise.ts'
import { WireError } from '../../../src/wire/errors.ts'
import { encodeVarint, varintLength } from '../../../src/varint.ts'
import type { VectorKind } from '../vector.ts'

interface Side {
  readonly staticSeed: string
  readonly staticSecret: string
  readonly staticPublic: string
  readonly ephemeralSecret: string
  readonly ephemeralPublic: string
}

interface State {
  readonly ck: string
  readonly h: string
  readonly cipherKey: string
  readonly cipherNonce: string
}

interface NoiseCase {
  readonly name: string
  readonly initiator: Side
  readonly responder: Side
  readonly initial: State
  readonly messages?: readonly {
    readonly n: number
    readonly from: string
    readonly payload: string
    readonly bytes: string
    readonly framed: string
    readonly after: State | { readonly initiator: State; readonly responder: State }
  }[]
  readonly handshakeHash?: string | null
  readonly split?: {
    readonly initiatorTx: string
    readonly initiatorRx: string
    readonly responderTx: string
    readonly responderRx: string
  } | null
  readonly tampered?: {
    readonly message: number
    readonly bytes: string
    readonly receiver: string
  }
}

function endOf(side: Side, initiator: boolean): NoiseXX {
  const pair = exchangeKeyPair(fromHex(side.staticSeed))
  assert.equal(toHex(pair.publicKey), side.staticPublic)
  assert.equal(toHex(pair.secretKey), side.staticSecret)
  const ephemeral = exchangeKeyPairOf(fromHex(side.ephemeralSecret))
  assert.equal(toHex(ephemeral.publicKey), side.ephemeralPublic)
  return new NoiseXX(initiator, pair, ephemeral)
}

function stateOf(end: NoiseXX): State {
  const { ck, h, cipherKey, cipherNonce } = end.state
  const nonce = new Uint8Array(8)
  nonce[0] = cipherNonce
  return {
    ck: toHex(ck),
    h: toHex(h),
    cipherKey: toHex(cipherKey),
    cipherNonce: toHex(nonce),
  }
}

function framed(message: Uint8Array): string {
  const head = new Uint8Array(varintLength(message.length))
  encodeVarint(message.length, head, 0)
  return toHex(head) + toHex(message)
}

function run(each: NoiseCase): void {
  const ends = { initiator: endOf(each.initiator, true), responder: endOf(each.responder, false) }
  assert.deepEqual(stateOf(ends.initiator), each.initial)
  assert.deepEqual(stateOf(ends.responder), each.initial)
  for (const message of each.messages ?? []) {
    const [writer, reader] =
      message.from === 'initiator'
        ? [ends.initiator, ends.responder]
        : [ends.responder, ends.initiator]
    const bytes = writer.write(fromHex(message.payload))
    assert.equal(toHex(bytes), message.bytes)
    assert.equal(framed(bytes), message.framed)
    if (each.tampered?.message === message.n) break
    assert.equal(toHex(reader.read(bytes)), message.payload)
    const { after } = message
    const [left, right] = 'initiator' in after ? [after.initiator, after.responder] : [after, after]
    assert.deepEqual(stateOf(ends.initiator), left)
    assert.deepEqual(stateOf(ends.responder), right)
  }
  if (each.tampered) runTampered(each.tampered, ends)
  else {
    assert.ok(ends.initiator.finished && ends.responder.finished)
    for (const end of Object.values(ends)) {
      assert.equal(toHex(end.handshakeHash), each.handshakeHash)
    }
    const [a, b] = [ends.initiator.split(), ends.responder.split()]
    assert.deepEqual(
      {
        initiatorTx: toHex(a.tx),
        initiatorRx: toHex(a.rx),
        responderTx: toHex(b.tx),
        responderRx: toHex(b.rx),
      },
      pick(each.split),
    )
    assert.equal(toHex(ends.initiator.remotePublicKey ?? a.tx), each.responder.staticPublic)
    assert.equal(toHex(ends.responder.remotePublicKey ?? a.tx), each.initiator.staticPublic)
  }
}

function pick(split: NoiseCase['split']): unknown {
  assert.ok(split)
  const { initiatorTx, initiatorRx, responderTx, responderRx } = split
  return { initiatorTx, initiatorRx, responderTx, responderRx }
}

/** The altered message arrives. Whoever notices refuses; nobody that has yet to read may finish. */
function runTampered(
  tampered: NonNullable<NoiseCase['tampered']>,
  { initiator, responder }: { initiator: NoiseXX; responder: NoiseXX },
): void {
  const receiver = tampered.receiver === 'initiator' ? initiator : responder
  let message = fromHex(tampered.bytes)
  const work = (): void => {
    // Message 1 is not authenticated: what is wrong with it shows when its answer is read.
    receiver.read(message)
    message = receiver.write(new Uint8Array(26))
    initiator.read(message)
  }
  assert.throws(work, (error) => error instanceof WireError && error.code === 'WIRE_HANDSHAKE')
  assert.ok(!responder.finished)
  if (tampered.message < 3) assert.ok(!initiator.finished)
}

/** The handler of `wire/noise-xx`. */
export const kind: VectorKind = {
  name: 'wire/noise-xx',
  *cases({ json }) {
    for (const each of json.cases as readonly NoiseCase[]) {
      yield { name: each.name, run: () => run(each) }
    }
  },
}
