/**
 * Whether the conformance kit has teeth: `npm run mutants [-- --only NAME]`.
 *
 * Breaks one constant or rule at a time in a built copy of Varve, runs the kit against it, and tells which
 * case noticed. A mutant is caught when a case fails that names the section of the broken rule. Ends with
 * the line `N passed, N failed, N skipped`, and fails below 95 per cent. `--write` puts the table into
 * `docs/conformance.md`. With `--results FILE` what was judged is kept there, and not judged again; `--most N`
 * judges so many and leaves the rest to another call.
 */
import { spawn } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { mutants } from './mutant-list.js'
import { writeMutants } from './conformance-page.js'

const kit = resolve('packages/conformance')
const folder = resolve(`.interop/mutants-${process.pid}`)
const WANTED = 0.95
/** Mutants at the same time. */
const AT_ONCE = 3

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    results: { type: 'string' },
    most: { type: 'string' },
    write: { type: 'boolean', default: false },
  },
})

/** The code of a mutant's file, broken. */
function broken({ name, file, from, to }) {
  const code = readFileSync(join('dist', file), 'utf8')
  const found = code.split(from).length - 1
  if (found !== 1) throw new Error(`${name}: ${file} holds ${JSON.stringify(from)} ${found} times`)
  return code.replace(from, () => to)
}

/** A copy of `dist/` with one text replaced. */
function mutate(mutant, number) {
  const at = join(folder, String(number))
  cpSync('dist', at, { recursive: true })
  writeFileSync(join(at, mutant.file), broken(mutant))
  return at
}

/** Cases of these sections that fail, of one part of the kit; of all sections, without any. */
function failures(mode, dist, sections) {
  const command = `node ${join(kit, 'dist/subjects/varve.js')} --dist ${dist}`
  const bail = sections.length > 0 ? 1 : 5
  const args = [join(kit, 'dist/cli.js'), mode, '--subject', command, '--format', 'json']
  for (const section of sections) args.push('--section', section)
  const child = spawn(process.execPath, [...args, '--bail', String(bail), '--wait', '2000'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let text = ''
  child.stdout.setEncoding('utf8').on('data', (chunk) => (text += chunk))
  return new Promise((done, fail) => {
    child.on('close', () => {
      try {
        done(JSON.parse(text).cases.filter(({ result }) => result === 'failed'))
      } catch {
        fail(new Error(`${mode} gave no report: ${text.slice(0, 300)}`))
      }
    })
  })
}

/** Where a mutant is looked for first: what only a socket or a disk shows is not in the vectors. */
function modesFor({ file }) {
  if (/^wire\/(exchange|liveness|limits|channels)|^crypto/.test(file))
    return ['peer', 'vectors', 'folder']
  if (/^log\/(header|bitfield|tree|signature)|^(store|drive)\//.test(file)) {
    return ['folder', 'vectors', 'peer']
  }
  return ['vectors', 'folder', 'peer']
}

/** Run the cases of the mutant's section; when none notices, all others, to tell which does. */
async function judge(mutant, number) {
  const dist = mutate(mutant, number)
  const modes = modesFor(mutant)
  try {
    for (const mode of modes) {
      const [by] = await failures(mode, dist, mutant.sections)
      if (by) return { ...mutant, by, noticed: [by] }
    }
    for (const mode of modes) {
      const noticed = await failures(mode, dist, [])
      if (noticed.length > 0) return { ...mutant, by: null, noticed }
    }
    return { ...mutant, by: null, noticed: [] }
  } finally {
    rmSync(dist, { recursive: true, force: true })
  }
}

rmSync(folder, { recursive: true, force: true })
mkdirSync(folder, { recursive: true })
// What the copies need besides themselves.
symlinkSync(resolve('node_modules'), join(folder, 'node_modules'), 'junction')
writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')

const kept = values.results !== undefined && existsSync(values.results)
const judgedBefore = new Map(
  (kept ? JSON.parse(readFileSync(values.results, 'utf8')) : []).map((each) => [each.name, each]),
)
const todo = mutants.filter(({ name }) => values.only === undefined || name.includes(values.only))
for (const mutant of todo) broken(mutant)
const results = mutants.map(({ name }) => judgedBefore.get(name))
const fresh = todo
  .filter(({ name }) => !judgedBefore.has(name))
  .slice(0, Number(values.most ?? Infinity))
async function worker() {
  for (let next = fresh.shift(); next; next = fresh.shift()) {
    const number = mutants.indexOf(next)
    const result = await judge(next, number)
    results[number] = result
    const { by, noticed, name } = result
    if (by) console.log(`caught  ${name}: ${by.id} (${by.section})`)
    else {
      const others = noticed.slice(0, 3).map(({ id, section }) => `${id} (${section})`)
      console.log(
        `MISSED  ${name}: want ${result.sections.join(' or ')}; ${others.join(', ') || 'nothing'}`,
      )
    }
  }
}
await Promise.all(Array.from({ length: AT_ONCE }, worker))
rmSync(folder, { recursive: true, force: true })

const judged = results.filter(Boolean)
if (values.results !== undefined) writeFileSync(values.results, JSON.stringify(judged))
const caught = judged.filter(({ by }) => by)
if (values.write) writeMutants(judged)
console.log(`${caught.length} of ${judged.length} mutants are caught by a case of their section`)
const enough = caught.length >= WANTED * judged.length
console.log(
  `${caught.length} passed, ${enough ? 0 : judged.length - caught.length} failed, ${enough ? judged.length - caught.length : 0} skipped`,
)
process.exitCode = enough ? 0 : 1
