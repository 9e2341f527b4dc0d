/**
 * Varve's answers about the drive, and what it writes to folders and reads from them.
 *
 * @module
 */
import { createHash } from 'node:crypto'
import type { Drive, Stat } from 'varve'
import { bytesOf, hex } from '../../expect.ts'
import type { DriveCall, StatJson } from '../../operations.ts'
import type { Handlers } from '../answer.ts'
import type { Library } from './library.ts'

/** Entries, names, links; logs and drives in folders. */
export function driveAnswers(library: Library): Handlers {
  const { root, storage, log, trie } = library
  const inMemory = async <T>(use: (drive: Drive) => Promise<T>): Promise<T> => {
    const drive = new root.Drive(() => new storage.MemoryStorage(), { exact: true })
    try {
      await drive.ready()
      return await use(drive)
    } finally {
      await drive.close()
    }
  }
  return {
    encodeStat: ({ stat: { mount, ...fields } }) => {
      if (mount) throw new Error('mounts are written by mount')
      const metadata = Object.fromEntries(
        Object.entries(fields.metadata ?? {}).map(([key, value]) => [
          key,
          value === null ? null : bytesOf(value),
        ]),
      )
      return { bytes: hex(new root.Stat({ ...fields, metadata }, fields.mtime).encode()) }
    },
    decodeStat: ({ bytes, now }) => ({ stat: statJson(root.Stat.decode(bytesOf(bytes), now)) }),
    drivePath: ({ name }) =>
      inMemory(async (drive) => {
        await drive.writeFile(name, 'x')
        const block = await drive.metadata?.get(1)
        return { key: trie.decodeNode(1, block as Uint8Array).path.key }
      }),
    linkTarget: ({ target }) =>
      inMemory(async (drive) => {
        await drive.symlink(target, 'link')
        return { stored: await drive.readlink('link') }
      }),
    writeLog: async ({ folder, publicKey, secretKey, batches, clear }) => {
      const written = new log.Log(folder, bytesOf(publicKey), { secretKey })
      await written.ready()
      for (const batch of batches) await written.append(batch.map(bytesOf))
      for (const [start, end] of clear) await written.clear(start, end)
      const { length, byteLength } = written
      await written.close()
      return { length, byteLength }
    },
    readLog: async ({ folder }) => {
      const read = new log.Log(folder)
      await read.ready()
      const blocks = []
      for (let i = 0; i < read.length; i++) {
        blocks.push(read.has(i) ? hex(await read.get(i)) : null)
      }
      const { length, byteLength, writable } = read
      const key = hex(read.key ?? new Uint8Array())
      await read.close()
      return { key, length, byteLength, writable, blocks }
    },
    writeDrive: async ({ folder, calls }) => {
      const drive = new root.Drive(folder)
      await drive.ready()
      for (const call of calls) await perform(drive, call)
      const content = await drive.getContent()
      const result = {
        key: hex(drive.key ?? new Uint8Array()),
        contentKey: hex(content.key ?? new Uint8Array()),
        version: drive.version,
      }
      await drive.close()
      return result
    },
    readDrive: async ({ folder, key }) => {
      const drive = new root.Drive(folder, key)
      await drive.ready()
      const entries = []
      for (const path of await drive.readdir('/', { recursive: true })) {
        const stat = await drive.lstat(path)
        const sha256 = stat.isFile() ? hashOf(await drive.readFile(path)) : null
        entries.push({ path, size: stat.size, linkname: stat.linkname, sha256 })
      }
      const { version } = drive
      const own = hex(drive.key ?? new Uint8Array())
      await drive.close()
      return { key: own, version, entries: entries.toSorted(byPath) }
    },
  }
}

function byPath(a: { path: string }, b: { path: string }): number {
  return a.path < b.path ? -1 : 1
}

function hashOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}

async function perform(drive: Drive, call: DriveCall): Promise<void> {
  switch (call.op) {
    case 'writeFile': {
      const metadata = Object.fromEntries(
        Object.entries(call.options?.metadata ?? {}).map(([key, value]) => [
          key,
          Buffer.from(value, 'hex'),
        ]),
      )
      const { mode } = call.options ?? {}
      await drive.writeFile(call.path, Buffer.from(call.data, 'hex'), {
        metadata,
        ...(mode !== undefined && { mode }),
      })
      return
    }
    case 'mkdir':
      await drive.mkdir(call.path)
      return
    case 'unlink':
      await drive.unlink(call.path)
      return
    case 'rmdir':
      await drive.rmdir(call.path)
      return
    case 'createTag':
      await drive.createTag(call.path)
      return
    case 'symlink':
      await drive.symlink(call.target, call.path)
      return
    case 'truncate':
      await drive.truncate(call.path, call.size)
  }
}

function statJson(stat: Stat): StatJson {
  const { mode, uid, gid, size, blocks, offset, byteOffset, linkname, mount } = stat
  const metadata = Object.entries(stat.metadata).map(([key, value]) => [
    key,
    value === null ? null : hex(value as Uint8Array),
  ])
  return {
    mode,
    uid,
    gid,
    size,
    blocks,
    offset,
    byteOffset,
    linkname,
    mtime: Number(stat.mtime),
    ctime: Number(stat.ctime),
    mount: mount && {
      key: hex(mount.key),
      version: mount.version ?? null,
      hash: mount.hash ? hex(mount.hash) : null,
      hypercore: mount.hypercore,
    },
    metadata: Object.fromEntries(metadata) as Record<string, string | null>,
  }
}
