/**
 * Kind `wire/replication-sparse`: transcripts of whole replications, replayed against each side.
 *
 * @module
 */
import type { VectorKind } from '../vector.ts'
import { transcriptKind } from './replay.ts'

/** Handler of the file. */
export const kind: VectorKind = transcriptKind('wire/replication-sparse')
