/** Every operation and every wrong input: what code, number, call and path the error has, in both forms. */
import t, { type Test } from 'tap'
import { Drive } from '../../src/drive/drive.ts'
import { constants } from '../../src/drive/open/constants.ts'
import { DriveError } from '../../src/drive/errors.ts'
import { MemoryStorage } from '../../src/storage/index.ts'
import { memoryDrive, memoryDrives } from './drives.ts'

/** v10's numbers: Linux's, positive. */
const ERRNO: Readonly<Record<string, number>> = {
  EPERM: 1,
  ENOENT: 2,
  EBADF: 9,
  EACCES: 13,
  EBUSY: 16,
  EEXIST: 17,
  EXDEV: 18,
  ENOTDIR: 20,
  EISDIR: 21,
  EINVAL: 22,
  EROFS: 30,
  ENOTEMPTY: 39,
  ELOOP: 40,
}

/** Operation, arguments, code, the path in the error (null: a number stands for it), its call if that has another name. */
type Row = readonly [
  operation: Extract<keyof Drive, string>,
  args: readonly unknown[],
  code: string,
  path: string | null,
  syscall?: string,
]

const KEY = Buffer.alloc(32, 1)
const READ = 20
const WRITE = 22

const reading: readonly Row[] = [
  ['readFile', ['nope'], 'ENOENT', '/nope', 'open'],
  ['readFile', ['broken'], 'ENOENT', '/nowhere', 'open'],
  ['readFile', ['d'], 'EISDIR', '/d', 'open'],
  ['readFile', ['implied'], 'EISDIR', '/implied', 'open'],
  ['readFile', ['/'], 'EISDIR', '/', 'open'],
  ['readFile', ['loop'], 'ELOOP', '/loop', 'open'],
  ['readFile', ['f', { start: -1 }], 'EINVAL', '/f', 'open'],
  ['readFile', ['f', { length: 0.5 }], 'EINVAL', '/f', 'open'],
  ['stat', ['nope'], 'ENOENT', '/nope'],
  ['stat', ['broken'], 'ENOENT', '/nowhere'],
  ['stat', ['loop'], 'ELOOP', '/loop'],
  ['lstat', ['nope'], 'ENOENT', '/nope'],
  ['access', ['nope'], 'ENOENT', '/nope'],
  ['access', ['loop'], 'ELOOP', '/loop'],
  ['access', ['f', 8], 'EINVAL', '/f'],
  ['access', ['f', constants.X_OK], 'EACCES', '/f'],
  ['opendir', ['nope'], 'ENOENT', '/nope'],
  ['opendir', ['f'], 'ENOTDIR', '/f'],
  ['opendir', ['loop'], 'ELOOP', '/loop'],
  ['realpath', ['nope'], 'ENOENT', '/nope'],
  ['realpath', ['broken'], 'ENOENT', '/nowhere'],
  ['realpath', ['loop'], 'ELOOP', '/loop'],
  ['statfs', ['nope'], 'ENOENT', '/nope'],
  ['statfs', ['loop'], 'ELOOP', '/loop'],
  ['readlink', ['nope'], 'ENOENT', '/nope'],
  ['readdir', ['nope'], 'ENOENT', '/nope'],
  ['readdir', ['f'], 'ENOTDIR', '/f'],
  ['readdir', ['f', { recursive: true }], 'ENOTDIR', '/f'],
  ['readdir', ['broken'], 'ENOENT', '/nowhere'],
  ['readdir', ['loop'], 'ELOOP', '/loop'],
  ['stats', ['nope'], 'ENOENT', '/nope'],
  ['open', ['nope', 'r'], 'ENOENT', '/nope'],
  ['open', ['nope', 'r+'], 'ENOENT', '/nope'],
  ['open', ['loop', 'r'], 'ELOOP', '/loop'],
  ['open', ['d', 'r'], 'EISDIR', '/d'],
  ['open', ['implied', 'r'], 'EISDIR', '/implied'],
  ['open', ['/', 'r'], 'EISDIR', '/'],
  ['open', ['f', 'rw'], 'EINVAL', '/f'],
  ['open', ['f', constants.O_ACCMODE], 'EINVAL', '/f'],
  ['open', ['f', -1], 'EINVAL', '/f'],
  ['open', ['f', constants.O_DIRECTORY], 'ENOTDIR', '/f'],
  ['open', ['broken', constants.O_NOFOLLOW], 'ELOOP', '/broken'],
  ['read', [WRITE, Buffer.alloc(1), 0, 1, 0], 'EBADF', '/w'],
  ['read', [98, Buffer.alloc(1), 0, 1, 0], 'EBADF', null],
  ['read', [READ, Buffer.alloc(1), 0, 1, -1], 'EINVAL', '/f'],
  ['readv', [WRITE, [Buffer.alloc(1)]], 'EBADF', '/w', 'read'],
  ['readv', [98, [Buffer.alloc(1)]], 'EBADF', null, 'read'],
  ['fstat', [98], 'EBADF', null],
  ['download', ['nope'], 'ENOENT', '/nope'],
]

