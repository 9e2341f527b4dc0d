/**
 * The other end of the line: reads requests from stdin and answers on stdout.
 *
 * @module
 */
import { createInterface } from 'node:readline'
import type { OperationName, Operations } from '../operations.ts'

/** An operation that this call of it cannot be asked. */
export class Unsupported extends Error {
  override readonly name = 'Unsupported'
}

/** What a subject can do. */
export type Handlers = {
  readonly [Op in Exclude<OperationName, 'hello'>]?: (
    args: Operations[Op]['args'],
  ) => Operations[Op]['result'] | Promise<Operations[Op]['result']>
}

/** Answer until the input ends; then run `end`, and leave. */
export function answerAll(name: string, handlers: Handlers, end: () => Promise<void>): void {
  const say = (message: object): void => void process.stdout.write(`${JSON.stringify(message)}\n`)
  const hello = { version: 1, name, operations: Object.keys(handlers) }
  const table = handlers as Readonly<Record<string, ((args: unknown) => unknown) | undefined>>
  const answer = async (id: number, op: string, args: unknown): Promise<void> => {
    try {
      const run = table[op]
      if (op === 'hello') return say({ id, result: hello })
      if (!run) return say({ id, unsupported: true })
      say({ id, result: (await run(args)) ?? null })
    } catch (error) {
      if (error instanceof Unsupported) say({ id, unsupported: true })
      else say({ id, error: error instanceof Error ? error.message : String(error) })
    }
  }
  const lines = createInterface({ input: process.stdin })
  lines.on('line', (line) => {
    const { id, op, args } = JSON.parse(line) as { id: number; op: string; args: unknown }
    void answer(id, op, args)
  })
  lines.on('close', () => {
    void end().finally(() => process.exit(0))
  })
}
