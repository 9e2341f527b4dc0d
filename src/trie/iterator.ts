/**
 * Iteration in hash order below a prefix.
 *
 * A stack of frames (index, node): the node stands for all keys that agree with it up to the index. A
 * frame is taken apart at the next row that points anywhere, or gives its node when there is none.
 * Order at each row: symbols 4, 0, 1, 2, 3, so that a directory's own node comes before what is below
 * it; the other way round in reverse.
 *
 * @see spec/30-trie.md 3.8
 * @module
 */
import { branches, pointersOf, waysOf } from './branch.ts'
import { decodeCheckpoint, encodeCheckpoint } from './checkpoint.ts'
import { find } from './get.ts'
import { COMPONENT_SYMBOLS, END, type HashPath } from './hash-path.ts'
import type { TrieNode } from './node.ts'
import { Gathered, loadNodes, type NodeSource, type Walk } from './walk.ts'

/** What of the nodes below the prefix is given, and in which order. */
export interface IterationMode {
  /** False: one node for each name directly below the prefix, which may lie deeper. Default true. */
  readonly recursive?: boolean | undefined
  /** The other way round. */
  readonly reverse?: boolean | undefined
  /** Leave out the node at the prefix itself. */
  readonly gt?: boolean | undefined
  /** A new order at every step. */
  readonly random?: boolean | undefined
}

/** The rest of the keys that agree with `node` up to `index`. */
interface Frame {
  readonly index: number
  readonly node: TrieNode
}

const FORWARD = [3, 2, 1, 0, END] // pushed in this order, so the last comes first
const REVERSE = [END, 0, 1, 2, 3]

/** A walk over the nodes below a prefix, one at a time. */
export class Iteration {
  readonly #prefix: HashPath
  readonly #mode: IterationMode
  /** Index of the symbol behind the prefix. */
  readonly #start: number
  readonly #end: number
  #stack: Frame[] = []
  /** The step under way, or the last one. */
  #splitting: {
    readonly node: TrieNode
    readonly row: number
    readonly order: readonly number[]
  } | null = null

  /** Nothing is loaded until `open`. */
  constructor(prefix: HashPath, mode: IterationMode) {
    this.#prefix = prefix
    this.#mode = mode
    this.#start = prefix.length - 1
    this.#end = mode.recursive === false ? this.#start + COMPONENT_SYMBOLS : Infinity
  }

  /**
   * Find the place to begin at: the prefix in the trie of `headSeq`, or what a checkpoint says.
   *
   * @yields blocks that are missing
   */
  *open(nodes: NodeSource, headSeq: number, checkpoint: Uint8Array | null = null): Walk<void> {
    if (checkpoint) {
      const frames = decodeCheckpoint(checkpoint, 2)
      const loaded = yield* loadNodes(
        nodes,
        frames.map(([, seq = 0]) => seq),
      )
      for (const [i, [index = 0]] of frames.entries()) {
        const node = loaded[i]
        if (node) this.#stack.push({ index, node })
      }
      return
    }
    const node = yield* find(nodes, headSeq, this.#prefix, { prefix: true })
    if (node) this.#stack.push({ index: this.#start, node })
  }

  /**
   * The next node, or null at the end. A failed step changes nothing, so it may be tried again.
   *
   * @yields blocks that are missing
   */
  *next(nodes: NodeSource): Walk<TrieNode | null> {
    for (;;) {
      const frame = this.#stack.at(-1)
      if (!frame) return null
      const { node } = frame
      const row = this.#nextRow(frame)
      if (row >= Math.min(node.path.length, this.#end)) {
        this.#stack.pop()
        return node
      }
      const order = this.#order()
      const ways = waysOf(node, row, order)
      this.#splitting = { node, row, order }
      // Written out, not `loadNodes`: a generator less for each step of a long listing.
      const below = new Gathered(nodes, ways.seqs)
      if (below.missing.length > 0) below.fill(yield below.missing)
      this.#stack.pop()
      this.#stack.push(...this.#frames(node, row, order, branches(node, row, ways, below.nodes)))
    }
  }

  /** The stack as bytes, to go on from later: with the same version, prefix and mode. */
  checkpoint(): Uint8Array {
    return encodeCheckpoint(this.#stack.flatMap(({ index, node }) => [index, node.seq]))
  }

  /** The stack as it will be after the step that waits for nodes; null while the prefix is looked for. */
  coming(): Uint8Array | null {
    if (this.#stack.length === 0) return null
    const kept = this.#stack.slice(0, -1).flatMap(({ index, node }) => [index, node.seq])
    return encodeCheckpoint([...kept, ...this.#expected()])
  }

  /** The next row at which something happens: a pointer, or the node at the prefix being left out. */
  #nextRow({ index, node }: Frame): number {
    const row = node.table.rowAt(node.table.seek(index))
    return this.#mode.gt && index <= this.#start ? Math.min(row, this.#start) : row
  }

  /** What takes the place of a frame that is taken apart at `row`, topmost last. */
  #frames(
    node: TrieNode,
    row: number,
    order: readonly number[],
    below: readonly TrieNode[],
  ): readonly Frame[] {
    const own = node.path.symbol(row)
    const frames: Frame[] = []
    let at = 0
    for (const symbol of order) {
      const first = frames.length
      if (own === symbol) frames.push({ index: row + 1, node })
      for (let next = below[at]; next?.path.symbol(row) === symbol; next = below[++at]) {
        frames.push({ index: row + 1, node: next })
      }
      if (symbol === END && this.#mode.gt === true && row === this.#start) frames.length = first
      // Names whose hashes collide: by key, the smallest first, in both directions.
      if (frames.length - first > 1) frames.push(...frames.splice(first).toSorted(descending))
    }
    return frames
  }

  /** What will take the place of the topmost frame. */
  #expected(): number[] {
    if (!this.#splitting) return []
    const { node, row, order } = this.#splitting
    return order.flatMap((symbol) => {
      const seqs = pointersOf(node, row, symbol)
      if (node.path.symbol(row) === symbol) seqs.unshift(node.seq)
      return seqs.flatMap((seq) => [row + 1, seq])
    })
  }

  #order(): readonly number[] {
    if (this.#mode.random) return shuffled(FORWARD)
    return this.#mode.reverse ? REVERSE : FORWARD
  }
}

function descending(a: Frame, b: Frame): number {
  return a.node.path.key < b.node.path.key ? 1 : -1
}

function shuffled(symbols: readonly number[]): readonly number[] {
  const out = [...symbols]
  for (let i = out.length - 1; i > 0; i--) {
    const j = Math.floor(Math.random() * (i + 1))
    const [a = 0, b = 0] = [out[i], out[j]]
    out[i] = b
    out[j] = a
  }
  return out
}
