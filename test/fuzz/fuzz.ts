/**
 * Decoders against inputs, and what counts as a finding.
 *
 * @module
 */
import { toHex } from '../../src/bytes.ts'
import { CodedError } from '../../src/errors.ts'
import { below, fields, mutated, noise, oneOf } from './input.ts'
import type { Random } from './input.ts'
import type { Target } from './target.ts'

const MAX_CPU_MS = 50
const MAX_BYTES = 32 * 1_048_576
/** A call slower than this is looked at again. */
const SLOW_MS = 5
/** What came of one target. */
export interface Tally {
  inputs: number
  accepted: number
  findings: number
}

/**
 * Give one input to one target.
 *
 * @returns what is wrong, or null
 */
export async function once(
  target: Target,
  tally: Tally,
  input: Uint8Array,
  random: Random,
): Promise<string | null> {
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
    complaint = await again(target, kept, random)
  if (complaint === null) return null
  tally.findings++
  return `${target.name}: ${complaint}
    ${toHex(kept)}`
}

/** It took long: because of the machine, or because of the input? */
async function again(target: Target, input: Uint8Array, random: Random): Promise<string | null> {
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

/** The next input for a target. */
export function inputFor(target: Target, numbers: Random): Uint8Array {
  const kind = numbers()
  const length = numbers() < 0.9 ? below(numbers, 64) : below(numbers, 4096)
  if (kind < 0.15) return noise(numbers, length)
  if (kind < 0.35 || target.valid.length === 0) return fields(numbers)
  const valid = oneOf(numbers, target.valid)
  return kind < 0.4 ? valid.slice() : mutated(numbers, valid, target.valid)
}

/** Numbers in [0, 1) that depend on the seed alone (mulberry32). */
export function randomOf(start: number): Random {
  let state = start >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
