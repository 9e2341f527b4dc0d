/**
 * Run as a process of its own, under a limit of descriptors: makes logs in folders below one, opens all at
 * once, reads every block of each, and tells what that took, as one line of JSON.
 *
 *     node many-logs.js FOLDER COUNT
 *
 * @module
 */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { Log } from '../../src/log/index.ts'

/** What the process tells. */
export interface Told {
  /** Logs that were open at once. */
  readonly logs: number
  /** Blocks that were read, and were right. */
  readonly blocks: number
  /** Most descriptors the process was seen to have; -1 where the system does not tell. */
  readonly descriptors: number
  /** Memory that all logs together took once they were open, and once all were read, in bytes. */
  readonly opened: number
  readonly read: number
  /** Milliseconds to open all, and to read all. */
  readonly openMs: number
  readonly readMs: number
}

/** Blocks of each log. */
const BLOCKS = 3
/** Logs at work together. */
const GROUP = 100

function blockOf(log: number, index: number): string {
  return `block ${index} of log ${log}`
}

async function inGroups<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  for (let start = 0; start < items.length; start += GROUP) {
    // oxlint-disable-next-line no-await-in-loop -- a program would not make all of them at once either
    await Promise.all(items.slice(start, start + GROUP).map(work))
  }
}

function memory(): number {
  globalThis.gc?.()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

let descriptors = -1

/** Descriptors of this process now, where the system tells. */
function look(): void {
  try {
    descriptors = Math.max(descriptors, readdirSync('/proc/self/fd').length)
  } catch {
    descriptors = -1
  }
}

async function run(folder: string, count: number): Promise<Told> {
  const open = (i: number): Log<string> =>
    new Log<string>(join(folder, String(i)), null, {
      valueEncoding: 'utf-8',
      durability: 'none',
    })
  const numbers = Array.from({ length: count }, (_, i) => i)
  await inGroups(numbers, async (i) => {
    const log = open(i)
    await log.append(Array.from({ length: BLOCKS }, (_, index) => blockOf(i, index)))
    await log.close()
  })
  look()

  const before = memory()
  const started = performance.now()
  const logs = numbers.map(open)
  await inGroups(logs, (log) => log.ready())
  const openedAt = performance.now()
  look()
  const opened = memory() - before

  let blocks = 0
  await inGroups([...logs.entries()], async ([i, log]) => {
    const values = await log.getBatch(0, BLOCKS)
    for (const [index, value] of values.entries()) if (value === blockOf(i, index)) blocks++
    if (i % GROUP === 0) look()
  })
  const readAt = performance.now()
  const read = memory() - before
  const openMs = Math.round(openedAt - started)
  const readMs = Math.round(readAt - openedAt)
  await inGroups(logs, (log) => log.close())
  return { logs: logs.length, blocks, descriptors, opened, read, openMs, readMs }
}

const [folder, count] = process.argv.slice(2)
if (folder === undefined || count === undefined)
  throw new Error('want a folder and a number of logs')
process.stdout.write(`${JSON.stringify(await run(folder, Number(count)))}\n`)
