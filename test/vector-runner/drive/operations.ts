/**
 * The operations of the scripted drive vectors, each as one call of the public drive API whose result is in the
 * form of the vectors.
 *
 * @see test/vectors/drive/README.md, Operations
 * @module
 */
import { finished } from 'node:stream/promises'
import type { Drive } from '../../../src/drive/drive.ts'
import { argument, blob, hexOrNull, statRecord, type ComparableStat } from './forms.ts'

/** One step of a scripted case. */
export interface Step {
  readonly drive: string
  readonly at?: number
  readonly time: number
  readonly op: string
  readonly args?: readonly unknown[]
  readonly save?: string
  readonly fd?: string
  readonly target?: string
  readonly quirk?: string
  readonly note?: string
  readonly appended?: Readonly<Record<string, Appended>>
}

/** What a step appended to the logs of one drive. */
export interface Appended {
  readonly metadata?: readonly string[]
  readonly content?: readonly unknown[]
  readonly version?: number
  readonly contentByteLength?: number
}

/** What the operations of one case share. */
export interface Scene {
  readonly drives: ReadonlyMap<string, Drive>
  /** Saved names of descriptors; those that may write are kept apart, since their blocks come late. */
  readonly descriptors: Map<string, number>
  readonly writing: Set<string>
}

type Options = Readonly<Record<string, unknown>>
type Operation = (drive: Drive, args: readonly unknown[], step: Step, scene: Scene) => unknown

/** Run the operation of `step` on `drive` (its checkout, when the step names a version). */
export async function operate(drive: Drive, step: Step, scene: Scene): Promise<unknown> {
  const operation = OPERATIONS.get(step.op)
  if (!operation) throw new Error(`unknown operation ${step.op}`)
  return operation(drive, (step.args ?? []).map(argument), step, scene)
}

/** An operation whose result is of no interest: null, as the vectors write it. */
function nothing(operation: Operation): Operation {
  return async (...all) => {
    await operation(...all)
    return null
  }
}

/** An operation that answers with a Stat. */
function withStat(operation: Operation): Operation {
  return async (...all) => statRecord((await operation(...all)) as ComparableStat)
}

const OPERATIONS: ReadonlyMap<string, Operation> = new Map<string, Operation>([
  ['writeFile', nothing((d, [name, data, o]) => d.writeFile(text(name), bytes(data), options(o)))],
  ['writeStream', nothing(writeStream)],
  ['readFile', readFile],
  ['readStream', readStream],
  ['create', withStat((d, [name, o]) => d.create(text(name), options(o)))],
  [
    'mkdir',
    withStat((d, [name, o]) => d.mkdir(text(name), typeof o === 'number' ? o : options(o))),
  ],
  ['symlink', withStat((d, [target, name]) => d.symlink(text(target), text(name)))],
  [
    'setMetadata',
    withStat((d, [n, key, value]) => d.setMetadata(text(n), text(key), bytes(value))),
  ],
  ['removeMetadata', withStat((d, [name, key]) => d.removeMetadata(text(name), text(key)))],
  ['copy', withStat((d, [from, to]) => d.copy(text(from), text(to)))],
  ['update', withStat((d, [name, partial]) => d.update(text(name), options(partial)))],
  ['stat', withStat((d, [name]) => d.stat(text(name)))],
  ['lstat', withStat((d, [name]) => d.lstat(text(name)))],
  ['unlink', nothing((d, [name]) => d.unlink(text(name)))],
  ['rmdir', nothing((d, [name]) => d.rmdir(text(name)))],
  ['truncate', nothing((d, [name, size]) => d.truncate(text(name), size as number))],
  ['access', nothing((d, [name]) => d.access(text(name)))],
  ['clear', nothing(async (d, [name, o]) => d.clear(text(name), options(o)).done)],
  ['createTag', nothing((d, [n, version]) => d.createTag(text(n), version as number | undefined))],
  ['deleteTag', nothing((d, [name]) => d.deleteTag(text(name)))],
  ['getTaggedVersion', async (d, [name]) => (await d.getTaggedVersion(text(name))) ?? null],
  ['getAllTags', async (d) => [...(await d.getAllTags())].map(([name, at]) => [name, at])],
  ['exists', (d, [name]) => d.exists(text(name))],
  ['readlink', async (d, [name]) => (await d.readlink(text(name))) ?? null],
  ['readdir', readdir],
  ['open', open],
  ['read', read],
  ['write', write],
  [
    'ftruncate',
    nothing((d, [size], step, scene) => d.ftruncate(fdOf(step, scene), size as number)),
  ],
  ['close', nothing(close)],
  ['diff', diff],
  ['history', history],
  ['mount', nothing(mount)],
  ['unmount', nothing((d, [path]) => d.unmount(text(path)))],
  ['info', info],
  ['getAllMounts', getAllMounts],
  ['stats', stats],
  ['version', (d) => d.version],
])

async function writeStream(drive: Drive, [name, chunks, o]: readonly unknown[]): Promise<void> {
  const stream = drive.createWriteStream(text(name), options(o))
  for (const chunk of chunks as readonly Uint8Array[]) stream.write(chunk)
  stream.end()
  await finished(stream)
}

async function readFile(drive: Drive, [name, encoding]: readonly unknown[]): Promise<unknown> {
  if (encoding === undefined) return blob(await drive.readFile(text(name)))
  return { text: await drive.readFile(text(name), encoding as BufferEncoding) }
}

async function readStream(drive: Drive, [name, o]: readonly unknown[]): Promise<unknown> {
  const chunks: Buffer[] = []
  for await (const chunk of drive.createReadStream(text(name), options(o))) {
    chunks.push(chunk as Buffer)
  }
  // Where chunks are cut is informative; it is left out on both sides.
  return blob(Buffer.concat(chunks))
}

