/**
 * Builds the kit: `dist/` by tsc, and beside it copies of the vectors, which have one home in the repository.
 */
import { spawnSync } from 'node:child_process'
import { cpSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = dirname(fileURLToPath(import.meta.url))
const root = join(here, '../..')

// `varve` is the repository itself, by its public exports alone: the link is made by scripts/build.js.
const vectors = join(here, 'vectors')
rmSync(vectors, { recursive: true, force: true })
cpSync(join(root, 'test/vectors'), vectors, { recursive: true })
const tsc = join(
  root,
  'node_modules',
  process.argv.includes('--fast') ? 'typescript-7' : 'typescript',
  'bin/tsc',
)
const run = spawnSync(process.execPath, [tsc, '-p', here], { stdio: 'inherit' })
if (run.status !== 0) process.exit(run.status ?? 1)
const made = spawnSync(process.execPath, [join(here, 'dist/make-fixtures.js')], {
  stdio: 'inherit',
})
process.exitCode = made.status ?? 1
