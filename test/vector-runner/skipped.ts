/**
 * The one list of vectors that are not run, and why: features that are not built yet.
 *
 * It shrinks to nothing. An entry names a kind, and where only some of its cases are meant, what
 * their names have in common. A kind that is neither here nor handled is a failure.
 *
 * @module
 */

/** One entry of the list. */
export interface Skip {
  /** Layer and file, such as `wire/end-states`. */
  readonly kind: string
  /** Only the cases whose name matches; all of the kind without it. */
  readonly cases?: RegExp
  readonly reason: string
}

/** What is not run. */
export const skipped: readonly Skip[] = []

/** The entry that covers a case, if any. */
export function skipOf(kind: string, name: string): Skip | undefined {
  return skipped.find((skip) => skip.kind === kind && (skip.cases?.test(name) ?? true))
}
