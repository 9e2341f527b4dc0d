/**
 * Folders that a subject writes, held against every statement; folders of the reference that it reads.
 *
 * @module
 */
import { createHash } from 'node:crypto'
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { signingKeyPair } from 'varve/crypto'
import type { Case } from '../case.ts'
import { hex, holds, same } from '../expect.ts'
import type { DriveCall, Hex, Operations } from '../operations.ts'
import type { Subject } from '../subject.ts'
import { recorded, VECTORS } from '../vectors/vector-case.ts'
import { folderCases, StoredFolder } from './index.ts'

/** A subject, and the folders that it wrote. */
export class Writings {
  readonly subject: Subject
  readonly #root = mkdtempSync(join(tmpdir(), 'varve-conformance-'))
  readonly #written = new Map<string, Promise<StoredFolder>>()

  constructor(subject: Subject) {
    this.subject = subject
  }

  /** The folder of a script, written when it is first asked for. */
  folder({ name, write }: Script): Promise<StoredFolder> {
    let written = this.#written.get(name)
    if (!written) {
      const path = join(this.#root, name)
      written = write(this.subject, path).then(() => new StoredFolder(path))
      this.#written.set(name, written)
    }
    return written
  }

  /** A copy of a folder, for a subject to open. */
  copy(from: string, name: string): string {
    const path = join(this.#root, name)
    rmSync(path, { recursive: true, force: true })
    cpSync(from, path, { recursive: true })
    return path
  }

  /** Delete them all. */
  remove(): void {
    rmSync(this.#root, { recursive: true, force: true })
  }
}

interface Script {
  readonly name: string
  readonly holds: 'a log' | 'a drive'
  readonly write: (subject: Subject, folder: string) => Promise<void>
}

type Batches = Operations['writeLog']['args']['batches']

function log(
  name: string,
  batches: Batches,
  clear: Operations['writeLog']['args']['clear'] = [],
): Script {
  return {
    name,
    holds: 'a log',
    async write(subject, folder) {
      const { publicKey, secretKey } = signingKeyPair(new Uint8Array(32).fill(name.length))
      const keys = { publicKey: hex(publicKey), secretKey: hex(secretKey) }
      const written = await subject.ask('writeLog', { folder, ...keys, batches, clear })
      const blocks = batches.flat()
      const byteLength = blocks.reduce((sum, block) => sum + block.length / 2, 0)
      same(written, { length: blocks.length, byteLength }, 'writeLog')
    },
  }
}

function drive(name: string, calls: readonly DriveCall[]): Script {
  return {
    name,
    holds: 'a drive',
    async write(subject, folder) {
      await subject.ask('writeDrive', { folder, calls })
    },
  }
}

/** A block of `size` bytes that is like no other. */
function block(number: number, size: number): Hex {
  return Array.from({ length: size }, (_, i) => ((number * 7 + i * 13) % 256).toString(16))
    .map((digits) => digits.padStart(2, '0'))
    .join('')
}

const single = (count: number): Batches =>
  Array.from({ length: count }, (_, i) => [block(i, i % 9)])

const SCRIPTS: readonly Script[] = [
  log('log-one', [[block(1, 5)]]),
  log('log-seven', single(7)),
  log('log-batches', [[block(0, 3)], [block(1, 1), block(2, 70_000), block(3, 2)], [block(4, 9)]]),
  log('log-empty-blocks', [['', ''], [''], [block(1, 1), '']]),
  log('log-cleared', single(12), [[3, 6]]),
  log('log-two-pages', [Array.from({ length: 8200 }, (_, i) => block(i, 1)), [block(5, 4)]]),
  drive('drive-empty', []),
  drive('drive-files', [
    { op: 'writeFile', path: '/hello.txt', data: '776f726c64' },
    { op: 'mkdir', path: '/dir' },
    { op: 'writeFile', path: '/dir/ünï.bin', data: block(7, 3000), options: { mode: 0o600 } },
    { op: 'writeFile', path: '/dir/empty', data: '' },
    {
      op: 'writeFile',
      path: '/with',
      data: block(3, 90),
      options: { metadata: { one: '0102', two: '' } },
    },
    { op: 'symlink', target: '/hello.txt', path: '/link' },
    { op: 'createTag', path: 'v1' },
    { op: 'writeFile', path: '/hello.txt', data: block(9, 40) },
    { op: 'unlink', path: '/dir/empty' },
    { op: 'truncate', path: '/dir/ünï.bin', size: 100 },
  ]),
  drive('drive-many', [
    ...Array.from({ length: 60 }, (_, i) => ({
      op: 'writeFile' as const,
      path: `/n/${i % 7}/${i}`,
      data: block(i, (i * 11) % 200),
    })),
    ...Array.from({ length: 12 }, (_, i) => ({
      op: 'unlink' as const,
      path: `/n/${(i * 5) % 7}/${i * 5}`,
    })),
  ]),
  drive('drive-large', [{ op: 'writeFile', path: '/large', data: block(1, 1_200_000) }]),
]

/** Statements that are about a store or a drive, and say nothing of a single log. */
const ABOUT_DRIVES = /^folder\.(store|trie|drive|stat|content)\./

/** What a subject writes is what the chapters say. */
export function* writtenCases(): Iterable<Case<Writings>> {
  for (const script of SCRIPTS) {
    for (const statement of folderCases()) {
      const { id, title, section, level } = statement
      if (script.holds === 'a log' && ABOUT_DRIVES.test(id)) continue
      if (id === 'folder.store.wanted' || id.startsWith('folder.key.secret')) continue
      if (script.name === 'drive-empty' && /\.(trie|stat|content)\./.test(id)) continue
      yield {
        id: id.replace(/^folder/, `written.${script.name}`),
        title: `${title} (${script.holds}: ${script.name})`,
        section,
        level,
        async run(writings) {
          const folder = await writings.folder(script)
          if (script.holds === 'a drive') holds(folder.drives.length > 0, 'it holds no drive')
          return statement.run(folder)
        },
      }
    }
  }
  yield* readCases()
}

/** What the reference wrote is read. */
function* readCases(): Iterable<Case<Writings>> {
  for (const { name, key } of recorded<{ name: string; key: Hex }>('log/fixtures').cases) {
    yield {
      id: `read.log.${name}`,
      title: `a log that the reference wrote is opened, and every block that it holds read: ${name}`,
      section: '10-log 3.8',
      level: 'MUST',
      async run(writings) {
        const from = join(VECTORS, 'log/fixtures', name)
        const folder = new StoredFolder(from)
        const [stored] = folder.logs
        if (!stored) throw new Error(`the kit lacks ${from}`)
        const read = await writings.subject.ask('readLog', {
          folder: writings.copy(from, `read-${name}`),
        })
        same(read.key, key, 'key')
        same(read.length, stored.length, 'length')
        same(read.byteLength, stored.byteOffset(stored.length), 'byteLength')
        const blocks = Array.from({ length: stored.length }, (_, i) => {
          const bytes = stored.hasBlock(i) ? stored.block(i) : null
          return bytes && hex(bytes)
        })
        same(read.blocks, blocks, 'blocks')
      },
    }
  }
  interface Disk {
    name: string
    expect: {
      key: Hex
      version: number
      entries?: { name: string; stat: { size: number; linkname: string | null }; data?: Blob }[]
    }
  }
  type Blob = { hex: Hex } | { sha256: Hex }
  for (const { name, expect } of recorded<Disk>('drive/disk').cases) {
    const { entries } = expect
    if (!entries) continue
    yield {
      id: `read.drive.${name}`,
      title: `a drive that the reference wrote is opened, and its files have their bytes: ${name}`,
      section: '40-drive 2.2',
      level: 'MUST',
      async run(writings) {
        const folder = writings.copy(join(VECTORS, 'drive/disk', name), `read-${name}`)
        const read = await writings.subject.ask('readDrive', { folder, key: expect.key })
        same(read.key, expect.key, 'key')
        same(read.version, expect.version, 'version')
        for (const { name: path, stat, data } of entries) {
          const entry = read.entries.find((each) => each.path === path)
          if (!data || stat.linkname !== null) continue
          const bytes = 'hex' in data ? Buffer.from(data.hex, 'hex') : null
          const sha256 = bytes
            ? createHash('sha256').update(bytes).digest('hex')
            : (data as { sha256: Hex }).sha256
          const wanted = { path, size: stat.size, linkname: null, sha256 }
          same(entry ?? null, wanted, path)
        }
      },
    }
  }
}
