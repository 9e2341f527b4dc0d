/**
 * A second process that answers requests, one line of JSON each way.
 *
 *     → {"id":1,"op":"open","args":{…}}      ← {"id":1,"result":…} or {"id":1,"error":"…"}
 *
 * What it writes to stderr is shown. It ends with this process.
 *
 * @module
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

/** No answer takes longer: a hang of the other process becomes an error here. */
const ANSWER_LIMIT_MS = 120_000

interface Waiting {
  resolve(result: unknown): void
  reject(error: Error): void
  readonly timer: NodeJS.Timeout
}

/** The other process. */
export class LineProcess {
  readonly #child: ChildProcess
  readonly #waiting = new Map<number, Waiting>()
  #nextId = 1
  #ended = false

  private constructor(child: ChildProcess) {
    this.#child = child
    if (!child.stdout || !child.stdin) throw new Error('want pipes')
    createInterface({ input: child.stdout }).on('line', (text) => this.#onLine(text))
    child.stdin.on('error', () => this.#onEnd('its input is closed'))
    child.on('error', (error) => this.#onEnd(error.message))
    child.on('close', (code, signal) => {
      this.#ended = true
      this.#onEnd(`it ended (${signal ?? code})`)
    })
  }

  /** Start Node on `script`, with `env` besides our own environment. */
  static async start(
    script: string,
    args: readonly string[],
    env: Readonly<Record<string, string>>,
  ): Promise<LineProcess> {
    const child = spawn(process.execPath, [script, ...args], {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...process.env, ...env },
    })
    const started = new LineProcess(child)
    await started.ask('hello', {})
    return started
  }

  /**
   * Ask for one operation and wait for its result.
   *
   * @throws Error when the operation failed, the process ended, or no answer came in time
   */
  ask(op: string, args: Readonly<Record<string, unknown>>): Promise<unknown> {
    const id = this.#nextId++
    return new Promise((resolve, reject) => {
      if (this.#ended) return reject(new Error(`${op}: the process has ended`))
      const timer = setTimeout(() => {
        this.#waiting.delete(id)
        reject(new Error(`${op}: no answer within ${ANSWER_LIMIT_MS / 1000} s`))
      }, ANSWER_LIMIT_MS)
      const fail = (error: Error): void => reject(new Error(`${op}: ${error.message}`))
      this.#waiting.set(id, { resolve, reject: fail, timer })
      this.#child.stdin?.write(`${JSON.stringify({ id, op, args })}\n`)
    })
  }

  /** End it: first by closing its input, then by force. */
  async stop(): Promise<void> {
    if (this.#ended) return
    const closed = once(this.#child, 'close')
    const force = setTimeout(() => this.#child.kill('SIGKILL'), 5000)
    this.#child.stdin?.end()
    await closed
    clearTimeout(force)
  }

  #onLine(text: string): void {
    const { id, result, error } = JSON.parse(text) as {
      id: number
      result?: unknown
      error?: string
    }
    const waiting = this.#waiting.get(id)
    if (!waiting) return
    this.#waiting.delete(id)
    clearTimeout(waiting.timer)
    if (error === undefined) waiting.resolve(result)
    else waiting.reject(new Error(error))
  }

  #onEnd(reason: string): void {
    for (const waiting of this.#waiting.values()) {
      clearTimeout(waiting.timer)
      waiting.reject(new Error(reason))
    }
    this.#waiting.clear()
  }
}
