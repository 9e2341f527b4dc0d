/**
 * One process at a time in a folder.
 *
 * Node has no `flock`, so the lock is a file of our own, `varve.lock`, that says who holds it:
 *
 *     { "pid": 4711, "host": "box", "process": "<boot id>:<start>", "token": "…", "since": "2026-…" }
 *
 * It appears whole or not at all (written beside, then linked). A holder that is dead, which is told by its number
 * and by when it started, is taken over. A holder on another host cannot be asked and is taken to live.
 *
 * The original v10 does not see this lock. It locks `bitfield` files itself, when it is opened as a store (not as a
 * drive); where the system lists locks (`/proc`), such a v10 is seen here. Elsewhere it is not.
 *
 * @see spec/40-drive.md 2.2, Lock
 * @module
 */
import { link, mkdir, readFile, readdir, readlink, realpath, rm, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { toHex } from '../bytes.ts'
import { randomBytes } from '../crypto.ts'
import { errorCode, ioError } from './storage-error.ts'

/** Name of the lock file. */
export const LOCK_FILE = 'varve.lock'
/** Two processes may take over the same dead one's lock; each round one of them gets on. */
const ROUNDS = 50
/** Milliseconds until a takeover under way is looked at again. */
const PAUSE_MS = 10

/** Who holds a folder. */
export interface LockHolder {
  readonly pid: number
  readonly host: string
  /** When it took the folder; null when that is not known. */
  readonly since: string | null
  /** Whether it is the original v10. */
  readonly isV10: boolean
}

/** A folder that is ours until `release`. */
export interface FolderLock {
  /** Let go. Idempotent. */
  release(): Promise<void>
}

interface LockRecord {
  readonly pid: number
  readonly host: string
  /** Tells a process from a later one of the same number; null where the system does not say. */
  readonly process: string | null
  readonly token: string
  readonly since: string | null
}

/**
 * Take `folder`, which is made if need be, or learn who has it. A folder that cannot be written is taken without a
 * lock: nobody can damage it from here.
 */
export async function takeFolder(folder: string): Promise<FolderLock | LockHolder> {
  const path = join(folder, LOCK_FILE)
  const token = toHex(randomBytes(16))
  const record: LockRecord = {
    pid: process.pid,
    host: hostname(),
    process: await processIdentity(process.pid),
    token,
    since: new Date().toISOString(),
  }
  try {
    await mkdir(folder, { recursive: true })
    await writeFile(`${path}.${token}`, JSON.stringify(record), { flag: 'wx' })
  } catch (error) {
    if (isReadOnly(error)) return { release: async () => undefined }
    throw ioError(path, error)
  }
  try {
    const holder = (await takeLock(path, token)) ?? (await v10In(folder))
    if (!holder) return { release: () => releaseLock(path, token) }
    await releaseLock(path, token)
    return holder
  } catch (error) {
    throw ioError(path, error)
  } finally {
    await rm(`${path}.${token}`, { force: true })
  }
}

/** Whether `answer` of {@link takeFolder} is a lock. */
export function isFolderLock(answer: FolderLock | LockHolder): answer is FolderLock {
  return 'release' in answer
}

/** Put our record in place, or give who is there. */
async function takeLock(path: string, token: string): Promise<LockHolder | null> {
  for (let round = 0; round < ROUNDS; round++) {
    // Each round needs what the one before left.
    // oxlint-disable-next-line no-await-in-loop
    if (await linked(`${path}.${token}`, path)) return null
    // oxlint-disable-next-line no-await-in-loop
    const holder = await readRecord(path)
    // oxlint-disable-next-line no-await-in-loop
    if (holder && (await isAlive(holder))) return asHolder(holder)
    // oxlint-disable-next-line no-await-in-loop
    if (holder) await removeDead(path, token, holder)
  }
  /* c8 ignore next: every round was lost to another process */
  return { pid: 0, host: hostname(), since: null, isV10: false }
}

/**
 * Remove a dead one's lock. Two may have seen that he is dead, and one of them may hold the folder by now: so only
 * who has the takeover file removes, after he looked again. (One that died in here is cleared away by the next.)
 */
async function removeDead(path: string, token: string, dead: LockRecord): Promise<void> {
  const takeover = `${path}.takeover`
  if (!(await linked(`${path}.${token}`, takeover))) {
    const other = await readRecord(takeover)
    if (other && !(await isAlive(other))) await rm(takeover, { force: true })
    await setTimeout(PAUSE_MS)
    return
  }
  try {
    if ((await readRecord(path))?.token === dead.token) await rm(path, { force: true })
  } finally {
    await rm(takeover, { force: true })
  }
}

async function releaseLock(path: string, token: string): Promise<void> {
  if ((await readRecord(path))?.token === token) await rm(path, { force: true })
}

async function linked(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to)
    return true
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false
    /* c8 ignore next: a file system without hard links */
    throw error
  }
}

