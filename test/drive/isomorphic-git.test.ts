/** A whole program that was written for `fs.promises`, on a drive: git, whose result the real git then judges. */
import { execFileSync, spawnSync } from 'node:child_process'
import fs from 'node:fs'
import { join as joinPath } from 'node:path'
import git from 'isomorphic-git'
import t from 'tap'
import type { Drive } from '../../src/drive/drive.ts'
import { cloneOf, memoryDrive } from './drives.ts'

const author = { name: 'A', email: 'a@example.com' }
const dir = '/src/repo'

/** Copy what is below `path` into a real folder: contents, executable bits, links. */
async function exportTo(drive: Drive, path: string, folder: string): Promise<void> {
  fs.mkdirSync(folder, { recursive: true })
  for (const entry of await drive.readdir(path, { withFileTypes: true })) {
    const [from, to] = [`${path}/${entry.name}`, joinPath(folder, entry.name)]
    if (entry.isDirectory()) await exportTo(drive, from, to)
    else if (entry.isSymbolicLink()) fs.symlinkSync((await drive.readlink(from)) ?? '', to)
    else fs.writeFileSync(to, await drive.readFile(from), { mode: (await drive.stat(from)).mode })
  }
}

/** Copy a real folder into the drive. */
async function importFrom(folder: string, drive: Drive, path: string): Promise<void> {
  await drive.mkdir(path, { recursive: true })
  for (const entry of fs.readdirSync(folder, { withFileTypes: true })) {
    const [from, to] = [joinPath(folder, entry.name), `${path}/${entry.name}`]
    if (entry.isDirectory()) await importFrom(from, drive, to)
    else await drive.writeFile(to, fs.readFileSync(from), { mode: fs.statSync(from).mode })
  }
}

/** The real git, without the user's settings. */
function realGit(cwd: string, ...args: string[]): string {
  const env = { ...process.env, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_SYSTEM: '/dev/null' }
  return execFileSync('git', args, {
    cwd,
    env,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}

const noGit = spawnSync('git', ['--version']).error ? 'no git on this machine' : false

/** A drive whose clock goes on a second with each look, so that no change is missed for its time. */
async function tickingDrive(t: Parameters<typeof memoryDrive>[0]): Promise<Drive> {
  let now = 1_600_000_000_000
  return memoryDrive(t, { now: () => (now += 1000) })
}

t.test('git works in a drive, and its repository is one that the real git accepts', async (t) => {
  const drive = await tickingDrive(t)
  const repo = { fs: { promises: drive.promises }, dir }
  await git.init({ ...repo, defaultBranch: 'main' })
  await drive.writeFile(`${dir}/README`, 'hello\n')
  await drive.writeFile(`${dir}/src/run.sh`, '#!/bin/sh\n', { mode: 0o755 })
  await drive.symlink('README', `${dir}/link`)
  t.equal(await git.status({ ...repo, filepath: 'README' }), '*added')
  await git.add({ ...repo, filepath: ['README', 'src', 'link'] })
  t.equal(await git.status({ ...repo, filepath: 'README' }), 'added')
  const first = await git.commit({ ...repo, message: 'first', author })
  t.equal(await git.status({ ...repo, filepath: 'README' }), 'unmodified')

  await git.branch({ ...repo, ref: 'topic', checkout: true })
  await drive.writeFile(`${dir}/README`, 'HELLO\n')
  t.equal(await git.status({ ...repo, filepath: 'README' }), '*modified')
  await drive.writeFile(`${dir}/deep/er/new`, 'new\n')
  await drive.unlink(`${dir}/link`)
  await git.add({ ...repo, filepath: '.' })
  await git.remove({ ...repo, filepath: 'link' })
  const second = await git.commit({ ...repo, message: 'second', author })
  const log = await git.log(repo)
  t.same(
    log.map(({ oid, commit }) => [oid, commit.message]),
    [
      [second, 'second\n'],
      [first, 'first\n'],
    ],
  )

  await git.checkout({ ...repo, ref: 'main' })
  t.equal(await drive.readFile(`${dir}/README`, 'utf8'), 'hello\n')
  t.equal(await drive.readlink(`${dir}/link`), 'README')
  t.equal(await drive.exists(`${dir}/deep`), false)
  await git.checkout({ ...repo, ref: 'topic' })
  t.equal(await drive.readFile(`${dir}/deep/er/new`, 'utf8'), 'new\n')
  t.equal(await drive.exists(`${dir}/link`), false)
  await git.checkout({ ...repo, ref: 'main' })
  await git.merge({ ...repo, ours: 'main', theirs: 'topic', author })
  await git.checkout({ ...repo, ref: 'main' })
  await git.tag({ ...repo, ref: 'v1' })
  t.same(await git.listBranches(repo), ['main', 'topic'])
  const matrix = await git.statusMatrix(repo)
  t.same(
    matrix.map((row) => row.join(' ')),
    ['README 1 1 1', 'deep/er/new 1 1 1', 'src/run.sh 1 1 1'],
  )

  const clone = await cloneOf(t, drive)
  const remote = await git.log({ fs: { promises: clone.promises }, dir })
  t.equal(remote[0]?.oid, second, 'who has the key reads the repository')

  await t.test('the real git', { skip: noGit }, async (t) => {
    const folder = t.testdir()
    await exportTo(drive, dir, folder)
    t.equal(realGit(folder, 'fsck', '--full', '--strict'), '')
    t.equal(realGit(folder, 'log', '--format=%H'), `${second}\n${first}\n`)
    t.equal(realGit(folder, 'status', '--porcelain'), '')
    t.equal(realGit(folder, 'ls-files', '--stage', 'src/run.sh').slice(0, 6), '100755')
  })
})

t.test('a repository that the real git packed is read in a drive', { skip: noGit }, async (t) => {
  const folder = t.testdir()
  realGit(folder, 'init', '-q', '-b', 'main')
  fs.writeFileSync(joinPath(folder, 'f'), 'content\n'.repeat(1000))
  realGit(folder, 'add', 'f')
  realGit(folder, '-c', 'user.name=A', '-c', 'user.email=a@example.com', 'commit', '-qm', 'one')
  realGit(folder, 'gc', '-q')
  const drive = await tickingDrive(t)
  await importFrom(folder, drive, dir)
  const repo = { fs: { promises: drive.promises }, dir }
  const [head] = await git.log(repo)
  t.equal(head?.oid, realGit(folder, 'rev-parse', 'HEAD').trim())
  const { blob } = await git.readBlob({ ...repo, oid: head?.oid ?? '', filepath: 'f' })
  t.equal(Buffer.from(blob).toString(), 'content\n'.repeat(1000))
  t.equal(await git.status({ ...repo, filepath: 'f' }), 'unmodified')
})

t.test('the drive itself, and its promises alone, will do as fs too', async (t) => {
  const drive = await tickingDrive(t)
  for (const [i, fs] of [drive, drive.promises].entries()) {
    const repo = { fs: fs as unknown as { promises: typeof drive.promises }, dir: `/repo ${i}` }
    await git.init(repo)
    await drive.writeFile(`/repo ${i}/f`, 'x')
    await git.add({ ...repo, filepath: 'f' })
    const oid = await git.commit({ ...repo, message: 'one', author })
    t.equal((await git.log(repo))[0]?.oid, oid)
  }
})
