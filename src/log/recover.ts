/**
 * What a log is when its files do not agree: after a crash between writes, a power cut, or damage.
 *
 * Signatures decide. The greatest length is taken whose signature verifies over roots that are stored
 * (or follow from what is), and, on a writer, whose last batch of blocks is there and right; a complete
 * unsigned tail is signed again. So an interrupted append is rolled forward when all of it arrived, and
 * back when not. Nothing is ever taken for an empty log that may hold content.
 *
 * The cost is that of the last batch; only where the bitfield itself is lost are tree and data read
 * whole.
 *
 * @see spec/10-log.md 3.15
 * @module
 */
import { sign } from '../crypto.ts'
import { flatTree, parentNode, signable, treeHash } from '../merkle/index.ts'
import type { TreeNode } from '../merkle/index.ts'
import { rebuildBits, reclaimTail } from './rebuild.ts'
import type { Core } from './core.ts'
import { LogError } from './errors.ts'
import { HEADER_BYTES } from './header.ts'
import type { FileSizes, Head } from './open.ts'
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

/**
 * Decide and restore the head of a log whose files disagree.
 *
 * @param recorded - length that the bits tell
 * @param usable - the bitfield could be read
 * @throws {@link LogError} `LOG_CORRUPT`, with nothing written, when nothing can be proven
 */
export async function recover(
  core: Core,
  sizes: FileSizes,
  recorded: number,
  usable: boolean,
): Promise<Head> {
  const content = new StoredContent(core, sizes)
  const isWriter = core.secretKey !== null
  let taken = await findCandidate(core, content, isWriter)
  if (isWriter && recorded > (taken?.length ?? 0)) {
    taken = (await signAgain(core, content, recorded, taken)) ?? taken
  }
  if (!taken) {
    if (!(await isUnbegun(core, sizes, usable))) {
      const message = `${recorded} blocks are recorded, and nothing of them can be proven`
      throw new LogError('LOG_CORRUPT', message)
    }
    taken = { length: 0, live: true, roots: [], since: 0, derived: new Map() }
  }
  if (isWriter && taken.length < recorded && core.durable.mode === 'sync') {
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
    isWriter,
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
): Promise<Candidate | null> {
  let best: Candidate | null = null
  for await (const { length, signature } of core.signatures.scanDown()) {
    content.exchange()
    const roots = await content.roots(length, true)
    if (!roots || !core.key || !isHead(roots, length, signature, core.key)) continue
    const derived = content.exchange()
    if (best && (await isWhole(content, { ...best, since: length }, isWriter))) {
      return { ...best, since: length }
    }
    best = { length, live: true, roots, since: 0, derived }
  }
  if (best && (await isWhole(content, best, isWriter))) return best
  content.exchange()
  return staticHead(core, content)
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
async function staticHead(core: Core, content: StoredContent): Promise<Candidate | null> {
  const length = content.recordedLength()
  const roots = length > 0 ? await content.roots(length, false) : null
  if (!roots || (core.key && !isHead(roots, length, null, core.key))) return null
  return { length, live: false, roots, since: 0, derived: content.exchange() }
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
  return { length: recorded, live: true, roots, since, derived: content.exchange() }
}

function isSibling(left: TreeNode, right: TreeNode): boolean {
  return flatTree.sibling(left.index) === right.index
}

/** Whether the files are those of a log that nothing was ever acknowledged of. */
async function isUnbegun(core: Core, sizes: FileSizes, usable: boolean): Promise<boolean> {
  if (!usable) {
    return sizes.tree <= HEADER_BYTES && sizes.signatures <= HEADER_BYTES && sizes.data === 0
  }
  if (core.bitfield.lastHeld() >= 0 || core.bitfield.lastNode() >= 0) return false
  if (core.secretKey === null && core.key !== null) return true // a copy without a block signs nothing
  const scan = core.signatures.scan(1)
  await scan.next()
  const second = await scan.next()
  return second.done === true
}
