/**
 * Build `dist/` anew from `src/`: what the package ships. The old one goes first, so that no file of
 * an earlier shape stays behind and gets packed.
 */
import { spawnSync } from 'node:child_process'
import { rmSync } from 'node:fs'

rmSync('dist', { recursive: true, force: true })
const run = spawnSync('npx', ['--no-install', 'tsc', '-p', 'tsconfig.build.json'], {
  stdio: 'inherit',
})
process.exitCode = run.status ?? 1
