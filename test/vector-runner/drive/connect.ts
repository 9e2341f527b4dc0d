/** Two drives, connected inside the process. @module */
import type { Drive } from '../../../src/drive/index.ts'

/** Pipe the replication of two drives into each other. Returns what ends it. */
export function connect(a: Drive, b: Drive, live: boolean): () => void {
  const [left, right] = [a.replicate(true, { live }), b.replicate(false, { live })]
  left.pipe(right).pipe(left)
  return () => {
    left.destroy()
    right.destroy()
  }
}

/** Let everything that is under way go on until `done`, or until it has had long enough. */
export async function until(done: () => boolean, milliseconds = 10_000): Promise<void> {
  // Not `Date.now`: the clock of a case may stand still.
  const end = performance.now() + milliseconds
  while (!done() && performance.now() < end) await pause(2)
  // What should not happen any more gets its chance to.
  await pause(30)
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds))
}
