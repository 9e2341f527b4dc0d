/**
 * Handler of `drive/disk.json`: folders that v10 wrote. Each must (a) show what it should, (b) take more, and (c),
 * where the operations are known, come out the same from them, file by file, but for `signatures`.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Drive } from '../../../src/drive/index.ts'
import { Store } from '../../../src/store/index.ts'
import type { VectorCase, VectorFile, VectorKind } from '../vector.ts'
import { type Blob, type StatRecord, blob, expectedStat, pattern, statRecord } from './forms.ts'

interface Shown {
  readonly key: string
  readonly contentKey: string
  readonly version: number
  readonly writable: boolean
  readonly metadataLength?: number
  readonly contentLength: number
  readonly contentByteLength?: number
  readonly tags?: readonly (readonly [string, number])[]
  readonly entries?: readonly {
    readonly name: string
    readonly stat: StatRecord
    readonly data?: Blob
  }[]
  readonly metadataPresent?: readonly number[]
  readonly contentPresent?: readonly number[]
  readonly readFile?: readonly [name: string, data: Blob]
}

interface DiskCase {
  readonly name: string
  readonly folder: string
  /** How v10 opens it. */
  readonly open: string
  readonly expect: Shown | Readonly<Record<string, Shown>>
  readonly checkout?: { readonly version: number; readonly readFile: readonly [string, string] }
  readonly files: readonly {
    readonly path: string
    readonly size: number
    readonly sha256: string
  }[]
}

/** Drives by name; a folder of one drive has it under the empty name. */
type Drives = ReadonlyMap<string, Drive>

/** Up to three cases a folder. */
export const kind: VectorKind = {
  name: 'drive/disk',
  *cases(file) {
    for (const each of file.json.cases as readonly DiskCase[]) yield* casesOf(file, each)
  },
}

function* casesOf(file: VectorFile, each: DiskCase): Iterable<VectorCase> {
  const source = join(file.folder, each.folder)
  yield { name: `${each.name}: reads`, run: () => onCopy(source, (folder) => reads(folder, each)) }
  yield {
    name: `${each.name}: appends`,
    run: () => onCopy(source, (folder) => appends(folder, each)),
  }
  const script = SCRIPTS.get(each.name)
  if (script)
    yield { name: `${each.name}: writes the same`, run: () => writesTheSame(source, each, script) }
}

