/**
 * Whether the subject is still there for an honest peer.
 *
 * @module
 */
import type { Stage } from './stage.ts'

/** The subject still talks to an honest peer. */
export async function survives(stage: Stage): Promise<void> {
  if (stage.target.kind === 'comes') return
  const remote = await stage.entered()
  await remote.message('Open')
  await remote.heard()
}
