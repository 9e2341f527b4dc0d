import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'tap'
import { runKind, type VectorKind } from '../vector-runner/vector.ts'

const root = join(import.meta.dirname, '..', 'vectors')
const runners = join(import.meta.dirname, '..', 'vector-runner', 'drive')

for (const file of readdirSync(runners)) {
  const { kind } = (await import(join(runners, file))) as { kind?: VectorKind }
  if (!kind) continue
  await test(`what the original wrote, and answered: ${kind.name}`, async (t) => {
    const reporter = {
      pass: (message: string) => t.pass(message),
      fail: (message: string, extra?: Record<string, unknown>) => t.fail(message, { ...extra }),
    }
    await runKind(reporter, kind, root)
  })
}
