/**
 * Holes in files: giving back the disk space of a range in the middle.
 *
 * Node has no call for it. Where the system has the program `fallocate` (Linux, util-linux) that is
 * run, with its arguments as a list and no shell between; elsewhere nothing is freed.
 *
 * @module
 */
import { spawn } from 'node:child_process'
import { resolve as resolvePath } from 'node:path'

let available = process.platform === 'linux'

/**
 * Turn `[offset, offset + length)` of the file at `path` into a hole. Its length stays.
 *
 * @returns whether the system did it
 */
export function punchHole(path: string, offset: number, length: number): Promise<boolean> {
  if (!available) return Promise.resolve(false)
  const range = ['--offset', String(offset), '--length', String(length)]
  // An absolute path cannot be taken for an option.
  const args = ['--punch-hole', '--keep-size', ...range, resolvePath(path)]
  return new Promise((resolve) => {
    const child = spawn('fallocate', args, { stdio: 'ignore' })
    child.once('error', () => {
      available = false // there is no such program: do not look for it again
      resolve(false)
    })
    // Not zero: the file system has no holes, or the file has gone.
    child.once('exit', (code) => resolve(code === 0))
  })
}
