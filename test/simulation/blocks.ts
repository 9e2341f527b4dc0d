/**
 * The blocks of every simulated log, known by their number.
 *
 * @module
 */
import { LogError } from '../../src/log/index.ts'
import type { Log } from '../../src/log/index.ts'

/** A block that is held, or `null` when its log says that it is damaged. */
export async function blockAt(log: Log, index: number): Promise<Uint8Array | null> {
  try {
    return await log.get(index, { wait: false })
  } catch (error) {
    if (error instanceof LogError && error.code === 'LOG_CORRUPT') return null
    throw error
  }
}

/** The block at `index`: mostly small, some larger. */
export function blockOf(index: number): Uint8Array {
  const length = 5 + (index % 17 === 3 ? 900 : index % 40)
  return Uint8Array.from({ length }, (_, i) => index + 7 * i)
}

/** Bytes before block `index`. */
export function byteOffsetOf(index: number): number {
  let sum = 0
  for (let i = 0; i < index; i++) sum += 5 + (i % 17 === 3 ? 900 : i % 40)
  return sum
}
