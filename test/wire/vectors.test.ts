import { join } from 'node:path'
import { test } from 'tap'
import { runKind } from '../vector-runner/vector.ts'
import { kind as bitfieldRle } from '../vector-runner/wire/bitfield-rle.ts'
import { kind as capability } from '../vector-runner/wire/capability.ts'
import { kind as extensions } from '../vector-runner/wire/extensions.ts'
import { kind as framing } from '../vector-runner/wire/framing.ts'
import { kind as handshakeStream } from '../vector-runner/wire/handshake-stream.ts'
import { kind as messagesDecode } from '../vector-runner/wire/messages-decode.ts'
import { kind as messagesEncode } from '../vector-runner/wire/messages-encode.ts'
import { kind as noiseXX } from '../vector-runner/wire/noise-xx.ts'
import { kind as transport } from '../vector-runner/wire/transport.ts'

const root = join(import.meta.dirname, '..', 'vectors')

for (const kind of [
  noiseXX,
  handshakeStream,
  transport,
  capability,
  framing,
  messagesEncode,
  messagesDecode,
  bitfieldRle,
  extensions,
]) {
  test(`the vectors of ${kind.name} hold`, async (t) => {
    const reporter = {
      pass: (message: string) => t.pass(message),
      fail: (message: string, extra?: Record<string, unknown>) => t.fail(message, extra ?? {}),
    }
    await runKind(reporter, kind, root)
  })
}
