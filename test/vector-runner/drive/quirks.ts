/** Handler of `drive/quirks.json`. @module */
import type { VectorKind } from '../vector.ts'
import { scriptedCases } from './script.ts'

/** Scripted cases, see `script.ts`. */
export const kind: VectorKind = { name: 'drive/quirks', cases: scriptedCases }
