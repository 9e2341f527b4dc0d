/**
 * The same calls on Node's own `fs.promises`, in a folder of the system, and on `drive.promises`: the same results, and
 * the same error codes. Where a drive differs on purpose, the row says what it does, and why.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import fsp from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import t from 'tap'
import { constants } from '../../src/drive/open/constants.ts'
import type { Drive } from '../../src/drive/drive.ts'
import type { DrivePromises } from '../../src/drive/promises.ts'
import { memoryDrive } from './drives.ts'

/** One of the two. Calls are those that both have; their types differ in what is beside the point here. */
// oxlint-disable-next-line typescript/no-explicit-any
type Side = any

interface Row {
  readonly name: string
  readonly run: (fs: Side, at: (name: string) => string) => Promise<unknown>
  /** What a drive gives instead, and why. */
  readonly drive?: readonly [result: unknown, why: string]
}

function row(name: string, run: Row['run'], drive?: Row['drive']): Row {
  return drive ? { name, run, drive } : { name, run }
}

const { O_CREAT, O_EXCL, O_RDWR, R_OK, W_OK, X_OK, COPYFILE_EXCL } = constants
const bytes = (value: string): Buffer => Buffer.from(value)

/** Read all of a file by its name, as text. */
async function all(fs: Side, name: string): Promise<string> {
  return String(await fs.readFile(name, 'utf8'))
}

const kinds = (stat: Side): unknown => [stat.isFile(), stat.isDirectory(), stat.isSymbolicLink()]
const NO_PARENTS = 'a drive needs no parents: directories are implied'

