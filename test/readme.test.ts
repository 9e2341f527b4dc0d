/** What the README and the pages beside it say of this repository, held against it. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { format } from 'node:util'
import t, { type Test } from 'tap'
import varve, { Drive } from '../src/index.ts'
import { differencesPage } from './vector-runner/rules.ts'

const readme = readFileSync('README.md', 'utf8')
const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as {
  scripts: Record<string, string>
  exports: Record<string, unknown>
  dependencies: Record<string, string>
  engines: { node: string }
  version: string
}
/** Commands that the README may name and that are no scripts of ours. */
const npmOwn = new Set(['install', 'test', 'ci'])

t.test('every command that the README names is one that is run', (t) => {
  const ci = readFileSync('scripts/ci.js', 'utf8') + readFileSync('.ci/run', 'utf8')
  const named = [...readme.matchAll(/\bnpm (?:run )?([a-z][\w:-]*)/g)].map(([, name]) => name ?? '')
  t.ok(named.length > 3)
  for (const name of new Set(named)) {
    t.ok(npmOwn.has(name) || name in manifest.scripts, `npm run ${name} exists`)
    t.match(ci, new RegExp(`'${name}'|npm ${name}\\b`), `${name} is part of .ci/run`)
  }
  t.end()
})

t.test('the README names every entry of the package', (t) => {
  for (const name of Object.keys(manifest.exports)) {
    if (name === './package.json') continue
    t.ok(readme.includes(`\`${name.replace(/^\./, 'varve')}\``), name)
  }
  for (const name of Object.keys(manifest.dependencies)) t.ok(readme.includes(name), name)
  t.end()
})

t.test('links between the pages lead somewhere', (t) => {
  const docs = readdirSync('docs', { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md') && !name.startsWith('api'))
    .map((name) => join('docs', name))
  for (const page of ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', ...docs]) {
    const text = readFileSync(page, 'utf8')
    for (const [, target = ''] of text.matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)) {
      if (/^https?:/.test(target)) continue
      t.ok(existsSync(join(dirname(page), target)), `${page}: ${target}`)
    }
  }
  t.end()
})

t.test('the paths that docs/architecture.md names exist', (t) => {
  const text = readFileSync('docs/architecture.md', 'utf8')
  const named = [...text.matchAll(/`((?:src|test|bench|examples|scripts|docs)\/[\w./-]*)`/g)]
  t.ok(named.length > 5)
  for (const [, path = ''] of named) t.ok(existsSync(path), path)
  t.end()
})

/** Run a page's `js` blocks as one program, in a folder of its own, and compare what it prints with what it says. */
async function runPage(t: Test, page: string): Promise<void> {
  const blocks = [...readFileSync(page, 'utf8').matchAll(/^```js\n([^]*?)^```$/gmu)]
  const code = blocks
    .map(([, block = '']) => block)
    .join('\n')
    .replace(/^import varve from 'varve'$/gmu, '')
  const says = [...code.matchAll(/\/\/ prints (.*)$/gmu)].map(([, text]) => text)
  t.ok(says.length > 0, `${page} prints something`)
  const printed: string[] = []
  const before = process.cwd()
  process.chdir(t.testdir())
  t.teardown(() => process.chdir(before))
  await new Promise<void>((resolve, reject) => {
    const log = (...values: unknown[]): void => {
      printed.push(format(...values))
      if (printed.length === says.length) setImmediate(resolve)
    }
    // oxlint-disable-next-line no-new-func, no-implied-eval -- the page's text is the test
    const run = new Function('varve', 'require', 'console', `return (async () => {${code}\n})()`)
    const program = run(varve, () => varve, { log }) as Promise<void>
    program.catch(reject)
  })
  t.same(printed, says)
}

for (const page of ['docs/drive-api.md', 'docs/from-v10.md']) {
  t.test(`the examples of ${page} run, and print what they say`, (t) => runPage(t, page))
}

t.test('docs/drive-api.md names every call of the drive, and nothing that is none', (t) => {
  const text = readFileSync('docs/drive-api.md', 'utf8')
  const calls = new Set<string>()
  for (
    let type: object | null = Drive.prototype;
    type && type.constructor.name.startsWith('Drive');
    type = Object.getPrototypeOf(type) as object | null
  ) {
    for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(type))) {
      if (name !== 'constructor' && typeof value === 'function') calls.add(name)
    }
  }
  // Two that are for the drive's own files.
  for (const inside of ['closeDrive', 'checkoutSource']) t.ok(calls.delete(inside), inside)
  t.ok(calls.size > 50)
  for (const call of calls) t.match(text, new RegExp(`\\b${call}\\(`), call)
  const named = [...text.matchAll(/^\|([^|]*)\|/gmu)]
    .flatMap(([, cell = '']) => [...cell.matchAll(/`(\w+)\(/gu)])
    .map(([, name = '']) => name)
  t.ok(named.length > 40)
  for (const name of named) t.ok(calls.has(name), `${name} exists`)
  t.end()
})

t.test('each promise of the README names tests that are there', (t) => {
  const section = /^## Promises$([^]*?)^## /mu.exec(readme)?.[1] ?? ''
  const named = [...section.matchAll(/\]\((test\/[^)]+)\)/gu)].map(([, path = '']) => path)
  t.ok(new Set(named).size >= 5)
  for (const path of named) t.ok(existsSync(path), path)
  t.end()
})

t.test('docs/differences.md is the table that the vectors are judged by', (t) => {
  t.equal(readFileSync('docs/differences.md', 'utf8'), differencesPage())
  t.end()
})

t.test('the changelog speaks of this version', (t) => {
  t.ok(readFileSync('CHANGELOG.md', 'utf8').includes(`## ${manifest.version}`))
  t.end()
})