const writing: readonly Row[] = [
  ['writeFile', ['/', 'x'], 'EISDIR', '/', 'open'],
  ['writeFile', ['d', 'x'], 'EISDIR', '/d', 'open'],
  ['writeFile', ['m', 'x'], 'EISDIR', '/m', 'open'],
  ['appendFile', ['d', 'x'], 'EISDIR', '/d', 'open'],
  ['truncate', ['d', 1], 'EISDIR', '/d'],
  ['truncate', ['/', 1], 'EISDIR', '/'],
  ['truncate', ['f', -1], 'EINVAL', '/f'],
  ['truncate', ['loop', 1], 'ELOOP', '/loop'],
  ['create', ['/'], 'EEXIST', '/'],
  ['mkdir', ['/'], 'EEXIST', '/'],
  ['mkdir', ['f'], 'EEXIST', '/f'],
  ['mkdir', ['d'], 'EEXIST', '/d'],
  ['mkdir', ['f', { recursive: true }], 'EEXIST', '/f'],
  ['mkdir', ['f/x', { recursive: true }], 'ENOTDIR', '/f'],
  ['symlink', ['x', '/'], 'EEXIST', '/'],
  ['symlink', ['x', 'f'], 'EEXIST', '/f'],
  ['symlink', ['x', 'implied'], 'EEXIST', '/implied'],
  ['unlink', ['nope'], 'ENOENT', '/nope'],
  ['unlink', ['d'], 'EISDIR', '/d'],
  ['unlink', ['/'], 'EISDIR', '/'],
  ['unlink', ['m'], 'EISDIR', '/m'],
  ['rmdir', ['nope'], 'ENOENT', '/nope'],
  ['rmdir', ['f'], 'ENOTDIR', '/f'],
  ['rmdir', ['d'], 'ENOTEMPTY', '/d'],
  ['rmdir', ['implied'], 'ENOTEMPTY', '/implied'],
  ['rmdir', ['/'], 'ENOTEMPTY', '/'],
  ['rmdir', ['m'], 'EBUSY', '/m'],
  ['rm', ['nope'], 'ENOENT', '/nope'],
  ['rm', ['d'], 'EISDIR', '/d'],
  ['rm', ['/', { recursive: true }], 'EBUSY', '/'],
  ['rm', ['m', { recursive: true }], 'EBUSY', '/m'],
  ['rename', ['nope', 'x'], 'ENOENT', '/nope'],
  ['rename', ['f', 'd'], 'EISDIR', '/d'],
  ['rename', ['d', 'f'], 'ENOTDIR', '/f'],
  ['rename', ['empty', 'd'], 'ENOTEMPTY', '/d'],
  ['rename', ['d', 'd/sub'], 'EINVAL', '/d/sub'],
  ['rename', ['f', 'm/f'], 'EXDEV', '/m/f'],
  ['rename', ['/', 'x'], 'EBUSY', '/'],
  ['rename', ['f', 'm'], 'EBUSY', '/m'],
  ['copy', ['nope', 'x'], 'ENOENT', '/nope'],
  ['copy', ['d', 'x'], 'EISDIR', '/d'],
  ['copy', ['loop', 'x'], 'ELOOP', '/loop'],
  ['copyFile', ['nope', 'x'], 'ENOENT', '/nope', 'copyfile'],
  ['copyFile', ['d', 'x'], 'EISDIR', '/d', 'copyfile'],
  ['copyFile', ['implied', 'x'], 'EISDIR', '/implied', 'copyfile'],
  ['copyFile', ['f', 'd'], 'EISDIR', '/d', 'copyfile'],
  ['copyFile', ['f', 'w', 1], 'EEXIST', '/w', 'copyfile'],
  ['copyFile', ['f', 'f', 1], 'EEXIST', '/f', 'copyfile'],
  ['copyFile', ['f', 'x', 8], 'EINVAL', '/f', 'copyfile'],
  ['copyFile', ['loop', 'x'], 'ELOOP', '/loop', 'copyfile'],
  ['writeFile', ['f', 'x', { flag: 'wx' }], 'EEXIST', '/f', 'open'],
  ['writeFile', ['f', 'x', { flag: 'rw' }], 'EINVAL', '/f', 'open'],
  ['writeFile', ['nope', 'x', { flag: 'r+' }], 'ENOENT', '/nope', 'open'],
  ['cp', ['nope', 'x'], 'ENOENT', '/nope'],
  ['cp', ['d', 'x'], 'EISDIR', '/d'],
  ['cp', ['f', 'w', { force: false, errorOnExist: true }], 'EEXIST', '/w'],
  ['chmod', ['nope', 0o600], 'ENOENT', '/nope'],
  ['chown', ['nope', 1, 1], 'ENOENT', '/nope'],
  ['utimes', ['nope', 1, 1], 'ENOENT', '/nope'],
  ['utimes', ['f', 1, 'never'], 'EINVAL', '/f'],
  ['setMetadata', ['nope', 'k', 'v'], 'ENOENT', '/nope'],
  ['removeMetadata', ['nope', 'k'], 'ENOENT', '/nope'],
  ['update', ['nope', { uid: 1 }], 'ENOENT', '/nope'],
  ['open', ['f', 'wx'], 'EEXIST', '/f'],
  ['open', ['d', 'w'], 'EISDIR', '/d'],
  ['write', [READ, Buffer.alloc(1), 0, 1, 0], 'EBADF', '/f'],
  ['write', [WRITE, Buffer.alloc(1), 0, 1, -7], 'EINVAL', '/w'],
  ['write', [WRITE, Buffer.alloc(1), 0, 1, 2 ** 53], 'EINVAL', '/w'],
  ['write', [98, Buffer.alloc(1), 0, 1, 0], 'EBADF', null],
  ['ftruncate', [READ, 0], 'EBADF', '/f'],
  ['ftruncate', [WRITE, -5], 'EINVAL', '/w'],
  ['ftruncate', [WRITE, 0.5], 'EINVAL', '/w'],
  ['ftruncate', [98, 0], 'EBADF', null],
  ['close', [98], 'EBADF', null],
  ['writev', [READ, [Buffer.alloc(1)]], 'EBADF', '/f', 'write'],
  ['writev', [98, [Buffer.alloc(1)]], 'EBADF', null, 'write'],
  ['fsync', [98], 'EBADF', null],
  ['fdatasync', [98], 'EBADF', null],
  ['fchmod', [98, 0o600], 'EBADF', null],
  ['fchown', [98, 1, 1], 'EBADF', null],
  ['futimes', [98, 1, 1], 'EBADF', null],
  ['futimes', [WRITE, 1, 'never'], 'EINVAL', '/w'],
  ['lchown', ['nope', 1, 1], 'ENOENT', '/nope'],
  ['lutimes', ['nope', 1, 1], 'ENOENT', '/nope'],
  ['lutimes', ['f', 1, -1], 'EINVAL', '/f'],
  ['open', ['broken', 'wx'], 'EEXIST', '/broken'],
  ['open', ['loop', 'w'], 'ELOOP', '/loop'],
  ['open', ['f', constants.O_RDWR | constants.O_DIRECTORY], 'ENOTDIR', '/f'],
  ['open', ['broken', constants.O_RDWR | constants.O_NOFOLLOW], 'ELOOP', '/broken'],
  ['mount', ['f', KEY], 'EEXIST', '/f'],
  ['mount', ['/', KEY], 'EEXIST', '/'],
  ['mount', ['implied', KEY], 'EEXIST', '/implied'],
  ['unmount', ['nope'], 'ENOENT', '/nope'],
  ['unmount', ['d'], 'EINVAL', '/d'],
  ['clear', ['nope'], 'ENOENT', '/nope'],
]

