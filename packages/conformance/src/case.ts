/**
 * What a test is here: a stable id, one sentence, the section it proves, how binding that is, and a run.
 *
 * @module
 */

/**
 * How binding a case is.
 *
 * - `MUST`: who breaks it does not understand the others, or is not understood
 * - `SHOULD`: the chapters ask for it; peers get along without
 * - `project`: the chapters ask for it where the reference itself does otherwise (limits, mostly)
 */
export type Level = 'MUST' | 'SHOULD' | 'project'

/** One test. It passes by returning, fails by throwing, and is left out by throwing a {@link Skip}. */
export interface Case<Context> {
  /** Never changes once published; dots separate the topic from the case. */
  readonly id: string
  /** One sentence: what is true of a subject that passes. */
  readonly title: string
  /** Chapter and section of `docs/protocol`, as in `20-wire 2.4`. */
  readonly section: string
  readonly level: Level
  run(context: Context): Promise<Record<string, number> | void>
}

/** Thrown by a case that this subject cannot be asked. */
export class Skip extends Error {
  override readonly name = 'Skip'
}

/** Thrown by a case whose statement does not hold. */
export class Refuted extends Error {
  override readonly name = 'Refuted'
}

/** Something took longer than it may. The subject may hang; the kit does not. */
export class TimedOut extends Error {
  override readonly name = 'TimedOut'
  /** How long was waited. */
  readonly ms: number

  /** @param what - what did not come */
  constructor(what: string, ms: number) {
    super(`${what}: nothing within ${ms} ms`)
    this.ms = ms
  }
}

/** How a case ended. */
export interface Outcome {
  readonly id: string
  readonly title: string
  readonly section: string
  readonly level: Level
  readonly result: 'passed' | 'failed' | 'skipped'
  /** Why it failed or was skipped. */
  readonly reason: string | null
  readonly ms: number
  /** What the case measured, if anything. */
  readonly cost: Readonly<Record<string, number>> | null
}

/** `work`, or a {@link TimedOut} after `ms`. What `work` does later is of no interest. */
export async function within<T>(work: Promise<T>, ms: number, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  try {
    return await Promise.race([
      work,
      new Promise<never>((_, reject) => {
        timer = setTimeout(() => reject(new TimedOut(what, ms)), ms)
      }),
    ])
  } finally {
    clearTimeout(timer)
    work.catch(() => undefined)
  }
}
