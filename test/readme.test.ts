/** What the README and the pages beside it say of this repository, held against it. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t from 'tap'
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

t.test('docs/differences.md is the table that the vectors are judged by', (t) => {
  t.equal(readFileSync('docs/differences.md', 'utf8'), differencesPage())
  t.end()
})

t.test('the changelog speaks of this version', (t) => {
  t.ok(readFileSync('CHANGELOG.md', 'utf8').includes(`## ${manifest.version}`))
  t.end()
})
