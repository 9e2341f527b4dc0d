/**
 * What the files of the drive share: its settings and clock, the trie with its mounts, the content logs, and where
 * events go. The drive itself is a façade over functions that take this.
 *
 * @see spec/40-drive.md 3.2, 3.3
 * @module
 */
import { setMaxListeners } from 'node:events'
import type { Log, Wait } from '../log/index.ts'
import type { MountTrie } from '../trie/index.ts'
import type { Contents } from './content/contents.ts'
import { DriveError } from './errors.ts'
import type { DriveEvents } from './events.ts'
import type { StoreLike } from './store-like.ts'
import { Tasks } from './task.ts'

/** The files of a drive and of what is mounted in it. */
export type DriveTrie = MountTrie<Log>

/** Whether, and how long, a read waits for what is not here. */
export interface ReadOptions {
  /** `true`: for ever if need be; `false`: not at all; `'peers'`: as long as a peer may have it. Default: the drive's. */
  readonly wait?: Wait | undefined
  /** Milliseconds until `ETIMEDOUT`. Default: the drive's; 0 is none. */
  readonly timeout?: number | undefined
  /** Leaves the wait with the signal's reason. */
  readonly signal?: AbortSignal | undefined
  /** The same as `wait: false`. */
  readonly cached?: boolean | undefined
}

/** Read options with the drive's defaults put in, as lower layers take them. */
export interface Reads {
  readonly wait: Wait
  readonly timeout?: number | undefined
  /** Aborts when the caller's does, and when the drive is closed. */
  readonly signal: AbortSignal
  /** Hears of each block of metadata that the read looks at. */
  readonly onseq?: ((seq: number) => void) | undefined
  /**
   * Of a drive of others that nothing is known of yet, nothing is known to be missing either: the read asks for its first
   * block, and fails as unavailable. (One that would wait for ever is told `ENOENT`, as in v10.)
   */
  readonly known?: boolean | undefined
}

/** What a drive was told when it was made, with defaults. */
export interface DriveSettings {
  /** Bytes and outcomes as v10 has them, also where Varve does better. */
  readonly exact: boolean
  /** Fetch file content only when it is read. */
  readonly sparse: boolean
  /** Fetch metadata only when it is read. */
  readonly sparseMetadata: boolean
  /** Third field of the header of a new drive. */
  readonly subtype: string
  /** Whether lookups use the trie's extension. */
  readonly extension: boolean
  /** Default of reads. */
  readonly wait: Wait
  /** Default of reads, in milliseconds; 0 is none. */
  readonly timeout: number
  /** Milliseconds after which a descriptor writes what it holds; `Infinity`: only at size and close. */
  readonly descriptorFlushMs: number
  /** Whether files with the same content share it. */
  readonly deduplicate: boolean
  /** The clock, in milliseconds. */
  readonly now: () => number
}

/** What is there once a drive is open. */
export interface OpenDrive {
  readonly store: StoreLike
  readonly metadata: Log
  /** The files; of a checkout: fixed at its version. */
  readonly trie: DriveTrie
}

/** What a context is made from. */
export interface ContextParts {
  readonly settings: DriveSettings
  /** The version it is fixed at, or null. */
  readonly checkout: number | null
  readonly contents: Contents
  /** Opens the log of a key: a mounted drive's metadata, or a plain log. */
  readonly openLog: (key: Uint8Array) => Promise<Log>
  /** Opens the drive; called once, and again after a failure. */
  readonly open: () => Promise<OpenDrive>
  /** Hears of each block of metadata that any read looks at. */
  readonly onseq?: ((seq: number) => void) | undefined
  readonly emit: <Name extends keyof DriveEvents>(name: Name, ...args: DriveEvents[Name]) => void
}

/** One drive, as its files see it. */
export class DriveContext {
  readonly settings: DriveSettings
  /** The version it is fixed at, or null. */
  readonly checkout: number | null
  /** The content logs of this drive and of what is mounted in it. */
  readonly contents: Contents
  /** Emit an event of the drive. */
  readonly emit: ContextParts['emit']
  /** Files that an open descriptor is writing, by path: their size so far, which `stat` shows. */
  readonly growing: Map<string, () => number> = new Map()
  /** Opens the log of a key, sparse as file content is. */
  readonly openLog: (key: Uint8Array) => Promise<Log>
  /** Hears of each block of metadata that any read looks at; null for nobody. */
  readonly onseq: ((seq: number) => void) | null
  readonly #open: ContextParts['open']
  #opened: OpenDrive | null = null
  #opening: Promise<OpenDrive> | null = null
  readonly #closing = new AbortController()
  /** Made when first needed, as much else: a process may have thousands of drives. */
  #signals: WeakMap<AbortSignal, AbortSignal> | null = null
  #tasks: Tasks | null = null
  #closed = false

