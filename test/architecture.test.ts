/**
 * What the house rules say about the files themselves: who may import whom, how long a file is, what
 * is documented, and what no tracked file may name.
 */
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { basename, dirname, join, relative } from 'node:path'
import t from 'tap'
import ts from 'typescript'

/** What each layer stands on. Files directly under `src/` stand on none; its index stands on all. */
const below: Readonly<Record<string, readonly string[]>> = {
  storage: [],
  merkle: [],
  log: ['merkle', 'storage'],
  wire: ['log', 'merkle', 'storage'],
  trie: ['log', 'merkle', 'storage'],
  store: ['wire', 'trie', 'log', 'merkle', 'storage'],
  drive: ['store', 'wire', 'trie', 'log', 'merkle', 'storage'],
}
const MOST_LINES = 400

interface Import {
  readonly target: string
  /** Erased when compiled: `import type`, or nothing but types between the braces. */
  readonly typesOnly: boolean
}

interface SourceFile {
  /** Relative to `src/`. */
  readonly path: string
  readonly layer: string
  readonly text: string
  readonly parsed: ts.SourceFile
  readonly imports: readonly Import[]
}

const files = readdirSync('src', { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts') && !path.endsWith('.d.ts'))
  .map(readSource)

function readSource(path: string): SourceFile {
  const text = readFileSync(join('src', path), 'utf8')
  const parsed = ts.createSourceFile(path, text, ts.ScriptTarget.ES2022, true)
  const layer = path.includes('/') ? (path.split('/')[0] ?? '') : ''
  return { path, layer, text, parsed, imports: parsed.statements.flatMap(importsOf) }
}

function pathsOf(some: readonly SourceFile[]): string[] {
  return some.map(({ path }) => path)
}

function importsOf(statement: ts.Statement): Import[] {
  if (ts.isImportDeclaration(statement)) {
    const { importClause: clause, moduleSpecifier } = statement
    const bindings = clause?.namedBindings
    const named = bindings && ts.isNamedImports(bindings) ? bindings.elements : []
    const typesOnly =
      clause?.phaseModifier === ts.SyntaxKind.TypeKeyword ||
      (named.length > 0 && !clause?.name && named.every((each) => each.isTypeOnly))
    return [{ target: (moduleSpecifier as ts.StringLiteral).text, typesOnly }]
  }
  if (ts.isExportDeclaration(statement) && statement.moduleSpecifier) {
    const target = (statement.moduleSpecifier as ts.StringLiteral).text
    return [{ target, typesOnly: statement.isTypeOnly }]
  }
  return []
}

/** The path of a relative import, relative to `src/`; null for a package. */
function resolveImport(from: SourceFile, { target }: Import): string | null {
  return target.startsWith('.') ? relative('.', join(dirname(from.path), target)) : null
}

t.test('every layer imports only from the layers below it', (t) => {
  const wrong: string[] = []
  for (const file of files) {
    if (file.path === 'index.ts') continue
    if (file.layer !== '' && !(file.layer in below)) wrong.push(`${file.path} is in no layer`)
    const allowed = ['', file.layer, ...(below[file.layer] ?? [])]
    for (const each of file.imports) {
      const target = resolveImport(file, each)
      if (target === null) continue
      const layer = target.includes('/') ? (target.split('/')[0] ?? '') : ''
      if (!allowed.includes(layer)) wrong.push(`${file.path} imports ${target}`)
    }
  }
  t.ok(files.length > 20, 'the files were found')
  t.strictSame(wrong, [])
  t.end()
})

t.test('no file needs itself, by whatever way', (t) => {
  const graph = new Map<string, string[]>()
  for (const file of files) {
    const targets = file.imports
      .filter((each) => !each.typesOnly)
      .flatMap((each) => resolveImport(file, each) ?? [])
    graph.set(file.path, targets)
  }
  const cycles: string[] = []
  const done = new Set<string>()
  const walk = (path: string, way: readonly string[]): void => {
    if (way.includes(path)) return void cycles.push([...way, path].join(' -> '))
    if (done.has(path)) return
    for (const target of graph.get(path) ?? []) walk(target, [...way, path])
    done.add(path)
  }
  for (const path of graph.keys()) walk(path, [])
  t.strictSame(cycles, [])
  t.end()
})

t.test(`no file under src is longer than ${MOST_LINES} lines`, (t) => {
  const lines = ({ text }: SourceFile): number => text.trimEnd().split('\n').length
  t.strictSame(
    files.filter((file) => lines(file) > MOST_LINES).map((file) => `${file.path}: ${lines(file)}`),
    [],
  )
  t.end()
})

t.test('a file is named after what it holds, and begins by saying what that is', (t) => {
  const vague = /^(utils?|helpers?|common|types|misc)$/
  const named = files.filter(({ path }) => vague.test(basename(path, '.ts')))
  t.strictSame(pathsOf(named), [])
  t.strictSame(pathsOf(files.filter(({ text }) => !text.startsWith('/**\n'))), [])
  t.end()
})

t.test('the file system is reached from the storage layer alone', (t) => {
  const reaches = files.filter(({ imports }) =>
    imports.some(({ target }) => /^(node:)?fs(\/promises)?$/.test(target)),
  )
  t.ok(reaches.length > 0)
  t.strictSame(pathsOf(reaches.filter(({ layer }) => layer !== 'storage')), [])
  t.end()
})

t.test('every export has a doc comment', (t) => {
  const bare: string[] = []
  for (const { path, parsed } of files) {
    for (const statement of parsed.statements) {
      if (!ts.canHaveModifiers(statement) || isOverloadBody(statement)) continue
      const exported = ts
        .getModifiers(statement)
        ?.some((modifier) => modifier.kind === ts.SyntaxKind.ExportKeyword)
      if (!exported) continue
      const documented = ts.getJSDocCommentsAndTags(statement).length > 0
      const name = statement.getText().split('\n')[0] ?? ''
      if (!documented) bare.push(`${path}: ${name.slice(0, 60)}`)
    }
  }
  t.strictSame(bare, [])
  t.end()
})

/** The implementation below overloads: its comment stands above the first of them. */
function isOverloadBody(statement: ts.Statement): boolean {
  if (!ts.isFunctionDeclaration(statement)) return false
  const { statements } = statement.getSourceFile()
  const before = statements[statements.indexOf(statement) - 1]
  return (
    before !== undefined &&
    ts.isFunctionDeclaration(before) &&
    before.body === undefined &&
    before.name?.text === statement.name?.text
  )
}

const tracked = execFileSync('git', ['ls-files', '-z'], { encoding: 'utf8' })
  .split('\0')
  .filter((path) => path !== '')

t.test('no package of the family is a dependency', (t) => {
  const manifests = tracked.filter((path) => basename(path) === 'package.json')
  t.ok(manifests.length > 0)
  const found: string[] = []
  const family = /^(hyper|@hyper|corestore$|noise-protocol$|simple-hypercore|mountable-hypertrie$)/
  for (const path of manifests) {
    const manifest = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>
    for (const [field, value] of Object.entries(manifest)) {
      if (!/dependencies|overrides/i.test(field)) continue
      for (const name of Object.keys(value as object)) {
        if (family.test(name)) found.push(`${path}: ${name} in ${field}`)
      }
    }
  }
  t.strictSame(found, [])
  t.end()
})

t.test('no tracked file names a place of some machine, or the host of a registry', (t) => {
  const roots = ['work', 'farm', 'home', 'root', 'Users'].join('|')
  const place = new RegExp(`(^|[\\s"'\`(=:])/(${roots})/`, 'm')
  const host = /\b(registry|deb)\.[a-z]+\.org\b/
  const found: string[] = []
  for (const path of tracked) {
    if (path.startsWith('test/vectors/')) continue
    const text = readFileSync(path, 'utf8')
    for (const each of [place.exec(text), host.exec(text)]) {
      if (each) found.push(`${path}: ${each[0].trim()}`)
    }
  }
  t.strictSame(found, [])
  t.end()
})
