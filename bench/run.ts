/**
 * `npm run bench -- [layer…] [--quick]`: every bench, or those of some layers.
 *
 * Each layer has one file here that exports `run(bench)`. v10 runs beside log, trie, wire and drive
 * in a process of its own, installed as for the interop tests; without it its column is empty.
 *
 * @module
 */
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { installOriginal } from '../test/interop/install.ts'
import { LineProcess } from '../test/interop/line-process.ts'
import { line, type Bench } from './measure.ts'

const LAYERS = ['storage', 'merkle', 'log', 'trie', 'wire', 'drive']

const named = process.argv.slice(2).filter((word) => !word.startsWith('--'))
const quick = process.argv.includes('--quick')
const counts = quick ? { warmUp: 0, rounds: 1 } : { warmUp: 2, rounds: 7 }
const print = (text: string): void => void process.stdout.write(`${text}\n`)

const original = await startOriginal()
const bench: Bench = {
  quick,
  v10: original
    ? (job, parameters) => async () => (await original.ask(job, parameters)) as number
    : null,
  async compare(title, sides) {
    print(await line(title, sides, counts))
  },
}

try {
  for (const layer of LAYERS) {
    const file = join(import.meta.dirname, `${layer}.js`)
    if (!existsSync(file) || (named.length > 0 && !named.includes(layer))) continue
    print(`\n${layer}`)
    // oxlint-disable-next-line no-await-in-loop -- two benches at once would measure each other
    const module = (await import(pathToFileURL(file).href)) as {
      run(bench: Bench): Promise<void>
    }
    // oxlint-disable-next-line no-await-in-loop
    await module.run(bench)
  }
  print(`\nours / other, below 1 is better; medians of ${counts.rounds} rounds turn about`)
  print(`${cpus()[0]?.model ?? 'unknown'} x ${cpus().length}, Node ${process.version}, ${commit()}`)
} finally {
  await original?.stop()
}

async function startOriginal(): Promise<LineProcess | null> {
  try {
    const folder = installOriginal()
    return await LineProcess.start('bench/v10.cjs', [], {
      NODE_PATH: join(folder, 'node_modules'),
    })
  } catch (error) {
    print(`v10 is left out: ${error instanceof Error ? error.message : String(error)}`)
    return null
  }
}

function commit(): string {
  try {
    return execFileSync('git', ['describe', '--always', '--dirty'], { encoding: 'utf8' }).trim()
  } catch {
    return 'no commit known' // a tarball has no history
  }
}
