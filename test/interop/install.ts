/**
 * v10 itself, installed for tests and benches into a folder that git ignores.
 *
 * Its manifest is made here and not committed: the project depends on none of its packages. A plain
 * install of v10 is broken today, since noise-protocol 3.0.2 took away a file that hypercore-protocol
 * asks for; 3.0.1 is forced.
 *
 * @module
 */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

/** What npm is to install: name, exact versions, and versions forced on what these depend on. */
export interface PinnedPackages {
  readonly name: string
  readonly dependencies: Readonly<Record<string, string>>
  readonly overrides: Readonly<Record<string, string>>
}

const original: PinnedPackages = {
  name: 'v10-under-test',
  dependencies: { hyperdrive: '10.21.0' },
  overrides: { 'noise-protocol': '3.0.1' },
}

/**
 * Install v10 once. Returns the folder, whose `node_modules` go into `NODE_PATH`.
 *
 * @throws Error when npm fails; what it printed is in the message
 */
export function installOriginal(): string {
  return installPinned('v10', original)
}

/** Install packages once, into `.interop/NAME`. Returns that folder. @throws Error when npm fails */
export function installPinned(name: string, packages: PinnedPackages): string {
  const folder = resolve('.interop', name)
  const manifest = JSON.stringify({ private: true, ...packages }, null, 2)
  const stamp = join(folder, 'installed.json')
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === manifest) return folder
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'package.json'), manifest)
  execFileSync('npm', ['install', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: folder,
    stdio: ['ignore', 'inherit', 'inherit'],
    // npm hands its settings to scripts as variables; those of this project are not theirs.
    env: Object.fromEntries(
      Object.entries(process.env).filter(([name]) => !name.startsWith('npm_')),
    ),
  })
  writeFileSync(stamp, manifest)
  return folder
}
