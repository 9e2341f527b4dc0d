/**
 * `npm run vectors -- [folder…]`: run every JSON file of vectors below the folders.
 *
 * A folder is laid out as `log/ wire/ trie/ drive/`; the name of a file's folder and its own name
 * say its kind. Prints a line per file, its failures below it, and last `N passed, N failed, N
 * skipped`, counted in cases. A case that gives no answer in time has failed.
 *
 * @module
 */
import { fork, type ChildProcess } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import type { Order, Report } from './process.ts'

/** A case that has not ended after this time hangs. Generous: the machine may be busy. */
const CASE_LIMIT_MS = 60_000
/** Folders of files that a JSON file beside them describes. */
const DATA_FOLDERS = new Set(['disk', 'fixtures'])
const FAILURES_SHOWN = 10

interface Counts {
  passed: number
  failed: number
  skipped: number
}

/** Runs files in a process that is replaced when a case takes it down. */
class Runner {
  #process: ChildProcess | null = null

  /** Run one file. Resolves with its counts and what to print about its failures. */
  async run(path: string, kind: string): Promise<Counts & { notes: string[] }> {
    const counts = { passed: 0, failed: 0, skipped: 0, notes: [] as string[] }
    let from = 0
    while (from >= 0) {
      // oxlint-disable-next-line no-await-in-loop -- goes on behind the case that ended the process
      from = await this.#attempt({ path, kind, from }, counts)
    }
    return counts
  }

  /** Let the process go. */
  stop(): void {
    this.#process?.kill()
  }

  /** Resolves with the case to go on with, -1 when the file is done. */
  #attempt(order: Order, counts: Counts & { notes: string[] }): Promise<number> {
    const child = (this.#process ??= fork(join(import.meta.dirname, 'process.js')))
    return new Promise((resolve) => {
      // -2: a process that ends before its first case would end there again
      let current = { index: -2, name: 'before the first case' }
      const timer = setTimeout(() => {
        note(`no answer within ${CASE_LIMIT_MS / 1000} s`)
        leave(current.index + 1)
        child.kill('SIGKILL')
        this.#process = null
      }, CASE_LIMIT_MS)
      const note = (message: string): void => {
        counts.failed++
        counts.notes.push(`${current.name}: ${message}`)
      }
      const onExit = (code: number | null, signal: string | null): void => {
        note(`the process ended (${signal ?? code})`)
        this.#process = null
        leave(current.index + 1)
      }
      const onMessage = (message: unknown): void => {
        const report = message as Report
        timer.refresh()
        switch (report.type) {
          case 'start':
            current = report
            break
          case 'passed':
            counts.passed++
            break
          case 'skipped':
            counts.skipped++
            if (counts.skipped === 1) counts.notes.push(`skipped: ${report.reason}`)
            break
          case 'failed':
            counts.failed++
            counts.notes.push(`${report.name}: ${report.message}`)
            break
          case 'end':
            leave(-1)
        }
      }
      const leave = (next: number): void => {
        clearTimeout(timer)
        child.off('exit', onExit)
        child.off('message', onMessage)
        resolve(next)
      }
      child.on('exit', onExit)
      child.on('message', onMessage)
      child.send(order)
    })
  }
}

function findFiles(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const path = join(folder, entry.name)
      if (entry.isDirectory()) return DATA_FOLDERS.has(entry.name) ? [] : findFiles(path)
      return entry.name.endsWith('.json') ? [path] : []
    })
}

const print = (line: string): void => void process.stdout.write(`${line}\n`)
const base = process.env['INIT_CWD'] ?? process.cwd()
const named = process.argv.slice(2)
const folders = named.length > 0 ? named.map((name) => resolve(base, name)) : ['test/vectors']
const sum: Counts = { passed: 0, failed: 0, skipped: 0 }
const runner = new Runner()
for (const folder of folders) {
  const files = existsSync(folder) ? findFiles(folder) : []
  if (files.length === 0) {
    print(`${folder}: no vectors here`)
    sum.failed++
  }
  for (const path of files) {
    const kind = `${basename(dirname(path))}/${basename(path, '.json')}`
    // oxlint-disable-next-line no-await-in-loop -- one file after the other: lines in order
    const { passed, failed, skipped, notes } = await runner.run(path, kind)
    print(`${kind.padEnd(28)} ${passed} passed, ${failed} failed, ${skipped} skipped`)
    for (const text of notes.slice(0, FAILURES_SHOWN)) print(text.replace(/^/gm, '    '))
    if (notes.length > FAILURES_SHOWN) print(`    and ${notes.length - FAILURES_SHOWN} more`)
    sum.passed += passed
    sum.failed += failed
    sum.skipped += skipped
  }
}
runner.stop()
print(`${sum.passed} passed, ${sum.failed} failed, ${sum.skipped} skipped`)
process.exitCode = sum.failed > 0 ? 1 : 0
