/** Varve's side. */
import { Drive, Store } from '../../src/index.ts'
import { type Durability, Log } from '../../src/log/index.ts'
import { replicate } from '../../src/wire/index.ts'
import type { DriveSide, LogSide, Side } from './side.ts'

/** Varve, with writes on the disk as `durability` says. */
export function varveSide(durability: Durability): Side {
  return {
    async openLog(folder, key) {
      const log = new Log(folder, key, { durability })
      await log.ready()
      return logSide(log)
    },
    async openDrive(folder, { key, follow = false } = {}) {
      return driveSide(new Drive(folder, key, { durability, sparseMetadata: !follow }))
    },
    async openDrives(folder) {
      const store = new Store(folder, { durability })
      return {
        open: (i) => driveSide(new Drive(store, null, { namespace: `drive-${i}` })),
        close: () => store.close(),
      }
    },
  }
}

function logSide(log: Log): LogSide {
  return {
    key: known(log.key),
    get length() {
      return log.length
    },
    append: async (blocks) => void (await log.append(blocks)),
    get: (index) => log.get(index),
    download: (length) => log.download({ start: 0, end: length }).done,
    replicate: (isInitiator) => replicate(log, isInitiator, { live: true }),
    close: () => log.close(),
  }
}

async function driveSide(drive: Drive): Promise<DriveSide> {
  await drive.ready()
  return {
    key: known(drive.key),
    get version() {
      return drive.version
    },
    writeFile: (path, bytes) => drive.writeFile(path, bytes),
    appendFile: (path, bytes) => drive.appendFile(path, bytes),
    async writeFiles(files) {
      let batch = drive.batch()
      let count = 0
      for (const { path, bytes } of files) {
        // oxlint-disable-next-line no-await-in-loop -- a batch is filled in order
        await batch.writeFile(path, bytes)
        if (++count % 10_000 !== 0) continue
        // oxlint-disable-next-line no-await-in-loop
        await batch.flush()
        batch = drive.batch()
      }
      await batch.flush()
    },
    readFile: (path) => drive.readFile(path),
    stat: async (path) => (await drive.stat(path)).size,
    list: (folder, recursive) => drive.readdir(folder, { recursive }),
    readStream: (path) => drive.createReadStream(path),
    writeStream: (path) => drive.createWriteStream(path),
    async openRanges(path) {
      const fd = await drive.open(path, 'r')
      return async (position, length) => {
        const buffer = Buffer.allocUnsafe(length)
        const { bytesRead } = await drive.read(fd, buffer, 0, length, position)
        return buffer.subarray(0, bytesRead)
      }
    },
    download: (path) => drive.download(path).done,
    async downloadBlocks() {
      const { metadata } = drive
      const content = await drive.getContent()
      await Promise.all([
        metadata?.download({ start: 0, end: metadata.length }).done,
        content.update(),
      ])
      await content.download({ start: 0, end: content.length }).done
    },
    replicate: (isInitiator) => drive.replicate(isInitiator, { live: true }),
    onUpdate: (listener) => void drive.on('update', listener),
    known: () =>
      new Promise((resolve) => {
        if (drive.version > 1) resolve()
        else drive.once('update', () => resolve())
      }),
    contentBytes: async () => (await drive.getContent()).byteLength,
    close: () => drive.close(),
  }
}

function known(key: Uint8Array | null): Uint8Array {
  if (!key) throw new Error('it is open and has no key')
  return key
}
