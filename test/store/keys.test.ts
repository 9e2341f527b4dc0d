import fc from 'fast-check'
import t from 'tap'
import { signingKeyPair } from '../../src/crypto.ts'
import { decodeName, encodeName } from '../../src/store/name-file.ts'
import { deriveKeyPair, deriveSeed, folderOf, parseKey } from '../../src/store/index.ts'

const masterKey = new Uint8Array(32).fill(7)

t.test('keys follow from the master key, the namespace and the name', (t) => {
  const pair = deriveKeyPair(masterKey, 'name')
  t.same(pair, signingKeyPair(deriveSeed(masterKey, 'name')))
  t.same(deriveSeed(masterKey, new TextEncoder().encode('name')), deriveSeed(masterKey, 'name'))
  t.notSame(deriveSeed(masterKey, 'name', 'other'), deriveSeed(masterKey, 'name'))
  t.notSame(deriveSeed(new Uint8Array(32), 'name'), deriveSeed(masterKey, 'name'))
  t.end()
})

t.test('a key is 32 bytes, or text with exactly one run of 64 digits', (t) => {
  const key = new Uint8Array(32).fill(0xab)
  const hex = 'ab'.repeat(32)
  for (const given of [key, hex, hex.toUpperCase(), `hyper://${hex}/x`])
    t.same(parseKey(given), key)
  for (const given of [
    '',
    hex.slice(2),
    `${hex}00`,
    `${hex}/${hex}`,
    new Uint8Array(33),
    7,
    null,
  ]) {
    t.throws(() => parseKey(given), { code: 'STORE_BAD_KEY' })
  }
  t.equal(folderOf(key), `ab/ab/${hex}`)
  t.end()
})

t.test('the name file holds a length and a name, and nothing else', (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1, maxLength: 300 }), (name) => {
      const file = encodeName(name)
      const read = decodeName(file)
      return (
        read !== null &&
        Buffer.compare(read, name) === 0 &&
        decodeName(file.subarray(0, -1)) === null &&
        decodeName(Buffer.concat([file, Buffer.from([0])])) === null
      )
    }),
  )
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 20 }), (file) => (decodeName(file)?.length ?? 0) <= 20),
  )
  t.equal(decodeName(new Uint8Array(12).fill(0xff)), null)
  t.end()
})
