/**
 * `npm run differential [-- --seed N --seeds N --ops N]`: random sequences of operations on Varve and on the real v10,
 * with the same keys and a frozen clock, compared after every operation.
 *
 * A difference that no rule excuses is printed with its seed and the shortest sequence that still shows it.
 *
 * @module
 */
import { parseArgs } from 'node:util'
import { compare, type Difference, type Verdict } from './compare.ts'
import { Generator } from './generator.ts'
import { Pair } from './pair.ts'
import { rules } from './rules.ts'
import { shrink } from './shrink.ts'
import type { Result, Step } from './step.ts'

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    seeds: { type: 'string' },
    ops: { type: 'string', default: '20000' },
    keep: { type: 'string', default: '5' },
  },
})
const print = (line: string): void => void process.stdout.write(`${line}\n`)
/** Steps of one sequence. */
const SEQUENCE = 100
/** Sequences that are under way at once, so that neither side waits for the other. */
const AHEAD = 3

const first = Number(values.seed)
const wanted = Number(values.ops)
const limit = values.seeds === undefined ? Infinity : Number(values.seeds)
const mostFailures = Number(values.keep)
const counts = new Map(rules.map(({ name }) => [name, 0]))
let [compared, failed, seed] = [0, 0, first]
const start = performance.now()
/** Operation and what differed, of the differences that were told in full. */
const explained = new Set<string>()

const pair = await Pair.start()
try {
  const under: Promise<void>[] = []
  const more = (): boolean => compared < wanted && seed < first + limit && failed < mostFailures
  while (more() || under.length > 0) {
    while (more() && under.length < AHEAD) under.push(one(seed++))
    // oxlint-disable-next-line no-await-in-loop -- a window of sequences
    await under.shift()
  }
} finally {
  await pair.stop()
}
for (const [name, count] of counts) print(`${String(count).padStart(8)}  ${name}`)
const seconds = ((performance.now() - start) / 1000).toFixed(1)
print(`seeds ${first} to ${seed - 1}, ${compared} operations, ${seconds} s`)
print(`${compared - failed} passed, ${failed} failed, 0 skipped`)
process.exitCode = failed > 0 || compared === 0 ? 1 : 0

async function one(seed: number): Promise<void> {
  const steps = new Generator(seed).steps(SEQUENCE)
  let verdict: Verdict
  try {
    verdict = compare(steps, ...(await pair.run(seed, steps)))
  } catch (error) {
    failed++
    compared++
    return print(`seed ${seed}: ${String(error)}`)
  }
  compared += verdict.compared
  for (const name of verdict.excused) counts.set(name, (counts.get(name) ?? 0) + 1)
  if (!verdict.different) return
  failed++
  const kind = `${verdict.different.step.op} ${verdict.different.what.split(' ')[0]}`
  if (explained.has(kind)) return print(`seed ${seed}: another difference in ${kind}`)
  explained.add(kind)
  await explain(seed, steps.slice(0, verdict.different.index + 1), verdict.different)
}

async function explain(seed: number, steps: readonly Step[], found: Difference): Promise<void> {
  const look = async (some: readonly Step[]): Promise<Difference | undefined> =>
    compare(some, ...(await pair.run(seed, some))).different
  const short = await shrink(steps, async (some) => {
    const other = await look(some)
    return other?.step.op === found.step.op && other.what.split(' ')[0] === found.what.split(' ')[0]
  })
  const different = (await look(short)) ?? found
  print(`\nseed ${seed}: ${different.what} differs after step ${different.index}`)
  for (const step of short) print(`  ${JSON.stringify(step)}`)
  const at = apart(different.original, different.ours)
  if (at.path) print(`at${at.path}`)
  print(`v10:   ${show(at.original)}`)
  print(`Varve: ${show(at.ours)}`)
  // The messages of errors are for people only, and not compared.
  const told = await pair.run(seed, short, true)
  for (const [i, name] of ['v10', 'Varve'].entries()) {
    const { outcome } = JSON.parse(told[i]?.[different.index] ?? '{}') as Partial<Result>
    if (outcome?.error) print(`${name} says: ${outcome.error.message}`)
  }
}

/** The innermost part that differs; of a list, the first. */
function apart(
  original: unknown,
  ours: unknown,
  path = '',
): { original: unknown; ours: unknown; path: string } {
  if (Array.isArray(original) === Array.isArray(ours) && isObject(original) && isObject(ours)) {
    const names = [...new Set([...Object.keys(original), ...Object.keys(ours)])]
    const [name] = names.filter(
      (each) => JSON.stringify(original[each]) !== JSON.stringify(ours[each]),
    )
    const sameLength = !Array.isArray(original) || original.length === names.length
    if (sameLength && name !== undefined && name in original && name in ours) {
      return apart(original[name], ours[name], `${path} ${name}`)
    }
  }
  if (!Array.isArray(original) || !Array.isArray(ours)) return { original, ours, path }
  const without = (all: readonly unknown[], others: readonly unknown[]): unknown[] => {
    const texts = new Set(others.map((each) => JSON.stringify(each)))
    return all.filter((each) => !texts.has(JSON.stringify(each)))
  }
  return {
    original: without(original, ours),
    ours: without(ours, original),
    path: `${path}, of ${original.length} and ${ours.length} only`,
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

function show(value: unknown): string {
  const text = value === undefined ? 'nothing' : JSON.stringify(value)
  return text.length > 1500 ? `${text.slice(0, 1500)}…` : text
}