/** Everything that writes, on `path`: refused as a whole where nothing may be written. */
const changes = (path: string, code: string): readonly Row[] => [
  ['writeFile', [path, 'x'], code, path, 'open'],
  ['appendFile', [path, 'x'], code, path, 'open'],
  ['open', [path, 'w'], code, path],
  ['truncate', [path, 0], code, path],
  ['create', [`${path}x`], code, `${path}x`],
  ['mkdir', [`${path}x`], code, `${path}x`],
  ['mkdir', [`${path}x/y`, { recursive: true }], code, `${path}x/y`],
  ['symlink', ['x', `${path}x`], code, `${path}x`],
  ['unlink', [path], code, path],
  ['rmdir', [path], code, path],
  ['rm', [path], code, path],
  ['rename', [path, `${path}x`], code, path],
  ['copy', [path, `${path}x`], code, `${path}x`],
  ['cp', [path, `${path}x`], code, `${path}x`],
  ['chmod', [path, 0o600], code, path],
  ['access', [path, constants.W_OK], code, path],
  ['copyFile', [path, `${path}x`], code, `${path}x`, 'copyfile'],
  ['chown', [path, 1, 1], code, path],
  ['utimes', [path, 1, 1], code, path],
  ['lchown', [path, 1, 1], code, path],
  ['lutimes', [path, 1, 1], code, path],
  ['open', [path, 'r+'], code, path],
  ['open', [path, 'a+'], code, path],
  ['open', [`${path}x`, constants.O_CREAT], code, `${path}x`],
  ['open', [path, constants.O_TRUNC], code, path],
  ['setMetadata', [path, 'k', 'v'], code, path],
  ['removeMetadata', [path, 'k'], code, path],
  ['update', [path, { uid: 1 }], code, path],
  ['mount', [`${path}x`, KEY], code, `${path}x`],
]

