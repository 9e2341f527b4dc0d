/**
 * What the operations of a trie take.
 *
 * @see spec/30-trie.md 4.1
 * @module
 */
import type { Encoding } from '../value-encoding.ts'
import type { DiffMode } from './diff.ts'
import type { TrieEntry } from './entry.ts'
import type { FindMode } from './get.ts'
import type { KeyHash } from './hash-path.ts'
import type { HistoryRange } from './history.ts'
import type { IterationMode } from './iterator.ts'
import type { WaitOptions } from './trie-log.ts'

/** Options of a trie. */
export interface TrieOptions {
  /** What values are. Default bytes. */
  readonly valueEncoding?: Encoding | undefined
  /** Stored in the header of a new trie: for a drive, the key of its content log. */
  readonly metadata?: Uint8Array | string | null | undefined
  /** Stored in the header of a new trie: for a drive, `hyperdrive`. */
  readonly subtype?: string | null | undefined
  /** Show this version for ever, read only; -1 the newest once the log is open. Default: the newest, always. */
  readonly checkout?: number | null | undefined
  /** Hash of keys in place of the standard one. Recorded nowhere: every reader must be given it. */
  readonly hash?: KeyHash | null | undefined
  /** Number of decoded nodes kept in memory. Default 32768. */
  readonly cacheSize?: number | undefined
  /** Ask peers for a newer version before each operation. Default false. */
  readonly alwaysUpdate?: boolean | undefined
  /** Load what changed, whenever the log grows, wherever this reader has been. Default false. */
  readonly alwaysReconnect?: boolean | undefined
  /** Requests in flight per peer, for the log. Default 512. */
  readonly maxRequests?: number | undefined
  /** False: neither send nor answer the messages that make remote lookups short. Default true. */
  readonly extension?: boolean | undefined
}

/** Events of a trie. */
export interface TrieEvents {
  ready: []
  /** The log has grown: by a write here, or because a longer one became known. */
  append: []
  /** Changes are being loaded for `alwaysReconnect`. */
  reconnecting: []
  reconnected: []
  /** A peer asked for the way to this key. */
  'extension-get': [key: string]
  /** A peer asked for what is below this key. */
  'extension-iterator': [key: string]
}

/** Options of everything that reads from the head of a version. */
export interface HeadOptions extends WaitOptions {
  /** False: ask no peer for the way. Default true. */
  readonly extension?: boolean | undefined
  /**
   * True: a log of others of which no block is known is not taken for an empty one; its first block is read, as `wait`
   * and `timeout` say. Default false, as in v10.
   */
  readonly known?: boolean | undefined
}

/** Options of a lookup. */
export interface GetOptions extends HeadOptions, FindMode {
  /** Look in the hidden key space. */
  readonly hidden?: boolean | undefined
  /** Called with the index of each block looked at, in order, at hand or not. */
  readonly onseq?: ((seq: number) => void) | undefined
  /** Called once with the index of the head. */
  readonly onheadseq?: ((seq: number) => void) | undefined
}

/** Options of a put or a delete. */
export interface ChangeOptions<Value> {
  /** Change the hidden key space. */
  readonly hidden?: boolean | undefined
  /**
   * Decides, with nobody else writing: false declines, a throw fails the change. Gets the entry that is
   * there, or null, and for a put the new one, with seq 0.
   */
  readonly condition?:
    | ((old: TrieEntry<Value> | null, next: TrieEntry<Value> | null) => boolean | Promise<boolean>)
    | undefined
  /** Where there is no entry, give the condition the one where the search ended: related or not. */
  readonly closest?: boolean | undefined
}

/** Options of a put. */
export interface PutOptions<Value> extends ChangeOptions<Value> {
  /** 0 to 2 ** 23 - 1. */
  readonly flags?: number | undefined
}

/** Options of a rename. */
export interface RenameOptions<Value> {
  /** Move everything below the key too. Default false. */
  readonly below?: boolean | undefined
  /** Rename in the hidden key space. */
  readonly hidden?: boolean | undefined
  /**
   * Decides, with nobody else writing: false declines, a throw fails the rename. Gets the entries that are at the old
   * and at the new key, or null.
   */
  readonly condition?:
    | ((from: TrieEntry<Value> | null, to: TrieEntry<Value> | null) => boolean | Promise<boolean>)
    | undefined
}

/** One operation of a batch. */
export interface BatchOperation<Value> {
  /** Default `put`. */
  readonly type?: 'put' | 'del' | undefined
  readonly key: string
  readonly value?: Value | string | null | undefined
  readonly flags?: number | undefined
  readonly hidden?: boolean | undefined
}

/**
 * The operations of a batch, or what gives them once nobody else writes: what it reads meanwhile stays as it is until
 * they are made, and what it throws fails the batch. It must not wait for another write to the same log.
 */
export type Batch<Value> =
  Iterable<BatchOperation<Value>> | (() => Promise<Iterable<BatchOperation<Value>>>)

/** The operations of a batch, each as `change` gives it: now, or when they are asked for. */
export function mapBatch<Value, Change>(
  operations: Batch<Value>,
  change: (operation: BatchOperation<Value>) => Change,
): Change[] | (() => Promise<Change[]>) {
  if (typeof operations !== 'function') return Array.from(operations, change)
  return async () => Array.from(await operations(), change)
}

/** Options of an iteration. */
export interface IteratorOptions extends HeadOptions, IterationMode {
  /** Iterate over the hidden key space. */
  readonly hidden?: boolean | undefined
  /** Go on from where another iterator stood, with the same version, prefix and mode. */
  readonly checkpoint?: Uint8Array | null | undefined
  /** The mode as the extension has it: 2 reverse, 4 gt, 8 hidden. In place of those options. */
  readonly flags?: number | undefined
  /** Called with the index of each block looked at, in order, at hand or not. */
  readonly onseq?: ((seq: number) => void) | undefined
  /**
   * Called with the index of each block that is not stored here. What only it leads to is left out, and nothing is
   * waited for. Go with `wait: false`.
   */
  readonly onmissing?: ((seq: number) => void) | undefined
}

/** Options of a diff. */
export interface DiffOptions extends HeadOptions, DiffMode {
  /** Compare the hidden key spaces. */
  readonly hidden?: boolean | undefined
  /** Go on from where another diff stood. */
  readonly checkpoint?: Uint8Array | null | undefined
  /** Called with the index of each block looked at, in order, at hand or not. */
  readonly onseq?: ((seq: number) => void) | undefined
}

/** Options of a history. */
export interface HistoryOptions extends HeadOptions, HistoryRange {}

/** Bit of `flags`, as the extension has them: into subdirectories. */
export const RECURSIVE = 1
const REVERSE = 2
const GT = 4
const HIDDEN = 8

/** `flags` of a mode. */
export function flagsOf(mode: IterationMode & { readonly hidden?: boolean | undefined }): number {
  return (
    (mode.recursive === false ? 0 : RECURSIVE) |
    (mode.reverse ? REVERSE : 0) |
    (mode.gt ? GT : 0) |
    (mode.hidden ? HIDDEN : 0)
  )
}

/** The mode that the options of an iteration ask for. */
export function iterationMode(options: IteratorOptions): IterationMode & { hidden: boolean } {
  const { recursive, random, flags } = options
  if (flags === undefined) {
    const { reverse, gt, hidden = false } = options
    return { recursive, random, reverse, gt, hidden }
  }
  return {
    random,
    recursive,
    reverse: (flags & REVERSE) !== 0,
    gt: (flags & GT) !== 0,
    hidden: (flags & HIDDEN) !== 0,
  }
}
