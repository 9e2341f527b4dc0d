/**
 * All cases that are a question and its recorded answer.
 *
 * @module
 */
import { nameCases, statCases, storeCases } from './drive-cases.ts'
import {
  bitfieldCases,
  flatTreeCases,
  hashCases,
  keyCases,
  nodeSetCases,
  signatureCases,
} from './log-cases.ts'
import { proveCases, replicaCases, seekCases, verifyCases } from './proof-cases.ts'
import {
  headerCases,
  mountRecordCases,
  nodeCases,
  pathCases,
  pointerCases,
  scriptCases,
  trieMessageCases,
} from './trie-cases.ts'
import type { VectorCase } from './vector-case.ts'
import {
  extensionNameCases,
  frameCases,
  handshakeCases,
  messageCases,
  transportCases,
} from './wire-cases.ts'

/** In the order in which an implementation is built. */
export function* vectorCases(): Iterable<VectorCase> {
  yield* hashCases()
  yield* keyCases()
  yield* signatureCases()
  yield* flatTreeCases()
  yield* bitfieldCases()
  yield* nodeSetCases()
  yield* proveCases()
  yield* verifyCases()
  yield* replicaCases()
  yield* seekCases()
  yield* handshakeCases()
  yield* transportCases()
  yield* messageCases()
  yield* frameCases()
  yield* extensionNameCases()
  yield* pathCases()
  yield* headerCases()
  yield* pointerCases()
  yield* nodeCases()
  yield* mountRecordCases()
  yield* trieMessageCases()
  yield* scriptCases()
  yield* storeCases()
  yield* statCases()
  yield* nameCases()
}
