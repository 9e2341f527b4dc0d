/**
 * The capability: proof that an end of this very connection knows a log's key, without telling it.
 *
 * @see spec/20-wire.md 2.6
 * @module
 */
import { equals, fromUtf8 } from '../bytes.ts'
import { hashParts } from '../crypto.ts'
import type { Split } from './noise.ts'

const CONTEXT = fromUtf8('hypercore capability')

/** 32 bytes: what we put into our Open. */
export function ownCapability({ tx, rx }: Split, key: Uint8Array): Uint8Array {
  return hashParts([CONTEXT, tx, key], rx)
}

/** 32 bytes: what the remote has to put into its Open. */
export function remoteCapability({ tx, rx }: Split, key: Uint8Array): Uint8Array {
  return hashParts([CONTEXT, rx, key], tx)
}

/** Whether what the remote sent proves that it knows `key`; `null`, or any wrong length, does not. */
export function provesKey(split: Split, key: Uint8Array, sent: Uint8Array | null): boolean {
  return sent !== null && equals(remoteCapability(split, key), sent)
}
