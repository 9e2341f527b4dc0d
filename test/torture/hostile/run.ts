/**
 * The hostile peers alone: `node build/test/torture/hostile/run.js [--seed N] [--only TEXT]`.
 *
 * @module
 */
import { parseArgs } from 'node:util'
import { runHostile } from './part.ts'

const { values } = parseArgs({ options: { seed: { type: 'string' }, only: { type: 'string' } } })
const seed = Number(values.seed ?? Date.now() % 2 ** 31)

/* oxlint-disable no-console */
console.log(`seed ${seed}`)
const { points, failed } = await runHostile({
  seed,
  only: values.only,
  print: (line) => console.log(line),
})
console.log(`${points - failed} passed, ${failed} failed, 0 skipped`)
process.exitCode = failed > 0 ? 1 : 0
