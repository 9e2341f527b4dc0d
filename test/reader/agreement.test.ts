/**
 * `tools/varve_reader.py`, written from docs/protocol alone, and Varve say the same of a folder: which
 * files there are, and what is in them.
 */
import { createHash } from 'node:crypto'
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { Drive, DriveError, Store } from '../../src/index.ts'
import { Log } from '../../src/log/index.ts'
import { recipes, type Made } from './folders.ts'
import { problemsOf, readFolder, withoutPython, type ReaderEntry, type Report } from './python.ts'

const VECTORS = join('test', 'vectors', 'drive', 'disk')
const skip = withoutPython()

function temporary(t: Test): string {
  const root = mkdtempSync(join(tmpdir(), 'varve-reader-'))
  t.teardown(() => rmSync(root, { recursive: true, force: true }))
  return root
}

/** Hold what the reader says of a folder against the drive that is opened on it. */
async function agree(t: Test, report: Report, open: Drive): Promise<void> {
  await open.ready()
  t.equal(report.drive, open.key?.toString('hex'), 'they mean the same drive')
  const drive = report.version === open.version ? open : open.checkout(report.version ?? 0)
  for (const entry of report.entries) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    t.strictSame(entry, { ...entry, ...(await seen(drive, entry)) }, entry.path)
  }
  await sameNames(t, drive, report.entries)
}

/** What Varve says of an entry, in the reader's words. */
async function seen(drive: Drive, { path }: ReaderEntry): Promise<Partial<ReaderEntry>> {
  const stat = await drive.lstat(path, { wait: false })
  const metadata = Object.entries(stat.metadata).map(([name, value]) => [
    name,
    value && Buffer.from(value).toString('hex'),
  ])
  const fields = {
    mode: stat.mode,
    mtime: stat.mtime.getTime(),
    metadata: Object.fromEntries(metadata) as Record<string, string | null>,
  }
  if (stat.linkname !== null) return { ...fields, type: 'link', state: 'ok', link: stat.linkname }
  if (stat.mount && !stat.mount.hypercore) return { ...fields, type: 'mount', state: 'ok' }
  if (stat.isDirectory()) return { ...fields, type: 'directory', state: 'ok' }
  try {
    const bytes = await drive.readFile(path, { wait: false })
    const sha256 = createHash('sha256').update(bytes).digest('hex')
    return { ...fields, type: 'file', state: 'ok', bytes: bytes.length, sha256 }
  } catch (error) {
    if (!(error instanceof DriveError) || error.code !== 'EUNAVAILABLE') throw error
    return { ...fields, type: 'file', state: 'missing' }
  }
}

/** Every name that a listing gives, but for those that are seen through a link, is one the reader gives. */
async function sameNames(t: Test, drive: Drive, entries: readonly ReaderEntry[]): Promise<void> {
  let names: readonly string[]
  try {
    names = await drive.readdir('/', { recursive: true, wait: false })
  } catch (error) {
    // A sparse clone lacks blocks that a whole listing looks at.
    t.match(error, { code: 'EUNAVAILABLE' })
    return
  }
  const links = entries.filter(({ type }) => type === 'link').map(({ path }) => path)
  const behindLink = (name: string): boolean => links.some((link) => name.startsWith(`${link}/`))
  const listed = names.map((name) => `/${name}`).filter((name) => !behindLink(name))
  // A broken link is in no recursive listing.
  const told = entries.map(({ path }) => path)
  const broken = links.filter((path) => !listed.includes(path))
  t.strictSame([...listed, ...broken].toSorted(), told.toSorted(), 'as many names, and the same')
}

/** How a folder that a drive left must be reported. */
function sound(t: Test, report: Report, { missing = false }: Made): void {
  const problems = problemsOf(report)
  t.strictSame(
    problems.filter((problem) => !problem.startsWith('missing')),
    [],
    'nothing is wrong',
  )
  t.equal(report.code, missing ? 3 : 0)
  t.equal(report.state, missing ? 'missing' : 'ok')
  t.ok(report.logs.every((log) => log.length === 0 || log.signed))
}

for (const [name, make] of Object.entries(recipes)) {
  t.test(`reader and Varve agree on ${name}`, { skip }, async (t) => {
    const folder = join(temporary(t), 'drive')
    const facts = (await make(folder)) ?? {}
    const key = facts.key && Buffer.from(facts.key).toString('hex')
    const version = facts.version?.toString()
    const report = readFolder(
      folder,
      ...(key ? ['--key', key] : []),
      ...(version ? ['--version', version] : []),
    )
    sound(t, report, facts)
    t.equal(report.logs.length >= 1, true)
    const store = new Store(folder)
    await store.ready()
    const drive = new Drive(store, report.drive, { wait: false })
    await agree(t, report, drive)
    await drive.close()
    await store.close()
  })
}

interface Expected {
  readonly key: string
  readonly version: number
  readonly tags?: [string, number][]
}

type Vector = { name: string; expect: Expected | Readonly<Record<'outer' | 'inner', Expected>> }

const { cases } = JSON.parse(readFileSync(`${VECTORS}.json`, 'utf8')) as { cases: Vector[] }

for (const { name, expect } of cases) {
  for (const { key, version, tags = [] } of 'key' in expect ? [expect] : Object.values(expect)) {
    t.test(`reader and Varve agree on the folder "${name}" of v10`, { skip }, async (t) => {
      const folder = join(temporary(t), name)
      cpSync(join(VECTORS, name), folder, { recursive: true })
      const report = readFolder(folder, '--key', key, '--every-signature')
      sound(t, report, { missing: name === 'clone' })
      t.strictSame([report.version, report.tags], [version, Object.fromEntries(tags)])
      const store = new Store(folder)
      await store.ready()
      const drive = new Drive(store, key)
      await agree(t, report, drive)
      await drive.close()
      await store.close()
    })
  }
}

t.test('reader and Varve agree on the logs of v10', { skip }, async (t) => {
  const fixtures = join('test', 'vectors', 'log', 'fixtures')
  for (const name of readdirSync(fixtures)) {
    const folder = join(temporary(t), name)
    cpSync(join(fixtures, name), folder, { recursive: true })
    const report = readFolder(folder, '--every-signature')
    const log = new Log(folder, null)
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await log.ready()
    const held = Array.from({ length: log.length }, (_, index) => log.has(index))
    t.match(
      report.logs[0],
      {
        key: Buffer.from(log.key ?? []).toString('hex'),
        length: log.length,
        byteLength: log.byteLength,
        held: held.filter(Boolean).length,
        wrong: 0,
        signed: true,
      },
      name,
    )
    t.equal(report.code, held.every(Boolean) ? 0 : 3, name)
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    await log.close()
  }
})
