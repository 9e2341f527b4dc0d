/**
 * The root of every expected failure.
 *
 * Each layer derives one class with a closed union of codes. Codes are API and never change within a
 * major version; messages say what was wanted and what came, and may change at any time. A caller's
 * mistake is a bare `TypeError` or `RangeError`.
 *
 * @module
 */

/** An expected failure with a `code` that never changes within a major version. */
export abstract class CodedError<Code extends string> extends Error {
  /** What went wrong. Branch on this, never on `message`. */
  readonly code: Code

  /**
   * @param code - the stable code
   * @param message - what was wanted, what came, and for which block or path
   * @param options - `cause` keeps the origin
   */
  constructor(code: Code, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** What was thrown, as an error: itself, or one that says what else it was. */
export function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown))
}
