/**
 * Names as users give them, and the absolute paths they stand for.
 *
 *     'a/b'  '//a///b//'  '\a\b'        → '/a/b'
 *     ''     '/'          '.'           → '/'
 *     'a/../b'  './b'                   → '/b'       exact: '/a/../b', '/b'
 *     'abc:def'                         → '/abc:def' exact: '/def' (v10 takes it for a drive letter)
 *
 * An absolute path begins with `/`, has no empty component, and ends in `/` only when it is the root. Its key in
 * the trie is the path without the leading `/`. No Unicode normalisation, no case folding.
 *
 * @see spec/40-drive.md 2.5
 * @module
 */

/** A component that is empty, `.` or `..`, or another separator. */
const UNRESOLVED = /(?:^|\/)\.{0,2}(?:\/|$)|\\/u

/**
 * The absolute path of a name.
 *
 * `.` and `..` are resolved by their letters (`..` never climbs above the root). With `exact` they are kept and a
 * leading `letters:` or `./` is dropped, as in v10.
 *
 * @throws TypeError when `name` is no string
 */
export function absolute(name: string, exact = false): string {
  if (typeof name !== 'string') throw new TypeError('expected a string')
  if (!exact) {
    // Most names have nothing to resolve; then it costs a fourth.
    const rest = name.startsWith('/') ? name.slice(1) : name
    return rest === '' || UNRESOLVED.test(rest) ? resolvePath('/', name) : `/${rest}`
  }
  const path = collapsed(`/${withoutPrefix(trimmed(name))}`)
  return path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path
}

/**
 * A link's target as it is stored: separators unified, `../` kept. With `exact` a leading `letters:` or `./` is
 * dropped too, as in v10.
 *
 * @throws TypeError when `target` is no string
 */
export function linkTarget(target: string, exact = false): string {
  if (typeof target !== 'string') throw new TypeError('expected a string')
  return exact ? withoutPrefix(trimmed(target)) : trimmed(target)
}

/** The trie key of an absolute path: the root's is empty. */
export function keyOf(path: string): string {
  return path.slice(1)
}

/** The absolute path of a trie key. */
export function pathOf(key: string): string {
  return `/${key}`
}

/** The path of the directory that holds `path`; the root's is the root. */
export function parentPath(path: string): string {
  const at = path.lastIndexOf('/')
  return at <= 0 ? '/' : path.slice(0, at)
}

/** Whether `path` lies below `directory` (not: is it). Both are absolute. */
export function isBelow(path: string, directory: string): boolean {
  return directory === '/' ? path.length > 1 : path.startsWith(`${directory}/`)
}

/** `target` as seen from `directory`, with `.` and `..` resolved; an absolute target stands for itself. */
export function resolvePath(directory: string, target: string): string {
  const out: string[] = []
  const whole = /^[/\\]/u.test(target) ? target : `${directory}/${target}`
  for (const part of whole.split(/[/\\]+/u)) {
    if (part === '..') out.pop()
    else if (part !== '' && part !== '.') out.push(part)
  }
  return `/${out.join('/')}`
}

function collapsed(name: string): string {
  return name.replace(/[/\\]+/gu, '/')
}

/** Separators unified; one at the end goes, but a name of two letters keeps it, as in v10. */
function trimmed(name: string): string {
  const text = collapsed(name)
  return text.length > 2 && text.endsWith('/') ? text.slice(0, -1) : text
}

function withoutPrefix(name: string): string {
  return name.replace(/^(?:[A-Za-z]+:|\.\/)/u, '')
}
