/**
 * The drive as an object shaped like `fs.promises`: every operation as a function that needs no `this`.
 *
 * @see spec/40-drive.md 4.4
 * @module
 */
import type { Drive } from './drive.ts'
import { FileHandle } from './open/file-handle.ts'
import type { CheckoutOptions } from './options.ts'

const METHODS = [
  'ready',
  'close',
  'create',
  'readFile',
  'writeFile',
  'truncate',
  'mkdir',
  'lstat',
  'stat',
  'info',
  'access',
  'exists',
  'readdir',
  'unlink',
  'rmdir',
  'destroyStorage',
  'stats',
  'mount',
  'unmount',
  'symlink',
  'readlink',
  'getAllMounts',
  'setMetadata',
  'removeMetadata',
  'copy',
  'createTag',
  'getAllTags',
  'deleteTag',
  'getTaggedVersion',
  'update',
  'getContent',
  'read',
  'write',
  'ftruncate',
  'download',
  'clear',
  'registerExtension',
  'rename',
  'cp',
  'rm',
  'appendFile',
  'chmod',
  'chown',
  'utimes',
  'importDirectory',
  'exportDirectory',
  'createReadStream',
  'createWriteStream',
  'createDiffStream',
  'createDirectoryStream',
  'createHistoryStream',
  'createMountStream',
  'replicate',
  'watchStats',
  'mirror',
  'watch',
  'readv',
  'writev',
  'fsync',
  'fdatasync',
  'fstat',
  'fchmod',
  'fchown',
  'futimes',
  'lchown',
  'lutimes',
  'copyFile',
  'opendir',
  'realpath',
  'mkdtemp',
  'statfs',
] as const

/** The names of the operations that {@link DrivePromises} has. */
export type PromiseMethod = (typeof METHODS)[number]
/** The properties that it has of the drive. */
export type PromiseProperty = 'key' | 'discoveryKey' | 'version' | 'writable' | 'metadata' | 'peers'

/**
 * The operations of a drive, without callbacks and without `this`: functions, not methods, so that each may be
 * taken off the object. `checkout` gives a read-only view of an older version, as an object like this one.
 */
export type DrivePromises = { readonly [Name in PromiseMethod]: Drive[Name] } & Pick<
  Drive,
  PromiseProperty
> & {
    /** A read-only view of an older version, as an object like this one. */
    readonly checkout: (version?: number | null, options?: CheckoutOptions) => DrivePromises
    /** An open file as an object, as `fs.promises.open` gives it; `drive.open` gives a number. */
    readonly open: (name: string, flags?: string | number, mode?: number) => Promise<FileHandle>
  }

/** The view of a drive. */
export function promisesOf(drive: Drive): DrivePromises {
  const methods = METHODS.map((name) => [name, drive[name].bind(drive)] as const)
  const view = {
    ...Object.fromEntries(methods),
    checkout: (version?: number | null, options?: CheckoutOptions) =>
      drive.checkout(version, options).promises,
    open: async (name: string, flags: string | number = 'r', mode?: number) =>
      new FileHandle(drive, await drive.open(name, flags, mode)),
    get key() {
      return drive.key
    },
    get discoveryKey() {
      return drive.discoveryKey
    },
    get version() {
      return drive.version
    },
    get writable() {
      return drive.writable
    },
    get metadata() {
      return drive.metadata
    },
    get peers() {
      return drive.peers
    },
  }
  // The list of names is the type's: each is bound above.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return view as unknown as DrivePromises
}
