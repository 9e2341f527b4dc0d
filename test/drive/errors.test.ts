import t from 'tap'
import { DriveError, asDriveError, inWords } from '../../src/drive/errors.ts'
import { LogError, LogUnavailableError } from '../../src/log/index.ts'
import { TrieError } from '../../src/trie/index.ts'

t.test('an error of POSIX has its positive number, the call and the path', (t) => {
  const error = new DriveError('ENOENT', { syscall: 'open', path: '/x' })
  t.match(error, { name: 'DriveError', code: 'ENOENT', errno: 2, syscall: 'open', path: '/x' })
  t.match(error.message, /ENOENT.*open.*'\/x'/u)
  t.ok(error instanceof Error)
  t.end()
})

t.test('what POSIX has no word for has no number, and what is not known is not there', (t) => {
  const error = new DriveError('DRIVE_CLOSED')
  for (const name of ['errno', 'syscall', 'path', 'peersAsked', 'waitedMs', 'cause']) {
    t.notOk(name in error, name)
  }
  t.end()
})

t.test('failures of the layers below are told in the drive s words, with their origin', (t) => {
  for (const [from, to] of [
    [new LogError('LOG_NOT_HELD', ''), 'EUNAVAILABLE'],
    [new LogUnavailableError('block 1', 3, 20), 'EUNAVAILABLE'],
    [new LogError('ETIMEDOUT', ''), 'ETIMEDOUT'],
    [new LogError('ECANCELED', ''), 'ECANCELED'],
    [new LogError('LOG_NOT_WRITABLE', ''), 'EROFS'],
    [new LogError('LOG_CLOSED', ''), 'DRIVE_CLOSED'],
    [new LogError('LOG_CORRUPT', ''), 'EIO'],
    [new TrieError('TRIE_READ_ONLY_CHECKOUT', ''), 'EROFS'],
    [new TrieError('TRIE_BAD_KEY', ''), 'EINVAL'],
    [new TrieError('TRIE_BAD_NODE', ''), 'EIO'],
  ] as const) {
    const error = asDriveError(from, 'read', '/f') as DriveError
    t.match(error, { code: to, syscall: 'read', path: '/f', cause: from }, from.code)
  }
  const gone = asDriveError(new LogUnavailableError('block 1', 3, 20), 'read') as DriveError
  t.match(gone, { peersAsked: 3, waitedMs: 20 })
  t.end()
})

t.test('any other failure is passed on as it came', async (t) => {
  const own = new DriveError('EEXIST')
  for (const error of [own, new TypeError('x'), new LogError('LOG_FORK', ''), 'text']) {
    t.equal(asDriveError(error, 'read'), error)
  }
  const failing = (): Promise<void> => Promise.reject(own)
  await t.rejects(inWords('read', '/f', failing), own)
})
