/**
 * The only excuses of the differential run: where Varve answers otherwise than v10 also under `exact: true`. Each is
 * a row of docs/differences.md.
 *
 * @module
 */
import { absolute } from '../../src/drive/paths.ts'
import {
  LISTS,
  RANGED,
  WRITES,
  bytesRead,
  deeply,
  eachNameOnce,
  errorOf,
  hasDots,
  hasMountBelow,
  isMounted,
  isNotBelowLink,
  isOneLetter,
  isOk,
  isRecord,
  mountInfoOf,
  listOf,
  pathOf,
  withDots,
  withMountsOf,
  withWholeNames,
} from './parts.ts'
import type { Step } from './step.ts'

/** What a rule looks at. */
export interface Case {
  readonly step: Step
  /** All steps up to and with this one. */
  readonly steps: readonly Step[]
  /** Whether the step looks at a version in the middle of a mount, which is two blocks. */
  readonly isBetween: boolean
  /** `outcome`, or what was looked at after the step. */
  readonly what: string
  readonly original: unknown
  readonly ours: unknown
}

/** One excuse. */
export interface Rule {
  readonly name: string
  /**
   * Give v10's answer, or a part of it, as Varve gives it. The sequence goes on. A rule has this or `applies`.
   */
  readonly level?: (value: unknown, difference: Case) => unknown
  /** Whether the two answers may be as they are. */
  readonly applies?: (difference: Case) => boolean
  /** Whether the drives are no longer the same behind it: then the sequence ends there. Of rules that apply. */
  readonly apart?: boolean
}

