/**
 * What a log is when its files do not agree: after a crash between writes, a power cut, or damage.
 *
 * Signatures decide. The greatest length is taken whose signature verifies over roots that are stored
 * (or follow from what is), and, on a writer, whose last batch of blocks is there and right; a complete
 * unsigned tail is signed again. So an interrupted append is rolled forward when all of it arrived, and
 * back when not. Nothing is ever taken for an empty log that may hold content.
 *
 * Where it is known what was durable (durable-bits.ts), a writer's log ends before the first block after that
 * which is lost. The cost is that of the last batch, or of what was written since the last sync; only
 * where the bitfield itself is lost are tree and data read whole.
 *
 * @see spec/10-log.md 3.15
 * @module
 */
import { sign } from '../crypto.ts'
import { flatTree, parentNode, signable, treeHash } from '../merkle/index.ts'
import type { TreeNode } from '../merkle/index.ts'
import { rebuildBits, reclaimTail } from './rebuild.ts'
import type { Core } from './core.ts'
import type { Doubts } from './durable-bits.ts'
import { LogError } from './errors.ts'
import { HEADER_BYTES } from './header.ts'
import type { FileSizes, Head } from './open.ts'
import { isSource } from './part.ts'
import { StoredContent } from './stored-content.ts'
import { NODE_BYTES } from './tree-file.ts'
import { isHead } from './trust.ts'

/** A length that the key vouches for. */
interface Candidate extends Head {
  /** The next lower one, or 0: blocks from here on belong to the last batch. */
  readonly since: number
  /** Nodes that are not stored and follow from what is. */
  readonly derived: Map<number, TreeNode>
}

/** What is known of a writer's tail that nobody had synced. */
interface Tail {
  /** Blocks before this one are durable. */
  readonly durable: number
  /** Those from there to here are there as well. */
  readonly sound: number
}

/**
 * Decide and restore the head of a log whose files disagree.
 *
 * @param recorded - length that the bits tell
 * @param usable - the bitfield could be read
 * @param doubts - what the bits say that nobody synced; null when that is not known
 * @throws {@link LogError} `LOG_CORRUPT`, with nothing written, when nothing can be proven
 */
export async function recover(
  core: Core,
  sizes: FileSizes,
  recorded: number,
  usable: boolean,
  doubts: Doubts | null,
): Promise<Head> {
  const content = new StoredContent(core, sizes)
  const isWriter = core.key !== null && isSource(core)
  const ownsTail = doubts !== null && isSource(core)
  const tail = ownsTail ? await tailOf(core, content, doubts, recorded) : null
  let taken = await findCandidate(core, content, isWriter, tail)
  if (isWriter && recorded > (taken?.length ?? 0)) {
    taken = (await signAgain(core, content, recorded, taken)) ?? taken
  }
  if (!taken) {
    if (doubts?.length !== 0 && !(await isUnbegun(core, sizes, usable))) {
      const message = `${recorded} blocks are recorded, and nothing of them can be proven`
      throw new LogError('LOG_CORRUPT', message)
    }
    taken = { length: 0, live: true, roots: [], since: 0, derived: new Map() }
  }
  const durable = tail?.durable ?? (core.durable.mode === 'sync' ? recorded : 0)
  if (isWriter && taken.length < durable) {
    // Durable lengths do not vanish by a crash: this one may have been announced to peers.
    const message = `${recorded} blocks were recorded, ${taken.length} can be proven`
    core.refusesAppend = new LogError('LOG_CORRUPT', message)
  }
  content.exchange(taken.derived)
  core.length = taken.length // what is trusted hangs on it
  core.roots = taken.roots
  for (const root of taken.roots) core.tree.trust(root.index)
  await rebuildBits(core, content, taken, {
    usable: usable && sizes.bitfield > HEADER_BYTES,
    isWriter: isWriter || ownsTail,
    doubts,
    treeReaches: sizes.tree >= HEADER_BYTES + NODE_BYTES * (2 * taken.length - 1),
  })
  await core.signatures.cutAfter(taken.length)
  if (isWriter) await reclaimTail(core, content, taken.length)
  for (const root of taken.roots) core.tree.trust(root.index)
  return taken
}

