/**
 * The whole conformance kit against one subject: `npm run conformance [-- --subject v10] [--only PREFIX]`.
 *
 * Builds the kit, runs the recorded vectors, what the subject writes and reads in folders, and the scripted
 * peer, and ends with the line `N passed, N failed, N skipped`. The peer's cases are spread over several
 * processes: most of them wait.
 *
 * What the real v10 fails is listed in `packages/conformance/explained-v10.json`, with the reason; such a
 * failure counts as skipped. One that is not in the list has failed, and so has one of the list that passes,
 * unless it is said to fail `sometimes`: what depends on how fast the machine is.
 * `--write` puts what failed now into the list (reasons are then to be written), and `docs/conformance.md` anew.
 */
import { spawn, spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import ts from 'typescript'
import { writeExplained, writeFigures } from './conformance-page.js'

const kit = resolve('packages/conformance')
const listFile = join(kit, 'explained-v10.json')
/** Processes of the scripted peer, each with a subject of its own. */
const SHARDS = 4
/** Milliseconds for what the subject should do: short where much is known not to come. */
const WAIT_MS = { varve: 5000, v10: 3000 }

const { values } = parseArgs({
  options: {
    subject: { type: 'string', default: 'varve' },
    only: { type: 'string', multiple: true, default: [] },
    write: { type: 'boolean', default: false },
    built: { type: 'boolean', default: false },
  },
})

/** The command that starts the subject, and what is to be in its environment. */
async function subjectOf(name) {
  if (name === 'varve') return { command: `node ${join(kit, 'dist/subjects/varve.js')}`, env: {} }
  if (name !== 'v10') throw new Error(`no subject ${name}: want varve or v10`)
  // The installer is a program of the tests; alone it needs no more than its types taken away.
  const source = readFileSync('test/interop/install.ts', 'utf8')
  const { outputText } = ts.transpileModule(source, {
    compilerOptions: { module: ts.ModuleKind.ESNext },
  })
  const { installOriginal } = await import(`data:text/javascript,${encodeURIComponent(outputText)}`)
  const folder = installOriginal()
  return {
    command: `node ${join(kit, 'subjects/v10.cjs')}`,
    env: { NODE_PATH: join(folder, 'node_modules') },
  }
}

/** Run one part of the kit. Resolves with the outcomes of its cases. */
function part(args, { command, env }) {
  const only = values.only.flatMap((prefix) => ['--only', prefix])
  const wait = ['--wait', String(WAIT_MS[values.subject])]
  const all = [join(kit, 'dist/cli.js'), ...args, '--subject', command, '--format', 'json']
  const child = spawn(process.execPath, [...all, ...only, ...wait], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...env },
  })
  let text = ''
  child.stdout.setEncoding('utf8').on('data', (chunk) => (text += chunk))
  return new Promise((done, fail) => {
    child.on('error', fail)
    child.on('close', () => {
      try {
        done(JSON.parse(text).cases)
      } catch {
        fail(new Error(`${args.join(' ')} gave no report: ${text.slice(0, 500)}`))
      }
    })
  })
}

if (!values.built) {
  const { status } = spawnSync(process.execPath, [join(kit, 'build.js'), '--fast'], {
    stdio: 'inherit',
  })
  if (status !== 0) process.exit(status ?? 1)
}

const subject = await subjectOf(values.subject)
const outcomes = []
for (const mode of ['vectors', 'folder']) outcomes.push(...(await part([mode], subject)))
const shards = Array.from({ length: SHARDS }, (_, i) =>
  part(['peer', '--shard', `${i}/${SHARDS}`], subject),
)
outcomes.push(...(await Promise.all(shards)).flat())

const list = values.subject === 'v10' ? JSON.parse(readFileSync(listFile, 'utf8')) : []
const failed = outcomes.filter(({ result }) => result === 'failed')
if (values.write && values.subject === 'v10') {
  const known = new Set(list.flatMap(({ cases }) => cases))
  const fresh = failed.map(({ id }) => id).filter((id) => !known.has(id))
  if (fresh.length > 0) list.push({ reason: 'to be explained', section: '', cases: fresh })
  writeFileSync(listFile, `${JSON.stringify(list, null, 2)}\n`)
  writeExplained(list)
}
const explained = new Map(list.flatMap((each) => each.cases.map((id) => [id, each])))
const byId = new Map(outcomes.map((outcome) => [outcome.id, outcome]))
const vanished = [...explained.keys()].filter((id) => {
  return byId.get(id)?.result === 'passed' && !explained.get(id)?.sometimes
})
const open = failed.filter(({ id }) => !explained.has(id))

const counts = { passed: 0, failed: 0, skipped: 0 }
for (const { result } of outcomes) counts[result]++
counts.failed = open.length + vanished.length
counts.skipped += failed.length - open.length
counts.passed -= vanished.length

for (const { id, level, section, title, reason } of open) {
  console.log(`${level} ${id} (${section})\n  ${title}\n  ${reason}`)
}
for (const id of vanished) console.log(`${id} passes, but is listed in ${listFile}`)
const explainedFailures = failed.length - open.length
if (values.write) writeFigures(values.subject, outcomes, explainedFailures)
if (values.subject === 'v10') console.log(`${explainedFailures} failures of v10 are explained`)
const must = open.filter(({ level }) => level === 'MUST').length
if (open.length > 0) console.log(`${must} of the failures are of level MUST`)
console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`)
process.exitCode = counts.failed > 0 ? 1 : 0
