/**
 * Paths of the mount layer, and what a mount does to them.
 *
 * @see spec/30-trie.md 3.13 and 6, Q18, Q22 and Q28
 * @module
 */

/**
 * The path as the mount layer stores it: runs of `/` and `\` are one `/`, none at either end; one leading
 * `./` or run of letters with a colon (`c:`, `http:`) goes. `.` and `..` inside stay as they are. Not twice: what it
 * gives may begin with letters and a colon itself; behind a `/` nothing goes.
 *
 * @throws TypeError for anything but a string
 */
export function normalizePath(path: string): string {
  if (typeof path !== 'string') throw new TypeError('expected a string')
  let out = path.replace(/[/\\]+/g, '/')
  if (out.length > 1 && out.endsWith('/')) out = out.slice(0, -1)
  out = out.replace(/^(?:\.\/|[A-Za-z]+:)/, '')
  return out.startsWith('/') ? out.slice(1) : out
}

/** `a/b` of `a` and `b`; either may be empty. */
export function joinPath(a: string, b: string): string {
  return a === '' ? b : b === '' ? a : `${a}/${b}`
}

/** Whether `path` is `folder` or below it, by whole names. The empty folder holds everything. */
export function isWithin(path: string, folder: string): boolean {
  return folder === '' || path === folder || path.startsWith(`${folder}/`)
}

/** `path`, which is within `from`, moved to `to`. */
export function rebase(path: string, from: string, to: string): string {
  const rest = from === '' ? path : path.slice(from.length + 1)
  return joinPath(to, rest)
}

/** The folders of a path and the path itself, shortest first: `a`, `a/b`, `a/b/c`. */
export function prefixesOf(path: string): string[] {
  if (path === '') return []
  const names = path.split('/')
  return names.map((_, i) => names.slice(0, i + 1).join('/'))
}
