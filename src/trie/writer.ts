/**
 * Puts, deletes and batches: one at a time, each one append to the log.
 *
 * @see spec/30-trie.md 3.5 to 3.7
 * @module
 */
import { LogError } from '../log/errors.ts'
import { derive, locate, replacement } from './edit.ts'
import { TrieError } from './errors.ts'
import { HashPath, storedKey, writableKey } from './hash-path.ts'
import { encodeNode, isReset, MAX_FLAGS, type NodeContent, type TrieNode } from './node.ts'
import type { NodeStore } from './node-store.ts'
import type { NodeSource, Walk } from './walk.ts'

/** One change: to put a value at a key, or to delete a key. */
export interface Change {
  readonly type: 'put' | 'del'
  readonly key: string
  /** Encoded value; null for none. */
  readonly value: Uint8Array | null
  readonly flags: number
  readonly hidden: boolean
}

/** What decides whether a change is made. Called with nodes as they are stored. */
export interface Condition {
  /** Ask even when there is no such node, with the one where the search ended. */
  readonly closest: boolean
  /** False: nothing is appended. What it throws fails the change. */
  check(old: TrieNode | null, next: NodeContent | null): boolean | Promise<boolean>
}

/** The one that writes to a log. */
export class Writer {
  readonly #nodes: NodeStore
  readonly #ready: () => Promise<void>

  /** @param ready - resolves when the log is open and has its header */
  constructor(nodes: NodeStore, ready: () => Promise<void>) {
    this.#nodes = nodes
    this.#ready = ready
  }

  /** Put; null when the condition declined. The node's key is as given, but for one leading slash. */
  put(change: Change, condition: Condition | null): Promise<TrieNode | null> {
    const content = contentOf(change, this.#nodes)
    return this.#nodes.lock.run(async () => {
      await this.#openForWriting()
      const head = await this.#head()
      const { table, last } = await this.#nodes.run((nodes) => derive(nodes, content.path, head))
      if (condition) {
        const old = condition.closest || last?.path.key === content.path.key ? last : null
        if (!(await condition.check(old, content))) return null
      }
      const node = { ...content, table, seq: this.#nodes.log.length }
      await this.#append([node])
      return node
    })
  }

  /** Delete; gives the neighbour that was appended anew, or null when nothing was deleted. */
  del(change: Change, condition: Condition | null): Promise<TrieNode | null> {
    const path = new HashPath(storedKey(change.key), change.hidden, this.#nodes.customHash)
    return this.#nodes.lock.run(async () => {
      await this.#ready()
      const head = await this.#head()
      if (!head) return null
      const located = await this.#nodes.run((nodes) => locate(nodes, path, head))
      const { found, near } = located
      if (!found) {
        // Whatever the condition says, nothing is deleted; but it may throw.
        if (condition?.closest) await condition.check(located.closest, null)
        return null
      }
      if (condition && !(await condition.check(found, null))) return null
      await this.#openForWriting()
      const { content, table } = await this.#nodes.run((nodes) =>
        replacement(nodes, head, found, near),
      )
      const node = { ...content, table, seq: this.#nodes.log.length }
      await this.#append([node])
      return node
    })
  }

  /**
   * Make all changes with one append. Gives the appended nodes; a delete that found nothing has none. A function is
   * asked for the changes once nobody else writes.
   */
  batch(
    changes: readonly Change[] | (() => Promise<readonly Change[]>),
  ): Promise<readonly TrieNode[]> {
    return this.#nodes.lock.run(async () => {
      const given = typeof changes === 'function' ? await changes() : changes
      const steps = given.map((change) => stepOf(change, this.#nodes))
      await this.#openForWriting()
      const base = this.#nodes.log.length
      const head = await this.#head()
      const appended = await this.#nodes.run((nodes) => plan(nodes, base, head, steps))
      if (appended.length > 0) await this.#append(appended)
      return appended
    })
  }

  async #openForWriting(): Promise<void> {
    await this.#ready()
    if (!this.#nodes.log.writable) {
      throw new LogError('LOG_NOT_WRITABLE', 'this log has no secret key here: it is read only')
    }
  }

  /** The newest node; null when the trie is empty. */
  #head(): Promise<TrieNode | null> {
    return this.#nodes.load(this.#nodes.log.length - 1)
  }

  async #append(appended: readonly TrieNode[]): Promise<void> {
    const { log } = this.#nodes
    const first = appended[0]?.seq
    const blocks = appended.map(encodeNode)
    // A node is bound to its index: somebody who appends past the trie would make it lie.
    if (log.length !== first) throw conflict(first, log.length)
    const at = await log.append(blocks)
    /* c8 ignore next: a log appends where its length says */
    if (at !== first) throw conflict(first, at)
    for (const node of appended) this.#nodes.keep(asRead(node))
  }
}

function conflict(want: number | undefined, got: number): TrieError {
  return new TrieError(
    'TRIE_CONFLICT',
    `the node for block ${want} found block ${got}: somebody else appended to the log`,
  )
}

/** The node as it will be read: a second leading slash is lost then. */
function asRead(node: TrieNode): TrieNode {
  const { path } = node
  if (!path.key.startsWith('/')) return node
  return { ...node, path: new HashPath(storedKey(path.key), path.hidden, path.customHash) }
}

type Step =
  | { readonly type: 'put'; readonly content: NodeContent }
  | { readonly type: 'del'; readonly path: HashPath }

function stepOf(change: Change, { customHash }: NodeStore): Step {
  if (change.type === 'put') return { type: 'put', content: contentOf(change, { customHash }) }
  return { type: 'del', path: new HashPath(storedKey(change.key), change.hidden, customHash) }
}

function contentOf(change: Change, { customHash }: Pick<NodeStore, 'customHash'>): NodeContent {
  const { flags, value, hidden } = change
  if (!Number.isInteger(flags) || flags < 0 || flags > MAX_FLAGS) {
    throw new RangeError(`want flags from 0 to ${MAX_FLAGS}, got ${flags}`)
  }
  // The value is kept with the node, and its memory belongs to the caller.
  const kept = value && new Uint8Array(value)
  return { path: new HashPath(writableKey(change.key), hidden, customHash), value: kept, flags }
}

/**
 * The nodes that a batch appends from block `base` on, each on top of the one before.
 *
 * @yields blocks that are missing
 */
function* plan(
  nodes: NodeSource,
  base: number,
  newest: TrieNode | null,
  steps: readonly Step[],
): Walk<TrieNode[]> {
  const appended: TrieNode[] = []
  const own: NodeSource = {
    peek(seq) {
      if (seq < base) return nodes.peek(seq)
      const node = appended[seq - base]
      return node && !isReset(node) ? node : null
    },
  }
  let head = newest
  for (const step of steps) {
    let next: { content: NodeContent; table: TrieNode['table'] }
    if (step.type === 'put') {
      const { table } = yield* derive(own, step.content.path, head)
      next = { content: step.content, table }
    } else {
      if (!head) continue
      const { found, near } = yield* locate(own, step.path, head)
      if (!found) continue
      next = yield* replacement(own, head, found, near)
    }
    const { path, value, flags } = next.content
    const node: TrieNode = { seq: base + appended.length, path, value, flags, table: next.table }
    appended.push(node)
    // On top of a reset block begins an empty trie: no pointer may ever lead to it.
    head = isReset(node) ? null : node
  }
  return appended
}
