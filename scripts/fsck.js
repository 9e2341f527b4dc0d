/**
 * Check the log, store or drive in a folder: `npm run fsck -- FOLDER [--repair] [--key HEX]`.
 *
 * Every log below the folder is read whole, and each fault printed with its file and byte offset.
 * `--repair` restores what follows from the rest and drops what cannot be proven, so that peers give it
 * again. Nobody may have the folder open. Ends with 1 when something is wrong and was not put right.
 */
import { existsSync, readdirSync } from 'node:fs'
import { join, relative } from 'node:path'
import { parseArgs } from 'node:util'

const usage = 'npm run fsck -- FOLDER [--repair] [--key HEX]'

/**
 * Folders that hold the files of a log, the given one or below it.
 *
 * @yields each path
 */
function* logsBelow(folder) {
  const names = new Set(readdirSync(folder))
  if (names.has('tree') || names.has('signatures') || names.has('bitfield')) yield folder
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) yield* logsBelow(join(folder, entry.name))
  }
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { repair: { type: 'boolean' }, key: { type: 'string' } },
})
const [folder] = positionals
if (positionals.length !== 1 || !existsSync(folder)) {
  console.log(usage)
  process.exit(2)
}

const { fsck } = await import('varve/log')
let wrong = 0
let count = 0
for (const path of logsBelow(folder)) {
  count++
  const name = relative(folder, path) || '.'
  let report
  try {
    report = await fsck(path, values)
  } catch (error) {
    wrong++
    console.log(`${name}: ${error.message}`)
    continue
  }
  const { length, nodes, blocks, signatures, faults } = report
  console.log(`${name}: ${length} blocks, ${blocks} held, ${nodes} nodes, ${signatures} signatures`)
  for (const { file, byteOffset, byteLength, message, remedy } of faults) {
    const done = report.repaired ? remedy : remedy === 'left' ? 'cannot be put right here' : ''
    console.log(`  ${file} ${byteOffset}+${byteLength}: ${message}${done && ` (${done})`}`)
    if (!report.repaired || remedy === 'left') wrong++
  }
}
if (count === 0) console.log('no log is stored here')
else if (wrong === 0) console.log('sound')
process.exitCode = wrong > 0 || count === 0 ? 1 : 0
