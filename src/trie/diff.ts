/**
 * What differs between two versions of a trie, below a prefix.
 *
 * Both versions are walked side by side; where they point to the same block everything below is the
 * same and is never loaded. A row of the result is a key whose *block* differs: a neighbour appended
 * anew by a delete counts as changed though its value is the same.
 *
 * @see spec/30-trie.md 3.9 and 3.10
 * @module
 */
import { isBranch, pointersOf } from './branch.ts'
import { decodeCheckpoint, encodeCheckpoint } from './checkpoint.ts'
import { find } from './get.ts'
import { isTerminator, type HashPath } from './hash-path.ts'
import type { TrieNode } from './node.ts'
import { SYMBOLS } from './pointer-table.ts'
import { loadNodes, type NodeSource, type Walk } from './walk.ts'

/** Which differences are given. */
export interface DiffMode {
  /** Leave out keys that are not in the left version. */
  readonly skipLeftNull?: boolean | undefined
  /** Leave out keys that are not in the right version. */
  readonly skipRightNull?: boolean | undefined
  /**
   * Go only where the right version was read before: this says which blocks are stored here. The rows
   * are of no interest then; the effect is that what changed there is loaded.
   */
  readonly stored?: ((seq: number) => boolean) | undefined
}

/** One difference; at least one side is a node, and both have the same place. */
export interface NodePair {
  readonly left: TrieNode | null
  readonly right: TrieNode | null
}

interface Frame extends NodePair {
  readonly index: number
}

/** A pair of candidates of one symbol: nodes known, or blocks to load. */
interface Candidates {
  readonly lefts: readonly number[]
  readonly rights: readonly number[]
}

/** A walk over the differences, one at a time. */
export class Difference {
  readonly #prefix: HashPath
  readonly #mode: DiffMode
  #stack: Frame[] = []

  /** Nothing is loaded until `open`. */
  constructor(prefix: HashPath, mode: DiffMode) {
    this.#prefix = prefix
    this.#mode = mode
  }

