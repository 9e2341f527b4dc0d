/**
 * Varve as a subject: `node dist/subjects/varve.js [--dist FOLDER]`, another build with `--dist`.
 *
 * @module
 */
import { parseArgs } from 'node:util'
import { answerAll } from './answer.ts'
import { driveAnswers } from './varve/drive-answers.ts'
import { loadLibrary } from './varve/library.ts'
import { logAnswers } from './varve/log-answers.ts'
import { PeerAnswers } from './varve/peer-answers.ts'
import { trieAnswers } from './varve/trie-answers.ts'
import { wireAnswers } from './varve/wire-answers.ts'

const { values } = parseArgs({ options: { dist: { type: 'string' } } })
const library = await loadLibrary(values.dist)
const peer = new PeerAnswers(library)
answerAll(
  'varve',
  {
    ...logAnswers(library),
    ...wireAnswers(library),
    ...trieAnswers(library),
    ...driveAnswers(library),
    ...peer.handlers(),
  },
  () => peer.shut(),
)
