/**
 * The log that the scripted peer knows by heart: 23 blocks, one of them empty, one of 70 000 bytes.
 *
 * Its roots are the nodes 15, 35, 41 and 44: every shape of a proof occurs. `fixtures/log` is a copy of it
 * without the secret key, for a subject to serve; what the kit serves itself it signs with `KEYS`.
 *
 * @module
 */
import { join } from 'node:path'
import { signingKeyPair, type KeyPair } from 'varve/crypto'
import { hex } from '../expect.ts'
import { WholeLog } from '../reference-log.ts'

/** Folder of the fixtures that the kit ships. */
export const FIXTURES = join(import.meta.dirname, '../../fixtures')
/** The log, in files. */
export const FIXTURE_LOG = join(FIXTURES, 'log')
/** A part of it: the blocks of {@link PARTIAL_BLOCKS}, with the tree that proves them. */
export const FIXTURE_PARTIAL = join(FIXTURES, 'partial')
/** A drive, in files; the reference wrote it. */
export const FIXTURE_DRIVE = join(FIXTURES, 'drive')

/** Signs the log. Everybody may know it. */
export const KEYS: KeyPair = signingKeyPair(new Uint8Array(32).fill(23))
/** Public key of the log, as text. */
export const KEY: string = hex(KEYS.publicKey)
/** Blocks of the log. */
export const LENGTH = 23
/** Blocks that the partial copy holds. */
export const PARTIAL_BLOCKS: readonly number[] = [0, 1, 5, 6, 7, 14, 20, 22]

/** The block at `index`, of any log of the kit. */
export function blockOf(index: number): Uint8Array {
  if (index === 4) return new Uint8Array(0)
  const size = index === 9 ? 70_000 : 5 + ((index * 37) % 120)
  return Uint8Array.from({ length: size }, (_, i) => (index * 17 + i * 7) % 256)
}

/** The log, with `extra` blocks appended. */
export function fixtureLog(extra = 0): WholeLog {
  return new WholeLog(
    KEYS,
    Array.from({ length: LENGTH + extra }, (_, index) => blockOf(index)),
  )
}