interface Listed {
  readonly name: string
  readonly path: string
  readonly stat: ComparableStat
  readonly mount: { readonly key: Uint8Array }
  readonly innerPath: string
}

async function readdir(drive: Drive, [name, o]: readonly unknown[]): Promise<unknown> {
  const listed = (await drive.readdir(text(name), options(o))) as readonly (string | Listed)[]
  return listed.map((entry) => {
    if (typeof entry === 'string') return entry
    const { stat, mount, path, innerPath } = entry
    const { mode, size, linkname } = stat
    return {
      name: entry.name,
      path,
      mode,
      size,
      linkname,
      mountKey: hexOrNull(mount.key),
      innerPath,
    }
  })
}

async function open(
  drive: Drive,
  [name, flags]: readonly unknown[],
  { save = '' }: Step,
  scene: Scene,
): Promise<number> {
  const fd = await drive.open(text(name), flags as string | number)
  scene.descriptors.set(save, fd)
  // A number's low two bits and a string other than 'r' and its synchronous forms may write.
  if (typeof flags === 'number' ? flags & 3 : !/^(?:r|rs|sr)$/u.test(String(flags))) {
    scene.writing.add(save)
  }
  return fd
}

async function read(
  drive: Drive,
  [size, at, length, position]: readonly unknown[],
  step: Step,
  scene: Scene,
): Promise<unknown> {
  const buffer = Buffer.alloc(size as number)
  const result = await drive.read(
    fdOf(step, scene),
    buffer,
    at as number,
    length as number,
    position as number | null,
  )
  return { bytesRead: result.bytesRead, ...blob(buffer) }
}

async function write(
  drive: Drive,
  [data, at, length, position]: readonly unknown[],
  step: Step,
  scene: Scene,
): Promise<number> {
  const result = await drive.write(
    fdOf(step, scene),
    bytes(data),
    at as number,
    length as number,
    position as number | null,
  )
  return result.bytesWritten
}

async function close(drive: Drive, _: unknown, step: Step, scene: Scene): Promise<void> {
  await drive.close(fdOf(step, scene))
  scene.writing.delete(step.fd ?? '')
}

function fdOf(step: Step, scene: Scene): number {
  // An argument stands for a number that was never given out, as errors.json does it.
  return scene.descriptors.get(step.fd ?? '') ?? 98
}

interface DiffRow {
  readonly type: string
  readonly name: string
  readonly seq?: number
  readonly previous?: { readonly seq?: number }
  readonly value?: unknown
}

async function diff(drive: Drive, [other, prefix]: readonly unknown[]): Promise<unknown> {
  const rows: unknown[] = []
  const stream = drive.createDiffStream(other as number, prefix as string | undefined)
  for await (const row of stream as AsyncIterable<DiffRow>) {
    const { type, name, seq = null, previous, value } = row
    const before = previous ? (previous.seq ?? {}) : null
    rows.push({ type, name, seq, previous: before, value: diffValue(type, value) })
  }
  return rows
}

function diffValue(type: string, value: unknown): unknown {
  if (!value) return null
  if (type === 'put') return statRecord(value as ComparableStat)
  return mountInfo(value as MountInfo)
}

interface MountInfo {
  readonly key: Uint8Array | null
  readonly localPath: string
  readonly remotePath: string
  readonly version: number | null
}

function mountInfo({ key, localPath, remotePath, version }: MountInfo): unknown {
  return { key: hexOrNull(key), localPath, remotePath, version }
}

interface HistoryRow {
  readonly type: string
  readonly node?: { readonly seq: number; readonly key: string; readonly hidden: boolean }
  readonly info?: MountInfo
}

async function history(drive: Drive, [o]: readonly unknown[]): Promise<unknown> {
  const rows: unknown[] = []
  for await (const row of drive.createHistoryStream(options(o)) as AsyncIterable<HistoryRow>) {
    const { type, node, info } = row
    if (node) rows.push({ type, seq: node.seq, name: node.key, hidden: node.hidden })
    else rows.push({ type, key: hexOrNull(info?.key), localPath: info?.localPath })
  }
  return rows
}

function mount(drive: Drive, args: readonly unknown[], { target }: Step, scene: Scene): unknown {
  if (target === undefined) {
    return drive.mount(text(args[0]), args[1] as Uint8Array, options(args[2]))
  }
  const key = scene.drives.get(target)?.key
  if (!key) throw new Error(`no drive ${target}`)
  return drive.mount(text(args[0]), key, options(args[1]))
}

async function info(drive: Drive, [path]: readonly unknown[]): Promise<unknown> {
  const found = await drive.info(text(path))
  const { feed, mountPath } = found
  return { feed: hexOrNull(feed.key), mountPath, mountInfo: mountInfo(found.mountInfo) }
}

async function getAllMounts(drive: Drive, [o]: readonly unknown[]): Promise<unknown> {
  return [...(await drive.getAllMounts(options(o)))].map(([path, { metadata, content }]) => ({
    path,
    metadata: hexOrNull(metadata.key),
    content: hexOrNull(content?.key),
  }))
}

async function stats(drive: Drive, [path, o]: readonly unknown[]): Promise<unknown> {
  const found = await drive.stats(text(path), o === undefined ? undefined : options(o))
  return found instanceof Map ? [...found] : found
}

function text(value: unknown): string {
  // Not checked: names that are no strings are among the cases.
  return value as string
}

function bytes(value: unknown): Uint8Array {
  return value as Uint8Array
}

function options(value: unknown): Options {
  return (value ?? {}) as Options
}