const rows: readonly Row[] = [
  row('readFile', (fs, at) => all(fs, at('f'))),
  row('readFile of nothing', (fs, at) => fs.readFile(at('nope'))),
  row('readFile of a directory', (fs, at) => fs.readFile(at('d'))),
  row('readFile through links', (fs, at) => all(fs, at('dlink/g'))),
  row('readFile of a loop', (fs, at) => fs.readFile(at('loop'))),
  row('readFile of a broken link', (fs, at) => fs.readFile(at('broken'))),
  row('readFile below a file', (fs, at) => fs.readFile(at('f/x')), [
    'ENOENT',
    'a file may lie below a file, as in v10',
  ]),
  row('writeFile', async (fs, at) => [
    await fs.writeFile(at('new'), 'text'),
    await all(fs, at('new')),
  ]),
  row('writeFile on a link', async (fs, at) => [
    await fs.writeFile(at('link'), 'x'),
    await all(fs, at('f')),
    kinds(await fs.lstat(at('link'))),
  ]),
  row('writeFile on a broken link', async (fs, at) => [
    await fs.writeFile(at('broken'), 'x'),
    await all(fs, at('nope')),
  ]),
  row('writeFile below a link', async (fs, at) => [
    await fs.writeFile(at('dlink/new'), 'x'),
    await all(fs, at('d/new')),
  ]),
  row('writeFile on a directory', (fs, at) => fs.writeFile(at('d'), 'x')),
  row(
    'writeFile below nothing',
    async (fs, at) => [await fs.writeFile(at('no/where'), 'x'), await all(fs, at('no/where'))],
    [[undefined, 'x'], NO_PARENTS],
  ),
  row('writeFile with wx, there', (fs, at) => fs.writeFile(at('f'), 'x', { flag: 'wx' })),
  row('writeFile with wx, not there', async (fs, at) => [
    await fs.writeFile(at('w'), 'x', { flag: 'wx', mode: 0o600 }),
    (await fs.stat(at('w'))).mode & 0o777,
  ]),
  row('writeFile with a', async (fs, at) => [
    await fs.writeFile(at('f'), '!', { flag: 'a' }),
    await all(fs, at('f')),
  ]),
  row('writeFile with r+', async (fs, at) => [
    await fs.writeFile(at('f'), 'J', { flag: 'r+' }),
    await all(fs, at('f')),
  ]),
  row('writeFile of hexadecimal text', async (fs, at) => [
    await fs.writeFile(at('f'), '4869', 'hex'),
    await all(fs, at('f')),
  ]),
  row('appendFile', async (fs, at) => [
    await fs.appendFile(at('f'), ' there'),
    await fs.appendFile(at('made'), '4869', { encoding: 'hex', mode: 0o640 }),
    await all(fs, at('f')),
    await all(fs, at('made')),
    (await fs.stat(at('made'))).mode & 0o777,
  ]),
  row('appendFile to a directory', (fs, at) => fs.appendFile(at('d'), 'x')),
  row('truncate', async (fs, at) => [
    await fs.truncate(at('f'), 2),
    await fs.truncate(at('link'), 4),
    await all(fs, at('f')),
    await fs.truncate(at('f')),
    (await fs.stat(at('f'))).size,
  ]),
  row('truncate of nothing', (fs, at) => fs.truncate(at('nope'), 2), [
    undefined,
    'made of zeros, as v10 meant it',
  ]),
  row('truncate of a directory', (fs, at) => fs.truncate(at('d'), 2)),
  row('stat', async (fs, at) => [
    kinds(await fs.stat(at('f'))),
    kinds(await fs.stat(at('d'))),
    kinds(await fs.stat(at('link'))),
    (await fs.stat(at('f'))).size,
  ]),
  row('stat of nothing', (fs, at) => fs.stat(at('nope'))),
  row('stat of a broken link', (fs, at) => fs.stat(at('broken'))),
  row('lstat', async (fs, at) => [
    kinds(await fs.lstat(at('link'))),
    kinds(await fs.lstat(at('dlink/g'))),
  ]),
  row('lstat of nothing', (fs, at) => fs.lstat(at('nope'))),
  row('access', async (fs, at) => [
    await fs.access(at('f')),
    await fs.access(at('f'), R_OK | W_OK),
    await fs.access(at('d'), X_OK),
    await fs.access(at('x'), X_OK),
  ]),
  row('access of nothing', (fs, at) => fs.access(at('nope'), R_OK)),
  row('access of what cannot be run', (fs, at) => fs.access(at('f'), X_OK)),
  row('mkdir', async (fs, at) => [
    await fs.mkdir(at('m')).then(() => null),
    await fs.mkdir(at('n/o/p'), { recursive: true }).then(() => null),
    await fs.mkdir(at('n/o/p'), { recursive: true }).then(() => null),
    kinds(await fs.stat(at('n/o'))),
  ]),
  row('mkdir of a directory', (fs, at) => fs.mkdir(at('d'))),
  row('mkdir of a file', (fs, at) => fs.mkdir(at('f'))),
  row('mkdir of a file, recursive', (fs, at) => fs.mkdir(at('f'), { recursive: true })),
  row('mkdir below a file, recursive', (fs, at) => fs.mkdir(at('f/x/y'), { recursive: true })),
  row('mkdir below nothing', (fs, at) => fs.mkdir(at('no/dir')).then(() => null), [
    null,
    NO_PARENTS,
  ]),
  row('mkdtemp', async (fs, at) => {
    const made: string = await fs.mkdtemp(at('tmp-'))
    const { mode } = await fs.stat(made)
    return [made.length - at('tmp-').length, made.startsWith(at('tmp-')), mode & 0o777]
  }),
  row('readdir', async (fs, at) => (await fs.readdir(at('d'))).toSorted()),
  row('readdir of a link', async (fs, at) => (await fs.readdir(at('dlink'))).toSorted()),
  row('readdir with types', async (fs, at) =>
    (await fs.readdir(at('.'), { withFileTypes: true }))
      .map((entry: Side) => [entry.name, kinds(entry)])
      .toSorted(),
  ),
  row('readdir, recursive', async (fs, at) =>
    (await fs.readdir(at('d'), { recursive: true })).toSorted(),
  ),
  row('readdir of nothing', (fs, at) => fs.readdir(at('nope'))),
  row('readdir of a file', (fs, at) => fs.readdir(at('f'))),
  row('opendir', async (fs, at) => {
    const names: string[] = []
    for await (const { name } of await fs.opendir(at('d'))) names.push(name)
    return names.toSorted()
  }),
  row('opendir, read and close', async (fs, at) => {
    const dir = await fs.opendir(at('d/e'))
    return [await dir.read(), await dir.close()]
  }),
  row('opendir of nothing', (fs, at) => fs.opendir(at('nope'))),
  row('opendir of a file', (fs, at) => fs.opendir(at('f'))),
  row('realpath', async (fs, at) => {
    const root = (await fs.realpath(at('.'))).replace(/\/$/u, '')
    const paths = await Promise.all(
      ['dlink/g', 'link', 'd/../f'].map((name) => fs.realpath(at(name))),
    )
    return paths.map((path: string) => path.slice(root.length))
  }),
  row('realpath of nothing', (fs, at) => fs.realpath(at('nope'))),
  row('realpath of a broken link', (fs, at) => fs.realpath(at('broken'))),
  row('realpath of a loop', (fs, at) => fs.realpath(at('loop'))),
  row('unlink', async (fs, at) => [
    await fs.unlink(at('link')),
    await all(fs, at('f')),
    await fs.unlink(at('dlink/g')),
    (await fs.readdir(at('d'))).toSorted(),
  ]),
  row('unlink of nothing', (fs, at) => fs.unlink(at('nope'))),
  row('unlink of a directory', (fs, at) => fs.unlink(at('d'))),
  row('rmdir', async (fs, at) => [await fs.rmdir(at('d/e')), await fs.readdir(at('d'))]),
  row('rmdir of a full directory', (fs, at) => fs.rmdir(at('d'))),
  row('rmdir of a file', (fs, at) => fs.rmdir(at('f'))),
  row('rmdir of nothing', (fs, at) => fs.rmdir(at('nope'))),
  row('rm', async (fs, at) => [
    await fs.rm(at('f')),
    await fs.rm(at('d'), { recursive: true }),
    await fs.rm(at('nope'), { force: true }),
    (await fs.readdir(at('.'))).toSorted(),
  ]),
  row('rm of nothing', (fs, at) => fs.rm(at('nope'))),
  row('rm of a directory', (fs, at) => fs.rm(at('d')), [
    'EISDIR',
    "a code of POSIX in the place of Node's ERR_FS_EISDIR",
  ]),
  row('rename', async (fs, at) => [
    await fs.rename(at('f'), at('x')),
    await all(fs, at('x')),
    await fs.rename(at('d'), at('moved')),
    (await fs.readdir(at('moved'))).toSorted(),
  ]),
  row('rename of nothing', (fs, at) => fs.rename(at('nope'), at('x'))),
  row('rename of a file onto a directory', (fs, at) => fs.rename(at('f'), at('d'))),
  row('rename of a directory onto a file', (fs, at) => fs.rename(at('d'), at('f'))),
  row('rename onto a full directory', (fs, at) => fs.rename(at('d/e'), at('d'))),
  row('rename into itself', (fs, at) => fs.rename(at('d'), at('d/x'))),
  row('rename below nothing', (fs, at) => fs.rename(at('f'), at('no/f')), [undefined, NO_PARENTS]),
  row('symlink and readlink', async (fs, at) => [
    await fs.symlink('f', at('s')).then(() => null),
    await fs.readlink(at('s')),
    await all(fs, at('s')),
  ]),
  row('symlink where something is', (fs, at) => fs.symlink('f', at('d'))),
  row('readlink of a file', (fs, at) => fs.readlink(at('f')), [null, 'as in v10']),
  row('readlink of nothing', (fs, at) => fs.readlink(at('nope'))),
  row('copyFile', async (fs, at) => [
    await fs.copyFile(at('link'), at('copy')),
    await all(fs, at('copy')),
    await fs.copyFile(at('x'), at('copy')),
    await all(fs, at('copy')),
    await fs.copyFile(at('f'), at('f')),
  ]),
  row('copyFile of nothing', (fs, at) => fs.copyFile(at('nope'), at('x'))),
  row('copyFile, exclusive', (fs, at) => fs.copyFile(at('f'), at('x'), COPYFILE_EXCL)),
  row('copyFile onto itself, exclusive', (fs, at) => fs.copyFile(at('f'), at('f'), COPYFILE_EXCL)),
  row('copyFile onto a directory', (fs, at) => fs.copyFile(at('f'), at('d'))),
  row('cp', async (fs, at) => [
    await fs.cp(at('d'), at('tree'), { recursive: true }),
    await all(fs, at('tree/g')),
    (await fs.readdir(at('tree'))).toSorted(),
  ]),
  row('cp of a directory', (fs, at) => fs.cp(at('d'), at('tree')), [
    'EISDIR',
    "a code of POSIX in the place of Node's ERR_FS_EISDIR",
  ]),
  row('chmod', async (fs, at) => [
    await fs.chmod(at('link'), 0o640),
    (await fs.stat(at('f'))).mode & 0o7777,
  ]),
  row('chmod of nothing', (fs, at) => fs.chmod(at('nope'), 0o640)),
  row('utimes', async (fs, at) => [
    await fs.utimes(at('f'), 1, 2),
    (await fs.stat(at('f'))).mtimeMs,
    await fs.utimes(at('link'), new Date(1000), new Date(3000)),
    (await fs.stat(at('f'))).mtimeMs,
    await fs.lutimes(at('link'), 5, 6),
    (await fs.lstat(at('link'))).mtimeMs,
  ]),
  row('utimes of nothing', (fs, at) => fs.utimes(at('nope'), 1, 2)),
  row('open of nothing', (fs, at) => fs.open(at('nope'))),
  row('open to write a directory', (fs, at) => fs.open(at('d'), 'w')),
  row('open to make what is there', (fs, at) => fs.open(at('f'), 'wx')),
  row('open to make what a broken link names', (fs, at) =>
    fs.open(at('broken'), O_CREAT | O_EXCL | O_RDWR),
  ),
  row('open with other flags', (fs, at) => fs.open(at('f'), 'rw'), [
    'EINVAL',
    "a code of POSIX in the place of Node's ERR_INVALID_ARG_VALUE",
  ]),
  row('a handle that reads', async (fs, at) => {
    const handle = await fs.open(at('f'))
    const buffer = Buffer.alloc(3)
    const out = [
      (await handle.read(buffer, 0, 3, 1)).bytesRead,
      buffer.toString(),
      (await handle.read(buffer, 0, 2)).bytesRead,
      (await handle.read(buffer, { offset: 1, length: 1, position: 4 })).bytesRead,
      buffer.toString(),
      (await handle.read({ buffer, position: -1, length: 1 })).bytesRead,
      buffer.toString(),
      (await handle.read()).bytesRead,
      (await handle.read(buffer, 0, 3, 99)).bytesRead,
      (await handle.stat()).size,
    ]
    await handle.close()
    return out
  }),
  row('a handle that reads what is left', async (fs, at) => {
    const handle = await fs.open(at('f'))
    await handle.read(Buffer.alloc(2))
    const out = [await handle.readFile('utf8'), (await handle.readFile()).length]
    await handle.close()
    return out
  }),
  row('a handle that writes', async (fs, at) => {
    const handle = await fs.open(at('f'), 'r+')
    const out = [
      (await handle.write(bytes('HE'))).bytesWritten,
      (await handle.write('L', 2)).bytesWritten,
      (await handle.write(bytes('..x..'), 2, 1, 7)).bytesWritten,
      (await handle.write(bytes('zLO'), { offset: 1 })).bytesWritten,
      (await handle.write('4142', null, 'hex')).bytesWritten,
      (await handle.read(Buffer.alloc(9), 0, 9, 0)).bytesRead,
      await handle.sync(),
      await handle.datasync(),
      await all(fs, at('f')),
    ]
    await handle.close()
    return out
  }),
  row('a handle that appends', async (fs, at) => {
    const handle = await fs.open(at('f'), 'a+')
    await handle.write(bytes('!'), 0, 1, 0)
    await handle.appendFile('?')
    const { bytesRead } = await handle.read(Buffer.alloc(9))
    await handle.close()
    return [bytesRead, await all(fs, at('f'))]
  }),
  row('a handle that is emptied and filled', async (fs, at) => {
    const handle = await fs.open(at('f'), 'w+')
    await handle.writeFile('abc')
    await handle.writeFile(['d', bytes('e')])
    await handle.truncate(4)
    await handle.truncate(6)
    const out = [
      (await handle.read(Buffer.alloc(9), 0, 9, 0)).bytesRead,
      (await handle.stat()).size,
    ]
    await handle.close()
    return [out, await all(fs, at('f'))]
  }),
  row('a handle of several buffers', async (fs, at) => {
    const handle = await fs.open(at('f'), 'r+')
    const out = [(await handle.writev([bytes('ab'), bytes('cd')], 1)).bytesWritten]
    const into = [Buffer.alloc(2), Buffer.alloc(2)]
    out.push((await handle.readv(into, 0)).bytesRead, (await handle.readv(into)).bytesRead)
    await handle.close()
    return [out, Buffer.concat(into).toString()]
  }),
  row('a handle that sets attributes', async (fs, at) => {
    const handle = await fs.open(at('f'), 'r+')
    await handle.chmod(0o600)
    await handle.utimes(1, 2)
    const { mode, mtimeMs } = await handle.stat()
    await handle.close()
    return [mode & 0o777, mtimeMs]
  }),
  row('a handle as streams', async (fs, at) => {
    const out = (await fs.open(at('s'), 'w')).createWriteStream()
    await new Promise((done, fail) => {
      out.on('error', fail).on('close', done)
      out.write('one ')
      out.end('two')
    })
    const read = (await fs.open(at('s'))).createReadStream({ start: 2, end: 4, encoding: 'utf8' })
    return text(read)
  }),
  row('a handle that is closed twice', async (fs, at) => {
    const handle = await fs.open(at('f'))
    let closed = 0
    handle.on('close', () => closed++)
    await Promise.all([handle.close(), handle.close()])
    return closed
  }),
  row('a handle that is closed', async (fs, at) => {
    const handle = await fs.open(at('f'))
    await handle.close()
    return handle.read(Buffer.alloc(1))
  }),
  row('a handle that may not write', async (fs, at) => {
    const handle = await fs.open(at('f'))
    try {
      return await handle.write('x')
    } finally {
      await handle.close()
    }
  }),
  row(
    'a handle that may not be cut',
    async (fs, at) => {
      const handle = await fs.open(at('f'))
      try {
        return await handle.truncate(1)
      } finally {
        await handle.close()
      }
    },
    ['EBADF', 'Linux says EINVAL; Node has EBADF for writes, v10 too'],
  ),
  row('a handle that may not read', async (fs, at) => {
    const handle = await fs.open(at('f'), 'a')
    try {
      return await handle.read(Buffer.alloc(1))
    } finally {
      await handle.close()
    }
  }),
  row('a file that is removed while it is open', async (fs, at) => {
    const handle = await fs.open(at('f'), 'r+')
    await handle.write('J')
    await fs.unlink(at('f'))
    const out = [(await handle.read(Buffer.alloc(9), 0, 9, 0)).bytesRead]
    await handle.close()
    return [out, await fs.stat(at('f')).catch((error: Side) => error.code)]
  }),
  row('a file that is moved while it is open', async (fs, at) => {
    const handle = await fs.open(at('d/g'), 'r+')
    await fs.rename(at('d'), at('moved'))
    await handle.write('J')
    await handle.close()
    return all(fs, at('moved/g'))
  }),
  row('a file that is written by name while it is open', async (fs, at) => {
    const handle = await fs.open(at('f'), 'r')
    await fs.writeFile(at('f'), 'other bytes')
    const out = (await handle.read(Buffer.alloc(99))).bytesRead
    await handle.close()
    return out
  }),
  row(
    'a file read by name while a handle writes it',
    async (fs, at) => {
      const handle = await fs.open(at('f'), 'r+')
      await handle.write('J')
      const out = await all(fs, at('f'))
      await handle.close()
      return out
    },
    ['hello', 'a version comes with sync and close'],
  ),
  row('statfs', async (fs, at) => typeof (await fs.statfs(at('.'))).bsize),
  row('statfs of nothing', (fs, at) => fs.statfs(at('nope'))),
  row('watch', async (fs, at) => {
    const stop = new AbortController()
    const seen = new Set<string>()
    const watching = (async () => {
      for await (const { filename } of fs.watch(at('d/e'), { signal: stop.signal })) {
        seen.add(filename)
        if (seen.has('came')) break
      }
    })()
    const writing = (async () => {
      for (let i = 0; !seen.has('came') && i < 1000; i++) {
        await fs.writeFile(at('d/e/came'), String(i))
        await new Promise((done) => setImmediate(done))
      }
    })()
    await Promise.all([watching, writing])
    return [...seen]
  }),
  row(
    'watch that is given up',
    async (fs, at) => {
      const signal = AbortSignal.abort()
      for await (const _ of fs.watch(at('d'), { signal })) break
      return null
    },
    [20, 'the signal’s own reason, here an AbortError of the web'],
  ),
]

