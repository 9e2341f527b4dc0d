/**
 * What a trie needs of its log. A `Log` of `src/log` is one; so is anything in a test that holds
 * blocks.
 *
 * @see spec/30-trie.md 1
 * @module
 */

import type { ExtensionRegistry } from '../log/extensions.ts'

/** How long, and whether, a read waits for peers. */
export interface WaitOptions {
  /** False: only what is stored here, else the read fails. Default true. */
  readonly wait?: boolean | 'peers' | undefined
  /** Milliseconds until a waiting read fails. Default: the log's. */
  readonly timeout?: number | undefined
  /** Ends the wait. */
  readonly signal?: AbortSignal | undefined
}

/** Options of a block's read. */
export interface BlockOptions extends WaitOptions {
  /** Blocks are bytes here, whatever the log's encoding is. */
  readonly valueEncoding?: 'binary' | undefined
  /** Called once, at once, when the block is not stored and the read is about to wait. */
  readonly onwait?: ((index: number) => void) | undefined
}

/** Blocks that are on their way. */
export interface BlockDownload {
  /** Resolves when all are here. */
  readonly done: Promise<unknown>
  /** Ask for them no longer. */
  destroy(): void
}

/** A log as the trie sees it. */
export interface TrieLog {
  /** Known blocks; 0 for a reader that knows nothing yet. */
  readonly length: number
  readonly writable: boolean
  /** Public key; null until it is open. */
  readonly key: Uint8Array | null
  /** Open it. */
  ready(): Promise<void>
  /** All blocks or none. Resolves to the index of the first. */
  append(blocks: readonly Uint8Array[]): Promise<number>
  /** One block; waits for it as the options say. */
  get(index: number, options?: BlockOptions): Promise<Uint8Array>
  /** Blocks from `start` on that are stored here, by one read; fewer where the sum would pass `maxBytes`. */
  readBlocks?(start: number, end: number, maxBytes: number): Promise<readonly Uint8Array[]>
  /** Whether the block is stored here. */
  has(index: number): boolean
  /** Learn of a longer log. */
  update(options: {
    readonly ifAvailable?: boolean
    readonly hash?: boolean
    readonly timeout?: number | undefined
    readonly signal?: AbortSignal | undefined
  }): Promise<unknown>
  /** Requests in flight per peer. */
  maxRequests?: number
  /** Messages beside the log, where there are any. */
  readonly extensions?: Pick<ExtensionRegistry, 'register'>
  /** Ask for blocks ahead of their reads. */
  download(selection: {
    readonly start?: number
    readonly end?: number
    readonly blocks?: readonly number[]
  }): BlockDownload
  /** It has grown. */
  on(event: 'append', listener: () => void): unknown
  /** As of an emitter. */
  off(event: 'append', listener: () => void): unknown
}
