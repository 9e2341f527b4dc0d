/**
 * The content logs of a drive, of its checkouts and of what is mounted in it: one a metadata log, opened once.
 *
 * Which it is stands in the first block of the metadata log. A clone may not have that block yet: then whoever
 * needs the content waits for it, under the terms of his own read.
 *
 * @see spec/40-drive.md 2.3, 3.2
 * @module
 */
import { asBuffer } from '../../bytes.ts'
import type { Log } from '../../log/index.ts'
import type { DriveTrie, Reads } from '../context.ts'
import { DriveError } from '../errors.ts'
import type { DriveEvents } from '../events.ts'
import type { Subscriptions } from '../subscriptions.ts'

/** Opens the log of a key; it must be ready when the promise resolves. */
export type OpenContent = (key: Uint8Array) => Promise<Log>

/** Content logs by metadata log. */
export class Contents {
  readonly #open: OpenContent
  readonly #emit: <Name extends keyof DriveEvents>(name: Name, ...args: DriveEvents[Name]) => void
  readonly #subscriptions: Subscriptions
  readonly #known = new Map<Log, Log>()
  readonly #opening = new Map<Log, Promise<Log>>()
  /** Logs whose events are passed on: two metadata logs may name the same content. */
  readonly #watched = new Set<Log>()

  /**
   * @param open - opens the log of a key
   * @param emit - where the events of content logs go
   * @param subscriptions - end with the drive
   */
  constructor(
    open: OpenContent,
    emit: <Name extends keyof DriveEvents>(name: Name, ...args: DriveEvents[Name]) => void,
    subscriptions: Subscriptions,
  ) {
    this.#open = open
    this.#subscriptions = subscriptions
    this.#emit = emit
  }

  /** The content log that belongs to `metadata`, if it is open. */
  peek(metadata: Log): Log | null {
    return this.#known.get(metadata) ?? null
  }

  /**
   * The content log of a trie. Waits for the header as `reads` say.
   *
   * @throws {@link DriveError} `DRIVE_BAD_HEADER` when the header names no 32-byte key
   */
  async of(trie: DriveTrie, reads: Reads): Promise<Log> {
    const known = this.#known.get(trie.log)
    if (known) return known
    const key = await trie.getMetadata(reads)
    if (key?.length !== 32) {
      throw new DriveError('DRIVE_BAD_HEADER', {
        reason: `want a content key of 32 bytes, got ${key ? key.length : 'none'}`,
      })
    }
    return this.#load(trie.log, key)
  }

  /** Take note of the content log of a new drive. */
  set(metadata: Log, content: Log): void {
    this.#known.set(metadata, content)
    this.watch(content)
  }

  /** Announce a log as content of the drive, and pass its events on. */
  watch(content: Log): void {
    if (this.#watched.has(content)) return
    this.#watched.add(content)
    this.#subscriptions.to(content, 'download', (index, data) => {
      this.#emit('content-download', index, asBuffer(data), content)
    })
    this.#subscriptions.to(content, 'upload', (index, data) => {
      this.#emit('content-upload', index, asBuffer(data), content)
    })
    this.#subscriptions.to(content, 'error', (error) => this.#emit('error', error))
    this.#subscriptions.to(content, 'close', () => this.#watched.delete(content))
    this.#emit('content-feed', content)
  }

  #load(metadata: Log, key: Uint8Array): Promise<Log> {
    let opening = this.#opening.get(metadata)
    if (!opening) {
      opening = this.#open(key)
        .then((content) => {
          this.set(metadata, content)
          return content
        })
        .finally(() => this.#opening.delete(metadata))
      this.#opening.set(metadata, opening)
    }
    return opening
  }
}
