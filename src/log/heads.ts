/**
 * Heads of a log: the roots of a length, and who signed them.
 *
 * @see spec/10-log.md 2.4 and 4.3
 * @module
 */
import { treeHash, verifySignature } from '../merkle/index.ts'
import type { TreeNode } from '../merkle/index.ts'
import { assertIndex } from './core.ts'
import type { Core } from './core.ts'
import { LogError } from './errors.ts'
import { storedRoots } from './trust.ts'

/** A signature and the block that its length ends with. */
export interface StoredSignature {
  readonly index: number
  readonly signature: Uint8Array
}

/**
 * The roots of the log that ends with block `index`, left to right.
 *
 * @throws {@link LogError} `LOG_NOT_PROVABLE` when one of them is not here
 */
export async function rootsOf(core: Core, index: number): Promise<TreeNode[]> {
  assertIndex(index)
  const roots = index < core.length ? await storedRoots(core, index + 1) : null
  if (roots) return roots
  throw new LogError('LOG_NOT_PROVABLE', `the roots of ${index + 1} blocks are not here`)
}

/**
 * The first stored signature of a length that includes block `index`. Each is verified before it is
 * given out, since an append that was cut short may have left one that belongs to nothing.
 *
 * @throws {@link LogError} `LOG_NOT_PROVABLE` when there is none
 */
export async function storedSignature(core: Core, index: number): Promise<StoredSignature> {
  if (index >= 0 && index < core.length) {
    for await (const { length, signature } of core.signatures.scan(index + 1, core.length)) {
      if (await isSigned(core, length, signature)) return { index: length - 1, signature }
    }
  }
  throw new LogError('LOG_NOT_PROVABLE', `no signature of a log with block ${index} is here`)
}

/**
 * Check a signature over the log that ends with block `index`.
 *
 * @throws {@link LogError} `LOG_NOT_PROVABLE`, or `LOG_BAD_SIGNATURE` when it is not the key's
 */
export async function verifyHead(core: Core, index: number, signature: Uint8Array): Promise<true> {
  const roots = await rootsOf(core, index)
  if (core.key && verifySignature(signature, treeHash(roots), index + 1, core.key)) return true
  throw new LogError('LOG_BAD_SIGNATURE', `not the key's signature of ${index + 1} blocks`)
}

async function isSigned(core: Core, length: number, signature: Uint8Array): Promise<boolean> {
  const roots = await storedRoots(core, length)
  return (
    roots !== null &&
    core.key !== null &&
    verifySignature(signature, treeHash(roots), length, core.key)
  )
}
