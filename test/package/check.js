/**
 * `npm run package-check`: the package as an embedder gets it.
 *
 * Packs it, looks at what is inside, installs it into an empty folder, and there runs the user's
 * document's first example from ESM and CommonJS, the README's, and those of `examples/`; then
 * type-checks programs that use it, strictly. Ends with `N passed, N failed, N skipped`.
 */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createRequire } from 'node:module'

const manifest = JSON.parse(readFileSync('package.json', 'utf8'))
const consumer = mkdtempSync(join(tmpdir(), 'varve-package-'))
const counts = { passed: 0, failed: 0 }

function print(line) {
  process.stdout.write(`${line}\n`)
}

function check(name, run) {
  try {
    run()
    counts.passed++
    print(`ok    ${name}`)
  } catch (error) {
    counts.failed++
    const output = [error.stdout, error.stderr].filter(Boolean).join('\n')
    print(`FAIL  ${name}\n${error.message}\n${output}`.slice(0, 4000))
  }
}

/** Run a command in the consumer's folder and give what it printed. */
function inside(command, ...args) {
  return execFileSync(command, args, {
    cwd: consumer,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 120_000,
    // npm hands its settings to scripts as variables; those of this project are not the consumer's
    env: Object.fromEntries(Object.entries(process.env).filter(([key]) => !key.startsWith('npm_'))),
  })
}

function write(name, text) {
  mkdirSync(join(consumer, name, '..'), { recursive: true })
  writeFileSync(join(consumer, name), text)
}

/** The user's document's first example: `load` is how it gets the package. */
function documentExample(load) {
  return `${load}
var drive = varve('./my-first-drive') // content will be stored in this folder

drive.writeFile('/hello.txt', 'world', function (err) {
  if (err) throw err
  drive.readdir('/', function (err, list) {
    if (err) throw err
    console.log(list) // prints ['hello.txt']
    drive.readFile('/hello.txt', 'utf-8', function (err, data) {
      if (err) throw err
      console.log(data) // prints 'world'
    })
  })
})
`
}

function packAndInstall() {
  execFileSync('npm', ['run', '--silent', 'build'], { stdio: 'inherit' })
  const report = execFileSync(
    'npm',
    ['pack', '--json', '--ignore-scripts', '--pack-destination', consumer],
    { encoding: 'utf8' },
  )
  const [packed] = Object.values(JSON.parse(report))
  write('package.json', '{ "private": true }')
  const types = `@types/node@${manifest.devDependencies['@types/node']}`
  inside('npm', 'install', '--no-audit', '--no-fund', '--loglevel=error', packed.filename, types)
  return packed.files.map(({ path }) => path)
}

let files = []
check('it packs, and installs into an empty folder', () => {
  files = packAndInstall()
})

check('it holds only what an embedder needs', () => {
  const wanted = /^(dist|src)\/|^(package\.json|README\.md|LICENSE|CHANGELOG\.md)$/
  assert.deepEqual(
    files.filter((path) => !wanted.test(path) || /\.(test|bench)\.|tsbuildinfo/.test(path)),
    [],
  )
  for (const path of ['README.md', 'LICENSE', 'CHANGELOG.md']) assert.ok(files.includes(path), path)
})

check('every entry of its exports is there, with types', () => {
  for (const [name, target] of Object.entries(manifest.exports)) {
    const paths = typeof target === 'string' ? [target] : Object.values(target)
    for (const path of paths) assert.ok(files.includes(path.slice(2)), `${name}: ${path}`)
  }
})

check('it brings the four dependencies and nothing of the family', () => {
  const names = readdirSync(join(consumer, 'node_modules'))
  for (const name of Object.keys(manifest.dependencies)) assert.ok(names.includes(name), name)
  assert.deepEqual(
    names.filter((name) => /^(@?hyper|corestore$|noise-protocol$|simple-hyper)/.test(name)),
    [],
  )
})

const subpaths = Object.keys(manifest.exports)
  .filter((name) => name !== './package.json')
  .map((name) => name.replace(/^\./, 'varve'))

check('every layer is importable, and can be required', () => {
  const imports = subpaths.map((name) => `import * as ${identifier(name)} from '${name}'`)
  const uses = subpaths.map((name) => `Object.keys(${identifier(name)}).length`)
  write('layers.mjs', `${imports.join('\n')}\nconsole.log(Math.min(${uses.join(', ')}))\n`)
  assert.ok(Number(inside('node', 'layers.mjs')) > 0)
  const requires = subpaths.map((name) => `Object.keys(require('${name}')).length`)
  write('layers.cjs', `console.log(Math.min(${requires.join(', ')}))\n`)
  assert.ok(Number(inside('node', 'layers.cjs')) > 0)
})

check("the document's first example runs from ESM", () => {
  write('esm/example.mjs', documentExample("import varve from 'varve'"))
  assert.equal(inside('node', 'esm/example.mjs'), "[ 'hello.txt' ]\nworld\n")
})

check("the document's first example runs from CommonJS", () => {
  rmSync(join(consumer, 'my-first-drive'), { recursive: true, force: true })
  write('cjs/example.cjs', documentExample("var varve = require('varve')"))
  assert.equal(inside('node', 'cjs/example.cjs'), "[ 'hello.txt' ]\nworld\n")
})

check("the README's example runs and prints what it says", () => {
  const readme = readFileSync('README.md', 'utf8')
  const code = /```js\n(import varve[^]*?)```/.exec(readme)?.[1]
  assert.ok(code, 'an example')
  write('readme.mjs', code)
  const says = [...code.matchAll(/\/\/ prints (.*)$/gm)].map(([, text]) => text)
  assert.ok(says.length > 0)
  assert.deepEqual(inside('node', 'readme.mjs').trim().split('\n'), says)
})

check('every example of examples/ runs', () => {
  cpSync('examples', join(consumer, 'examples'), { recursive: true })
  const names = readdirSync('examples').filter((name) => name.endsWith('.js'))
  assert.ok(names.length > 0)
  write('examples/package.json', '{ "type": "module" }')
  for (const name of names) {
    const says = [...readFileSync(join('examples', name), 'utf8').matchAll(/\/\/ prints (.*)$/gm)]
    const printed = inside('node', join('examples', name)).trim().split('\n')
    assert.deepEqual(
      printed,
      says.map(([, text]) => text),
      name,
    )
  }
})

for (const [kind, file] of [
  ['ESM', 'use.mts'],
  ['CommonJS', 'use.cts'],
]) {
  check(`a strict TypeScript program in ${kind} form type-checks`, () => {
    cpSync(join('test/package', `${file}.txt`), join(consumer, file))
    const options = { strict: true, module: 'nodenext', target: 'es2022', noEmit: true }
    const compilerOptions = { ...options, exactOptionalPropertyTypes: true, skipLibCheck: false }
    write('tsconfig.json', JSON.stringify({ compilerOptions, files: [file] }))
    const tsc = createRequire(resolve('package.json')).resolve('typescript/bin/tsc')
    inside('node', tsc, '-p', '.')
  })
}

rmSync(consumer, { recursive: true, force: true })
print(`${counts.passed} passed, ${counts.failed} failed, 0 skipped`)
process.exitCode = counts.failed > 0 ? 1 : 0

function identifier(name) {
  return name.replace(/\W/g, '_')
}
