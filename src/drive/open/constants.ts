/**
 * The numbers of the `fs` interface: open flags, file types and permissions, and the flag strings that stand for
 * them. Linux's table, the same on every platform, because modes are stored and shared.
 *
 * @see spec/40-drive.md 2.8
 * @module
 */
import { DriveError } from '../errors.ts'

/** The table that v10 exports as `constants`. */
export const constants = {
  UV_FS_SYMLINK_DIR: 1,
  UV_FS_SYMLINK_JUNCTION: 2,
  O_RDONLY: 0,
  O_WRONLY: 1,
  O_RDWR: 2,
  O_ACCMODE: 3,
  S_IFMT: 0o170000,
  S_IFREG: 0o100000,
  S_IFDIR: 0o40000,
  S_IFCHR: 0o20000,
  S_IFBLK: 0o60000,
  S_IFIFO: 0o10000,
  S_IFLNK: 0o120000,
  S_IFSOCK: 0o140000,
  O_CREAT: 64,
  O_EXCL: 128,
  O_NOCTTY: 256,
  O_TRUNC: 512,
  O_APPEND: 1024,
  O_DIRECTORY: 65536,
  O_NOATIME: 262144,
  O_NOFOLLOW: 131072,
  O_SYNC: 1052672,
  O_DSYNC: 4096,
  O_DIRECT: 16384,
  O_NONBLOCK: 2048,
  S_IRWXU: 0o700,
  S_IRUSR: 0o400,
  S_IWUSR: 0o200,
  S_IXUSR: 0o100,
  S_IRWXG: 0o70,
  S_IRGRP: 0o40,
  S_IWGRP: 0o20,
  S_IXGRP: 0o10,
  S_IRWXO: 0o7,
  S_IROTH: 0o4,
  S_IWOTH: 0o2,
  S_IXOTH: 0o1,
  F_OK: 0,
  R_OK: 4,
  W_OK: 2,
  X_OK: 1,
  UV_FS_COPYFILE_EXCL: 1,
  COPYFILE_EXCL: 1,
  UV_FS_COPYFILE_FICLONE: 2,
  COPYFILE_FICLONE: 2,
  UV_FS_COPYFILE_FICLONE_FORCE: 4,
  COPYFILE_FICLONE_FORCE: 4,
} as const

/** Most bytes in one content block that a drive writes. */
export const MAX_BLOCK_BYTES = 524288
/** A chain of more links than this is taken for a cycle. */
export const MAX_LINKS = 40

const { O_RDWR, O_WRONLY, O_CREAT, O_TRUNC, O_APPEND, O_EXCL, O_SYNC } = constants
const W = O_TRUNC | O_CREAT | O_WRONLY
const WP = O_TRUNC | O_CREAT | O_RDWR
const A = O_APPEND | O_CREAT | O_WRONLY
const AP = O_APPEND | O_CREAT | O_RDWR

const FLAGS: ReadonlyMap<string, number> = new Map([
  ['r', 0],
  ...named(['rs', 'sr'], O_SYNC),
  ['r+', O_RDWR],
  ...named(['rs+', 'sr+'], O_RDWR | O_SYNC),
  ['w', W],
  ...named(['wx', 'xw'], W | O_EXCL),
  ['w+', WP],
  ...named(['wx+', 'xw+'], WP | O_EXCL),
  ['a', A],
  ...named(['ax', 'xa'], A | O_EXCL),
  ...named(['as', 'sa'], A | O_SYNC),
  ['a+', AP],
  ...named(['ax+', 'xa+'], AP | O_EXCL),
  ...named(['as+', 'sa+'], AP | O_SYNC),
])

/**
 * The open flags that `flags` stands for; a number stands for itself.
 *
 * @param path - of the file to open, for the error
 * @throws {@link DriveError} `EINVAL` for any other string or value
 */
export function parseFlags(flags: string | number, path?: string): number {
  if (typeof flags === 'number') return flags
  const value = FLAGS.get(flags)
  if (value === undefined) {
    throw new DriveError('EINVAL', { syscall: 'open', path, reason: `flags ${flags}` })
  }
  return value
}

function named(names: readonly string[], value: number): [string, number][] {
  return names.map((name) => [name, value])
}