async function fill(fs: Side, at: (name: string) => string): Promise<void> {
  await fs.writeFile(at('f'), 'hello')
  await fs.chmod(at('f'), 0o644)
  await fs.writeFile(at('x'), 'run', { mode: 0o755 })
  await fs.mkdir(at('d'))
  await fs.writeFile(at('d/g'), 'below')
  await fs.mkdir(at('d/e'))
  await fs.symlink('f', at('link'))
  await fs.symlink('d', at('dlink'))
  await fs.symlink('nope', at('broken'))
  await fs.symlink('loop2', at('loop'))
  await fs.symlink('loop', at('loop2'))
}

/** The result, or the code of the failure. */
async function outcome(run: Row['run'], fs: Side, at: (name: string) => string): Promise<unknown> {
  try {
    return await run(fs, at)
  } catch (error) {
    return error instanceof Error && 'code' in error ? error.code : (error as Error).name
  }
}

async function onNode(run: Row['run']): Promise<unknown> {
  const folder = mkdtempSync(join(tmpdir(), 'like-fs-'))
  const at = (name: string): string => join(folder, name)
  try {
    await fill(fsp, at)
    return await outcome(run, fsp, at)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

t.test('drive.promises does what fs.promises does', async (t) => {
  for (const { name, run, drive: other } of rows) {
    const drive: Drive = await memoryDrive(t)
    const fs: DrivePromises = drive.promises
    const at = (path: string): string => `/${path}`
    await fill(fs, at)
    const [node, ours] = [await onNode(run), await outcome(run, fs, at)]
    if (!other) t.same(ours, node, name)
    else {
      t.same(ours, other[0], `${name}: ${other[1]}`)
      t.notSame(node, ours, `${name} differs`)
    }
    await drive.close()
  }
})
