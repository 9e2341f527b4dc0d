/**
 * Drives for tests: in memory, with a clock that stands still until it is told otherwise.
 *
 * @module
 */
import { Drive } from '../../src/drive/drive.ts'
import type { DriveOptions } from '../../src/drive/options.ts'
import { MemoryStorage } from '../../src/storage/index.ts'
import { Store } from '../../src/store/index.ts'

/** What a test must have to clean up. */
export interface Ends {
  teardown(end: () => unknown): unknown
}

/** The time that drives of tests show unless they are given a clock. */
export const NOW = 1_600_000_000_000

/** An open drive of its own. */
export async function memoryDrive(t: Ends, options: DriveOptions = {}): Promise<Drive> {
  const drive = new Drive(() => new MemoryStorage(), { now: () => NOW, ...options })
  t.teardown(() => drive.close())
  await drive.ready()
  return drive
}

/** Open drives that share one store, so that each may write the others. */
export async function memoryDrives(
  t: Ends,
  count: number,
  options: DriveOptions = {},
): Promise<Drive[]> {
  const store = new Store(() => new MemoryStorage())
  t.teardown(() => store.close())
  await store.ready()
  return Promise.all(
    Array.from({ length: count }, async (_, i) => {
      const drive = new Drive(store, null, { now: () => NOW, namespace: `drive ${i}`, ...options })
      await drive.ready()
      return drive
    }),
  )
}

/** A live clone of `drive`, in memory, joined to it. */
export async function cloneOf(t: Ends, drive: Drive, options: DriveOptions = {}): Promise<Drive> {
  const clone = new Drive(() => new MemoryStorage(), drive.key, { now: () => NOW, ...options })
  t.teardown(() => clone.close())
  await clone.ready()
  join(t, drive, clone)
  return clone
}

/** Join two drives by a live connection. */
export function join(t: Ends, a: Drive, b: Drive): void {
  const [left, right] = [a.replicate(true, { live: true }), b.replicate(false, { live: true })]
  left.pipe(right).pipe(left)
  t.teardown(() => {
    left.destroy()
    right.destroy()
  })
}

/** What a rejection is compared by. */
export function code(name: string): { code: string } {
  return { code: name }
}
