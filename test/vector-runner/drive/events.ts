/**
 * Handler of `drive/events.json`: which events come, in which order, and how often watchers are called.
 *
 * Keys are told by their order of appearance, since those of the recording are not given.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { Drive, type DriveEvents } from '../../../src/drive/index.ts'
import { MemoryFolder } from '../../../src/storage/index.ts'
import { Store } from '../../../src/store/index.ts'
import type { VectorCase, VectorKind } from '../vector.ts'
import { until } from './connect.ts'

type Row = readonly unknown[]
type Counts = Readonly<Record<string, number>>

interface LogCase {
  readonly name: string
  readonly log: readonly Row[]
}

interface WatchCase {
  readonly name: string
  readonly watched: readonly string[]
  readonly log: readonly { readonly after: string; readonly counts: Counts }[]
}

/** A case with `watched` counts; another is a log, of one drive (`d`) or of one with a mount (`d1`). */
export const kind: VectorKind = {
  name: 'drive/events',
  *cases({ json }) {
    for (const each of json.cases as readonly (LogCase | WatchCase)[]) yield caseOf(each)
  },
}

function caseOf(each: LogCase | WatchCase): VectorCase {
  const { name } = each
  if ('watched' in each) return { name, run: () => watchers(each) }
  const drives = new Set(each.log.map(([who]) => who).filter((who) => who !== '--'))
  return { name, run: () => (drives.has('d1') ? mounted(each) : single(each)) }
}

const EVENTS: readonly (keyof DriveEvents)[] = [
  ...(['ready', 'error', 'update', 'metadata-feed', 'mount', 'content-feed'] as const),
  ...(['appending', 'append', 'close', 'peer-add', 'peer-open', 'peer-remove'] as const),
]

function record(drive: Drive, who: string, log: unknown[][]): void {
  for (const event of EVENTS) {
    drive.on(event, (...args: readonly unknown[]) => void log.push([who, event, ...args.map(told)]))
  }
}

function told(argument: unknown): unknown {
  if (typeof argument !== 'object' || argument === null) return argument
  if ('log' in argument) return told(argument.log)
  if ('key' in argument && argument.key instanceof Uint8Array) {
    return Buffer.from(argument.key).toString('hex', 0, 8)
  }
  return 'object'
}

/** What the operations of the recording were called with. */
const OPERATIONS: Readonly<Record<string, (drive: Drive) => Promise<unknown>>> = {
  writeFile: (drive) => drive.writeFile('a', 'x'),
  mkdir: (drive) => drive.mkdir('dir'),
  symlink: (drive) => drive.symlink('a', 'link'),
  unlink: (drive) => drive.unlink('link'),
  createTag: (drive) => drive.createTag('tag'),
  rmdir: (drive) => drive.rmdir('dir'),
  create: (drive) => drive.create('created'),
  setMetadata: (drive) => drive.setMetadata('a', 'key', 'value'),
  'readFile a/f': (drive) => drive.readFile('a/f'),
  'writeFile a/g': (drive) => drive.writeFile('a/g', 'x'),
  close: (drive) => drive.close(),
}

async function single({ log: want }: LogCase): Promise<void> {
  const log: unknown[][] = []
  const drive = new Drive(new MemoryFolder().open, { exact: true })
  record(drive, 'd', log)
  await drive.ready()
  await replay(drive, want, log)
}

async function mounted({ log: want }: LogCase): Promise<void> {
  const store = new Store(new MemoryFolder().open)
  const outer = new Drive(store, { exact: true, namespace: 'outer' })
  const inner = new Drive(store, { exact: true, namespace: 'inner' })
  await outer.ready()
  await inner.writeFile('f', 'x')
  const log: unknown[][] = []
  record(outer, 'd1', log)
  await replay(outer, want, log, () => outer.mount('a', inner.key ?? Buffer.alloc(0)))
  await outer.close()
  await inner.close()
  await store.close()
}

async function replay(
  drive: Drive,
  want: readonly Row[],
  log: unknown[][],
  mount?: () => Promise<unknown>,
): Promise<void> {
  for (const [i, [who, label]] of want.entries()) {
    if (who !== '--') continue
    await until(() => log.length >= i)
    log.push(['--', label])
    const operation = label === 'mount' ? mount : OPERATIONS[String(label)]
    assert.ok(operation, `operation ${String(label)}`)
    await operation(drive)
  }
  await until(() => log.length >= want.length)
  assert.deepEqual(byAppearance(log), byAppearance(want))
}

/** Keys replaced by their number. */
function byAppearance(log: readonly Row[]): unknown[][] {
  const keys: unknown[] = []
  return log.map((row) =>
    row.map((cell) => {
      if (typeof cell !== 'string' || !/^[0-9a-f]{16}$/u.test(cell)) return cell
      if (!keys.includes(cell)) keys.push(cell)
      return `key ${keys.indexOf(cell)}`
    }),
  )
}

async function watchers({ watched, log }: WatchCase): Promise<void> {
  const drive = new Drive(new MemoryFolder().open, { exact: true })
  await drive.writeFile('a/x', '1')
  const counts: Record<string, number> = {}
  const all = new Map(
    watched.map((name) => {
      counts[name] = 0
      return [name, drive.watch(name, () => void (counts[name] = (counts[name] ?? 0) + 1))]
    }),
  )
  for (const { after, counts: want } of log) {
    if (after !== 'watch') {
      for (const step of after.split(', '))
        await change(drive, step, (name) => all.get(name)?.destroy())
    }
    await until(() => JSON.stringify(counts) === JSON.stringify(want))
    assert.deepEqual(counts, want, after)
  }
  await drive.close()
}

/** `writeFile a/y 1`, `unlink b`, `createTag t`, `setMetadata a/x k v`, `destroy watcher '/'` */
async function change(drive: Drive, step: string, destroy: (name: string) => void): Promise<void> {
  const [verb, name = '', ...rest] = step.split(' ')
  if (verb === 'writeFile') await drive.writeFile(name, rest[0] ?? 'x')
  else if (verb === 'unlink') await drive.unlink(name)
  else if (verb === 'createTag') await drive.createTag(name)
  else if (verb === 'setMetadata') await drive.setMetadata(name, rest[0] ?? '', rest[1] ?? '')
  else if (verb === 'destroy') destroy((rest[0] ?? '').replaceAll("'", ''))
  else throw new Error(`unknown step ${step}`)
}
