/**
 * `tools/varve_reader.py`, run as a program.
 *
 * @module
 */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'

const READER = join('tools', 'varve_reader.py')

/** One line of the list. */
export interface ReaderEntry {
  readonly path: string
  readonly type: string
  readonly state: string
  readonly reason?: string
  readonly mode?: number
  readonly size?: number
  readonly mtime?: number
  readonly bytes?: number
  readonly sha256?: string
  readonly link?: string
  readonly metadata?: Readonly<Record<string, string | null>>
}

/** What was found, and where it was not as it should be. */
export interface ReaderProblem {
  readonly state: string
  readonly kind: string
  readonly message: string
}

/** What the reader says of a folder. */
export interface Report {
  readonly code: number | null
  readonly state: string
  readonly reason?: string
  readonly drive: string | null
  readonly version: number | null
  readonly logs: readonly {
    readonly key: string | null
    readonly length: number
    readonly byteLength: number
    readonly held: number
    readonly missing: number
    readonly wrong: number
    readonly signed: boolean
    readonly writable: boolean
    readonly problems: readonly ReaderProblem[]
  }[]
  readonly entries: readonly ReaderEntry[]
  readonly mounts: readonly {
    readonly path: string
    readonly key: string
    readonly version: number
    readonly state: string
  }[]
  readonly tags: Readonly<Record<string, number>>
  readonly problems: readonly ReaderProblem[]
}

/** Why the reader cannot be run here, or false when it can. */
export function withoutPython(): string | false {
  const { status } = spawnSync('python3', ['-c', 'import hashlib; hashlib.blake2b'])
  return status === 0 ? false : 'python3 (3.8 or later) is not installed on this machine'
}

/** Run the reader. @throws Error when it did not end with a report: it must, whatever the folder holds */
export function readFolder(folder: string, ...options: readonly string[]): Report {
  const { status, stdout, stderr } = spawnSync('python3', [READER, folder, '--json', ...options], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    timeout: 120_000,
  })
  if (stderr !== '') throw new Error(`the reader said: ${stderr}`)
  return { code: status, ...(JSON.parse(stdout) as Omit<Report, 'code'>) }
}

/** The exit codes for many folders, read by one process, which is much quicker. @throws Error when it stopped */
export function codesOf(folders: readonly string[]): number[] {
  const program = [
    'import contextlib, io, sys',
    "sys.path.insert(0, 'tools')",
    'import varve_reader',
    'for folder in sys.argv[1:]:',
    '    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):',
    "        code = varve_reader.main([folder, '--json'])",
    '    print(code)',
  ].join('\n')
  const { stdout, stderr } = spawnSync('python3', ['-c', program, ...folders], {
    encoding: 'utf8',
    timeout: 120_000,
  })
  if (stderr !== '') throw new Error(`the reader said: ${stderr}`)
  return stdout.trim().split('\n').map(Number)
}

/** Every problem of a report as one text, the logs' too. */
export function problemsOf(report: Report): string[] {
  return [...report.logs.flatMap((log) => log.problems), ...report.problems].map(
    ({ state, kind, message }) => `${state}: ${kind}: ${message}`,
  )
}
