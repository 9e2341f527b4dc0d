/** Hyperdrive 13 on Corestore 7: what v10 became. Other bytes on disk and wire, the same jobs. */
import type { Duplex, Readable, Writable } from 'node:stream'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { installPeers } from '../install.ts'
import type { DriveSide, LogSide, Side } from './side.ts'

interface Core {
  readonly key: Buffer
  readonly length: number
  readonly byteLength: number
  ready(): Promise<void>
  append(blocks: Uint8Array[]): Promise<unknown>
  get(index: number): Promise<Buffer>
  update(options: object): Promise<boolean>
  download(range: { start: number; end: number }): { done(): Promise<void> }
  findingPeers(): () => void
  on(event: 'append', listener: () => void): void
  replicate(isInitiator: boolean): Duplex
  close(): Promise<void>
}

interface Blob {
  readonly byteLength: number
  readonly blockOffset: number
  readonly blockLength: number
}

interface Batch {
  put(path: string, bytes: Uint8Array): Promise<unknown>
  flush(): Promise<unknown>
}

interface Hyperdrive extends Batch {
  readonly key: Buffer
  readonly core: Core
  readonly version: number
  readonly blobs: { core: Core } | null
  ready(): Promise<void>
  batch(): Batch
  get(path: string): Promise<Buffer | null>
  entry(path: string): Promise<{ value: { blob: Blob } } | null>
  list(folder: string): AsyncIterable<{ key: string }>
  readdir(folder: string): AsyncIterable<string>
  createReadStream(path: string, range?: { start: number; length: number }): Readable
  createWriteStream(path: string): Writable
  download(folder: string): { done(): Promise<void> }
  getBlobs(): Promise<{ core: Core }>
  close(): Promise<void>
}

interface Corestore {
  ready(): Promise<void>
  namespace(name: string): Corestore
  get(options: object): Core
  replicate(isInitiator: boolean): Duplex
  close(): Promise<void>
}

/** Hyperdrive 13. */
export function h13Side(): Side {
  const require = createRequire(join(installPeers(), 'package.json'))
  const Corestore = require('corestore') as new (folder: string) => Corestore
  const Hyperdrive = require('hyperdrive') as new (store: Corestore, key?: Uint8Array) => Hyperdrive
  return {
    async openLog(folder, key) {
      const store = new Corestore(folder)
      const core = store.get(key ? { key } : { name: 'log' })
      await core.ready()
      return logSide(core, store)
    },
    openDrive(folder, { key } = {}) {
      const store = new Corestore(folder)
      return driveSide(new Hyperdrive(store, key), store)
    },
    async openDrives(folder) {
      const store = new Corestore(folder)
      await store.ready()
      return {
        open: (i) => {
          const own = store.namespace(`drive-${i}`)
          return driveSide(new Hyperdrive(own), own)
        },
        close: () => store.close(),
      }
    },
  }
}

function logSide(core: Core, store: Corestore): LogSide {
  return {
    key: core.key,
    get length() {
      return core.length
    },
    append: async (blocks) => void (await core.append(blocks)),
    get: (index) => core.get(index),
    download: (length) => core.download({ start: 0, end: length }).done(),
    replicate: (isInitiator) => core.replicate(isInitiator),
    close: () => store.close(),
  }
}

async function driveSide(drive: Hyperdrive, store: Corestore): Promise<DriveSide> {
  await drive.ready()
  const isOther = drive.version === 0
  const found = isOther ? drive.core.findingPeers() : null
  return {
    key: drive.key,
    get version() {
      return drive.version
    },
    writeFile: async (path, bytes) => void (await drive.put(path, bytes)),
    async appendFile(path, bytes) {
      await drive.put(path, Buffer.concat([(await drive.get(path)) ?? Buffer.of(), bytes]))
    },
    async writeFiles(files) {
      let batch = drive.batch()
      let count = 0
      for (const { path, bytes } of files) {
        // oxlint-disable-next-line no-await-in-loop -- a batch is filled in order
        await batch.put(path, bytes)
        if (++count % 10_000 !== 0) continue
        // oxlint-disable-next-line no-await-in-loop
        await batch.flush()
        batch = drive.batch()
      }
      await batch.flush()
    },
    readFile: async (path) => there(await drive.get(path)),
    stat: async (path) => there(await drive.entry(path)).value.blob.byteLength,
    async list(folder, recursive) {
      const names: string[] = []
      if (recursive) for await (const { key } of drive.list(folder)) names.push(key.slice(1))
      else for await (const name of drive.readdir(folder)) names.push(name)
      return names
    },
    readStream: (path) => drive.createReadStream(path),
    writeStream: (path) => drive.createWriteStream(path),
    async openRanges(path) {
      return async (position, length) => {
        const parts: Buffer[] = []
        const range = drive.createReadStream(path, { start: position, length })
        for await (const part of range) parts.push(part as Buffer)
        return Buffer.concat(parts)
      }
    },
    // `download` is for folders; of a file it is the blocks of its blob.
    async download(path) {
      const blob = path === '/' ? null : (await drive.entry(path))?.value.blob
      if (!blob) return drive.download(path).done()
      const { blockOffset: start, blockLength } = blob
      await (await drive.getBlobs()).core.download({ start, end: start + blockLength }).done()
    },
    async downloadBlocks() {
      const blobs = (await drive.getBlobs()).core
      const whole = (core: Core): Promise<void> =>
        core.download({ start: 0, end: core.length }).done()
      await Promise.all([whole(drive.core), blobs.update({ wait: true })])
      await whole(blobs)
    },
    replicate: (isInitiator) => store.replicate(isInitiator),
    onUpdate: (listener) => drive.core.on('append', listener),
    async known() {
      await drive.core.update({ wait: true })
      found?.()
    },
    contentBytes: async () => (await drive.getBlobs()).core.byteLength,
    async close() {
      await drive.close()
      await store.close()
    },
  }
}

function there<T>(value: T | null): T {
  if (value === null) throw new Error('there is no such file')
  return value
}
