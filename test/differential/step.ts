/**
 * The forms that travel between the differential run and its two subjects (`subject.cjs`).
 *
 * @module
 */

/** One operation on a drive. */
export interface Step {
  /** Its name in `operations.cjs`. */
  readonly op: string
  readonly args: readonly unknown[]
  /** Which drive; `main` when left out. */
  readonly drive?: DriveName
  /** Run it on a checkout, this many versions ago. */
  readonly back?: number
  /** Names what `open` gives. */
  readonly save?: string
  /** The descriptor to work on, by that name. */
  readonly fd?: string
  /** The drive to mount. */
  readonly target?: DriveName
  /** Mount it as it was, this many versions ago. */
  readonly mountBack?: number
  /** Paths to look at afterwards, besides the whole. */
  readonly look?: readonly string[]
}

/** The drives of a sequence, all in one store. `one` may be mounted in `main`, `two` in both. */
export type DriveName = 'main' | 'one' | 'two'

/** An error, as far as it is told. */
export interface ErrorRecord {
  readonly code: string | null
  readonly errno: number | null
  /** For people; told only when asked for. */
  readonly message?: string
}

/** What came of an operation: exactly one field is there. */
export interface Outcome {
  readonly ok?: unknown
  readonly error?: ErrorRecord
  /** Thrown where no caller can catch it. */
  readonly escaped?: ErrorRecord
  /** No answer will ever come. */
  readonly hang?: true
}

/** What a subject tells of one step. */
export interface Result {
  readonly outcome: Outcome
  /** By what was looked at; an {@link Outcome} where looking failed. */
  readonly seen: Readonly<Record<string, unknown>>
}
