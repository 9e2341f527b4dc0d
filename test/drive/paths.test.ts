import t from 'tap'
import { constants, parseFlags } from '../../src/drive/open/constants.ts'
import {
  absolute,
  isBelow,
  keyOf,
  linkTarget,
  parentPath,
  pathOf,
  resolvePath,
} from '../../src/drive/paths.ts'
import { code } from './drives.ts'

t.test('names become absolute paths; dots are resolved by their letters', (t) => {
  for (const [name, path] of [
    ['a/b', '/a/b'],
    ['//a///b//', '/a/b'],
    ['\\win\\p', '/win/p'],
    ['q/', '/q'],
    ['', '/'],
    ['.', '/'],
    ['a/../b', '/b'],
    ['../../up', '/up'],
    ['./dot/.', '/dot'],
    ['abc:def', '/abc:def'],
    ['..hidden', '/..hidden'],
  ] as const) {
    t.equal(absolute(name), path, name)
  }
  t.end()
})

t.test('exact names are v10 s: dots stay, letters with a colon go', (t) => {
  for (const [name, path] of [
    ['a/../b', '/a/../b'],
    ['.', '/.'],
    ['./dot', '/dot'],
    ['abc:def', '/def'],
    ['/abc:def', '/abc:def'],
    ['q/', '/q'],
    ['', '/'],
    ['/', '/'],
  ] as const) {
    t.equal(absolute(name, true), path, name)
  }
  t.end()
})

t.test('a name that is no string is a TypeError', (t) => {
  // @ts-expect-error: a caller without types
  for (const name of [undefined, null, 7, {}]) t.throws(() => absolute(name), TypeError)
  // @ts-expect-error: a caller without types
  t.throws(() => linkTarget(7), TypeError)
  t.end()
})

t.test('the target of a link keeps its dots, and its letters unless exact', (t) => {
  t.equal(linkTarget('../a//b/'), '../a/b')
  t.equal(linkTarget('http://x'), 'http:/x')
  t.equal(linkTarget('x:y', true), 'y')
  t.equal(linkTarget('a/', true), 'a/')
  t.end()
})

t.test('keys, parents and what lies below', (t) => {
  t.equal(keyOf('/a/b'), 'a/b')
  t.equal(pathOf('a/b'), '/a/b')
  t.same(['/', '/a', '/a/b'].map(parentPath), ['/', '/', '/a'])
  t.same([isBelow('/a/b', '/a'), isBelow('/ab', '/a'), isBelow('/a', '/a')], [true, false, false])
  t.same([isBelow('/a', '/'), isBelow('/', '/')], [true, false])
  t.equal(resolvePath('/a/b', '../c'), '/a/c')
  t.equal(resolvePath('/a/b', '/c'), '/c')
  t.equal(resolvePath('/', '../../..'), '/')
  t.end()
})

t.test('flag strings are Node s, and anything else is EINVAL', (t) => {
  const { O_RDWR, O_CREAT, O_APPEND, O_EXCL } = constants
  t.equal(parseFlags('ax+'), O_RDWR | O_CREAT | O_APPEND | O_EXCL)
  t.equal(parseFlags(7), 7)
  for (const flags of ['', 'R', 'rw', 'w++']) t.throws(() => parseFlags(flags), code('EINVAL'))
  t.end()
})
