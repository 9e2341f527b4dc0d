/** Vectors of encoded messages: message to frame, and the payload back to the message. */
import { strict as assert } from 'node:assert'
import { fromHex, toHex } from '../../../src/bytes.ts'
import type { OutgoingMessages } from '../../../src/wire/channel.ts'
import { decode } from '../../../src/wire/decode.ts'
import { Outbox } from '../../../src/wire/outbox.ts'
import type { VectorKind } from '../vector.ts'
import { fromJson, toJson } from './message-json.ts'

interface EncodeCase {
  readonly name: string
  readonly typeName: keyof OutgoingMessages
  readonly channel: number
  readonly message: unknown
  readonly payload: string
  readonly frame: string
  readonly decoded: unknown
}

function run(each: EncodeCase): void {
  const outbox = new Outbox()
  const message = fromJson(each.message) as OutgoingMessages[typeof each.typeName]
  outbox.message(each.channel, each.typeName, message)
  assert.equal(outbox.length, each.frame.length / 2)
  assert.equal(toHex(outbox.take(null)), each.frame)
  assert.ok(each.frame.endsWith(each.payload))
  assert.deepEqual(toJson(decode[each.typeName](fromHex(each.payload))), each.decoded)
}

/** The handler of `wire/messages-encode`. */
export const kind: VectorKind = {
  name: 'wire/messages-encode',
  *cases({ json }) {
    for (const each of json.cases as readonly EncodeCase[]) {
      yield { name: each.name, run: () => run(each) }
    }
  },
}