/** The record in a lock file; null when there is none, and one of a dead process when it does not read. */
async function readRecord(path: string): Promise<LockRecord | null> {
  let text
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null
    throw error
  }
  return parseRecord(text) ?? { pid: 0, host: hostname(), process: null, token: text, since: null }
}

function parseRecord(text: string): LockRecord | null {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    return null // no record of ours
  }
  if (typeof json !== 'object' || json === null) return null
  const fields = new Map<string, unknown>(Object.entries(json))
  const [pid, host, identity] = [fields.get('pid'), fields.get('host'), fields.get('process')]
  const [token, since] = [fields.get('token'), fields.get('since')]
  if (typeof pid !== 'number' || typeof host !== 'string' || typeof token !== 'string') return null
  const started = typeof identity === 'string' ? identity : null
  return { pid, host, process: started, token, since: typeof since === 'string' ? since : null }
}

async function isAlive({ pid, host, process: identity }: LockRecord): Promise<boolean> {
  if (host !== hostname()) return true
  if (!Number.isSafeInteger(pid) || pid <= 0) return false
  try {
    process.kill(pid, 0)
  } catch (error) {
    if (errorCode(error) === 'ESRCH') return false
  }
  const now = await processIdentity(pid)
  return identity === null || now === null || identity === now
}

/** Boot and start of a process, where `/proc` says; else null. */
async function processIdentity(pid: number): Promise<string | null> {
  const boot = await readOrNull('/proc/sys/kernel/random/boot_id')
  const stat = await readOrNull(`/proc/${pid}/stat`)
  /* c8 ignore next: a system without /proc */
  if (boot === null || stat === null) return null
  // The name, in parentheses, may hold anything; the start is the 20th field after it.
  const [start = ''] = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(19)
  return `${boot.trim()}:${start}`
}

/** A v10 that has a `bitfield` of the folder locked, where the system lists locks. */
async function v10In(folder: string): Promise<LockHolder | null> {
  const locks = await readOrNull('/proc/locks')
  /* c8 ignore next: a system without /proc */
  if (locks === null) return null
  const below = `${await realpath(folder)}/`
  const pids = new Set(
    [...locks.matchAll(/FLOCK\s+ADVISORY\s+WRITE\s+(\d+)/gu)].map(([, pid = '']) => pid),
  )
  for (const pid of pids) {
    // Few processes hold locks.
    // oxlint-disable-next-line no-await-in-loop
    for (const file of await openFiles(pid)) {
      if (!file.startsWith(below) || !file.endsWith('/bitfield')) continue
      return { pid: Number(pid), host: hostname(), since: null, isV10: true }
    }
  }
  return null
}

/** Paths of the files that a process has open; none when it is not ours to look at, or gone. */
async function openFiles(pid: string): Promise<string[]> {
  const folder = `/proc/${pid}/fd`
  const names = await readdir(folder).catch(() => [])
  return Promise.all(names.map((name) => readlink(`${folder}/${name}`).catch(() => '')))
}

/** Null where there is no such system, or no such process. */
function readOrNull(path: string): Promise<string | null> {
  return readFile(path, 'utf8').catch(() => null)
}

function asHolder({ pid, host, since }: LockRecord): LockHolder {
  return { pid, host, since, isV10: false }
}

function isReadOnly(error: unknown): boolean {
  return ['EACCES', 'EPERM', 'EROFS'].includes(errorCode(error))
}
