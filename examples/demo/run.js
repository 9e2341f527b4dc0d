/**
 * `npm run demo`: two processes, one drive.
 *
 * Starts `writer.js` (A), hands the key and the port it prints to `reader.js` (B), and passes on one
 * word: when B has everything, A is asked to write once more. Both work in one temporary folder,
 * which is removed however this ends.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const LIMIT_MS = 55_000

const folder = mkdtempSync(join(tmpdir(), 'varve-demo-'))
const children = new Set()

/** Start one of the two; its messages go to `onMessage`. Its end, if not a good one, ends the demo. */
function start(script, args, onMessage) {
  const child = fork(join(import.meta.dirname, script), [folder, ...args])
  children.add(child)
  child.on('message', onMessage)
  return { child, ended: goodEnd(child, script) }
}

async function goodEnd(child, script) {
  const [code, signal] = await once(child, 'exit')
  children.delete(child)
  if (code !== 0) throw new Error(`${script} ended with ${signal ?? code}`)
}

function demo() {
  console.log(
    'Varve: a folder shared by one 32-byte key. Every version stays, every byte is proven.\n',
  )
  return new Promise((resolve, reject) => {
    const limit = setTimeout(() => reject(new Error('the demo takes too long')), LIMIT_MS)
    limit.unref()
    for (const signal of ['SIGINT', 'SIGTERM']) {
      process.once(signal, () => reject(new Error(`ended by ${signal}`)))
    }
    const writer = start('writer.js', [], ({ key, port }) => {
      const reader = start('reader.js', [key, String(port)], (message) => {
        if (message === 'complete') writer.child.send('write')
      })
      reader.ended.then(() => writer.child.send('close')).catch(reject)
    })
    writer.ended.then(resolve, reject)
  })
}

try {
  await demo()
} catch (error) {
  console.error(`\nThe demo failed: ${error.message}`)
  process.exitCode = 1
} finally {
  const ends = [...children].map((child) => once(child, 'exit'))
  for (const child of children) child.kill('SIGKILL')
  await Promise.all(ends)
  rmSync(folder, { recursive: true, force: true })
}
if (!process.exitCode) console.log('\nBoth are closed, and nothing is left behind.')
