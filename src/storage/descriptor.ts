/**
 * The system calls of the file adapter, on a bare descriptor, as promises.
 *
 * Callbacks and a number, not `fs.promises`, whose file handles cost twice as much a call. Each call
 * ends fully done or failed: a partial read or write is gone on with.
 *
 * @module
 */
import * as fs from 'node:fs'

/** Most bytes one call may move: the system's count is a signed 32-bit number. */
const MAX_TRANSFER = 2 ** 30

/** Open `path` with the given flags (`fs.constants.O_…`). */
export function open(path: string, flags: number): Promise<number> {
  return call((done) => fs.open(path, flags, done))
}

/** Close a descriptor. */
export function close(fd: number): Promise<void> {
  return run((done) => fs.close(fd, done))
}

/** Fill `out` from `offset`. Resolves to the bytes read: fewer when the file ends before. */
export function readFully(fd: number, out: Uint8Array, offset: number): Promise<number> {
  return new Promise((resolve, reject) => {
    let at = 0
    const next = (): void => {
      const wanted = Math.min(out.length - at, MAX_TRANSFER)
      fs.read(fd, out, at, wanted, offset + at, (error, count) => {
        if (error) return reject(error)
        at += count
        if (count === 0 || at === out.length) resolve(at)
        else next()
      })
    }
    next()
  })
}

/** Write all of `bytes` at `offset`. */
export function writeFully(fd: number, bytes: Uint8Array, offset: number): Promise<void> {
  return new Promise((resolve, reject) => {
    let at = 0
    const next = (): void => {
      const wanted = Math.min(bytes.length - at, MAX_TRANSFER)
      fs.write(fd, bytes, at, wanted, offset + at, (error, count) => {
        if (error) return reject(error)
        at += count
        if (at === bytes.length) resolve()
        else next()
      })
    }
    next()
  })
}

/** As `readFully`, at once: what one call gives and, if that was a part, what the rest gives. */
export function readNow(fd: number, out: Uint8Array, offset: number): number {
  let at = 0
  while (at < out.length) {
    const count = fs.readSync(fd, out, at, out.length - at, offset + at)
    if (count === 0) break
    at += count
  }
  return at
}

/** Write `bytes` at `offset`, at once, by one call. Gives the bytes written: fewer when the system took only a part. */
export function writeNow(fd: number, bytes: Uint8Array, offset: number): number {
  return fs.writeSync(fd, bytes, 0, bytes.length, offset)
}

/** Cut or extend the file. */
export function truncate(fd: number, length: number): Promise<void> {
  return run((done) => fs.ftruncate(fd, length, done))
}

/** Length in bytes and space taken on the disk, also in bytes. */
export async function measure(fd: number): Promise<{ length: number; allocated: number }> {
  const stats = await call<fs.Stats>((done) => fs.fstat(fd, done))
  return { length: stats.size, allocated: stats.blocks * 512 }
}

/** Length of the file at `path`. */
export async function lengthOf(path: string): Promise<number> {
  return (await call<fs.Stats>((done) => fs.stat(path, done))).size
}

/** Content, and the metadata needed to find it, survive a power cut from here on. */
export function sync(fd: number): Promise<void> {
  return run((done) => fs.fdatasync(fd, done))
}

/** Make the folder at `path` and those above it. Resolves to the topmost one made, or `null`. */
export async function makeFolder(path: string): Promise<string | null> {
  const made = await call<string | undefined>((done) => fs.mkdir(path, { recursive: true }, done))
  return made ?? null
}

/** The entries of the folder at `path` survive a power cut from here on. */
export async function syncFolder(path: string): Promise<void> {
  /* c8 ignore next: on Windows only */
  if (process.platform === 'win32') return // it has no such call, and journals entries itself
  const fd = await open(path, fs.constants.O_RDONLY)
  try {
    await run((done) => fs.fsync(fd, done))
  } finally {
    await close(fd)
  }
}

/** Delete the file at `path`. */
export function unlink(path: string): Promise<void> {
  return run((done) => fs.unlink(path, done))
}

type Done<T> = (error: NodeJS.ErrnoException | null, result: T) => void

function call<T>(start: (done: Done<T>) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    start((error, result) => (error ? reject(error) : resolve(result)))
  })
}

function run(start: (done: (error: NodeJS.ErrnoException | null) => void) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    start((error) => (error ? reject(error) : resolve()))
  })
}
