/**
 * Run every check of the project and sum what they counted.
 *
 * A step that ends with the line `N passed, N failed, N skipped` adds its counts; any other is one
 * check that passed or failed. A step that exits non-zero without having counted a failure has failed
 * once. The steps all run, so that one fault does not hide another. `node scripts/ci.js vectors lint`
 * runs these steps alone.
 */
import { spawn } from 'node:child_process'

/** Name, npm script and arguments. A step has a quarter of an hour. */
const steps = [
  ['lint', 'lint'],
  ['format', 'format'],
  ['types', 'typecheck'],
  ['api docs', 'docs'],
  ['tests', 'test'],
  ['vectors', 'vectors'],
  ['package', 'package-check'],
  ['demo', 'demo'],
  ['interop', 'interop'],
  ['conformance', 'conformance'],
  ['differential', 'differential'],
  ['torture', 'torture', '--quick'],
  ['bench', 'bench', '--quick'],
]
const stepLimit = 900_000

/** Run one npm script, showing its output. Resolves with its counts and exit code. */
function run(script, args) {
  return new Promise((resolve) => {
    const child = spawn('npm', ['run', '--silent', script, '--', ...args], {
      stdio: ['ignore', 'pipe', 'inherit'],
      detached: true,
    })
    const limit = setTimeout(() => {
      console.log(`${script}: still running after ${stepLimit / 1000} s, ended`)
      if (child.pid) process.kill(-child.pid, 'SIGKILL')
    }, stepLimit)
    let counts = null
    let rest = ''
    child.stdout.setEncoding('utf8')
    child.stdout.on('data', (text) => {
      process.stdout.write(text)
      const lines = (rest + text).split('\n')
      rest = lines.pop()
      for (const line of lines) {
        const found = /^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$/.exec(line)
        if (found) counts = [1, 2, 3].map((i) => Number(found[i] || 0))
      }
    })
    child.on('error', (error) => console.log(`${script}: ${error.message}`))
    child.on('close', (code) => {
      clearTimeout(limit)
      resolve({ counts, code })
    })
  })
}

const chosen = process.argv.slice(2)
const sum = [0, 0, 0]
const rows = []
for (const [name, script, ...args] of steps) {
  if (chosen.length > 0 && !chosen.includes(script)) continue
  console.log(`\n== ${name}: npm run ${script}`)
  const start = performance.now()
  const { counts, code } = await run(script, args)
  const own = counts ?? (code === 0 ? [1, 0, 0] : [0, 1, 0])
  if (code !== 0 && own[1] === 0) own[1] = 1
  for (const i of [0, 1, 2]) sum[i] += own[i]
  const seconds = ((performance.now() - start) / 1000).toFixed(0)
  rows.push(
    `${name.padEnd(18)} ${seconds.padStart(4)} s  ${own[0]} passed, ${own[1]} failed, ${own[2]} skipped`,
  )
}
console.log(`\n${rows.join('\n')}`)
console.log(`${sum[0]} passed, ${sum[1]} failed, ${sum[2]} skipped`)
process.exitCode = sum[1] > 0 || sum[0] === 0 ? 1 : 0
