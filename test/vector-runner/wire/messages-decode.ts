/** Vectors of payloads that are, or are not, messages. */
import { strict as assert } from 'node:assert'
import { fromHex } from '../../../src/bytes.ts'
import { decode } from '../../../src/wire/decode.ts'
import { WireError } from '../../../src/wire/errors.ts'
import type { VectorKind } from '../vector.ts'
import { toJson } from './message-json.ts'

interface DecodeCase {
  readonly name: string
  readonly typeName: keyof typeof decode
  readonly payload: string
  readonly reference: { readonly ok: boolean; readonly message?: unknown }
  readonly required: 'accept' | 'reject' | 'any'
}

function run(each: DecodeCase): void {
  let message: unknown
  let accepted = true
  try {
    message = decode[each.typeName](fromHex(each.payload))
  } catch (error) {
    assert.ok(error instanceof WireError, String(error))
    accepted = false
  }
  if (each.required !== 'any') assert.equal(accepted, each.required === 'accept')
  if (accepted) assert.deepEqual(toJson(message), each.reference.message)
}

/** The handler of `wire/messages-decode`. */
export const kind: VectorKind = {
  name: 'wire/messages-decode',
  *cases({ json }) {
    for (const each of json.cases as readonly DecodeCase[]) {
      yield { name: each.name, run: () => run(each) }
    }
  },
}
