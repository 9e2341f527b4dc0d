/**
 * `npm run fuzz -- --seconds N [--seed S] [--only TEXT]`: every decoder against noise, fields of nothing in
 * particular, and valid inputs with faults in them.
 *
 * A finding is whatever is thrown and is not the typed error of a layer, what comes out and must not, and a call that
 * takes more than 50 ms of CPU time or 32 MiB. It is printed with its input in hexadecimal; that becomes a named test in
 * regressions.test.ts. The last line counts decoders: `N passed, N failed, N skipped`.
 *
 * @module
 */
import { parseArgs } from 'node:util'
import { toHex } from '../../src/bytes.ts'
import { CodedError } from '../../src/errors.ts'
import { targets } from './decoders.ts'
import type { Target } from './target.ts'
import { below, fields, mutated, noise, oneOf } from './input.ts'
import type { Random } from './input.ts'

const MAX_CPU_MS = 50
const MAX_BYTES = 32 * 1_048_576
/** A call slower than this is looked at again. */
const SLOW_MS = 5
/** Inputs of one target before the next has its turn. */
const ROUND = 500
/** Findings of one target that are printed. */
const MAX_PRINTED = 5

interface Tally {
  inputs: number
  accepted: number
  findings: number
}

const { values } = parseArgs({
  options: { seconds: { type: 'string' }, seed: { type: 'string' }, only: { type: 'string' } },
})
const seed = Number(values.seed ?? Date.now() % 2 ** 31)
const seconds = Number(values.seconds ?? 60)
const print = (line: string): void => void process.stdout.write(`${line}\n`)

print(`fuzz, seed ${seed}, ${seconds} s`)
const random = randomOf(seed)
const all = (await targets()).filter(({ name }) => name.includes(values.only ?? ''))
const tallies = new Map(all.map((target) => [target, { inputs: 0, accepted: 0, findings: 0 }]))
const end = performance.now() + 1000 * seconds

while (performance.now() < end) {
  for (const [target, tally] of tallies) {
    // A slow target gets no more time than the others.
    const limit = performance.now() + (1000 * seconds) / all.length / 20
    for (let i = 0; i < ROUND && performance.now() < limit; i++) {
      // oxlint-disable-next-line no-await-in-loop
      await once(target, tally, inputFor(target, random))
    }
  }
}

print('')
print(`${'decoder'.padEnd(26)} ${'inputs'.padStart(10)} ${'accepted'.padStart(10)} findings`)
let [passed, failed, total] = [0, 0, 0]
for (const [{ name }, { inputs, accepted, findings }] of tallies) {
  print(
    `${name.padEnd(26)} ${String(inputs).padStart(10)} ${String(accepted).padStart(10)} ${findings}`,
  )
  total += inputs
  if (findings > 0) failed++
  else passed++
}
print(`${total} inputs`)
print(`${passed} passed, ${failed} failed, 0 skipped`)
process.exitCode = failed > 0 ? 1 : 0

async function once(target: Target, tally: Tally, input: Uint8Array): Promise<void> {
  tally.inputs++
  const kept = Uint8Array.from(input)
  const start = performance.now()
  let complaint: string | null = null
  try {
    const result = target.run(input, random)
    if (result instanceof Promise) await result
    tally.accepted++
  } catch (error) {
    complaint = complaintOf(error)
  }
  if (complaint === null && performance.now() - start > SLOW_MS)
    complaint = await again(target, kept)
  if (complaint === null) return
  if (++tally.findings <= MAX_PRINTED) print(`${target.name}: ${complaint}\n    ${toHex(kept)}`)
}

/** It took long: because of the machine, or because of the input? */
async function again(target: Target, input: Uint8Array): Promise<string | null> {
  const memory = inUse()
  const cpu = process.cpuUsage()
  try {
    await target.run(Uint8Array.from(input), random)
  } catch {
    // Was judged the first time.
  }
  const { user } = process.cpuUsage(cpu)
  const bytes = inUse() - memory
  if (user / 1000 > MAX_CPU_MS) return `${(user / 1000).toFixed(0)} ms of CPU time`
  return bytes > MAX_BYTES ? `${(bytes / 1_048_576).toFixed(0)} MiB` : null
}

function inUse(): number {
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

/** What is wrong with an error; null when it is one of a layer, and none of an accident in a layer. */
function complaintOf(error: unknown): string | null {
  if (!(error instanceof CodedError)) {
    return error instanceof Error ? (error.stack ?? error.message) : `threw ${typeof error}`
  }
  for (let cause: unknown = error; cause !== undefined;) {
    if (cause instanceof TypeError || cause instanceof ReferenceError)
      return `caused by ${cause.stack}`
    cause = cause instanceof Error ? cause.cause : undefined
  }
  return null
}

function inputFor(target: Target, numbers: Random): Uint8Array {
  const kind = numbers()
  const length = numbers() < 0.9 ? below(numbers, 64) : below(numbers, 4096)
  if (kind < 0.15) return noise(numbers, length)
  if (kind < 0.35 || target.valid.length === 0) return fields(numbers)
  const valid = oneOf(numbers, target.valid)
  return kind < 0.4 ? valid.slice() : mutated(numbers, valid, target.valid)
}

/** Numbers in [0, 1) that depend on the seed alone (mulberry32). */
function randomOf(start: number): Random {
  let state = start >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
