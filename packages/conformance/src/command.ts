/**
 * The command line: which cases, against whom, and in which form the outcome is told.
 *
 * @module
 */
import { parseArgs } from 'node:util'
import type { Outcome } from './case.ts'
import { folderCases, StoredFolder } from './folder/index.ts'
import { writtenCases, Writings } from './folder/written.ts'
import { peerCases, Stage, type Target } from './peer/index.ts'
import { setLimit } from './peer/remote.ts'
import { count, FORMATS, report, type Format } from './report.ts'
import { runCases, type RunOptions } from './runner.ts'
import { Subject } from './subject.ts'
import { vectorCases } from './vectors/index.ts'

/** Told when a call is wrong. */
export const USAGE = `varve-conformance vectors --subject CMD
varve-conformance folder PATH [--key KEY]
varve-conformance folder --subject CMD
varve-conformance peer --subject CMD | --connect HOST:PORT --fixture | --listen PORT --fixture
varve-conformance list
options: --format table|tap|json   --only PREFIX   --section "20-wire 2.4" (both repeatable)
  --limit MS   --wait MS   --bail N   --shard I/N
  --loud (show the subject's stderr)   --verbose (show each case as it ends)`

const options = {
  subject: { type: 'string' },
  connect: { type: 'string' },
  listen: { type: 'string' },
  fixture: { type: 'boolean', default: false },
  key: { type: 'string' },
  format: { type: 'string', default: 'table' },
  only: { type: 'string', multiple: true },
  section: { type: 'string', multiple: true },
  limit: { type: 'string' },
  bail: { type: 'string' },
  shard: { type: 'string' },
  wait: { type: 'string' },
  loud: { type: 'boolean', default: false },
  verbose: { type: 'boolean', default: false },
} as const

type Values = ReturnType<typeof parse>['values']

function parse(args: readonly string[]) {
  return parseArgs({ args: [...args], options, allowPositionals: true })
}

/** A wrong call. */
class UsageError extends Error {}

/** Run a command. @returns the exit code: 0, 1 for a failed MUST, 2 for a wrong call */
export async function runCommand(
  args: readonly string[],
  print: (text: string) => void,
): Promise<number> {
  try {
    const { values, positionals } = parse(args)
    const format = FORMATS.find((each) => each === values.format)
    if (!format) throw new UsageError(`no format ${values.format}`)
    const outcomes = await outcomesOf(positionals, values, print)
    if (outcomes === null) return 0
    return tell(outcomes, format, print)
  } catch (error) {
    print(error instanceof Error ? error.message : String(error))
    print(USAGE)
    return 2
  }
}

async function outcomesOf(
  [mode, path]: readonly string[],
  values: Values,
  print: (text: string) => void,
): Promise<Outcome[] | null> {
  const run: RunOptions = {
    only: values.only,
    sections: values.section,
    bail: values.bail === undefined ? undefined : Number(values.bail),
    shard: shardOf(values.shard),
    onOutcome: values.verbose ? say : undefined,
  }
  if (values.wait !== undefined) setLimit(Number(values.wait))
  switch (mode) {
    case 'vectors': {
      const subject = subjectOf(values)
      try {
        return await runCases(vectorCases(), subject, run)
      } finally {
        await subject.stop()
      }
    }
    case 'folder': {
      if (path === undefined && values.subject !== undefined)
        return writtenBy(subjectOf(values), run)
      if (path === undefined) throw new UsageError('folder: want a path')
      const folder = new StoredFolder(path, values.key?.toLowerCase())
      if (folder.logs.length === 0) throw new UsageError(`there is no log in ${path}`)
      return runCases(folderCases(), folder, run)
    }
    case 'peer': {
      const stage = new Stage(targetOf(values))
      try {
        return await runCases(peerCases(), stage, run)
      } finally {
        await stage.close()
      }
    }
    case 'list': {
      for (const each of [...vectorCases(), ...folderCases(), ...writtenCases(), ...peerCases()]) {
        print(`${each.id}\t${each.level}\t${each.section}\t${each.title}`)
      }
      return null
    }
    case undefined:
      throw new UsageError('what should be tested?')
    default:
      throw new UsageError(`no command ${mode}`)
  }
}

function shardOf(text: string | undefined): readonly [number, number] | undefined {
  if (text === undefined) return undefined
  const found = /^(\d+)\/(\d+)$/.exec(text)
  const [first, step] = [Number(found?.[1]), Number(found?.[2])]
  if (!(first < step)) throw new UsageError('--shard: want I/N, I from 0')
  return [first, step]
}

function targetOf(values: Values): Target {
  const { connect, listen, subject } = values
  if (subject !== undefined) return { kind: 'driven', subject: subjectOf(values) }
  if (!values.fixture) throw new UsageError('want --fixture: the subject has the log of the kit')
  if (listen !== undefined) return { kind: 'comes', port: Number(listen) }
  const at = /^(.*):(\d+)$/.exec(connect ?? '')
  if (!at) throw new UsageError('want --subject CMD, --connect HOST:PORT or --listen PORT')
  return { kind: 'at', host: at[1] || '127.0.0.1', port: Number(at[2]) }
}

async function writtenBy(subject: Subject, run: RunOptions): Promise<Outcome[]> {
  const writings = new Writings(subject)
  try {
    return await runCases(writtenCases(), writings, run)
  } finally {
    await subject.stop()
    writings.remove()
  }
}

function subjectOf({ subject, limit, loud }: Values): Subject {
  if (subject === undefined) throw new UsageError('want --subject CMD')
  return new Subject(subject, { limitMs: limit === undefined ? undefined : Number(limit), loud })
}

/** One case as it ends, for who watches. */
function say({ id, result, ms, reason }: Outcome): void {
  process.stderr.write(`${result} ${id} ${ms} ms${reason === null ? '' : `: ${reason}`}\n`)
}

function tell(outcomes: readonly Outcome[], format: Format, print: (text: string) => void): number {
  print(report(outcomes, format))
  return count(outcomes).failedMust > 0 ? 1 : 0
}
