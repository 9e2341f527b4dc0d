/**
 * The process that runs the cases, one file of vectors after the other, for `run.ts`.
 *
 * A process of its own, so that a case that never returns, or that takes the process down, fails
 * alone: `run.ts` ends it and begins another behind that case. Every case is announced before it
 * starts.
 *
 * @module
 */
import { dirname } from 'node:path'
import { readFileSync } from 'node:fs'
import { setImmediate } from 'node:timers/promises'
import { loadKinds } from './kinds.ts'
import { skipOf } from './skipped.ts'
import type { VectorFile } from './vector.ts'

/** What `run.ts` asks for. */
export interface Order {
  readonly path: string
  readonly kind: string
  /** Cases before this one are done. */
  readonly from: number
}

/** What comes back. */
export type Report =
  | { readonly type: 'start'; readonly index: number; readonly name: string }
  | { readonly type: 'passed'; readonly index: number }
  | { readonly type: 'skipped'; readonly index: number; readonly reason: string }
  | { readonly type: 'failed'; readonly name: string; readonly message: string }
  | { readonly type: 'end' }

const kinds = await loadKinds()
let escape: (error: unknown) => void = report

process.on('uncaughtException', (error) => escape(error))
process.on('unhandledRejection', (reason) => escape(reason))
process.on('message', (order) => void work(order as Order))

async function work({ path, kind: kindName, from }: Order): Promise<void> {
  try {
    const json = JSON.parse(readFileSync(path, 'utf8')) as VectorFile['json']
    const kind = kinds.get(kindName)
    if (kind) {
      let index = 0
      for (const each of kind.cases({ folder: dirname(path), json })) {
        // oxlint-disable-next-line no-await-in-loop -- cases run one by one so that a failure is readable
        if (index >= from) await runCase(kindName, index, each)
        index++
      }
      if (index === 0) throw new Error('a file of vectors without a case')
    } else {
      skipAll(kindName, json.cases)
    }
  } catch (error) {
    report(error)
  }
  send({ type: 'end' })
}

async function runCase(
  kind: string,
  index: number,
  each: { name: string; run(): void | Promise<void> },
): Promise<void> {
  const skip = skipOf(kind, each.name)
  if (skip) return send({ type: 'skipped', index, reason: skip.reason })
  send({ type: 'start', index, name: each.name })
  try {
    await new Promise<void>((resolve, reject) => {
      escape = (error) => reject(new Error('an exception escaped', { cause: error }))
      Promise.resolve(each.run()).then(resolve, reject)
    })
    // What a case leaves in the queue of events still belongs to it.
    await setImmediate()
    send({ type: 'passed', index })
  } catch (error) {
    send({ type: 'failed', name: each.name, message: describe(error) })
  } finally {
    escape = report
  }
}

/** A kind without a handler: its cases are skipped when the list has the kind, else it has failed. */
function skipAll(kind: string, cases: readonly unknown[]): void {
  const skip = skipOf(kind, '')
  if (!skip)
    return send({ type: 'failed', name: kind, message: 'no handler for this kind of file' })
  for (const index of cases.keys()) send({ type: 'skipped', index, reason: skip.reason })
}

/** A failure outside of any case. */
function report(error: unknown): void {
  send({ type: 'failed', name: 'outside of a case', message: describe(error) })
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const cause = error.cause === undefined ? '' : `\ncaused by ${describe(error.cause)}`
  return (error.stack ?? error.message) + cause
}

function send(message: Report): void {
  process.send?.(message)
}
