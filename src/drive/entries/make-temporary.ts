/**
 * Making a directory whose name nobody has.
 *
 * @module
 */
import { randomBytes } from '../../crypto.ts'
import type { DriveContext } from '../context.ts'
import { mkdir } from './entries.ts'
import { DriveError } from '../errors.ts'

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'
const ADDED = 6
/** With 62 ** 6 names a second try is rare; many in a row mean that something else is wrong. */
const TRIES = 100

/** Make a directory named `prefix` and six letters; gives its name. @throws {@link DriveError} `EROFS`, `EPERM` */
export async function mkdtemp(context: DriveContext, prefix: string): Promise<string> {
  if (typeof prefix !== 'string') throw new TypeError('expected a string')
  for (let left = TRIES; ; left--) {
    const letters = Array.from(randomBytes(ADDED), (byte) => LETTERS[byte % LETTERS.length])
    const name = prefix + letters.join('')
    try {
      // As in Node, for its owner alone.
      // oxlint-disable-next-line no-await-in-loop
      await mkdir(context, name, { mode: 0o700 })
      return name
    } catch (error) {
      const isTaken = error instanceof DriveError && error.code === 'EEXIST' && left > 0
      if (!isTaken) throw error
    }
  }
}
