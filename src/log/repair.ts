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
 * A held block turned out to be damaged when somebody else wanted it: it is no longer held, peers hear of that, and
 * downloads that want it fetch it anew, with a proof that leans on nothing here.
 */
export async function dropDamaged(parts: Parts, index: number): Promise<void> {
  await parts.core.content.run(async () => {
    if (await letGo(parts, index)) parts.core.replicator?.lost(index, 1)
  })
}

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
  const { core, reader, waiting, downloads } = parts
  if (!core.replicator?.canMeet({ type: 'block', index })) throw damage
  patience.signal?.throwIfAborted()
  await core.content.run(async () => {
    if (!(await letGo(parts, index))) return
    downloads.cleared(index, index + 1)
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

/** Take the bit away. Returns false when another was first. */
async function letGo({ core, reader, receiver }: Parts, index: number): Promise<boolean> {
  if (core.bitfield.set(index, index + 1, false) === 0) return false
  receiver.distrust(index)
  reader.forget(index, index + 1)
  await core.bitfieldFile.flush()
  await core.durable.bitfieldWritten()
  return true
}
