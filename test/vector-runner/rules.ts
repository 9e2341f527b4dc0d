/**
 * Where Varve answers otherwise than v10 on purpose: one table, general rules only.
 *
 * The handlers of vectors ask `differenceFor` about a step before they judge it, so that other data
 * is judged alike, and `docs/differences.md` is printed from the same table (`npm run differences`).
 *
 * @module
 */
import { improvementTables } from './improvements.ts'

/** One step of a vector, as far as a rule looks at it. */
export interface Step {
  /** The operation, by its name in the vectors: `replicate`, `stat`. */
  readonly op: string
  readonly args: readonly unknown[]
  /** v10's error; absent when it succeeded. */
  readonly err?: { readonly code: string | null; readonly message: string } | undefined
  readonly readOnly?: boolean | undefined
  readonly closed?: boolean | undefined
}

/** What Varve must answer where a rule applies. */
export type Answer =
  | { readonly type: 'ok' }
  | { readonly type: 'error'; readonly code: string }
  | { readonly type: 'refused'; readonly constructorName: 'TypeError' | 'RangeError' }
  /** A list that begins with v10's. */
  | { readonly type: 'longer' }

/** One deliberate difference. */
export interface Difference {
  /** The operation and its arguments, for people. */
  readonly operation: string
  /** What v10 answers. */
  readonly original: string
  /** What Varve answers. */
  readonly ours: string
  readonly why: string
  /** Whether a step of a vector is one of these. Looks at the operation, never at a case's name. */
  applies(step: Step): boolean
  /** What a vector's handler then expects in place of the recorded outcome. */
  readonly answer: Answer
}

/** The table. */
export const differences: readonly Difference[] = [
  {
    operation: '`replicate()`, `replicate({ … })` without `initiator`',
    original: 'throws without an argument; is the responder with options',
    ours: 'a connection that finds its role by itself',
    why:
      'The user’s document calls it so on both ends of a socket. An accepted socket responds and a ' +
      'connecting one initiates; on other streams who hears first responds. A v10 at the other ' +
      'end whose fixed role contradicts this needs an explicit role here.',
    applies: ({ op, args: [first, ...rest] }) =>
      op === 'replicate' &&
      rest.length === 0 &&
      (first === undefined ||
        (typeof first === 'object' && first !== null && !('initiator' in first))),
    answer: { type: 'ok' },
  },
  {
    operation: 'a block or hash from a peer whose signed proof contradicts a stored node',
    original: 'accepts it; the log goes on over a mixed tree',
    ours: '`MERKLE_FORK`, and nothing is stored',
    why:
      'Two histories signed by one key cannot both be right, and which is cannot be told here. What ' +
      'was verified first stays readable.',
    applies: ({ op, args: [message] }) =>
      op === 'accept' &&
      typeof message === 'object' &&
      message !== null &&
      'contradicted' in message &&
      message.contradicted === true,
    answer: { type: 'error', code: 'MERKLE_FORK' },
  },
  {
    operation: 'a history that reaches the block which says that everything was deleted',
    original: 'ends there; what was written later is not listed',
    ours: 'steps over that block and goes on',
    why: 'Nothing is lost from a history by deleting all files.',
    applies: ({ op, err }) => op === 'history' && err === undefined,
    answer: { type: 'longer' },
  },
]

/** The rule that a step falls under, if any. */
export function differenceFor(step: Step): Difference | undefined {
  return differences.find((difference) => difference.applies(step))
}

/** The page `docs/differences.md`, whole. */
export function differencesPage(): string {
  const rows = differences.map(
    ({ operation, original, ours, why }) => `| ${operation} | ${original} | ${ours} | ${why} |`,
  )
  return `# Deliberate differences from v10

Printed by \`npm run differences\` from the tables that the tests read. Everything else answers as v10
does.

## Judged by the vectors

Where a recorded answer of v10 falls under one of these rules, the vectors expect ours
(\`test/vector-runner/rules.ts\`).

| Operation | v10 | Varve | Why |
| --- | --- | --- | --- |
${rows.join('\n')}

## Beyond the vectors

Here the vectors mark v10's answer as one not to copy, or are held under the drive option
\`exact: true\`, which brings v10's answer back where the last column says so.

${improvementTables()}`
}