async function onCopy(source: string, work: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'varve-disk-'))
  try {
    cpSync(source, folder, { recursive: true })
    await work(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function reads(folder: string, each: DiskCase): Promise<void> {
  await withDrives(folder, each, async (drives) => {
    for (const [name, shown] of shownIn(each)) await checkShown(drives.get(name), shown)
    const [drive] = drives.values()
    if (!each.checkout || !drive) return
    const { version, readFile } = each.checkout
    assert.equal(await drive.checkout(version).readFile(readFile[0], 'utf8'), readFile[1])
  })
}

async function appends(folder: string, each: DiskCase): Promise<void> {
  const written = pattern(3, 100)
  for (const [name, { writable, version }] of shownIn(each)) {
    await withDrives(folder, each, async (drives) => {
      const drive = drives.get(name)
      assert.ok(drive)
      const write = drive.writeFile('/varve/appended', written)
      if (!writable) {
        await assert.rejects(write, { code: 'EROFS' })
        return
      }
      await write
      assert.equal(drive.version, version + 1)
    })
    if (!writable) continue
    await withDrives(folder, each, async (drives) => {
      assert.deepEqual(await drives.get(name)?.readFile('/varve/appended'), written)
    })
  }
}

async function checkShown(drive: Drive | undefined, want: Shown): Promise<void> {
  assert.ok(drive?.metadata)
  const content = await drive.getContent()
  assert.equal(drive.key?.toString('hex'), want.key)
  assert.equal(Buffer.from(content.key ?? []).toString('hex'), want.contentKey)
  assert.equal(drive.version, want.version)
  assert.equal(drive.writable, want.writable)
  assert.equal(content.length, want.contentLength)
  if (want.metadataLength !== undefined) assert.equal(drive.metadata.length, want.metadataLength)
  if (want.contentByteLength !== undefined) assert.equal(content.byteLength, want.contentByteLength)
  if (want.tags) assert.deepEqual([...(await drive.getAllTags())], want.tags)
  for (const { name, stat, data } of want.entries ?? []) {
    assert.deepEqual(statRecord(await drive.lstat(name)), expectedStat(stat), name)
    if (data) assert.deepEqual(blob(await drive.readFile(name)), data, name)
  }
  if (want.metadataPresent) assert.deepEqual(present(drive.metadata), want.metadataPresent)
  if (want.contentPresent) assert.deepEqual(present(content), want.contentPresent)
  if (want.readFile) {
    const [name, data] = want.readFile
    assert.deepEqual(blob(await drive.readFile(name)), data)
  }
}

/** The blocks that a log holds. */
export function present(log: { readonly length: number; has(index: number): boolean }): number[] {
  return Array.from({ length: log.length }, (_, i) => i).filter((i) => log.has(i))
}

function shownIn({ expect }: DiskCase): [string, Shown][] {
  return 'key' in expect && typeof expect.key === 'string'
    ? [['', expect as Shown]]
    : Object.entries(expect as Readonly<Record<string, Shown>>)
}

async function withDrives(
  folder: string,
  each: DiskCase,
  work: (drives: Drives) => Promise<void>,
): Promise<void> {
  const all = shownIn(each)
  const [first] = all
  const store = first?.[0] === '' ? null : new Store(folder)
  const drives = new Map(
    all.map(([name, { key }]) => [
      name,
      store
        ? new Drive(store, { exact: true, namespace: name })
        : new Drive(folder, each.open.includes('key') ? key : null, { exact: true }),
    ]),
  )
  try {
    for (const drive of drives.values()) await drive.ready()
    await work(drives)
  } finally {
    for (const drive of drives.values()) await drive.close()
    await store?.close()
  }
}

/** A drive whose clock the script moves, in milliseconds after 1600000000000. */
interface Script {
  readonly options?: (source: string) => {
    readonly keyPair?: { publicKey: Buffer; secretKey: Buffer }
  }
  run(drives: (name: string) => Drive, at: (ms: number) => void): Promise<void>
}

const SCRIPTS: ReadonlyMap<string, Script> = new Map<string, Script>([
  [
    'plain',
    {
      async run(drives, at) {
        const drive = drives('')
        await drive.writeFile('hello.txt', 'world')
        at(1000)
        await drive.mkdir('dir', 0o700)
        const metadata = { m: Buffer.from('meta') }
        await drive.writeFile('dir/ünï.bin', pattern(7, 3000), { mode: 0o600, metadata })
        await drive.writeFile('empty', Buffer.alloc(0))
        await drive.symlink('/hello.txt', 'link')
        await drive.createTag('v1')
        at(2000)
        await drive.writeFile('hello.txt', 'again')
        await drive.unlink('empty')
        await drive.writeFile('gone', 'x')
        await drive.unlink('gone')
      },
    },
  ],
  [
    'mounted',
    {
      async run(drives, at) {
        const [outer, inner] = [drives('outer'), drives('inner')]
        at(2000)
        await inner.writeFile('in/side', 'inner file')
        await outer.mount('mnt/x', inner.key ?? Buffer.alloc(0))
        await outer.writeFile('top', 'outer file')
        await outer.writeFile('mnt/x/new', 'written through')
      },
    },
  ],
  [
    'keypair',
    {
      options: (source) => ({ keyPair: keyPairIn(source) }),
      async run(drives, at) {
        at(2000)
        await drives('').writeFile('k', 'key pair')
      },
    },
  ],
  [
    'many',
    {
      async run(drives, at) {
        for (let i = 0; i <= 20; i++) {
          at(2010 + 10 * i)
          await drives('').writeFile(`n/${i % 7}/${i}`, pattern(i, 11 * i))
        }
      },
    },
  ],
])

async function writesTheSame(source: string, each: DiskCase, script: Script): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'varve-disk-'))
  let clock = 1_600_000_000_000
  try {
    cpSync(join(source, 'master_key'), join(folder, 'master_key'))
    const store = new Store(folder, { exact: true })
    const drives = new Map(
      shownIn(each).map(([name]) => [
        name,
        new Drive(store, {
          exact: true,
          now: () => clock,
          ...script.options?.(source),
          ...(name === '' ? {} : { namespace: name }),
        }),
      ]),
    )
    for (const drive of drives.values()) await drive.ready()
    const driveOf = (name: string): Drive => {
      const drive = drives.get(name)
      assert.ok(drive)
      return drive
    }
    await script.run(driveOf, (ms) => void (clock = 1_600_000_000_000 + ms))
    for (const drive of drives.values()) await drive.close()
    await store.close()
    checkFiles(folder, each)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function checkFiles(folder: string, { files }: DiskCase): void {
  const counts = ({ path }: { readonly path: string }): boolean => !path.endsWith('/signatures')
  const written = filesIn(folder, '').filter(counts)
  const wanted = files.filter(counts)
  assert.deepEqual(
    written.toSorted((a, b) => (a.path < b.path ? -1 : 1)),
    wanted.toSorted((a, b) => (a.path < b.path ? -1 : 1)),
  )
}

function filesIn(folder: string, below: string): { path: string; size: number; sha256: string }[] {
  return readdirSync(join(folder, below)).flatMap((name) => {
    const path = below === '' ? name : `${below}/${name}`
    if (statSync(join(folder, path)).isDirectory()) return filesIn(folder, path)
    const bytes = readFileSync(join(folder, path))
    return [{ path, size: bytes.length, sha256: createHash('sha256').update(bytes).digest('hex') }]
  })
}

/** The pair of the log that has a `secret_key` file. */
function keyPairIn(source: string): { publicKey: Buffer; secretKey: Buffer } {
  const [found] = filesIn(source, '').filter(({ path }) => path.endsWith('/secret_key'))
  assert.ok(found)
  const secretKey = readFileSync(join(source, found.path))
  return { publicKey: secretKey.subarray(32), secretKey }
}
