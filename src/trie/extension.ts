/**
 * The extension `hypertrie`: how a lookup on a remote trie takes two round trips, however deep it is.
 *
 * A reader that misses a block tells its peers what it is looking for; a peer that has the trie walks
 * it and names the blocks on the way; the reader asks for them all at once. Only hints: nothing
 * depends on an answer, and what comes is verified by the log as every block is.
 *
 * @see spec/30-trie.md 3.12, 5 and 6 (Q13, Q14)
 * @module
 */
import type { Extension } from '../log/extensions.ts'
import type { LogPeer } from '../log/replicator.ts'
import {
  decodeExtensionMessage,
  encodeExtensionMessage,
  MAX_BLOCKS,
  type CacheMessage,
  type ExtensionMessage,
  type GetMessage,
  type IteratorMessage,
} from './extension-messages.ts'
import { find } from './get.ts'
import { HashPath } from './hash-path.ts'
import { Iteration } from './iterator.ts'
import type { LoadOptions, NodeStore } from './node-store.ts'
import { RECURSIVE, type GetOptions } from './options.ts'

/** Name under which the extension is advertised. */
export const EXTENSION_NAME = 'hypertrie'
/** Requests of peers that are worked on at a time; more are dropped. */
const MAX_REQUESTS = 32
/** Blocks named in one answer. */
const ANSWER_BLOCKS = 128
/** Answers that one question may bring from a peer. */
const MAX_ANSWERS = Math.ceil(MAX_BLOCKS / ANSWER_BLOCKS) + 1
/** Downloads at a peer's word, at a time; the oldest is given up for a new one. */
const MAX_DOWNLOADS = 64

/** Bytes of a checkpoint that is taken from a peer: a stack of a thousand frames and more. */
const MAX_CHECKPOINT_BYTES = 8192

/** Whom the extension tells what it was asked. */
export interface ExtensionListener {
  asked(type: 'get' | 'iterator', key: string): void
}

interface PeerAccount {
  answers: number
  readonly downloads: Set<{ destroy(): void }>
}

/** Asks and answers for one log. */
export class TrieExtension {
  readonly #nodes: NodeStore
  readonly #listener: ExtensionListener
  readonly #extension: Extension<Uint8Array>
  readonly #accounts = new WeakMap<LogPeer, PeerAccount>()
  #questions = 0
  #working = 0