/** The rules. Those with `level` go first; then the first that applies is counted. */
export const rules: readonly Rule[] = [
  {
    name: '`stat(link).isFile()`',
    // v10 asks whether all bits of a type are set: a link is a file too, and a socket a directory.
    level: (value) =>
      deeply(value, (part) => {
        if (!isRecord(part) || !Array.isArray(part['is'])) return part
        const type = Number(part['mode']) & 0o170000
        return { ...part, is: [type === 0o100000, type === 0o040000, type === 0o120000] }
      }),
  },
  {
    name: 'what a listing shows of names that hold `.` or `..`',
    level: (value, { what, ours, step }) => {
      if (what === 'listing' || what.startsWith('readdir')) return withDots(value, ours)
      if (what !== 'outcome' || step.op !== 'readdir' || !listOf(value)) return value
      return { ok: withDots(listOf(value), listOf(ours)) }
    },
  },
  {
    name: 'a listing through a link, or in a mount in a mount, has each name once',
    level: (value, { step, what }) => {
      const isShown = what === 'listing' || what.startsWith('readdir ')
      if (isShown && Array.isArray(value)) return eachNameOnce(value)
      const listed = what === 'outcome' && step.op === 'readdir' && listOf(value)
      return listed ? { ok: eachNameOnce(listed) } : value
    },
  },
  {
    name: 'a history that reaches the block which says that everything was deleted',
    applies: ({ step, original, ours }) => {
      const [theirs, mine] = [listOf(original), listOf(ours)]
      if (step.op !== 'history' || !theirs || !mine || mine.length <= theirs.length) return false
      return JSON.stringify(mine.slice(0, theirs.length)) === JSON.stringify(theirs)
    },
  },
  {
    name: '`info` of a mount through a checkout tells the number of the checkout',
    level: (value, { what, step, steps, ours }) => {
      const isOne = what === 'outcome' && step.op === 'info' && step.back !== undefined
      if (!isOne || !isMounted(steps, String(step.args[0])) || !isOk(ours)) return value
      return deeply(value, (part) =>
        isRecord(part) && 'localPath' in part && typeof part['version'] === 'number'
          ? { ...part, version: mountInfoOf(ours)?.['version'] }
          : part,
      )
    },
  },
  {
    name: 'what a listing says of the drive below a mount of a fixed version',
    level: (value, { what, ours, step }) => {
      if (what === 'listing') return withMountsOf(value, ours)
      if (what !== 'outcome' || step.op !== 'readdir' || !listOf(value)) return value
      return { ok: withMountsOf(listOf(value), listOf(ours)) }
    },
  },
  {
    name: '`stats` of a file that has no blocks',
    level: (value, { what, step }) =>
      what !== 'outcome' || step.op !== 'stats'
        ? value
        : deeply(value, (part) =>
            isRecord(part) && part['blocks'] === 0 ? { ...part, downloadedBlocks: 0 } : part,
          ),
  },
  {
    name: 'a diff below a path inside a mount',
    level: (value, { what, ours, step }) => {
      const [theirs, mine] = [listOf(value), listOf(ours)]
      if (what !== 'outcome' || step.op !== 'diff' || step.args.length < 2) return value
      return theirs && mine ? { ok: withWholeNames(theirs, mine) } : value
    },
  },
  {
    name: 'a descriptor opened to write through a link',
    apart: true,
    applies: ({ step, what }) =>
      step.op === 'open' && what !== 'diff' && /(?:^|\/)l\d$/u.test(pathOf(step.op, step.args)),
  },
  {
    name: 'a read through a descriptor that has written, or appends',
    // It leaves the descriptor at another place.
    apart: true,
    applies: ({ what, step, steps, original, ours }) => {
      const opened = steps.find(({ save }) => save !== undefined && save === step.fd)
      return (
        what === 'outcome' &&
        step.op === 'read' &&
        /[wa+]/u.test(String(opened?.args[1])) &&
        isOk(original) &&
        isOk(ours)
      )
    },
  },
  {
    name: '`truncate(name, 0)`, `truncate(missing, n)`',
    apart: true,
    applies: ({ what, step, original, ours }) =>
      step.op === 'truncate' &&
      (what === 'blocks' || what === 'outcome') &&
      (step.args[1] === 0 || !isOk(original) || !isOk(ours)),
  },
  {
    name: 'a range past the end of a file',
    applies: ({ what, step, ours }) =>
      what === 'outcome' &&
      RANGED.has(step.op) &&
      isOk(ours) &&
      isRecord(step.args[1]) &&
      ['start', 'end', 'length'].some((name) => isRecord(step.args[1]) && name in step.args[1]),
  },
  {
    name: '`info` below a mount of a fixed version',
    level: (value, { what, step, ours }) => {
      if (what !== 'outcome' || step.op !== 'info' || !isOk(ours)) return value
      if (errorOf(value)?.code === null) return ours
      return deeply(value, (part) =>
        isRecord(part) && 'localPath' in part && part['key'] === null
          ? { ...part, key: mountInfoOf(ours)?.['key'] }
          : part,
      )
    },
  },
  {
    name: 'a recursive listing through a link into a mount',
    applies: ({ what, step, steps, original, ours }) => {
      const isListing = what === 'outcome' && step.op === 'readdir'
      const theirs = isListing ? listOf(original) : original
      const mine = isListing ? listOf(ours) : ours
      if (!(isListing || what === 'listing') || !Array.isArray(theirs) || !Array.isArray(mine)) {
        return false
      }
      const ops = new Set(steps.map(({ op }) => op))
      return (
        ops.has('mount') &&
        ops.has('symlink') &&
        JSON.stringify(theirs.filter(isNotBelowLink)) ===
          JSON.stringify(mine.filter(isNotBelowLink))
      )
    },
  },
  {
    name: 'the prefix of a diff in another spelling',
    applies: ({ what, step }) =>
      what === 'outcome' &&
      step.op === 'diff' &&
      typeof step.args[1] === 'string' &&
      absolute(step.args[1], true) !== `/${step.args[1].replace(/^[/]+/u, '')}`,
  },
  {
    name: '`stats` through links',
    applies: ({ what, step, original, ours }) => {
      const [theirs, mine] = [listOf(original), listOf(ours)]
      if (what !== 'outcome' || step.op !== 'stats' || !theirs || !mine) return false
      if (/^[/]l\d$/u.test(absolute(String(step.args[0]), true))) return true
      const rest = mine.filter((row) => !/[/]l\d["/]/u.test(JSON.stringify(row)))
      const restOfTheirs = theirs.filter((row) => !/[/]l\d["/]/u.test(JSON.stringify(row)))
      return JSON.stringify(rest) === JSON.stringify(restOfTheirs)
    },
  },
  {
    name: '`stats` and `create` of a file that a descriptor is writing',
    applies: ({ what, step, steps, original, ours }) =>
      what === 'outcome' &&
      (step.op === 'stats' || step.op === 'create') &&
      isOk(original) &&
      isOk(ours) &&
      steps.some(({ op, fd }, i) => {
        const isOver = ({ op, fd: other }: Step): boolean => op === 'close' && other === fd
        return op === 'write' && !steps.slice(i).some(isOver)
      }),
  },
  {
    name: 'a diff of a mount point, or below one',
    applies: ({ what, step, steps, original, ours }) =>
      what === 'outcome' &&
      step.op === 'diff' &&
      isOk(original) &&
      isOk(ours) &&
      isMounted(steps, String(step.args[1])),
  },
  {
    name: 'a read through a descriptor stops at an empty block',
    apart: true,
    applies: ({ what, step, original, ours }) =>
      what === 'outcome' && step.op === 'read' && bytesRead(original) < bytesRead(ours),
  },
  {
    name: 'mounts at an old version: between the two blocks of a mount, or never answered',
    applies: ({ what, step, steps, isBetween, original }) =>
      what === 'outcome' &&
      (isBetween ||
        (step.back !== undefined &&
          isRecord(original) &&
          original['hang'] === true &&
          steps.some(({ op }) => op === 'mount'))),
  },
  {
    name: 'a mount read through a checkout',
    // v10 applies the number of the checkout inside the mounted drive as well.
    applies: ({ what, step, steps, original, ours }) =>
      what === 'outcome' &&
      step.back !== undefined &&
      (isOk(original) || isOk(ours)) &&
      (isMounted(steps, String(step.args[0])) ||
        (LISTS.has(step.op) && hasMountBelow(steps, String(step.args[0])))),
  },
  {
    name: 'a name of one character with a slash behind it',
    applies: ({ what, step }) => {
      const path = what === 'outcome' ? String(step.args[0]) : what.slice(what.indexOf(' ') + 1)
      const isListing = what === 'outcome' ? step.op === 'readdir' : what.startsWith('readdir ')
      return isListing && isOneLetter(path)
    },
  },
  {
    name: '`rmdir` of a name of one character with a slash behind it',
    // v10 finds nothing in it, so it takes it for empty.
    apart: true,
    applies: ({ what, step, original, ours }) =>
      what === 'outcome' &&
      step.op === 'rmdir' &&
      isOneLetter(step.args[0]) &&
      isOk(original) &&
      errorOf(ours)?.code === 'ENOTEMPTY',
  },
  {
    name: 'names that begin with two dots, at or in a mount',
    apart: true,
    applies: ({ step, steps }) => {
      const mounts = steps.filter(({ op }) => op === 'mount')
      const isDotted = ({ args }: Step): boolean =>
        args.some((each) => typeof each === 'string' && /(?:^|[/\\])\.\./u.test(each))
      return mounts.length > 0 && (isDotted(step) || mounts.some(isDotted))
    },
  },
  {
    name: 'closing a descriptor that has written in a mount which is gone',
    apart: true,
    applies: ({ what, step, steps }) =>
      what === 'blocks' &&
      step.op === 'close' &&
      ['mount', 'unmount'].every((name) => steps.some(({ op }) => op === name)),
  },
  {
    name: 'writing a link that leads into a mount',
    apart: true,
    applies: ({ what, step, steps }) =>
      what === 'blocks' &&
      (step.op === 'writeFile' || step.op === 'writeStream') &&
      /(?:^|[/\\])l\d[/\\]*$/u.test(String(step.args[0])) &&
      steps.some(({ op }) => op === 'mount'),
  },
  {
    name: 'removing or overwriting a mount point',
    apart: true,
    applies: ({ what, step, original, ours }) =>
      what === 'outcome' &&
      isOk(original) &&
      ['writeFile', 'writeStream', 'unlink', 'rmdir', 'open', 'truncate'].includes(step.op) &&
      ['EBUSY', 'EISDIR'].includes(errorOf(ours)?.code ?? ''),
  },
  {
    name: 'a mount over an entry, over a mount, on the root, or without a key',
    apart: true,
    applies: ({ what, step, ours }) =>
      what === 'outcome' && step.op === 'mount' && errorOf(ours) !== null,
  },
  {
    name: '`copy` of a directory, or across a mount',
    apart: true,
    applies: ({ what, step, original }) =>
      step.op === 'copy' && (what === 'blocks' || (what === 'outcome' && isOk(original))),
  },
  {
    name: 'writing on a checkout, or below a mount of a fixed version',
    apart: true,
    applies: ({ what, steps, ours }) =>
      what === 'outcome' &&
      ['EPERM', 'EROFS'].includes(errorOf(ours)?.code ?? '') &&
      steps.some(({ mountBack, back }) => mountBack !== undefined || back !== undefined),
  },
  {
    name: '`write` with an offset',
    apart: true,
    applies: ({ what, step }) =>
      step.op === 'write' && what !== 'listing' && Number(step.args[1]) > 0,
  },
  {
    name: '`open(missing, "a")`',
    apart: true,
    applies: ({ what, step, original, ours }) =>
      what === 'outcome' &&
      step.op === 'open' &&
      String(step.args[1]).includes('a') &&
      !isOk(original) &&
      errorOf(original) === null &&
      isOk(ours),
  },
  {
    name: 'an error of v10 without a code may have any code',
    applies: ({ what, original, ours }) =>
      what === 'outcome' && errorOf(ours) !== null && errorOf(original)?.code === null,
  },
  {
    name: 'writing, creating or mounting on `/`',
    apart: true,
    applies: ({ what, step, ours }) =>
      what === 'outcome' &&
      WRITES.has(step.op) &&
      errorOf(ours) !== null &&
      pathOf(step.op, step.args) === '/',
  },
  {
    name: '`.` and `..` in a name, where v10 looks below it',
    applies: ({ what, step }) =>
      what === 'outcome'
        ? step.args.some((each) => typeof each === 'string' && hasDots(each))
        : /^(?:lstat|readdir) /u.test(what) && hasDots(what.slice(what.indexOf(' ') + 1)),
  },
]
