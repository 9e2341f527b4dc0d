/** Vectors of frames: each as given, then byte by byte and as one chunk, which must make no difference. */
import { strict as assert } from 'node:assert'
import { concat, fromHex, toHex } from '../../../src/bytes.ts'
import { WireError } from '../../../src/wire/errors.ts'
import { FrameParser } from '../../../src/wire/frame.ts'
import type { VectorKind } from '../vector.ts'

interface FramingCase {
  readonly name: string
  readonly chunks: readonly string[]
  readonly reference: {
    readonly messages: readonly { channel: number; type: number; payload: string }[]
  }
  readonly required: 'accept' | 'reject'
}

interface Parsed {
  readonly messages: { channel: number; type: number; payload: string }[]
  readonly error: string | null
}

function parse(chunks: readonly Uint8Array[]): Parsed {
  const messages: Parsed['messages'] = []
  const parser = new FrameParser((channel, type, bytes, start, end) => {
    messages.push({ channel, type, payload: toHex(bytes.subarray(start, end)) })
    return true
  })
  try {
    for (const chunk of chunks) parser.receive(chunk)
  } catch (error) {
    assert.ok(error instanceof WireError, String(error))
    return { messages, error: error.code }
  }
  return { messages, error: null }
}

function run(each: FramingCase): void {
  const chunks = each.chunks.map(fromHex)
  const whole = concat(chunks)
  const bytes = Array.from(whole, (byte) => Uint8Array.of(byte))
  for (const parsed of [parse(chunks), parse([whole]), parse(bytes)]) {
    assert.equal(parsed.error === null, each.required === 'accept', String(parsed.error))
    if (each.required === 'accept') assert.deepEqual(parsed.messages, each.reference.messages)
  }
}

/** The handler of `wire/framing`. */
export const kind: VectorKind = {
  name: 'wire/framing',
  *cases({ json }) {
    for (const each of json.cases as readonly FramingCase[]) {
      yield { name: each.name, run: () => run(each) }
    }
  },
}
