/**
 * Check the log, store or drive in a folder: `npm run fsck -- FOLDER [--repair] [--key HEX]`.
 *
 * Every log below the folder is read whole, and each fault printed with its file and byte offset.
 * `--repair` restores what follows from the rest and drops what cannot be proven, so that peers give it
 * again. Nobody may have the folder open: its lock (and that of a store that it belongs to, or that lies in it)
 * is taken meanwhile. A log that was opened by itself has none.
 *
 * Exit codes: 0 all is sound, or was put right; 1 something is wrong and was not put right; 2 there is
 * nothing to check, or the command was not understood; 3 the folder is open elsewhere.
 */
import { existsSync, readdirSync, statSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { parseArgs } from 'node:util'

const usage = 'npm run fsck -- FOLDER [--repair] [--key HEX]'

// The package as it is built; its sources where node was told to run them, as in the tests.
const isBuilt = existsSync(new URL('../dist/log/index.js', import.meta.url))
const layer = (name) => import(isBuilt ? `varve/${name}` : `../src/${name}/index.ts`)
const { fsck } = await layer('log')
const { LOCK_FILE, isFolderLock, takeFolder } = await layer('storage')

/**
 * Folders at or below the given one that hold one of these files.
 *
 * @yields each path
 */
function* foldersWith(folder, names) {
  const entries = readdirSync(folder, { withFileTypes: true })
  if (entries.some((entry) => names.includes(entry.name))) yield folder
  for (const entry of entries) {
    if (entry.isDirectory()) yield* foldersWith(join(folder, entry.name), names)
  }
}

/** The folder, and those above and below it that have a lock. */
function lockable(folder) {
  const folders = new Set([folder, ...foldersWith(folder, [LOCK_FILE])])
  for (let above = dirname(folder); above !== dirname(above); above = dirname(above)) {
    if (existsSync(join(above, LOCK_FILE))) folders.add(above)
  }
  return folders
}

/** Check every log below the folder. Gives the exit code. */
async function check(folder, options) {
  let wrong = 0
  let count = 0
  for (const path of foldersWith(folder, ['tree', 'signatures', 'bitfield'])) {
    count++
    const name = relative(folder, path) || '.'
    let report
    try {
      report = await fsck(path, options)
    } catch (error) {
      wrong++
      console.log(`${name}: ${error.message}`)
      continue
    }
    const { length, nodes, blocks, signatures, faults } = report
    console.log(
      `${name}: ${length} blocks, ${blocks} held, ${nodes} nodes, ${signatures} signatures`,
    )
    for (const { file, byteOffset, byteLength, message, remedy } of faults) {
      const done = report.repaired ? remedy : remedy === 'left' ? 'cannot be put right here' : ''
      console.log(`  ${file} ${byteOffset}+${byteLength}: ${message}${done && ` (${done})`}`)
      if (!report.repaired || remedy === 'left') wrong++
    }
  }
  if (count === 0) console.log('no log is stored here')
  else if (wrong === 0) console.log('sound')
  if (wrong > 0) return 1
  return count === 0 ? 2 : 0
}

async function run() {
  let options
  try {
    options = parseArgs({
      allowPositionals: true,
      options: { repair: { type: 'boolean' }, key: { type: 'string' } },
    })
  } catch (error) {
    console.log(error.message)
  }
  const [given = ''] = options?.positionals ?? []
  const folder = resolve(given)
  const isUsable = options?.positionals.length === 1 && existsSync(folder)
  if (!isUsable || !statSync(folder).isDirectory()) {
    console.log(usage)
    return 2
  }
  const locks = []
  try {
    for (const path of lockable(folder)) {
      const answer = await takeFolder(path)
      if (!isFolderLock(answer)) {
        const { pid, host, since, isV10 } = answer
        const who = `${isV10 ? 'a Hyperdrive v10, ' : ''}process ${pid} on ${host}`
        console.log(`${path} is open elsewhere: ${who}${since ? `, since ${since}` : ''}`)
        return 3
      }
      locks.push(answer)
    }
    return await check(folder, options.values)
  } finally {
    for (const lock of locks) await lock.release()
  }
}

process.exitCode = await run()
