/**
 * A case that meets the subject on a socket.
 *
 * @module
 */
import { type Case, type Level, Skip } from '../case.ts'
import type { Stage } from './stage.ts'

/** A case of the scripted peer. */
export type PeerCase = Case<Stage>

/** Make one; connections that it leaves open are ended, and a subject that failed begins anew. */
export function peerCase(
  id: string,
  section: string,
  title: string,
  run: (stage: Stage) => Promise<Record<string, number> | void>,
  level: Level = 'MUST',
): PeerCase {
  return {
    id: `peer.${id}`,
    title,
    section,
    level,
    async run(stage) {
      try {
        return await run(stage)
      } catch (error) {
        // Whatever state it is in now is no beginning for the next case.
        if (!(error instanceof Skip)) stage.renew()
        throw error
      } finally {
        stage.sweep()
      }
    },
  }
}
