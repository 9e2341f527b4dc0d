/**
 * The command line: which cases, against whom, and in which form the outcome is told.
 *
 * @module
 */
import { parseArgs } from 'node:util'
import type { Outcome } from './case.ts'
import { count, FORMATS, report, type Format } from './report.ts'
import { runCases } from './runner.ts'
import { Subject } from './subject.ts'
import { vectorCases } from './vectors/index.ts'

const USAGE = `varve-conformance vectors --subject CMD
options: --format table|tap|json   --only PREFIX (repeatable)   --limit MS   --bail N   --loud`

const options = {
  subject: { type: 'string' },
  format: { type: 'string', default: 'table' },
  only: { type: 'string', multiple: true },
  limit: { type: 'string' },
  bail: { type: 'string' },
  loud: { type: 'boolean', default: false },
} as const

/** Run a command. @returns the exit code: 0, 1 for a failed MUST, 2 for a wrong call */
export async function runCommand(
  args: readonly string[],
  print: (text: string) => void,
): Promise<number> {
  let parsed
  try {
    parsed = parseArgs({ args: [...args], options, allowPositionals: true })
  } catch (error) {
    print(`${error instanceof Error ? error.message : String(error)}\n${USAGE}`)
    return 2
  }
  const { values, positionals } = parsed
  const format = FORMATS.find((each) => each === values.format)
  const [mode] = positionals
  if (!format || mode !== 'vectors' || values.subject === undefined) {
    print(USAGE)
    return 2
  }
  const subject = new Subject(values.subject, {
    limitMs: values.limit === undefined ? undefined : Number(values.limit),
    loud: values.loud,
  })
  const bail = values.bail === undefined ? undefined : Number(values.bail)
  let outcomes: Outcome[]
  try {
    outcomes = await runCases(vectorCases(), subject, { only: values.only, bail })
  } finally {
    await subject.stop()
  }
  return tell(outcomes, format, print)
}

function tell(outcomes: readonly Outcome[], format: Format, print: (text: string) => void): number {
  print(report(outcomes, format))
  return count(outcomes).failedMust > 0 ? 1 : 0
}
