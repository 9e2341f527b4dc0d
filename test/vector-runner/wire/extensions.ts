/** Vectors of extensions: who numbers what, and the bytes of a message. */
import { strict as assert } from 'node:assert'
import { fromHex, toHex } from '../../../src/bytes.ts'
import { matchNames } from '../../../src/extension-names.ts'
import { decodeExtension } from '../../../src/wire/decode.ts'
import { Outbox } from '../../../src/wire/outbox.ts'
import { StreamExtensions } from '../../../src/wire/stream-extension.ts'
import type { VectorKind } from '../vector.ts'

interface ExtensionCase {
  readonly name: string
  readonly localRegistrationOrder: readonly string[]
  readonly localAdvertised: readonly string[]
  readonly localIds: Readonly<Record<string, number>>
  readonly remoteAdvertised: readonly string[]
  readonly incomingIdToLocalName: Readonly<Record<string, string | null>>
}

interface PayloadCase {
  readonly id: number
  readonly message: string
  readonly payload: string
  readonly frame: string
}

function run(each: ExtensionCase): void {
  const sent: unknown[] = []
  const received: string[] = []
  const extensions = new StreamExtensions({
    sendNames: (names) => sent.push(names),
    send: (id, message) => sent.push([id, toHex(message)]),
  })
  const registered = each.localRegistrationOrder.map((name) =>
    extensions.register(name, () => received.push(name)),
  )
  assert.deepEqual(extensions.names, each.localAdvertised)
  for (const extension of registered) {
    assert.equal(extension.id, each.localIds[extension.name])
    extension.send('x')
    assert.deepEqual(sent.pop(), [extension.id, '78'])
  }
  // The list went out once, before the first message.
  assert.deepEqual(sent, registered.length > 0 ? [each.localAdvertised] : [])
  extensions.receiveNames(each.remoteAdvertised)
  const matched = matchNames(extensions.names, each.remoteAdvertised)
  for (const [id, name] of Object.entries(each.incomingIdToLocalName)) {
    assert.equal(matched[Number(id)] ?? null, name)
    extensions.receive(Number(id), fromHex('00'))
    assert.deepEqual(received.splice(0), name === null ? [] : [name])
  }
}

function runPayload(each: PayloadCase): void {
  const outbox = new Outbox()
  outbox.extension(1, each.id, fromHex(each.message))
  assert.equal(toHex(outbox.take(null)), each.frame)
  const payload = fromHex(each.payload)
  const { id, at } = decodeExtension(payload, 0, payload.length)
  assert.equal(id, each.id)
  assert.equal(toHex(payload.subarray(at)), each.message)
}

/** The handler of `wire/extensions`. */
export const kind: VectorKind = {
  name: 'wire/extensions',
  *cases({ json }) {
    for (const each of json.cases as readonly ExtensionCase[]) {
      yield { name: each.name, run: () => run(each) }
    }
    for (const each of (json['messagePayloads'] ?? []) as readonly PayloadCase[]) {
      yield { name: `payload of extension ${each.id}`, run: () => runPayload(each) }
    }
  },
}