/** The outcome of a call without, and with, a callback. */
async function outcomes(
  drive: Drive,
  operation: keyof Drive,
  args: readonly unknown[],
): Promise<unknown[]> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the table's rows are calls that exist
  const call = drive[operation] as (...args: unknown[]) => PromiseLike<unknown> | undefined
  const promised = await Promise.resolve(call.apply(drive, [...args])).catch(
    (error: unknown) => error,
  )
  const told = await new Promise((resolve) => {
    const started = call.apply(drive, [...args, resolve])
    // A handle, which is given with a callback too, tells of its failure twice.
    if (started) void Promise.resolve(started).catch(() => undefined)
  })
  return [promised, told]
}

async function hold(t: Test, drive: Drive, rows: readonly Row[]): Promise<void> {
  const { version } = drive
  for (const [operation, args, code, path, syscall = operation] of rows) {
    const title = `${operation}(${args.map((arg) => JSON.stringify(arg)).join(', ')})`
    for (const error of await outcomes(drive, operation, args)) {
      if (!(error instanceof DriveError)) {
        t.fail(`${title}: ${String(error)}`)
        continue
      }
      const got = { code: error.code, errno: error.errno, syscall: error.syscall, path: error.path }
      const want = { code, errno: ERRNO[code], syscall, path: path ?? undefined }
      t.same(got, want, `${title}: ${code}`)
    }
  }
  t.equal(drive.version, version, 'what was refused wrote nothing')
}

async function fill(drive: Drive): Promise<void> {
  await drive.writeFile('f', 'x')
  await drive.mkdir('d')
  await drive.writeFile('d/g', 'x')
  await drive.writeFile('w', 'x')
  await drive.mkdir('empty')
  await drive.writeFile('implied/x', 'x')
  await drive.symlink('nowhere', 'broken')
  await drive.symlink('loop2', 'loop')
  await drive.symlink('loop', 'loop2')
}

t.test('a wrong read says what was wrong, of which call and path', async (t) => {
  const drive = await memoryDrive(t)
  await fill(drive)
  t.equal(await drive.open('f', 'r'), READ)
  t.equal(await drive.open('w', 'a'), WRITE)
  await hold(t, drive, reading)
  t.equal(await drive.exists('loop'), false)
})

t.test(
  'a wrong change says what was wrong, of which call and path, and changes nothing',
  async (t) => {
    const [drive, inner] = await memoryDrives(t, 2)
    if (!drive?.key || !inner?.key) throw new Error('two drives')
    await fill(drive)
    await drive.mount('m', inner.key)
    t.equal(await drive.open('f', 'r'), READ)
    t.equal(await drive.open('w', 'a'), WRITE)
    await hold(t, drive, writing)
  },
)

t.test(
  'a checkout is EPERM to every change, a drive of others EROFS, a mount of theirs too',
  async (t) => {
    const drive = await memoryDrive(t)
    await fill(drive)
    await hold(t, drive.checkout(drive.version), changes('/f', 'EPERM'))
    const files = new Map<string, MemoryStorage>()
    const open = (path: string): MemoryStorage => {
      const file = files.get(path) ?? new MemoryStorage()
      files.set(path, file)
      return new MemoryStorage(file)
    }
    const clone = new Drive(open, drive.key, { wait: 'peers' })
    t.teardown(() => clone.close())
    await clone.ready()
    const [left, right] = [
      drive.replicate(true, { live: true }),
      clone.replicate(false, { live: true }),
    ]
    left.pipe(right).pipe(left)
    t.equal(await clone.readFile('f', 'utf8'), 'x')
    await hold(t, clone, changes('/f', 'EROFS'))
    const outer = await memoryDrive(t, { wait: 'peers' })
    await outer.mount('m', drive.key ?? KEY)
    const [to, from] = [
      outer.replicate(true, { live: true }),
      drive.replicate(false, { live: true }),
    ]
    to.pipe(from).pipe(to)
    t.equal(await outer.readFile('m/f', 'utf8'), 'x')
    await hold(t, outer, changes('/m/f', 'EROFS'))
  },
)
