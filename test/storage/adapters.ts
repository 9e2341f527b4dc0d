/** Every adapter, and a plain model of what all of them must do. */
import { createRequire } from 'node:module'
import { join } from 'node:path'
import {
  FilePool,
  FileStorage,
  MemoryFolder,
  MemoryStorage,
  type RandomAccess,
  type RandomAccessObject,
  fromRandomAccess,
} from '../../src/storage/index.ts'

const require = createRequire(import.meta.url)
const ForeignFile = require('random-access-file') as new (path: string) => RandomAccessObject
const ForeignMemory = require('random-access-memory') as new () => RandomAccessObject

/** One adapter under test. */
export interface Adapter {
  readonly name: string
  /** Whether a file that was never written differs from an empty one. */
  readonly knowsAbsence: boolean
  /** A way to open one new file, again and again. */
  readonly create: (folder: string, name: string) => () => RandomAccess
}

/** All adapters. */
export const adapters: readonly Adapter[] = [
  {
    name: 'a file',
    knowsAbsence: true,
    create: (folder, name) => () => new FileStorage(join(folder, 'deep', 'er', name)),
  },
  {
    name: 'a file without holes, in a pool of one',
    knowsAbsence: true,
    create(folder, name) {
      const options = { pool: new FilePool(1), holes: false }
      return () => new FileStorage(join(folder, name), options)
    },
  },
  {
    name: 'memory',
    knowsAbsence: true,
    create() {
      const first = new MemoryStorage()
      return () => new MemoryStorage(first)
    },
  },
  {
    name: 'a folder in memory',
    knowsAbsence: true,
    create(_, name) {
      const folder = new MemoryFolder()
      return () => folder.open(name)
    },
  },
  {
    name: 'random-access-file',
    knowsAbsence: true,
    create: (folder, name) => () => fromRandomAccess(new ForeignFile(join(folder, 'f', name))),
  },
  {
    name: 'random-access-memory',
    knowsAbsence: false,
    create() {
      const object = new ForeignMemory()
      return () => fromRandomAccess(keptOpen(object))
    },
  },
  {
    name: 'an older object, without stat and truncate',
    knowsAbsence: false,
    create() {
      const bytes: number[] = []
      return () => fromRandomAccess(olderObject(bytes))
    },
  },
]

/** Another view of an object that keeps its bytes when the view is closed. */
function keptOpen(object: RandomAccessObject): RandomAccessObject {
  return {
    read: (offset, size, done) => object.read(offset, size, done),
    write: (offset, data, done) => object.write(offset, data, done),
    del: (offset, size, done) => object.del(offset, size, done),
    stat: (done) => object.stat?.(done),
    truncate: (length, done) => object.truncate?.(length, done),
    close: (done) => done(null),
    unlink: (done) => object.del(0, Number.MAX_SAFE_INTEGER, done),
  }
}

/** The least that the older generation had. */
export function olderObject(bytes: number[]): RandomAccessObject {
  return {
    read(offset, size, done) {
      if (offset + size > bytes.length) done(new Error('Could not satisfy length'))
      else done(null, Uint8Array.from(bytes.slice(offset, offset + size)))
    },
    write(offset, data, done) {
      while (bytes.length < offset) bytes.push(0)
      for (const [i, byte] of data.entries()) bytes[offset + i] = byte
      done(null)
    },
    del(offset, size, done) {
      if (offset + size >= bytes.length) bytes.length = Math.min(bytes.length, offset)
      done(null)
    },
    close: (done) => done(null),
    destroy(done) {
      bytes.length = 0
      done(null)
    },
  }
}

/** What a file holds, in the plainest way: `null` when there is none. */
export class Model {
  bytes: number[] | null = null

  /** The bytes, or `null` for a short read. */
  read(offset: number, length: number): number[] | null {
    const { bytes } = this
    if (!bytes || (length > 0 && offset + length > bytes.length)) return null
    return bytes.slice(offset, offset + length)
  }

  write(offset: number, data: Uint8Array): void {
    const bytes = (this.bytes ??= [])
    if (data.length === 0) return
    while (bytes.length < offset) bytes.push(0)
    bytes.splice(offset, data.length, ...data)
  }

  truncate(length: number): void {
    const bytes = (this.bytes ??= [])
    while (bytes.length < length) bytes.push(0)
    bytes.length = length
  }
}
