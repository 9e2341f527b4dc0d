/**
 * One side of the matrix: a drive in its own process, v10's or Varve's, behind the same calls.
 *
 * @module
 */
import { resolve } from 'node:path'
import { installOriginal } from './install.ts'
import { LineProcess } from './line-process.ts'

/** Which implementation a side runs. */
export type Implementation = 'v10' | 'varve'

/** A file to write; its bytes follow from seed and length. */
export interface FileToWrite {
  readonly path: string
  readonly seed: number
  readonly length: number
  readonly stream?: boolean
  readonly options?: Readonly<Record<string, unknown>>
}

/** A file that is changed in place, through two descriptors that take turns. */
export interface Edit {
  readonly path: string
  readonly writes?: readonly (readonly [text: string, position: number])[]
  readonly size?: number
}

/** What a file holds. */
export interface Content {
  readonly length: number
  readonly sha256: string
}

/** All that a drive shows. */
export interface Tree {
  readonly version: number
  readonly folders: Readonly<Record<string, readonly string[]>>
  readonly entries: readonly {
    readonly path: string
    readonly stat: Readonly<Record<string, unknown>> & { readonly size: number }
    readonly content: Content | null
  }[]
}

/** Length of a feed, and how many of its blocks are here. */
export interface Held {
  readonly length: number
  readonly held: number
}

/** The answers, by operation. */
interface Answers {
  open: { key: string; version: number; writable: boolean }
  write: { version: number }
  unlink: { version: number }
  mkdir: { version: number }
  symlink: { version: number }
  change: { version: number }
  edit: { version: number }
  batch: { version: number }
  mountMany: object
  bundle: object
  importBundle: object
  names: { names: readonly string[] }
  tree: Tree
  stat: Readonly<Record<string, unknown>>
  readFile: Content
  readRange: Content
  serve: { port: number }
  connect: object
  awaitVersion: { version: number }
  awaitComplete: { metadata: Held; content: Held }
  held: { metadata: Held; content: Held }
  awaitEnd: object
  faults: string[]
  close: { faults: string[] }
}

/** One drive in another process. */
export class Side {
  readonly #process: LineProcess

  private constructor(process: LineProcess) {
    this.#process = process
  }

  /** Start an implementation; it has no drive yet. */
  static async start(implementation: Implementation): Promise<Side> {
    const module = implementation === 'v10' ? 'hyperdrive' : resolve('build/src/index.js')
    const env = {
      NODE_OPTIONS: '--disable-warning=ExperimentalWarning',
      ...(implementation === 'v10' && { NODE_PATH: `${installOriginal()}/node_modules` }),
    }
    return new Side(await LineProcess.start('test/interop/driver.cjs', [module], env))
  }

  /** Ask for an operation of `driver.cjs`. */
  async ask<Op extends keyof Answers>(
    op: Op,
    args: Readonly<Record<string, unknown>> = {},
  ): Promise<Answers[Op]> {
    return (await this.#process.ask(op, args)) as Answers[Op]
  }

  /** Close the drive and end the process. */
  async end(): Promise<string[]> {
    try {
      return (await this.ask('close')).faults
    } finally {
      await this.#process.stop()
    }
  }

  /** End the process whatever it does. */
  async kill(): Promise<void> {
    await this.#process.stop()
  }
}
