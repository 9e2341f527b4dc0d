/** Vectors of whole connections: framed handshake, keystream and frames, in every mode and chunk size. */
import { strict as assert } from 'node:assert'
import { concat, fromHex, toHex } from '../../../src/bytes.ts'
import { exchangeKeyPair, exchangeKeyPairOf, randomBytes } from '../../../src/crypto.ts'
import { decode } from '../../../src/wire/decode.ts'
import { WireError } from '../../../src/wire/errors.ts'
import { DEFAULT_LIMITS } from '../../../src/wire/limits.ts'
import { MessageType } from '../../../src/wire/messages.ts'
import { Session } from '../../../src/wire/session.ts'
import type { SessionKeys } from '../../../src/wire/session.ts'
import type { VectorKind } from '../vector.ts'

interface Side {
  readonly staticSecret: string
  readonly ephemeralSecret: string
  readonly nonce: string
}

interface StreamCase {
  readonly name: string
  readonly options: { readonly encrypted?: boolean; readonly noise?: boolean }
  readonly deliveryChunk: number
  readonly A: Side
  readonly B: Side
  readonly calls: readonly string[]
  readonly wire: readonly { readonly from: 'A' | 'B'; readonly bytes: string }[]
  readonly handshakeHash: string | null
  readonly split: { readonly aTx: string; readonly aRx: string } | null
  readonly aSeesRemoteKey: string | null
  readonly bSeesRemoteKey: string | null
  readonly events: readonly (string | readonly [string, number, number])[]
}

interface RefusedCase {
  readonly name: string
  readonly wireMessages: number
  readonly events: readonly string[]
}

/** Two sessions, and everything that happened. */
class Link {
  readonly events: unknown[] = []
  readonly sent = { A: [] as Uint8Array[], B: [] as Uint8Array[] }
  readonly sides: { readonly A: Session; readonly B: Session }
  readonly #chunk: number

  constructor(options: StreamCase['options'], chunk: number, refuses?: 'A' | 'B') {
    const encrypted = options.encrypted !== false
    const mode = { encrypted, handshake: encrypted || options.noise !== false }
    this.#chunk = chunk
    const session = (side: 'A' | 'B'): Session =>
      new Session(
        mode,
        {
          queued: () => {},
          authenticate: () => {
            if (side === refuses) throw new WireError('WIRE_HANDSHAKE', 'refused')
            this.sides[side].accept()
          },
          handshake: () => this.events.push(`${side} handshake`) > 0,
          frame: (channel, type, bytes, start, end) => {
            assert.equal(type, MessageType.Have)
            const have = decode.Have(bytes, start, end)
            return this.events.push([`${side} have`, channel, have.start]) > 0
          },
        },
        DEFAULT_LIMITS,
      )
    this.sides = { A: session('A'), B: session('B') }
  }

  start(side: 'A' | 'B', keys: Omit<SessionKeys, 'initiator'>): void {
    this.sides[side].start({ ...keys, initiator: side === 'A' })
  }

  /** Deliver until both are silent. */
  settle(): void {
    for (let silent = 0, from: 'A' | 'B' = 'A'; silent < 2; from = from === 'A' ? 'B' : 'A') {
      const bytes = this.sides[from].take()
      silent = bytes ? 0 : silent + 1
      if (!bytes) continue
      this.sent[from].push(bytes)
      const to = this.sides[from === 'A' ? 'B' : 'A']
      const step = this.#chunk || bytes.length
      for (let at = 0; at < bytes.length; at += step) to.receive(bytes.subarray(at, at + step))
    }
  }

  /** Make the calls that a line of the script names. */
  call(line: string): void {
    for (const [, side, name, argument = ''] of line.matchAll(/([AB])\.(\w+)\(([^)]*)\)/g)) {
      const session = this.sides[side === 'A' ? 'A' : 'B']
      if (name === 'ping') {
        session.ping()
        continue
      }
      assert.equal(name, 'have')
      const number = (pattern: RegExp): number | null => {
        const text = pattern.exec(argument)?.[1]
        return text === undefined ? null : Number(text)
      }
      session.send(number(/^(\d+)/) ?? 0, 'Have', {
        start: number(/start:(\d+)/) ?? 0,
        length: number(/length:(\d+)/),
      })
    }
  }
}

function keysOf(side: Side): Omit<SessionKeys, 'initiator'> {
  return {
    keyPair: exchangeKeyPairOf(fromHex(side.staticSecret)),
    ephemeral: exchangeKeyPairOf(fromHex(side.ephemeralSecret)),
    nonce: fromHex(side.nonce),
  }
}

function run(each: StreamCase): void {
  const link = new Link(each.options, each.deliveryChunk)
  const hasHandshake = each.handshakeHash !== null
  if (hasHandshake) {
    link.start('A', keysOf(each.A))
    link.start('B', keysOf(each.B))
  }
  for (const line of each.calls) {
    link.call(line)
    link.settle()
  }
  for (const side of ['A', 'B'] as const) {
    const written = each.wire.filter(({ from }) => from === side).map(({ bytes }) => bytes)
    assert.equal(toHex(concat(link.sent[side])), written.join(''))
  }
  assert.deepEqual(link.events, each.events)
  const { A, B } = link.sides
  for (const session of [A, B]) assert.equal(text(session.handshakeHash), each.handshakeHash)
  assert.equal(text(A.split?.tx), each.split?.aTx ?? null)
  assert.equal(text(A.split?.rx), each.split?.aRx ?? null)
  assert.equal(text(B.split?.rx), each.split?.aTx ?? null)
  assert.equal(text(A.remotePublicKey), each.aSeesRemoteKey)
  assert.equal(text(B.remotePublicKey), each.bSeesRemoteKey)
}

function text(bytes: Uint8Array | null | undefined): string | null {
  return bytes ? toHex(bytes) : null
}

/** One side refuses the other's key: the handshake stops there, with one error. */
function runRefused(each: RefusedCase): void {
  const refuses = each.events.some((event) => event.startsWith('A destroy')) ? 'A' : 'B'
  const link = new Link({}, 0, refuses)
  for (const side of ['A', 'B'] as const) {
    const [keyPair, ephemeral] = [exchangeKeyPair(), exchangeKeyPair()]
    link.start(side, { keyPair, ephemeral, nonce: randomBytes(24) })
  }
  assert.throws(
    () => link.settle(),
    (error) => error instanceof WireError && error.code === 'WIRE_HANDSHAKE',
  )
  assert.equal(link.sent.A.length + link.sent.B.length, each.wireMessages)
  const happened = each.events.filter((event) => !event.includes('destroy'))
  assert.deepEqual(link.events, happened)
}

/** The handler of `wire/handshake-stream`. */
export const kind: VectorKind = {
  name: 'wire/handshake-stream',
  *cases({ json }) {
    for (const each of json.cases as readonly (StreamCase | RefusedCase)[]) {
      yield { name: each.name, run: () => ('wire' in each ? run(each) : runRefused(each)) }
    }
  },
}
