/**
 * `npm run fuzz -- --seconds N [--seed S] [--only TEXT]`: every decoder against noise, fields of nothing in
 * particular, and valid inputs with faults in them.
 *
 * A finding is whatever is thrown and is not the typed error of a layer, what comes out and must not, and a call that
 * takes more than 50 ms of CPU time or 32 MiB. It is printed with its input in hexadecimal; that becomes a named test in
 * fuzz.test.ts. The last line counts decoders: `N passed, N failed, N skipped`.
 *
 * @module
 */
import { parseArgs } from 'node:util'
import { targets } from './decoders.ts'
import { inputFor, once, randomOf } from './fuzz.ts'

/** Inputs of one target before the next has its turn. */
const ROUND = 500
/** Findings of one target that are printed. */
const MAX_PRINTED = 5

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
      const finding = await once(target, tally, inputFor(target, random), random)
      if (finding !== null && tally.findings <= MAX_PRINTED) print(finding)
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
