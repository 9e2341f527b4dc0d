/**
 * What a batch holds until it is flushed: new content, and the entries that will change.
 *
 *     writeFile only          entries by path; nothing else is looked at than whether a path may be written
 *     with the first other    a *view*: the drive's trie with the batch's nodes on top (`staged-log.ts`), on which every
 *     operation               operation of a drive works as ever, and sees what came before it in the batch
 *
 * A flush appends the content, then what differs between the view and the drive that it began from, with one batch of
 * the trie. It is laid over what the drive holds by then: others may have written meanwhile.
 *
 * @module
 */
import { equals } from '../../bytes.ts'
import type { Log } from '../../log/index.ts'
import { type BatchOperation, MountTrie, type TrieDifference } from '../../trie/index.ts'
import { BulkWriter } from './bulk-writer.ts'
import { commitContent, cut, writablePlace } from '../content/content.ts'
import { ContentIndex } from '../content/content-index.ts'
import { Contents } from '../content/contents.ts'
import { DriveContext } from '../context.ts'
import { DriveError, inWords } from '../errors.ts'
import { lookUp } from '../entries/lookup.ts'
import { keyOf, parentPath } from '../paths.ts'
import { StagedLog, UNPLACED } from './staged-log.ts'
import { Stat, type StatInput } from '../entries/stat.ts'
import { Subscriptions } from '../subscriptions.ts'

type Change = BatchOperation<Uint8Array>
type Emitted = readonly [path: string, options: StatInput]

/** The drive as it is with the batch's changes. */
interface View {
  readonly context: DriveContext
  readonly content: StagedLog
  /** Blocks of the metadata log that it stands on. */
  readonly base: number
}

/** The changes of one batch. */
export class Staging {
  readonly #drive: DriveContext
  /** Directories that are no links, nor below one. */
  readonly #plain = new Set<string>()
  /** What is not in a view. */
  #bulk: BulkWriter | null = null
  #view: View | null = null
  #events: Emitted[] = []
  readonly #subscriptions = new Subscriptions()

  /** @param drive - the drive that is changed */
  constructor(drive: DriveContext) {
    this.#drive = drive
  }

  /** Write a whole file. The bytes are copied. */
  async writeFile(path: string, bytes: Uint8Array | null, fields: StatInput): Promise<void> {
    const drive = this.#drive
    await drive.ready()
    const bulk = await this.#openBulk(path)
    const key = bulk.has(keyOf(path)) ? keyOf(path) : await this.#keyFor(path)
    const { place, blocks, waits } = await bulk.share(bytes ? cut(bulk.copy(bytes)) : [])
    const entry = Stat.file({ ...fields, ...place }, drive.now()).encode()
    bulk.put(key, entry, blocks, waits)
    if (bulk.isFull) await inWords('write', path, () => bulk.appendContent())
    this.#events.push([path, fields])
  }

  /** Whether the drive has to be seen with the changes: from now on everything goes by the view. */
  get hasView(): boolean {
    return this.#view !== null
  }

  /** The drive with the batch's changes. */
  async view(): Promise<DriveContext> {
    const drive = this.#drive
    await drive.ready()
    this.#view ??= await this.#makeView()
    return this.#view.context
  }

  /** Store all of it. After a failure everything is still here, and may be stored later. */
  async flush(): Promise<void> {
    const drive = this.#drive
    await inWords('batch', undefined, async () => {
      if (this.#view) await store(this.#view, drive)
      else await this.#bulk?.flush()
    })
    for (const event of this.#events) {
      drive.emit('appending', ...event)
      drive.emit('append', ...event)
    }
    this.end()
  }

  /** Forget all of it. */
  end(): void {
    this.#bulk?.clear()
    this.#events = []
    this.#view?.context.markClosed()
    this.#subscriptions.end()
  }

  /** Where a file at `path` is stored: links are followed. */
  async #keyFor(path: string): Promise<string> {
    const drive = this.#drive
    // With no link at the path, nor above it, there is nothing to follow. Most files have neighbours.
    if (this.#plain.has(parentPath(path))) {
      const { entry } = await lookUp(drive, path, { syscall: 'open' })
      if (!entry || entry.stat.isFile()) return keyOf(path)
    }
    const place = await inWords('open', path, () => writablePlace(drive, path, 'open'))
    if (place.trie.log !== drive.metadata) throw otherDrive('open', path)
    if (place.innerPath === keyOf(path)) this.#plain.add(parentPath(path))
    return place.innerPath
  }