  private constructor(
    nodes: NodeStore,
    listener: ExtensionListener,
    register: NonNullable<NodeStore['log']['extensions']>,
  ) {
    this.#nodes = nodes
    this.#listener = listener
    this.#extension = register.register<Uint8Array>(EXTENSION_NAME, {
      onmessage: (bytes, peer) => this.#receive(bytes, peer),
    })
  }

  /** The extension of the log of `nodes`: one a log, made by the first trie on it; null when the log has none. */
  static of(nodes: NodeStore, listener: ExtensionListener): TrieExtension | null {
    const { log } = nodes
    if (!log.extensions) return null
    const known = extensions.get(log)
    if (known) return known
    const extension = new TrieExtension(nodes, listener, log.extensions)
    extensions.set(log, extension)
    return extension
  }

  /** Tell all peers that somebody here looks for `key`. */
  askGet(head: number, key: string): void {
    this.#ask({ get: { head, key } })
  }

  /** `options` of a lookup, such that peers are told what it looks for, once, when a block is missing. */
  hinting(options: GetOptions, head: number, path: HashPath): LoadOptions {
    // A hidden key has no mark in the message: the answer would be about the visible one (Q13).
    if (options.extension === false || path.hidden) return options
    let isTold = false
    return {
      ...options,
      onwait: () => {
        if (!isTold) this.askGet(head, path.key)
        isTold = true
      },
    }
  }

  /** Tell all peers that somebody here iterates. */
  askIterator(iterator: IteratorMessage): void {
    this.#ask({ iterator })
  }

  #ask(message: Partial<ExtensionMessage>): void {
    this.#questions++
    this.#extension.broadcast(encodeExtensionMessage(message))
  }

  #receive(bytes: Uint8Array, peer: LogPeer): void {
    let message: ExtensionMessage
    try {
      message = decodeExtensionMessage(bytes)
    } catch {
      return // hints that cannot be read are none
    }
    if (message.cache) this.#download(message.cache, peer)
    if (message.iterator) void this.#answer((reply) => this.#iterate(message.iterator, reply), peer)
    if (message.get && message.get.key !== '') {
      void this.#answer((reply) => this.#get(message.get, reply), peer)
    }
  }

  /** Ask for the blocks that a peer says are needed; as many as our questions were worth. */
  #download({ blocks }: CacheMessage, peer: LogPeer): void {
    const { log } = this.#nodes
    const account = this.#account(peer)
    if (account.answers >= this.#questions * MAX_ANSWERS) return
    account.answers++
    const missing = [...new Set(blocks)].filter((seq) => seq < log.length && !log.has(seq))
    if (missing.length === 0) return
    const { downloads } = account
    const [oldest] = downloads
    if (oldest && downloads.size >= MAX_DOWNLOADS) {
      oldest.destroy()
      downloads.delete(oldest)
    }
    const download = log.download({ blocks: missing })
    downloads.add(download)
    const over = (): void => void downloads.delete(download)
    download.done.then(over, over)
  }

  #account(peer: LogPeer): PeerAccount {
    let account = this.#accounts.get(peer)
    if (!account) {
      account = { answers: 0, downloads: new Set() }
      this.#accounts.set(peer, account)
    }
    return account
  }

  async #answer(work: (reply: Answer) => Promise<void>, peer: LogPeer): Promise<void> {
    if (this.#working >= MAX_REQUESTS) return
    this.#working++
    const reply = new Answer((cache) =>
      this.#extension.send(encodeExtensionMessage({ cache }), peer),
    )
    try {
      await work(reply)
    } catch {
      // A block that is not here, or is no node: what was found so far is the answer.
    } finally {
      this.#working--
    }
    reply.flush()
  }

  async #get(message: GetMessage | null, reply: Answer): Promise<void> {
    if (!message) return
    const { head, key } = message
    this.#listener.asked('get', key)
    const path = new HashPath(key, false, this.#nodes.customHash)
    await this.#nodes.run((nodes) => find(nodes, head, path), {
      wait: false,
      onseq: (seq) => reply.add(seq),
    })
  }

  async #iterate(message: IteratorMessage | null, reply: Answer): Promise<void> {
    if (!message) return
    const { key, flags } = message
    if ((message.checkpoint?.length ?? 0) > MAX_CHECKPOINT_BYTES) return
    this.#listener.asked('iterator', key)
    // From the root the asker's stack counts, below a key its head: that is what v10 answers.
    const isRoot = key === ''
    const head = isRoot ? this.#nodes.log.length - 1 : message.head
    const path = new HashPath(key, false, this.#nodes.customHash)
    const recursive = (flags & RECURSIVE) !== 0
    const walk = new Iteration(path, { recursive })
    const options = { wait: false, onseq: (seq: number) => reply.add(seq) }
    const quiet = { wait: false }
    await this.#nodes.run(
      (nodes) => walk.open(nodes, head, isRoot ? message.checkpoint : null),
      message.checkpoint ? quiet : options,
    )
    while (reply.count < MAX_BLOCKS) {
      // oxlint-disable-next-line no-await-in-loop -- from storage, one node after the other
      const node = await this.#nodes.run((nodes) => walk.next(nodes), options)
      if (!node) return
    }
  }
}

const extensions = new WeakMap<object, TrieExtension>()

/** Blocks to name, sent off as they become many. */
class Answer {
  readonly #send: (cache: CacheMessage) => void
  #blocks: number[] = []
  /** Blocks named so far. */
  count = 0

  constructor(send: (cache: CacheMessage) => void) {
    this.#send = send
  }

  add(seq: number): void {
    this.#blocks.push(seq)
    this.count++
    if (this.#blocks.length === ANSWER_BLOCKS) this.flush()
  }

  flush(): void {
    const blocks = this.#blocks
    if (blocks.length === 0) return
    this.#blocks = []
    let [start, end] = [Infinity, 0]
    for (const block of blocks) {
      start = Math.min(start, block)
      end = Math.max(end, block + 1)
    }
    this.#send({ start, end, blocks })
  }
}
