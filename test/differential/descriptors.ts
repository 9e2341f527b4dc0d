/**
 * Random use of descriptors for the differential run: opening, reading and writing in order, mostly as it is allowed.
 *
 * @module
 */
import type { Chance } from '../torture/chance.ts'
import type { Step } from './step.ts'
import { maybeOneOf, oneOf, type Values } from './values.ts'

interface OpenFile {
  readonly save: string
  readonly path: string
  readonly flags: string
  size: number
  /** Where the next write must go; null once it cannot be known. */
  position: number | null
  dirty: boolean
}

/** Makes the steps. */
export class Descriptors {
  readonly #chance: Chance
  readonly #values: Values
  readonly #open: OpenFile[] = []
  #nextSave = 0

  constructor(chance: Chance, values: Values) {
    this.#chance = chance
    this.#values = values
  }

  /** Whether one of them holds the lock of a content log. */
  get locked(): boolean {
    return this.#open.some(({ dirty }) => dirty)
  }

  /** Steps that close what is open. */
  closing(): Step[] {
    return this.#open.map(({ save }): Step => ({ op: 'close', args: [], fd: save }))
  }

  openFile(files: Map<string, number>, any: () => string): Step | null {
    const path = this.#chance.coin(0.85) ? maybeOneOf(this.#chance, [...files.keys()]) : any()
    if (path === undefined || this.#open.length > 5) return null
    const flags = oneOf(this.#chance, [
      'r',
      'r',
      'r',
      'w',
      'w+',
      'a',
      'a+',
      'r+',
      'wx',
      'rs',
      'ax',
      'zz',
      '',
    ])
    const exists = files.has(path)
    // v10 throws where nobody can catch it when an appending descriptor finds no file.
    if (flags.startsWith('a') && !exists && !this.#chance.coin(0.1)) return null
    const save = `fd${this.#nextSave++}`
    const size = flags.startsWith('w') ? 0 : (files.get(path) ?? 0)
    if (flags.startsWith('w') && flags !== 'wx' && !/^\/?l\d$/u.test(path)) files.set(path, 0)
    const opens = flags === 'wx' || flags === 'ax' ? !exists : exists || flags.startsWith('w')
    if (opens && flags !== 'zz' && flags !== '') {
      const position = flags.startsWith('a') ? size : 0
      this.#open.push({ save, path, flags, size, position, dirty: false })
    }
    const flag = this.#chance.coin(0.1) && flags === 'r' ? 0 : flags
    return { op: 'open', args: [path, flag], save, look: [path] }
  }

  read(): Step | null {
    const file = maybeOneOf(this.#chance, this.#open)
    const size = oneOf(this.#chance, [0, 1, 10, 100, 5000])
    const at = this.#chance.coin(0.8) ? 0 : Math.floor(size / 2)
    const length = oneOf(this.#chance, [size, size - at, Math.floor(size / 2)])
    const within = Math.max(1, file?.size ?? 1)
    const position = oneOf(this.#chance, [
      null,
      null,
      0,
      this.#chance.below(within),
      file?.size ?? 0,
    ])
    if (file && file.position !== null && (position ?? 0) !== file.position) file.position = null
    const fd = this.#chance.coin(0.03) || !file ? 'none' : file.save
    return { op: 'read', args: [size, at, length, position], fd }
  }

  write(): Step | null {
    const dirty = this.#open.find((each) => each.dirty)
    const writers = this.#open.filter(({ flags }) => !/^(?:r|rs)$/u.test(flags))
    const file =
      dirty ??
      (this.#chance.coin(0.95)
        ? maybeOneOf(this.#chance, writers)
        : maybeOneOf(this.#chance, this.#open))
    if (!file) return null
    const data = this.#values.bytes() as { length: number }
    const at = this.#chance.coin(0.02) ? Math.min(3, data.length) : 0
    const right = file.position
    const position = oneOf(this.#chance, [
      null,
      null,
      null,
      right,
      this.#chance.coin(0.2) ? 3 : right,
    ])
    if (!/^(?:r|rs)$/u.test(file.flags)) file.dirty = true
    if (file.position !== null) file.position += data.length - at
    return {
      op: 'write',
      args: [data, at, data.length - at, position],
      fd: file.save,
    }
  }

  ftruncate(): Step | null {
    const file = maybeOneOf(this.#chance, this.#open)
    if (!file || file.dirty) return null
    return { op: 'ftruncate', args: [oneOf(this.#chance, [0, 0, 5])], fd: file.save }
  }

  close(): Step | null {
    if (this.#chance.coin(0.03)) return { op: 'close', args: [], fd: 'none' }
    const file = this.#open.find((each) => each.dirty) ?? maybeOneOf(this.#chance, this.#open)
    if (!file) return null
    this.#open.splice(this.#open.indexOf(file), 1)
    return { op: 'close', args: [], fd: file.save, look: [file.path] }
  }
}
