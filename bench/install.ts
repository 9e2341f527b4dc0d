/**
 * Today's successors of v10, for `--peers`: installed beside v10 into the folder that git ignores, at
 * pinned versions. The project depends on none of them. Hypercore is the latest whose own dependencies
 * every registry has.
 */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'

const manifest = JSON.stringify(
  {
    name: 'peers-to-measure',
    private: true,
    dependencies: { corestore: '7.9.2', hyperdrive: '13.3.4' },
    overrides: { hypercore: '11.37.1' },
  },
  null,
  2,
)

/** Install them once. Returns the folder with the `node_modules`. */
export function installPeers(): string {
  const folder = resolve('.interop/h13')
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