async function findCandidate(
  core: Core,
  content: StoredContent,
  isWriter: boolean,
  tail: Tail | null,
): Promise<Candidate | null> {
  let best: Candidate | null = null
  for await (const { length, signature } of core.signatures.scanDown()) {
    // The leaf of one block, the last, may follow from a signature.
    if (tail && length > tail.sound + 1) continue
    content.exchange()
    const roots = await content.roots(length, true)
    if (!roots || !core.key || !isHead(roots, length, signature, core.key)) continue
    const derived = content.exchange()
    if (tail) {
      const since = Math.min(tail.durable, length)
      const candidate = { length, live: true, roots, since, derived }
      if (length <= tail.sound) return candidate
      if (await isWhole(content, { ...candidate, since: tail.sound }, isWriter)) return candidate
      continue
    }
    if (best && (await isWhole(content, { ...best, since: length }, isWriter))) {
      return { ...best, since: length }
    }
    best = { length, live: true, roots, since: 0, derived }
  }
  if (best && (await isWhole(content, best, isWriter))) return best
  content.exchange()
  return staticHead(core, content, tail)
}

/** How far the blocks are there that were appended after the last sync. */
async function tailOf(
  core: Core,
  content: StoredContent,
  doubts: Doubts,
  recorded: number,
): Promise<Tail> {
  const durable = Math.min(doubts.length, recorded)
  content.doubtFrom(durable)
  // All of a batch may have arrived but its bits.
  const end = Math.max(recorded, core.signatures.slots)
  return { durable, sound: await content.firstLost(durable, end) }
}

/** Whether the blocks of a candidate's last batch are there; of a replica nothing is asked. */
async function isWhole(
  content: StoredContent,
  candidate: Candidate,
  isWriter: boolean,
): Promise<boolean> {
  if (!isWriter) return true
  content.exchange(candidate.derived)
  return content.matches(candidate.since, candidate.length)
}

/** A static log has no signatures: its key is the hash of its tree. */
async function staticHead(
  core: Core,
  content: StoredContent,
  tail: Tail | null,
): Promise<Candidate | null> {
  const length = Math.min(content.recordedLength(), tail?.sound ?? Infinity)
  if (length === 0) return null
  const since = tail ? Math.min(tail.durable, length) : 0
  // Without a key nothing tells a parent from one of the blocks that a cut took away.
  const isUnsigned = tail && core.key === null
  const roots = await (isUnsigned
    ? content.rootsOfLeaves(since, length)
    : content.roots(length, false))
  if (roots && (!core.key || isHead(roots, length, null, core.key)))
    return { length, live: false, roots, since, derived: content.exchange() }
  return tail || core.key || core.durable.mode !== 'none' ? null : wholeStart(content, length)
}

/** Of a static log without a key, of which anything may be lost: its blocks up to the first that is. */
async function wholeStart(content: StoredContent, length: number): Promise<Candidate | null> {
  const sound = await content.firstLost(0, length)
  content.exchange()
  const roots = sound > 0 ? await content.rootsOfLeaves(0, sound) : null
  return roots && { length: sound, live: false, roots, since: 0, derived: content.exchange() }
}

/** The tail above `taken` is whole, only its signature is lost: make it again. */
async function signAgain(
  core: Core,
  content: StoredContent,
  recorded: number,
  taken: Candidate | null,
): Promise<Candidate | null> {
  const since = taken?.length ?? 0
  content.exchange()
  const roots = await content.roots(recorded, false)
  if (!roots || !core.secretKey || !core.key) return null
  if (!(await content.matches(since, recorded))) return null
  const grown = [...(taken?.roots ?? [])]
  for (let block = since; block < recorded; block++) {
    // oxlint-disable-next-line no-await-in-loop
    let node = await content.node(2 * block)
    if (!node) return null
    for (let left = grown.at(-1); left && isSibling(left, node); left = grown.at(-1)) {
      grown.pop()
      node = parentNode(left, node)
    }
    grown.push(node)
  }
  const hash = treeHash(roots)
  const signature = sign(signable(hash, recorded), core.secretKey)
  if (!isHead(grown, recorded, signature, core.key)) return null
  await core.signatures.write(recorded, signature)
  const derived = content.exchange()
  return { length: recorded, live: true, roots, since: taken?.since ?? 0, derived }
}

function isSibling(left: TreeNode, right: TreeNode): boolean {
  return flatTree.sibling(left.index) === right.index
}

/** Whether the files are those of a log that nothing was ever acknowledged of. */
async function isUnbegun(core: Core, sizes: FileSizes, usable: boolean): Promise<boolean> {
  if (!usable) {
    return sizes.tree <= HEADER_BYTES && sizes.signatures <= HEADER_BYTES && sizes.data === 0
  }
  if (core.bitfield.lastNode() >= 0) return false
  // A first append, of which half a page of bits arrived: nothing was acknowledged, and nothing is signed.
  if (core.key === null) return true
  if (core.bitfield.lastHeld() >= 0) return false
  if (core.secretKey === null) return true // a copy without a block signs nothing
  const scan = core.signatures.scan(1)
  await scan.next()
  const second = await scan.next()
  return second.done === true
}