  /**
   * Find the place to begin at in both versions, or take it from a checkpoint.
   *
   * @yields blocks that are missing
   */
  *open(
    nodes: NodeSource,
    leftHead: number,
    rightHead: number,
    checkpoint: Uint8Array | null = null,
  ): Walk<void> {
    if (!checkpoint) {
      const left = yield* find(nodes, leftHead, this.#prefix, { prefix: true })
      const right = yield* find(nodes, rightHead, this.#prefix, { prefix: true })
      this.#push({ index: this.#prefix.length - 1, left, right })
      return
    }
    const frames = decodeCheckpoint(checkpoint, 3)
    const seqs = frames.flatMap(([, left = 0, right = 0]) => [left, right])
    const sides = yield* loadNodes(nodes, seqs)
    for (const [i, [index = 0]] of frames.entries()) {
      this.#push({ index, left: sides[i * 2] ?? null, right: sides[i * 2 + 1] ?? null })
    }
  }

  /**
   * The next difference, or null at the end. A failed step changes nothing, so it may be tried again.
   *
   * @yields blocks that are missing
   */
  *next(nodes: NodeSource): Walk<NodePair | null> {
    for (;;) {
      const frame = this.#stack.at(-1)
      if (!frame) return null
      const row = nextRow(frame)
      if (row === Infinity) {
        this.#stack.pop()
        return { left: frame.left, right: frame.right }
      }
      const pairs = yield* this.#split(nodes, frame, row)
      this.#stack.pop()
      for (const { left, right } of pairs) this.#push({ index: row + 1, left, right })
    }
  }

  /** The stack as bytes, to go on from later: with the same versions, prefix and mode. */
  checkpoint(): Uint8Array {
    return encodeCheckpoint(
      this.#stack.flatMap(({ index, left, right }) => [index, left?.seq ?? 0, right?.seq ?? 0]),
    )
  }

  #push(frame: Frame): void {
    if (frame.left?.seq === frame.right?.seq) return
    if (!frame.right && this.#mode.skipRightNull) return
    if (!frame.left && this.#mode.skipLeftNull) return
    this.#stack.push(frame)
  }

  *#split(nodes: NodeSource, frame: Frame, row: number): Walk<NodePair[]> {
    const candidates: Candidates[] = []
    for (let symbol = 0; symbol < SYMBOLS; symbol++) {
      candidates.push(this.#select(row, at(frame.left, row, symbol), at(frame.right, row, symbol)))
    }
    const own = new Map<number, TrieNode>()
    if (frame.left) own.set(frame.left.seq, frame.left)
    if (frame.right) own.set(frame.right.seq, frame.right)
    const wanted = candidates.flatMap(({ lefts, rights }) => [...lefts, ...rights])
    const missing = wanted.filter((seq) => !own.has(seq))
    const loaded = yield* loadNodes(nodes, missing)
    const known = new Map<number, TrieNode | null>(own)
    for (const [i, seq] of missing.entries()) known.set(seq, loaded[i] ?? null)
    return candidates.flatMap(({ lefts, rights }, symbol) => {
      const side = (owner: TrieNode | null, seqs: readonly number[]): (TrieNode | null)[] =>
        seqs.map((seq) => checked(owner, row, symbol, known.get(seq) ?? null))
      return pair(row, side(frame.left, lefts), side(frame.right, rights))
    })
  }

  /** Of the blocks of one symbol, those that have to be looked at. */
  #select(row: number, lefts: readonly number[], rights: readonly number[]): Candidates {
    const { stored, skipLeftNull, skipRightNull } = this.#mode
    let onlyLeft = lefts.filter((seq) => !rights.includes(seq))
    let onlyRight = rights.filter((seq) => !lefts.includes(seq))
    if (stored) {
      if (!rights.some((seq) => stored(seq))) onlyLeft = []
      onlyRight = onlyRight.filter((seq) => stored(seq))
    }
    if (!isTerminator(row)) {
      // First is paired with first: what stays without a partner need not be loaded to be left out.
      if (skipRightNull) onlyLeft = onlyLeft.slice(0, onlyRight.length)
      if (skipLeftNull) onlyRight = onlyRight.slice(0, onlyLeft.length)
    }
    return { lefts: onlyLeft, rights: onlyRight }
  }
}

/** Blocks of one side for a symbol: the node itself if it goes there, then its pointers. */
function at(node: TrieNode | null, row: number, symbol: number): number[] {
  if (!node) return []
  const pointers = pointersOf(node, row, symbol)
  return node.path.symbol(row) === symbol ? [node.seq, ...pointers] : pointers
}

function checked(
  owner: TrieNode | null,
  row: number,
  symbol: number,
  target: TrieNode | null,
): TrieNode | null {
  if (!owner || !target || target.seq === owner.seq) return target
  return isBranch(owner, row, symbol, target) ? target : null
}

function pair(
  row: number,
  lefts: readonly (TrieNode | null)[],
  rights: readonly (TrieNode | null)[],
): NodePair[] {
  const pairs: NodePair[] = []
  if (!isTerminator(row)) {
    for (let i = 0; i < Math.max(lefts.length, rights.length); i++) {
      pairs.push({ left: lefts[i] ?? null, right: rights[i] ?? null })
    }
    return pairs
  }
  const byComponent = new Map<string | undefined, TrieNode>()
  for (const right of rights) if (right) byComponent.set(right.path.componentAt(row), right)
  const seen = new Set<string | undefined>()
  for (const left of lefts) {
    const component = left?.path.componentAt(row)
    if (!left || seen.has(component)) continue
    seen.add(component)
    pairs.push({ left, right: byComponent.get(component) ?? null })
    byComponent.delete(component)
  }
  for (const right of byComponent.values()) pairs.push({ left: null, right })
  return pairs
}

/** The first row at which something happens, or `Infinity` when the frame has come to its end. */
function nextRow({ index, left, right }: Frame): number {
  const length = Math.min(left?.path.length ?? Infinity, right?.path.length ?? Infinity)
  const parting = left && right ? left.path.divergence(right.path) : Infinity
  const rows = [rowFrom(left, index), rowFrom(right, index), Math.max(parting, index)]
  const row = Math.min(...rows)
  return row < length ? row : Infinity
}

function rowFrom(node: TrieNode | null, index: number): number {
  return node ? node.table.rowAt(node.table.seek(index)) : Infinity
}
