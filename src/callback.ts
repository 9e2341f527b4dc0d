/**
 * The edge between promises and Node-style callbacks.
 *
 * Inside, everything is async/await. A public method of the v10-compatible face calls `settle` (or
 * `settleAll` where v10 gives several results) once, on its last line.
 *
 * @module
 */
import { asError } from './errors.ts'

/** A Node-style callback with one result. */
export type Callback<T = void> = (error: Error | null, result: T) => void
/** A Node-style callback with several results. */
export type Callbacks<T extends readonly unknown[]> = (error: Error | null, ...results: T) => void

/**
 * Hand the outcome of `work` to `done` when there is one, and give `work` back.
 *
 * `done` runs in a microtask of its own: what it throws is an uncaught exception of the program, and
 * never a second call of `done`. With a callback the returned promise never rejects unhandled.
 */
export function settle<T>(work: Promise<T>, done?: Callback<T> | null): Promise<T> {
  return settleAll<T, [T]>(work, (result) => [result], done)
}

/** As `settle`, for callbacks of several results: `spread` takes the promise's result apart. */
export function settleAll<T, R extends readonly unknown[]>(
  work: Promise<T>,
  spread: (result: T) => R,
  done?: Callbacks<R> | null,
): Promise<T> {
  // Programs written for `fs.promises` also give options where we take none.
  if (typeof done !== 'function') return work
  work.then(
    (result) => queueMicrotask(() => done(null, ...spread(result))),
    (error: unknown) => {
      const failure = asError(error)
      // No result beside an error, as in Node, whose types (like ours) do not say so.
      queueMicrotask(() => void Reflect.apply(done, undefined, [failure]))
    },
  )
  return work
}

type AnyFunction = (...args: never) => unknown

/**
 * The optional arguments before a callback, told apart: `(options?, done?)` may be called as `(done)`.
 *
 * @returns options, if any were given, and the callback, if any was
 */
export function optional<O, C>(
  options: O,
  done: C,
): readonly [options: Exclude<O, AnyFunction> | undefined, done: Extract<O, AnyFunction> | C] {
  type Told = readonly [Exclude<O, AnyFunction> | undefined, Extract<O, AnyFunction> | C]
  // What is a function in the place of options is the callback: no option of ours is one.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return (typeof options === 'function' ? [undefined, options] : [options, done]) as unknown as Told
}
