/**
 * `npm run torture -- [--quick] [--seed N] [--only POINT] [PART…]`: what no log should have to live through.
 *
 * Prints the seed, one table of figures, and last `N passed, N failed, N skipped`. A failed point is
 * printed with what it takes to run it again. A point that hangs ends the run.
 *
 * @module
 */
import { parseArgs } from 'node:util'
import { parts } from './parts.ts'
import type { Row, Setting } from './parts.ts'

/** A point takes milliseconds; on a busy machine perhaps a second. */
const HANG_SECONDS = 120

const print = (line: string): void => void process.stdout.write(`${line}\n`)

function tableLine({ what, passed, failed, skipped = 0, remark = '' }: Row): string {
  return `| ${what} | ${passed + failed + skipped} | ${passed} | ${failed} | ${skipped} | ${remark} |`
}

const { values, positionals: names } = parseArgs({
  allowPositionals: true,
  options: { quick: { type: 'boolean' }, seed: { type: 'string' }, only: { type: 'string' } },
})
const quick = values.quick ?? false
const seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 32) : Number(values.seed)
const unknown = names.filter((name) => !parts.some((part) => part.name === name))
if (unknown.length > 0 || !Number.isSafeInteger(seed)) {
  print(`parts: ${parts.map((part) => part.name).join(', ')}; --seed takes an integer`)
  process.exit(2)
}

let current = 'nothing yet'
let count = 0
let seen = -1
// Also keeps the process alive while a point waits for nothing.
const watchdog = setInterval(() => {
  if (seen === count) {
    print(`hangs for ${HANG_SECONDS} s: ${current}`)
    print('0 passed, 1 failed, 0 skipped')
    process.exit(1)
  }
  seen = count
}, HANG_SECONDS * 1000)

const setting: Setting = {
  seed,
  quick,
  only: values.only ?? null,
  note: print,
  at: (point) => {
    current = point
    count++
  },
}

print(`torture, seed ${seed}${quick ? ', quick' : ''}`)
const rows: Row[] = []
for (const part of parts) {
  if (names.length > 0 && !names.includes(part.name)) continue
  const start = performance.now()
  let found: Row[]
  try {
    // oxlint-disable-next-line no-await-in-loop -- one after the other: they share the machine
    found = await part.run(setting)
  } catch (error) {
    print(error instanceof Error ? (error.stack ?? error.message) : String(error))
    found = [{ what: `${part.name} broke off`, passed: 0, failed: 1 }]
  }
  const seconds = (performance.now() - start) / 1000
  const total = found.reduce((sum, row) => sum + row.passed + row.failed, 0)
  print(`${part.name}: ${total} points in ${seconds.toFixed(0)} s`)
  rows.push(...found)
  for (const row of found) print(tableLine(row))
}
clearInterval(watchdog)

print('')
print('| What | Points | Passed | Failed | Skipped | Remark |')
print('| --- | ---: | ---: | ---: | ---: | --- |')
const sum = [0, 0, 0]
for (const { what, passed, failed, skipped = 0, remark = '' } of rows) {
  print(
    `| ${what} | ${passed + failed + skipped} | ${passed} | ${failed} | ${skipped} | ${remark} |`,
  )
  for (const [i, figure] of [passed, failed, skipped].entries()) sum[i] = (sum[i] ?? 0) + figure
}
print('')
print(`${sum[0]} passed, ${sum[1]} failed, ${sum[2]} skipped`)
process.exitCode = sum[1] === 0 ? 0 : 1
