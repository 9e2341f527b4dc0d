/**
 * Cases made of a recorded question and its recorded answer.
 *
 * @module
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Case, type Level, Refuted } from '../case.ts'
import { same, shown } from '../expect.ts'
import type { OperationName, Operations } from '../operations.ts'
import { type Subject, SubjectError } from '../subject.ts'

/** A case that asks a subject. */
export type VectorCase = Case<Subject>

/** Where the kit keeps its vectors. */
export const VECTORS = join(import.meta.dirname, '../../vectors')

/** What a file holds. */
export type Recorded<T> = { readonly cases: readonly T[] } & Readonly<Record<string, unknown>>

/** The cases of one file, of the shape that whoever names it knows. */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters
export function recorded<T>(name: string): Recorded<T> {
  return JSON.parse(readFileSync(join(VECTORS, `${name}.json`), 'utf8')) as Recorded<T>
}

/** What all cases of a topic share. */
export interface Topic {
  /** Begins every id. */
  readonly id: string
  readonly section: string
}

/** One question that has one answer. */
export function asks<Op extends OperationName>(
  { id, section }: Topic,
  number: number | string,
  title: string,
  op: Op,
  args: Operations[Op]['args'],
  expected: Operations[Op]['result'],
  level: Level = 'MUST',
): VectorCase {
  return {
    id: `${id}.${number}`,
    title,
    section,
    level,
    run: async (subject) => same(await subject.ask(op, args), expected, op),
  }
}

/** One question that has to be refused: any error, but an answer. */
export function refuses<Op extends OperationName>(
  { id, section }: Topic,
  number: number | string,
  title: string,
  op: Op,
  args: Operations[Op]['args'],
  level: Level = 'MUST',
): VectorCase {
  return {
    id: `${id}.${number}`,
    title,
    section,
    level,
    async run(subject) {
      let answer: unknown = null
      try {
        answer = await subject.ask(op, args)
      } catch (error) {
        if (error instanceof SubjectError) return
        throw error
      }
      throw new Refuted(`${op} took it and gave ${shown(answer)}`)
    },
  }
}

/** Text as part of an id: what is no letter or digit becomes a hyphen. */
export function slug(text: string): string {
  return text
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-|-$/g, '')
}