  /** Nothing is opened yet. */
  constructor({ settings, checkout, contents, openLog, open, onseq, emit }: ContextParts) {
    this.settings = settings
    this.checkout = checkout
    this.contents = contents
    this.emit = emit
    this.openLog = openLog
    this.onseq = onseq ?? null
    this.#open = open
    // One listener a waiting read: their number is the user's.
    setMaxListeners(0, this.#closing.signal)
  }

  /** Whether v10's bytes and outcomes are asked for. */
  get exact(): boolean {
    return this.settings.exact
  }

  /** Whether the drive was closed. */
  get closed(): boolean {
    return this.#closed
  }

  /** What is open, or null before. */
  get opened(): OpenDrive | null {
    return this.#opened
  }

  /** Whether calls can go on at once: `ready` has come to its end, and `close` was not called. */
  get isOpen(): boolean {
    return this.#opened !== null && !this.#closed
  }

  /** The files. @throws {@link DriveError} `DRIVE_CLOSED` when the drive is not open */
  get trie(): DriveTrie {
    return this.#required().trie
  }

  /** The metadata log. @throws {@link DriveError} `DRIVE_CLOSED` when the drive is not open */
  get metadata(): Log {
    return this.#required().metadata
  }

  /** Blocks of the metadata log, or what the checkout is fixed at; 0 before it is open. */
  get version(): number {
    return this.checkout ?? this.#opened?.metadata.length ?? 0
  }

  /** The clock, in milliseconds since 1970. */
  now(): number {
    return this.settings.now()
  }

  /** Resolves once the drive is open. @throws {@link DriveError} `DRIVE_CLOSED`, or why it does not open */
  async ready(): Promise<void> {
    if (this.#closed) throw new DriveError('DRIVE_CLOSED')
    if (this.#opened) return
    this.#opening ??= this.#open()
    try {
      const opened = await this.#opening
      if (this.closed) throw new DriveError('DRIVE_CLOSED')
      this.#opened = opened
    } catch (error) {
      this.#opening = null
      throw error
    }
  }

  /** Read options with the drive's defaults put in. */
  reads({ wait: asked, timeout: given, signal, cached }: ReadOptions = {}): Reads {
    const wait = cached ? false : (asked ?? this.settings.wait)
    const timeout = given ?? (this.settings.timeout || undefined)
    const isLimited = wait !== true || (timeout !== undefined && timeout > 0)
    return {
      wait,
      timeout,
      signal: signal ? this.#joined(signal) : this.#closing.signal,
      ...(this.onseq ? { onseq: this.onseq } : {}),
      ...(isLimited && !this.exact ? { known: true } : {}),
    }
  }

  /**
   * A signal that aborts with the caller's and when the drive closes: one for each of the caller's, since every one
   * leaves a little memory behind until both go (52 bytes a time in Node 20).
   */
  #joined(signal: AbortSignal): AbortSignal {
    if (this.#tasks?.owns(signal)) return signal
    this.#signals ??= new WeakMap()
    const known = this.#signals.get(signal)
    if (known) return known
    const joined = AbortSignal.any([signal, this.#closing.signal])
    setMaxListeners(0, joined)
    this.#signals.set(signal, joined)
    return joined
  }

  /** Refuse what would write a checkout. @throws {@link DriveError} `EPERM` */
  assertWritable(syscall: string, path?: string): void {
    if (this.checkout === null) return
    throw new DriveError('EPERM', { syscall, path, reason: 'a checkout is read-only' })
  }

  /** What goes on for a while, and ends with the drive. */
  get tasks(): Tasks {
    this.#tasks ??= new Tasks()
    return this.#tasks
  }

  /** Aborts when the drive is closed. */
  get signal(): AbortSignal {
    return this.#closing.signal
  }

  /** Resolves once an opening under way has ended, one way or the other. */
  async settled(): Promise<void> {
    await this.#opening?.catch(() => undefined)
  }

  /** From now on every call fails with `DRIVE_CLOSED`, also what waits. */
  markClosed(): void {
    this.#closed = true
    const reason = new DriveError('DRIVE_CLOSED')
    this.#closing.abort(reason)
    this.#tasks?.abort(reason)
  }

  #required(): OpenDrive {
    if (!this.#opened || this.#closed) throw new DriveError('DRIVE_CLOSED', { reason: 'not open' })
    return this.#opened
  }
}
