/**
 * All cases of the scripted peer.
 *
 * @module
 */
import { beliefCases } from './belief-cases.ts'
import { channelCases } from './channel-cases.ts'
import { digestCases } from './digest-cases.ts'
import { endCases } from './end-cases.ts'
import { frameCases } from './frame-cases.ts'
import { handshakeCases } from './handshake-cases.ts'
import { handshakeRefusals } from './handshake-refusals.ts'
import { hostileCases } from './hostile-cases.ts'
import { lifeCases } from './life-cases.ts'
import type { PeerCase } from './peer-case.ts'
import { reactionCases } from './reaction-cases.ts'
import { readerCases } from './reader-cases.ts'
import { requestCases } from './request-cases.ts'
import { wantCases } from './want-cases.ts'

export { Stage, type Target } from './stage.ts'

/** From the first byte of a connection to the worst of peers. */
export function* peerCases(): Iterable<PeerCase> {
  yield* handshakeCases()
  yield* handshakeRefusals()
  yield* frameCases()
  yield* channelCases()
  yield* wantCases()
  yield* requestCases()
  yield* digestCases()
  yield* readerCases()
  yield* beliefCases()
  yield* endCases()
  yield* lifeCases()
  yield* reactionCases()
  yield* hostileCases()
}