  async #openBulk(path: string): Promise<BulkWriter> {
    if (this.#bulk) return this.#bulk
    const drive = this.#drive
    drive.assertWritable('batch', path)
    if (!drive.metadata.writable) throw new DriveError('EROFS', { syscall: 'batch', path })
    const content = await drive.contents.of(drive.trie, drive.reads())
    const index = await ContentIndex.of(drive, drive.trie, content)
    this.#bulk = new BulkWriter(drive.trie, content, index)
    return this.#bulk
  }

  async #makeView(): Promise<View> {
    const drive = this.#drive
    const bulk = await this.#openBulk('/')
    const content = StagedLog.beside(bulk.content)
    const base = drive.metadata.length
    const metadata = StagedLog.onTopOf(drive.metadata)
    const contents = new Contents(drive.openLog, () => undefined, this.#subscriptions)
    contents.set(metadata, content)
    const trie = new MountTrie<Log>(metadata, {
      openLog: async (key) => StagedLog.frozen(await drive.openLog(key)),
      subtype: drive.settings.subtype,
      extension: false,
    })
    await trie.ready()
    const context = new DriveContext({
      settings: drive.settings,
      checkout: null,
      contents,
      openLog: drive.openLog,
      open: () => Promise.resolve({ store: storeOf(drive), metadata, trie }),
      emit: (name, ...args) => this.#note(name, args),
    })
    await context.ready()
    const unplaced = { offset: content.length, byteOffset: content.byteLength }
    await content.append(bulk.moveContent(unplaced))
    await trie.trie.batch(bulk.changes())
    bulk.clear()
    return { context, content, base }
  }

  /** Of the events of the view only those that tell of files concern anybody, once they are stored. */
  #note(name: string, args: readonly unknown[]): void {
    const [path, options] = args
    if (name !== 'append' || typeof path !== 'string' || typeof options !== 'object') return
    this.#events.push([path, options ?? {}])
  }
}

function storeOf(drive: DriveContext): NonNullable<DriveContext['opened']>['store'] {
  const { opened } = drive
  if (!opened) throw new DriveError('DRIVE_CLOSED')
  return opened.store
}

/** What is mounted may be read through a batch, not changed: two drives cannot change at one time. */
function otherDrive(syscall: string, path: string): DriveError {
  return new DriveError('EROFS', { syscall, path, reason: 'a batch changes one drive' })
}

/** Append the content of a view, then what it changes. After a failure the view is as it was. */
async function store(view: View, drive: DriveContext): Promise<void> {
  const changes = await differences(view)
  if (changes.length === 0) return
  await commitContent(view.content)
  await drive.trie.trie.batch(changes.map((change) => placed(change, view.content, drive)))
}

/** What makes the view out of what it began from. Puts first: see `rename.ts`. */
async function differences({ context, base }: View): Promise<Change[]> {
  const { trie } = context.trie
  const dels: Change[] = []
  const puts: Change[] = []
  for (const hidden of [true, false]) {
    // oxlint-disable-next-line no-await-in-loop -- from memory
    for await (const row of trie.diff(base, '', { hidden, wait: false })) {
      if (!row.left) dels.push({ type: 'del', key: row.key, hidden })
      else if (!isSame(row)) {
        puts.push({ key: row.key, value: row.left.value, flags: row.left.flags, hidden })
      }
    }
  }
  return [...puts, ...dels]
}

/** Whether only the block differs: a deletion writes a neighbour anew. */
function isSame({ left, right }: TrieDifference): boolean {
  if (!left || !right || left.flags !== right.flags || left.key !== right.key) return false
  if (!left.value || !right.value) return left.value === right.value
  return equals(left.value, right.value)
}

/** A change with its content where it lies in the log. */
function placed(change: Change, content: StagedLog, drive: DriveContext): Change {
  const { value, hidden } = change
  if (hidden || !(value instanceof Uint8Array)) return change
  const stat = Stat.decode(value, drive.now())
  if (stat.offset < UNPLACED) return change
  const { length: offset, byteLength: byteOffset } = content.base
  // Without blocks the place means nothing; v10 notes where the log ended.
  const place = stat.blocks === 0 ? { offset, byteOffset } : content.placeOf(stat)
  return { ...change, value: stat.with({ ...place }, drive.now()).encode() }
}
