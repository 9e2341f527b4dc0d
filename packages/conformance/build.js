/**
 * Builds the kit: `dist/` by tsc, and beside it copies of the vectors, which have one home in the repository.
 */
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = dirname(fileURLToPath(import.meta.url))
const root = join(here, '../..')
const modified = (path) => (existsSync(path) ? statSync(path).mtimeMs : 0)

function run(...args) {
  const { status } = spawnSync(process.execPath, args, { stdio: 'inherit' })
  if (status !== 0) process.exit(status ?? 1)
}

// `varve` is the repository itself, by its public exports alone: the link is made by scripts/build.js.
cpSync(join(root, 'test/vectors'), join(here, 'vectors'), {
  recursive: true,
  preserveTimestamps: true,
  // What has not changed stays untouched: another run may be reading it.
  filter: (from, to) => statSync(from).isDirectory() || modified(from) !== modified(to),
})
const compiler = process.argv.includes('--fast') ? 'typescript-7' : 'typescript'
run(join(root, 'node_modules', compiler, 'bin/tsc'), '-p', here)
const maker = join(here, 'dist/make-fixtures.js')
const stamp = join(here, 'fixtures/partial/tree')
const sources = [maker, join(here, 'dist/peer/fixture.js')]
if (sources.some((source) => modified(source) > modified(stamp))) run(maker)
