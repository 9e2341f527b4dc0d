/** Vectors of the transport: one keystream each way, over everything. */
import { strict as assert } from 'node:assert'
import { concat, fromHex, toHex } from '../../../src/bytes.ts'
import { StreamCipher } from '../../../src/crypto.ts'
import type { OutgoingMessages } from '../../../src/wire/channel.ts'
import { FrameParser } from '../../../src/wire/frame.ts'
import { MessageType } from '../../../src/wire/messages.ts'
import { Outbox } from '../../../src/wire/outbox.ts'
import type { VectorKind } from '../vector.ts'
import { fromJson } from './message-json.ts'

interface PiecesCase {
  readonly name: string
  readonly key: string
  readonly nonce: string
  readonly pieces: readonly { readonly plain: string; readonly cipher: string }[]
}

interface ScriptCase {
  readonly name: string
  readonly keys: { readonly aTx: string; readonly bTx: string }
  readonly nonces: { readonly a: string; readonly b: string }
  readonly script: readonly {
    readonly from: 'A' | 'B'
    readonly channel?: number
    readonly type?: number
    readonly message?: unknown
    readonly plain: string
    readonly cipher: string
  }[]
}

const names = Object.keys(MessageType) as (keyof typeof MessageType)[]

function runPieces({ key, nonce, pieces }: PiecesCase): void {
  const sender = new StreamCipher(fromHex(nonce), fromHex(key))
  const receiver = new StreamCipher(fromHex(nonce), fromHex(key))
  for (const { plain, cipher } of pieces) {
    const out = new Uint8Array(plain.length / 2)
    sender.update(fromHex(plain), out)
    assert.equal(toHex(out), cipher)
  }
  // Where the pieces are cut is irrelevant.
  const whole = fromHex(pieces.map(({ cipher }) => cipher).join(''))
  for (let at = 0; at < whole.length; at += 7) {
    const part = whole.subarray(at, at + 7)
    receiver.update(part, part)
  }
  assert.equal(toHex(whole), pieces.map(({ plain }) => plain).join(''))
}

function runScript({ keys, nonces, script }: ScriptCase): void {
  for (const from of ['A', 'B'] as const) {
    const [key, nonce] = from === 'A' ? [keys.aTx, nonces.a] : [keys.bTx, nonces.b]
    const cipher = new StreamCipher(fromHex(nonce), fromHex(key))
    const plain: Uint8Array[] = []
    const frames: unknown[] = []
    for (const step of script.filter((each) => each.from === from)) {
      const outbox = new Outbox()
      const name = names.find((each) => MessageType[each] === step.type)
      if (step.channel === undefined || !name || name === 'Extension') outbox.ping()
      else {
        const message = fromJson(step.message) as OutgoingMessages[typeof name]
        outbox.message(step.channel, name, message)
        frames.push([step.channel, step.type])
      }
      const bytes = outbox.take(cipher)
      assert.equal(toHex(bytes), step.cipher)
      plain.push(fromHex(step.plain))
    }
    const parsed: unknown[] = []
    new FrameParser((channel, type) => parsed.push([channel, type]) > 0).receive(concat(plain))
    assert.deepEqual(parsed, frames)
  }
}

/** The handler of `wire/transport`. */
export const kind: VectorKind = {
  name: 'wire/transport',
  *cases({ json }) {
    for (const each of json.cases as readonly (PiecesCase | ScriptCase)[]) {
      const run = 'pieces' in each ? () => runPieces(each) : () => runScript(each)
      yield { name: each.name, run }
    }
  },
}
