/**
 * The program under test: another process that answers requests, one line of JSON each way.
 *
 *     → {"id":1,"op":"leaf","args":{"data":"6869"}}
 *     ← {"id":1,"result":{…}}  or  {"id":1,"error":"why"}  or  {"id":1,"unsupported":true}
 *
 * Whatever it does, a question ends: with an answer, with a {@link SubjectError}, or with a
 * {@link TimedOut} after `limitMs`, whereupon the process is killed and the next question starts another.
 *
 * @see SUBJECT.md
 * @module
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { Skip, TimedOut } from './case.ts'
import type { OperationName, Operations } from './operations.ts'

/** Milliseconds for one answer, unless a case says otherwise. */
export const ANSWER_LIMIT_MS = 10_000
/** Characters of one line; a subject that says more without a line end is given up. */
const MAX_LINE = 64 * 1024 * 1024

/** The subject answered that the operation failed: what a case may want to hear. */
export class SubjectError extends Error {
  override readonly name = 'SubjectError'
}

/** The subject died, or spoke what is no answer. */
export class SubjectGone extends Error {
  override readonly name = 'SubjectGone'
}

/** The options of a subject. */
export interface SubjectOptions {
  /** Milliseconds for one answer. */
  readonly limitMs?: number | undefined
  /** Its stderr goes to ours. Default: nowhere. */
  readonly loud?: boolean | undefined
}

interface Waiting {
  resolve(result: unknown): void
  reject(error: Error): void
}

/** A subject, started when it is first asked. */
export class Subject {
  readonly #command: string
  readonly #options: SubjectOptions
  #running: Running | null = null
  #supported: ReadonlySet<string> | null = null
  /** Times it had to be started. */
  starts = 0

  /** @param command - a line for the shell */
  constructor(command: string, options: SubjectOptions = {}) {
    this.#command = command
    this.#options = options
  }

  /** Process number while it runs. */
  get pid(): number | null {
    return this.#running?.pid ?? null
  }

  /** Whether it runs and has not died. */
  get alive(): boolean {
    return this.#running !== null && !this.#running.ended
  }

  /**
   * Ask.
   *
   * @throws {@link Skip} when it does not know the operation, {@link SubjectError} when the operation failed,
   *   {@link TimedOut} and {@link SubjectGone}
   */
  async ask<Op extends OperationName>(
    op: Op,
    args: Operations[Op]['args'],
    limitMs: number = this.#options.limitMs ?? ANSWER_LIMIT_MS,
  ): Promise<Operations[Op]['result']> {
    const supported = await this.#start()
    if (!supported.has(op)) throw new Skip(`the subject has no operation ${op}`)
    return (await this.#ask(op, args, limitMs)) as Operations[Op]['result']
  }

  /** Whether it knows an operation. */
  async knows(op: OperationName): Promise<boolean> {
    return (await this.#start()).has(op)
  }

  /** End it by force; the next question starts another. */
  kill(): void {
    this.#running?.kill()
    this.#running = null
  }

  /** End it: first by closing its input, then by force. */
  async stop(): Promise<void> {
    const running = this.#running
    this.#running = null
    await running?.stop()
  }

  async #start(): Promise<ReadonlySet<string>> {
    if (this.#running && !this.#running.ended && this.#supported) return this.#supported
    await this.stop()
    this.#running = new Running(this.#command, this.#options.loud ?? false)
    this.starts++
    const hello = (await this.#ask('hello', { version: 1 }, ANSWER_LIMIT_MS)) as {
      readonly version?: unknown
      readonly operations?: unknown
    } | null
    if (hello?.version !== 1 || !Array.isArray(hello.operations)) {
      throw new SubjectGone('hello: want {"version":1,"operations":[…]}')
    }
    this.#supported = new Set(hello.operations.map(String))
    return this.#supported
  }

  async #ask(op: string, args: unknown, limitMs: number): Promise<unknown> {
    const running = this.#running
    if (!running) throw new SubjectGone('the subject was stopped')
    let timer: NodeJS.Timeout | undefined
    try {
      return await Promise.race([
        running.ask(op, args),
        new Promise<never>((_, reject) => {
          timer = setTimeout(() => {
            reject(new TimedOut(`${op} of the subject`, limitMs))
            running.kill()
          }, limitMs)
        }),
      ])
    } finally {
      clearTimeout(timer)
    }
  }
}

/** One life of the process. */
class Running {
  readonly #child: ChildProcess
  readonly #waiting = new Map<number, Waiting>()
  #nextId = 1
  #end: string | null = null

  constructor(command: string, loud: boolean) {
    // With exec the program takes the place of the shell, and its process number is the child's.
    this.#child = spawn(process.platform === 'win32' ? command : `exec ${command}`, {
      shell: true,
      stdio: ['pipe', 'pipe', loud ? 'inherit' : 'ignore'],
      detached: process.platform !== 'win32',
    })
    const { stdin, stdout } = this.#child
    stdin?.on('error', () => this.#over('it reads no more'))
    this.#child.on('error', (error) => this.#over(error.message))
    this.#child.on('close', (code, signal) => this.#over(`it ended (${signal ?? code})`))
    if (!stdout) return
    let length = 0
    stdout.on('data', (chunk: Buffer) => {
      length = chunk.includes(10) ? 0 : length + chunk.length
      if (length > MAX_LINE) this.kill()
    })
    createInterface({ input: stdout }).on('line', (line) => this.#line(line))
  }

  get pid(): number | null {
    return this.#child.pid ?? null
  }

  get ended(): boolean {
    return this.#end !== null
  }

  ask(op: string, args: unknown): Promise<unknown> {
    const id = this.#nextId++
    return new Promise((resolve, reject) => {
      if (this.#end !== null) return reject(new SubjectGone(this.#end))
      this.#waiting.set(id, { resolve, reject })
      this.#child.stdin?.write(`${JSON.stringify({ id, op, args })}\n`)
    })
  }

  kill(): void {
    if (this.#child.pid === undefined || this.#end !== null) return
    try {
      // The shell and what it started are one group.
      if (process.platform === 'win32') this.#child.kill('SIGKILL')
      else process.kill(-this.#child.pid, 'SIGKILL')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
    }
  }

  async stop(): Promise<void> {
    if (this.#end !== null) return
    const closed = once(this.#child, 'close')
    const force = setTimeout(() => this.kill(), 2000)
    this.#child.stdin?.end()
    await closed
    clearTimeout(force)
  }

  #line(line: string): void {
    let answer: { id?: unknown; result?: unknown; error?: unknown; unsupported?: unknown } | null
    try {
      answer = JSON.parse(line) as typeof answer
    } catch {
      return this.#over(`it said what is no JSON: ${line.slice(0, 80)}`)
    }
    const waiting = this.#waiting.get(Number(answer?.id))
    if (!waiting || !answer) return
    this.#waiting.delete(Number(answer.id))
    if (answer.unsupported) waiting.reject(new Skip('the subject cannot answer this one'))
    else if (answer.error !== undefined)
      waiting.reject(new SubjectError(typeof answer.error === 'string' ? answer.error : 'an error'))
    else waiting.resolve(answer.result)
  }

  #over(reason: string): void {
    this.kill()
    this.#end ??= reason
    for (const waiting of this.#waiting.values()) waiting.reject(new SubjectGone(reason))
    this.#waiting.clear()
  }
}
