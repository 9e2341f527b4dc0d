/**
 * Shortening a log: all or nothing, after any crash.
 *
 * That it is to be cut is noted in the `durable` file; what is begun is ended when the log is opened next.
 * Until the note is there nothing was changed but the signature of the shorter length. Each step is synced
 * before the next, unless in mode `none`.
 *
 * @see spec/10-log.md 3.10 and Q9
 * @module
 */
import { sign } from '../crypto.ts'
import { signable, treeHash } from '../merkle/index.ts'
import type { TreeNode } from '../merkle/index.ts'
import { assertIndex, assertOpen } from './core.ts'
import type { Core } from './core.ts'
import type { Cut } from './durable-bits.ts'
import { LogError } from './errors.ts'
import { HEADER_BYTES } from './header.ts'
import type { FileSizes } from './open.ts'
import type { Parts } from './parts.ts'
import { cutBits } from './rebuild.ts'
import { StoredContent } from './stored-content.ts'
import { NODE_BYTES } from './tree-file.ts'
import { isHead, storedRoots } from './trust.ts'

/**
 * Shorten a log to `length` blocks. Peers may hold the longer one: what is appended afterwards is then
 * a fork. When the call fails the log may be cut or not, and goes on from where it then stands.
 *
 * @throws {@link LogError} `LOG_NOT_WRITABLE`, `LOG_NOT_PROVABLE`
 */
export async function truncateLog(parts: Parts, length: number): Promise<void> {
  const { core, reader, appender } = parts
  assertIndex(length)
  assertOpen(core)
  if (core.key && !core.secretKey) throw new LogError('LOG_NOT_WRITABLE', 'no secret key here')
  await appender.exclusive(() =>
    core.content.run(async () => {
      if (length >= core.length) return
      const roots = await storedRoots(core, length)
      if (!roots) throw new LogError('LOG_NOT_PROVABLE', `roots of ${length} blocks are not here`)
      await core.durable.flush()
      if (core.live && core.secretKey && length > 0) {
        await core.signatures.write(length, sign(signable(treeHash(roots), length), core.secretKey))
        await core.durable.ordered('signatures')
      }
      const from = core.length
      core.leftovers = 'cut'
      await core.durableBits.noteCut({ from, to: length })
      await core.durable.orderedNote()
      setHead(core, length, roots)
      reader.forget(length, from)
      await finishCut(core)
    }),
  )
}

/**
 * The log that is found is one that was being cut: end it. Not where what is stored is longer than it was then, or
 * cannot be proven at that length.
 *
 * @param sizes - bytes in the files @param recorded - blocks that the bits tell
 * @returns whether it was cut
 */
export async function resumeCut(
  core: Core,
  sizes: FileSizes,
  cut: Cut,
  recorded: number,
): Promise<boolean> {
  if (recorded > cut.from) return false
  const roots = await storedRoots(core, cut.to)
  if (!roots) return false
  const signature = await core.signatures.read(cut.to)
  if (cut.to > 0 && core.key && !isHead(roots, cut.to, signature, core.key)) return false
  // Nothing of it was synced: a log that will refuse to open for lost blocks must not have been cut before.
  if (core.durable.mode === 'none' && !(await new StoredContent(core, sizes).matches(0, cut.to)))
    return false
  setHead(core, cut.to, roots)
  await finishCut(core)
  return true
}

/** It must not be done later, to a log that has grown. */
export async function forgetCut({ durable, durableBits }: Core): Promise<void> {
  await durableBits.noteCut(null)
  await durable.orderedNote()
}

/** Cut what lies beyond the head, and forget that it was to be done. */
export async function finishCut(core: Core): Promise<void> {
  const { durable, bitfieldFile, signatures, files } = core
  durable.changed()
  cutBits(core, core.length)
  await bitfieldFile.flush()
  await durable.ordered('bitfield')
  await signatures.cutAfter(core.length, true)
  await durable.ordered('signatures')
  await core.tree.truncate(HEADER_BYTES + NODE_BYTES * Math.max(0, 2 * core.length - 1))
  if (!core.indexing) await files.data.truncate(core.byteLength)
  await durable.flush()
  await forgetCut(core)
  core.leftovers = null
}

function setHead(core: Core, length: number, roots: readonly TreeNode[]): void {
  core.length = length
  core.roots = roots
  core.byteLength = roots.reduce((sum, root) => sum + root.size, 0)
}
