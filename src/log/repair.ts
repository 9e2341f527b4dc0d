/**
 * A held block whose stored bytes turn out to be damaged, got anew from peers while somebody reads it.
 *
 * @see docs/reliability.md, what a read guarantees
 * @module
 */
import { LogError } from './errors.ts'
import type { Parts } from './parts.ts'
import type { Patience } from './waiting.ts'

/**
 * The block, once a peer that has it gave it. It is no longer held meanwhile, and asked for with a proof
 * that leans on nothing here: its tree nodes may be what is damaged.
 *
 * @param damage - what reading it said; also the answer when no connected peer has it, or all leave
 * @throws what ends a wait, as it is: `ETIMEDOUT`, the signal's reason, …
 */
export async function readAnew(
  parts: Parts,
  index: number,
  damage: LogError,
  patience: Patience,
): Promise<Uint8Array> {
  const { core, reader, receiver, waiting, downloads } = parts
  if (!core.replicator?.canMeet({ type: 'block', index })) throw damage
  patience.signal?.throwIfAborted()
  await core.content.run(async () => {
    if (core.bitfield.set(index, index + 1, false) === 0) return // another reader was first
    receiver.distrust(index)
    reader.forget(index, index + 1)
    downloads.cleared(index, index + 1)
    await core.bitfieldFile.flush()
    await core.durable.bitfieldWritten()
    core.replicator?.cleared(index, 1)
  })
  if (core.bitfield.has(index)) return reader.read(index) // it came meanwhile
  try {
    return await waiting.block(index, { ...patience, onlyPeers: true })
  } catch (error) {
    if (error instanceof LogError && error.code === 'LOG_UNAVAILABLE') throw damage
    throw error
  }
}
