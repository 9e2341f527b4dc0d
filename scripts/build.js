/**
 * Build `dist/` anew from `src/`: what the package ships. The old one goes first, so that no file of
 * an earlier shape stays behind and gets packed.
 *
 * For a package of `packages/` that depends on `varve`, that is this repository: a link in its
 * `node_modules`, so that it sees what any embedder sees and needs no registry.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'

rmSync('dist', { recursive: true, force: true })
const run = spawnSync('npx', ['--no-install', 'tsc', '-p', 'tsconfig.build.json'], {
  stdio: 'inherit',
})
process.exitCode = run.status ?? 1

for (const name of existsSync('packages') ? readdirSync('packages') : []) {
  const manifest = join('packages', name, 'package.json')
  if (!existsSync(manifest) || !JSON.parse(readFileSync(manifest, 'utf8')).dependencies?.varve)
    continue
  const link = join('packages', name, 'node_modules/varve')
  if (existsSync(link)) continue
  mkdirSync(join('packages', name, 'node_modules'), { recursive: true })
  symlinkSync('../../..', link, 'junction')
}
