/**
 * What the rules of the differential run ask of steps and answers.
 *
 * @module
 */
import { absolute } from '../../src/drive/paths.ts'
import type { ErrorRecord, Outcome, Step } from './step.ts'

export const RANGED = new Set(['readStream', 'readFile'])
/** What tells of all that is below a path. */
export const LISTS = new Set(['readdir', 'stats'])
export const WRITES = new Set(
  'writeFile writeStream create mkdir symlink copy truncate unlink rmdir mount open'.split(' '),
)

/** The path that a step changes. */
export function pathOf(op: string, args: readonly unknown[]): string {
  const [first, second] = args
  return absolute(String(op === 'symlink' || op === 'copy' ? second : first), true)
}

export function deeply(value: unknown, change: (part: unknown) => unknown): unknown {
  const changed = change(value)
  if (Array.isArray(changed)) return changed.map((each) => deeply(each, change))
  if (typeof changed !== 'object' || changed === null) return changed
  return Object.fromEntries(
    Object.entries(changed).map(([key, each]) => [key, deeply(each, change)]),
  )
}

export function eachNameOnce(listed: readonly unknown[]): readonly unknown[] {
  const nameOf = (entry: unknown): unknown => (isRecord(entry) ? entry['name'] : entry)
  const names = new Set<unknown>()
  return listed.filter((entry) => !names.has(nameOf(entry)) && names.add(nameOf(entry)))
}

/** v10's listing, with the keys of drives that it does not tell, where ours has them. */
export function withMountsOf(original: unknown, ours: unknown): unknown {
  if (!Array.isArray(original) || !Array.isArray(ours)) return original
  return original.map((entry: unknown, i) => {
    const mine: unknown = ours[i]
    if (!isRecord(entry) || !isRecord(mine) || entry['mount'] !== null) return entry
    return { ...entry, mount: mine['mount'] }
  })
}

/** Whether a path is a mount point of the steps, or below one. */
export function isMounted(steps: readonly Step[], path: string): boolean {
  const at = `${absolute(path, true)}/`
  return steps.some(({ op, args }) => op === 'mount' && at.startsWith(`${pathOf(op, args)}/`))
}

/** Whether a path is above a mount point of the steps. */
export function hasMountBelow(steps: readonly Step[], path: string): boolean {
  const at = absolute(path, true) === '/' ? '/' : `${absolute(path, true)}/`
  return steps.some(({ op, args }) => op === 'mount' && pathOf(op, args).startsWith(at))
}

/** Whether a path is a name of one character with a slash behind it. */
export function isOneLetter(path: unknown): boolean {
  return /^[/\\]*[^/\\][/\\]+$/u.test(String(path))
}

export function mountInfoOf(outcome: unknown): Readonly<Record<string, unknown>> | undefined {
  const ok = (outcome as Outcome).ok as { readonly mountInfo?: Readonly<Record<string, unknown>> }
  return ok.mountInfo
}

export function isNotBelowLink(entry: unknown): boolean {
  const name = String(isRecord(entry) ? entry['name'] : entry)
  return !/(?:^|[/])l\d[/]/u.test(name) && !/(?:^|[/])l\d$/u.test(name)
}

export function bytesRead(outcome: unknown): number {
  const ok = (outcome as Outcome).ok
  return isRecord(ok) ? Number(ok['bytesRead']) : Infinity
}

/** v10's listing, with the names that hold dots as ours has them. */
export function withDots(original: unknown, ours: unknown): unknown {
  if (!Array.isArray(original) || !Array.isArray(ours)) return original
  return original.map((entry: unknown, i) => {
    const mine: unknown = ours[i]
    if (typeof mine === 'string') return hasDots(mine) ? mine : entry
    if (!isRecord(entry) || !isRecord(mine) || !hasDots(mine['innerPath'])) return entry
    return { ...entry, name: mine['name'], path: mine['path'], stat: mine['stat'] }
  })
}

export function hasDots(path: unknown): boolean {
  return String(path)
    .split(/[/\\]/u)
    .some((name) => name === '.' || name === '..')
}

/** v10's rows, whose names begin below the mount, with ours where they end alike. */
export function withWholeNames(original: readonly unknown[], ours: readonly unknown[]): unknown[] {
  return original.map((row, i) => {
    const mine = ours[i]
    if (!isRecord(row) || !isRecord(mine)) return row
    const ends = String(mine['name']).endsWith(`/${String(row['name'])}`)
    return ends ? { ...row, name: mine['name'] } : row
  })
}

export function isOk(outcome: unknown): boolean {
  return isRecord(outcome) && 'ok' in outcome
}

export function listOf(outcome: unknown): readonly unknown[] | null {
  const ok = (outcome as Outcome | undefined)?.ok
  return Array.isArray(ok) ? ok : null
}

export function errorOf(outcome: unknown): ErrorRecord | null {
  return (outcome as Outcome | undefined)?.error ?? null
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
