/** Far more logs are open than a process may have descriptors. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import type { Told } from './many-logs.ts'

const COUNT = process.env['SLOW'] ? 10_000 : 2_000
const LIMIT = 1024

t.setTimeout(600_000)

t.test(`${COUNT} open logs fit in ${LIMIT} descriptors`, async (t) => {
  const script = fileURLToPath(new URL('many-logs.ts', import.meta.url))
  const node = [process.execPath, ...process.execArgv, '--expose-gc', script]
  const limited = ['-c', `ulimit -n ${LIMIT} && exec "$@"`, 'sh', ...node, t.testdir(), `${COUNT}`]
  const child = spawn('sh', limited)
  const outputs = Promise.all([text(child.stdout), text(child.stderr)])
  const [status] = await once(child, 'exit')
  const [stdout, stderr] = await outputs
  if (status !== 0) t.comment(stderr)
  t.equal(status, 0)
  const told = JSON.parse(stdout) as Told
  t.comment(stdout)
  t.equal(told.logs, COUNT)
  t.equal(told.blocks, 3 * COUNT)
  t.ok(told.descriptors < LIMIT, `${told.descriptors} descriptors`)
  t.ok(told.opened / COUNT < 32_768, `${Math.round(told.opened / COUNT)} bytes an open log`)
  t.ok(told.read / COUNT < 65_536, `${Math.round(told.read / COUNT)} bytes a log that was read`)
})
