/** v10's side: its own packages, installed as for the interop tests, used as its documentation says. */
import type { Duplex, Readable, Writable } from 'node:stream'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { installOriginal } from '../../test/interop/install.ts'
import { atOnce } from './at-once.ts'
import type { DriveSide, LogSide, Side } from './side.ts'

type Done<T = unknown> = (error: Error | null, value: T) => void

interface Feed {
  readonly key: Buffer
  readonly length: number
  readonly byteLength: number
  ready(done: Done): void
  append(blocks: Uint8Array[], done: Done): void
  get(index: number, done: Done<Buffer>): void
  download(range: { start: number; end: number }, done: Done): void
  update(done: Done): void
  replicate(isInitiator: boolean, options: object): Duplex
  close(done: Done): void
}

interface Hyperdrive {
  readonly key: Buffer
  readonly version: number
  readonly metadata: Feed
  ready(done: Done): void
  writeFile(path: string, bytes: Uint8Array, done: Done): void
  readFile(path: string, done: Done<Buffer>): void
  stat(path: string, done: Done<{ size: number }>): void
  readdir(path: string, options: object, done: Done<string[]>): void
  open(path: string, flags: string, done: Done<number>): void
  read(
    fd: number,
    buffer: Buffer,
    offset: number,
    length: number,
    position: number,
    done: Done<number>,
  ): void
  createReadStream(path: string): Readable
  createWriteStream(path: string): Writable
  download(path: string, done: Done): void
  getContent(done: Done<Feed>): void
  replicate(isInitiator: boolean, options: object): Duplex
  on(event: 'update', listener: () => void): void
  once(event: 'update', listener: () => void): void
  close(done: Done): void
}

type Open<T> = (storage: unknown, key?: unknown, options?: object) => T

/** v10, as `hyperdrive@10.21.0` and what it brings along. */
export function v10Side(): Side {
  const require = createRequire(join(installOriginal(), 'package.json'))
  const hyperdrive = require('hyperdrive') as Open<Hyperdrive>
  return {
    async openLog(folder, key) {
      const feed = (require('hypercore') as Open<Feed>)(folder, key)
      await called((done) => feed.ready(done))
      return logSide(feed)
    },
    openDrive: (folder, { key, follow = false } = {}) =>
      driveSide(hyperdrive(folder, key, { sparseMetadata: !follow })),
    async openDrives(folder) {
      // One folder each: what a drive of a shared corestore costs is the same eleven files.
      return {
        open: (i) => driveSide(hyperdrive(join(folder, String(i)))),
        close: () => Promise.resolve(),
      }
    },
  }
}

function logSide(feed: Feed): LogSide {
  return {
    key: feed.key,
    get length() {
      return feed.length
    },
    append: (blocks) => done((then) => feed.append(blocks, then)),
    get: (index) => called((then) => feed.get(index, then)),
    download: (length) => done((then) => feed.download({ start: 0, end: length }, then)),
    replicate: (isInitiator) => feed.replicate(isInitiator, { live: true }),
    close: () => done((then) => feed.close(then)),
  }
}

async function driveSide(drive: Hyperdrive): Promise<DriveSide> {
  await done((then) => drive.ready(then))
  const writeFile = (path: string, bytes: Uint8Array): Promise<void> =>
    done((then) => drive.writeFile(path, bytes, then))
  const content = (): Promise<Feed> => called((then) => drive.getContent(then))
  return {
    key: drive.key,
    get version() {
      return drive.version
    },
    writeFile,
    // v10 has no appendFile: its way is to write the file anew.
    async appendFile(path, bytes) {
      const old = await called<Buffer>((then) => drive.readFile(path, then)).catch(() =>
        Buffer.of(),
      )
      await writeFile(path, Buffer.concat([old, bytes]))
    },
    // One at a time takes 2.3 times as long; beyond 64 at a time nothing is gained.
    writeFiles: (files) => atOnce(files, 64, ({ path, bytes }) => writeFile(path, bytes)),
    readFile: (path) => called((then) => drive.readFile(path, then)),
    stat: async (path) => (await called<{ size: number }>((then) => drive.stat(path, then))).size,
    list: (folder, recursive) => called((then) => drive.readdir(folder, { recursive }, then)),
    readStream: (path) => drive.createReadStream(path),
    writeStream: (path) => drive.createWriteStream(path),
    async openRanges(path) {
      const fd = await called<number>((then) => drive.open(path, 'r', then))
      return async (position, length) => {
        const buffer = Buffer.allocUnsafe(length)
        let filled = 0
        while (filled < length) {
          const at = filled
          // oxlint-disable-next-line no-await-in-loop -- it gives one block at a time
          const bytes = await called<number>((then) =>
            drive.read(fd, buffer, at, length - at, position + at, then),
          )
          if (bytes === 0) break
          filled += bytes
        }
        return buffer.subarray(0, filled)
      }
    },
    download: (path) => done((then) => drive.download(path, then)),
    async downloadBlocks() {
      const { metadata } = drive
      const feed = await content()
      const whole = (log: Feed): Promise<void> =>
        done((then) => log.download({ start: 0, end: log.length }, then))
      await Promise.all([whole(metadata), done((then) => feed.update(then))])
      await whole(feed)
    },
    replicate: (isInitiator) => drive.replicate(isInitiator, { live: true }),
    onUpdate: (listener) => drive.on('update', listener),
    known: () =>
      new Promise((resolve) => {
        if (drive.version > 1) resolve()
        else drive.once('update', () => resolve())
      }),
    contentBytes: async () => (await content()).byteLength,
    close: () => done((then) => drive.close(then)),
  }
}

/** A promise of what a function hands to its callback. */
function called<T>(start: (done: Done<T>) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    start((error, value) => (error ? reject(error) : resolve(value)))
  })
}

async function done(start: (done: Done) => void): Promise<void> {
  await called(start)
}
