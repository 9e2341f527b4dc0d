/**
 * Where Varve does better than v10 in cases that no vector judges: the vectors mark v10's answer there as
 * a quirk, or are held under the drive option `exact: true`, which switches ours off. Rows of
 * `docs/differences.md`; the tests of the layer hold them.
 *
 * @module
 */

/** One improvement. */
export interface Improvement {
  readonly operation: string
  readonly original: string
  readonly ours: string
  /** Whether `exact: true` brings v10's answer back. */
  readonly exact: boolean
}

/** The rows, by what they are about. */
export const improvements: Readonly<Record<string, readonly Improvement[]>> = {
  Folders: [
    row(
      'a drive on a folder that holds the logs of another key only',
      'makes a second drive in it',
      'refused, `DRIVE_OTHER_DRIVE`; a store holds several',
      true,
    ),
    row(
      '`master_key` gone or cut, where logs were derived from it',
      'made anew: the folder opens as an empty drive of another key',
      'refused, `STORE_OTHER_MASTER_KEY`, nothing written',
      true,
    ),
  ],
  'Names and links': [
    row('`.` and `..` in a name', 'ordinary components', 'resolved, not above the root', true),
    row(
      'letters and a colon before a name (`abc:def`)',
      'cut off',
      'kept, in link targets too',
      true,
    ),
    row(
      'a link in the middle of a path',
      'not followed',
      'followed when nothing is stored there',
      true,
    ),
    row(
      '`writeFile`, `createWriteStream`, `chmod` … of a link',
      'changes the entry of the link',
      'changes what it leads to',
      true,
    ),
    row('a cycle of links', 'never answers', '`ELOOP` after 40', false),
    row(
      '`stat(link).isFile()`',
      'true',
      'false; `isSymlink()` and `isSymbolicLink()` both exist',
      false,
    ),
  ],
  'Stats and listings': [
    row(
      'the stat of an implied directory',
      "its first descendant's, mode changed",
      'a fresh one',
      true,
    ),
    row(
      'a recursive listing through a link',
      'the target once more as the link; real paths of links below it',
      'each name once, below the link',
      false,
    ),
    row(
      '`readdir` with `includeStats`',
      'an arbitrary node below',
      'the entry itself, and its path',
      true,
    ),
    row('`readdir` of what is missing, or of a file', '`[]`', '`ENOENT`, `ENOTDIR`', true),
    row('a stored stat with a field of another wire type', 'accepted', '`DRIVE_BAD_STAT`', false),
  ],
  'Reading and writing': [
    row(
      'a read with limits by a clone that knows nothing yet',
      '`ENOENT`, or an empty listing',
      '`EUNAVAILABLE` or `ETIMEDOUT`; without limits as v10',
      true,
    ),
    row(
      '`wait: false`, `timeout` for listings and implied directories',
      'wait for ever',
      'fail as told',
      false,
    ),
    row(
      '`copy` of a directory, or across a mount',
      'an unreadable entry',
      '`EISDIR`; copies the bytes',
      false,
    ),
    row(
      '`truncate(name, 0)`, `truncate(missing, n)`',
      'no change; an empty file',
      'an empty file; n zeros',
      false,
    ),
    row("`open(missing, 'a')`", 'throws, never answers', 'makes the file', false),
    row(
      'a descriptor opened to write through a link',
      'writes the entry of the link',
      'writes its target',
      false,
    ),
    row(
      '`write` out of order, `ftruncate` to a size',
      '`EBADF`, `EINVAL`',
      'anywhere, any size; a version at `fsync` and `close`',
      true,
    ),
    row(
      'two descriptors that write, each awaited',
      'the second waits until the first is closed',
      'independent; those of one file see each other’s writes',
      true,
    ),
    row(
      '`read` and `write` with a position',
      'the next call goes on from there',
      'moves nothing, as in Node',
      true,
    ),
    row(
      "`open(name, 'w')` of a file that is there",
      'a version that is empty, at once',
      'empty with the version that `close` stores',
      true,
    ),
    row('times of a file written through a descriptor', 'stay', 'are those of the write', true),
    row(
      '`write` with an offset',
      'the wrong part of the buffer',
      'the part that was asked for',
      false,
    ),
    row('`download()` without a path', 'TypeError', 'the whole drive', false),
    row(
      '`clear` of a file whose blocks a copy or renamed entry needs too',
      'drops them',
      'keeps them, and says how many',
      true,
    ),
    row('`getAllTags` without tags', '`[]`', 'an empty `Map`', false),
    row('`createTag(name)` as a promise', 'stores no version', 'the current version', false),
    row('a failed `mount`', 'reported as done', 'rejected', false),
    row('a range past the end of a file', 'other bytes, or no answer', 'what there is', false),
    row('a negative range', 'undefined', '`EINVAL`', true),
    row('reading a directory', 'empty, or `ENOENT`', '`EISDIR`', true),
    row('`open` to write on a drive of others', '`EINVAL`', '`EROFS`', true),
    row('`unlink` of a directory, `rmdir` of a file', 'removes it', '`EISDIR`, `ENOTDIR`', true),
    row('`writeFile` over a directory', 'replaces it', '`EISDIR`', true),
    row('writing, creating or mounting on `/`', 'damages the drive', '`EISDIR` or `EEXIST`', false),
    row(
      'removing or overwriting a mount point',
      'changes the mounted drive',
      '`EBUSY`, `EISDIR`',
      false,
    ),
    row('writing on a checkout', 'rewinds the live drive', '`EPERM`', false),
    row('writing on a drive of others', 'an error without a code', '`EROFS`', false),
  ],
  // All of these were found by `npm run differential`.
  'Small ones': [
    row(
      'a listing of names that hold `.` or `..`',
      'shows them, and looks below them, collapsed',
      'shows them as stored',
      false,
    ),
    row(
      '`readdir`, `rmdir` of a name of one letter with a slash behind it (`q/`)',
      'the name itself, as an empty one; removes its entry',
      'what is in it; `ENOTEMPTY`',
      false,
    ),
    row(
      'a recursive listing through a link into a mount',
      'entries of the outer drive below mounts in the mounted one',
      'those of the mounted drives',
      false,
    ),
    row(
      'a mount inside a mount of a fixed version',
      'read at that same number',
      'read as its own record says',
      false,
    ),
    row(
      'a drive mounted at a fixed version, in listings and `info`',
      'has no key; `info` may throw',
      'its key',
      false,
    ),
    row(
      'a mount that is read through a checkout',
      'at the number of the checkout, or never answered',
      'as it is now, unless its record fixes a version',
      false,
    ),
    row(
      '`info` of a mount through a checkout',
      'the version of the checkout',
      'the version that the mount is fixed at, or null',
      false,
    ),
    row(
      'a drive at the version between the two blocks of a mount',
      'may never answer, or list other entries',
      'as if the mount were not there',
      false,
    ),
    row(
      'a name that begins with two dots, at or in a mount',
      'in the outer drive, or not seen',
      'as any other name',
      false,
    ),
    row(
      'a diff of a mount point, or below one',
      'names without the path of the mount; depends on a slash in front of the prefix',
      'whole names, the mounted drive',
      false,
    ),
    row('the prefix of a diff in another spelling', 'taken as it is', 'normalised', false),
    row(
      '`stats` of a file without blocks, of one that a descriptor is writing, through links',
      'counts the whole log; grows; some of what is below, or none',
      '0 blocks; what is stored; all',
      false,
    ),
    row(
      'a read at its place through a descriptor that has written, or appends',
      'the first bytes of the file',
      'nothing: that place is the end',
      false,
    ),
    row('a read through a descriptor, across an empty block', 'stops there', 'goes on', false),
    row(
      'closing a descriptor that has written in a mount which is gone',
      'the entry comes into the outer drive',
      'into the drive that was mounted',
      false,
    ),
    row(
      'writing below a mount of a fixed version',
      'puts it on top of the old version',
      '`EROFS`',
      false,
    ),
  ],
  'The trie': [
    row(
      'a watcher whose path leads into mounts',
      'sees the first at most',
      'watches each of them',
      false,
    ),
    row('a remote lookup of a hidden key', 'asks for the visible key', 'asks nothing extra', false),
    row('a `put` that its condition declines', 'a node with `seq` 0', '`null`', false),
    row(
      'an empty key, a `put` through a checkout, flags above 2^23 - 1, a key above 65536 characters',
      'stored, in part wrongly',
      'refused by a `TrieError`',
      false,
    ),
    row(
      'a mount over an entry, over a mount, or on the root',
      'hides what is there',
      '`TRIE_BAD_MOUNT`',
      false,
    ),
  ],
  'Opening and closing': [
    row(
      'a header without a 32-byte content key',
      'fails later, or not',
      '`DRIVE_BAD_HEADER`',
      false,
    ),
    row(
      'a drive on a folder that another process has open',
      'both write',
      '`ELOCKED`; option `lock: false`',
      false,
    ),
    row(
      'closing a drive on a store',
      'closes every drive of the store',
      'closes what it opened',
      false,
    ),
    row('event `peer-add`', 'before the key of the peer is known', 'with its key', true),
    row('any call after `close`', 'an error without a code', '`DRIVE_CLOSED`', false),
    row('`checkout(version)`', 'default options', "the parent's options", false),
    row("`replicate(null)`, `replicate('x')`", 'a plain error', '`TypeError`', false),
  ],
  Logs: [
    row(
      'two histories signed by one key',
      'not noticed; readers mix them',
      'event `fork`, evidence kept in the file `fork`, no more growth (docs/reliability.md)',
      false,
    ),
    row(
      'a sparse log that grew by a proof which shares nothing with what it holds',
      'takes it',
      'takes it, and asks for one hash that shows whether it is the same history',
      false,
    ),
    row(
      'two live writers of one key, neither of which downloads, meet',
      'exchange nothing',
      'one proof of the head each; `LOG_FORK` or `LOG_BEHIND` instead of the next append',
      false,
    ),
    row(
      'a stored block that is damaged is read',
      'the damaged bytes',
      'the block, from a peer that has it, or `LOG_CORRUPT`',
      false,
    ),
    row(
      '`eagerUpdate` after a failure, or after `close`',
      'tries again at once, for ever',
      'event `update-error`, and an end',
      false,
    ),
    row(
      '`download` with `wait`, `timeout` or `signal`',
      'no such options',
      'ends with `LOG_UNAVAILABLE`, `ETIMEDOUT` or the reason',
      false,
    ),
    row('`cancel(id)`; `timeouts`; `crypto`', 'options of a log', '`signal`; none; none', false),
  ],
}

function row(operation: string, original: string, ours: string, exact: boolean): Improvement {
  return { operation, original, ours, exact }
}

/** The rows as Markdown, a table a subject. */
export function improvementTables(): string {
  return Object.entries(improvements)
    .map(([subject, rows]) => {
      const lines = rows.map(
        ({ operation, original, ours, exact }) =>
          `| ${operation} | ${original} | ${ours} | ${exact ? 'as v10' : 'the same'} |`,
      )
      return `### ${subject}

| Operation | v10 | Varve | under \`exact: true\` |
| --- | --- | --- | --- |
${lines.join('\n')}
`
    })
    .join('\n')
}
