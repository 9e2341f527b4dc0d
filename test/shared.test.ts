/** The few files that every layer shares. */
import { test } from 'tap'
import { byteAt, fromHex, fromUtf8, toHex } from '../src/bytes.ts'
import { hash, isKeyPair, seal, signingKeyPair, unseal } from '../src/crypto.ts'
import { asError } from '../src/errors.ts'
import { matchNames } from '../src/extension-names.ts'
import { blockCodec, messageCodec } from '../src/value-encoding.ts'
import { decodeVarint, encodeVarint } from '../src/varint.ts'

test('past the end of bytes there are zeros', async (t) => {
  t.equal(byteAt(Uint8Array.of(7), 0), 7)
  t.equal(byteAt(Uint8Array.of(7), 1), 0)
})

test('what was thrown is an error, and an error stays itself', async (t) => {
  const error = new TypeError('x')
  t.equal(asError(error), error)
  t.equal(asError('only words').message, 'only words')
  t.equal(asError(undefined).message, 'undefined')
})

test('binary takes text and any view of memory, of which it makes no copy', async (t) => {
  const binary = blockCodec('binary')
  const memory = Uint8Array.of(1, 2, 3, 4)
  const part = binary.encode(new DataView(memory.buffer, 1, 2))
  t.equal(toHex(part), '0203')
  t.equal(part.buffer, memory.buffer)
  t.equal(toHex(binary.encode('é')), 'c3a9')
  t.throws(() => binary.encode(7), TypeError)
  t.equal(binary.decode(memory), memory)
})

test('a name that is none means binary; a codec is used as it is', async (t) => {
  const own = { encode: () => Uint8Array.of(9), decode: () => 'own' }
  t.equal(blockCodec(own), own)
  t.equal(messageCodec(own), own)
  for (const none of [null, undefined, 'none' as 'utf8']) {
    t.equal(blockCodec(none), blockCodec('binary'))
  }
})

test('text codecs write what is no text as its text', async (t) => {
  t.equal(toHex(blockCodec('utf8').encode(12)), toHex(fromUtf8('12')))
  t.equal(blockCodec('hex').decode(fromHex('00ff')), '00ff')
})

test('json ends with a newline in blocks, and without one in messages', async (t) => {
  t.equal(toHex(blockCodec('json').encode([1])), toHex(fromUtf8('[1]\n')))
  t.equal(toHex(messageCodec('json').encode([1])), toHex(fromUtf8('[1]')))
  t.same(messageCodec('json').decode(fromUtf8('[1]\n')), [1])
})

test('ten bytes that do not end are no varint; nine may still become one', async (t) => {
  const open = new Uint8Array(10).fill(0x80)
  t.throws(() => decodeVarint(open, 0), RangeError)
  t.throws(() => decodeVarint(new Uint8Array(11).fill(0x80), 0), RangeError)
  t.equal(decodeVarint(open, 0, 9), null)
  open[9] = 0
  t.same(decodeVarint(open, 0), { value: 0, end: 10 })
  const bytes = new Uint8Array(8)
  t.same(decodeVarint(bytes, 0, encodeVarint(2 ** 53 - 1, bytes, 0)), {
    value: 2 ** 53 - 1,
    end: 8,
  })
})

test('keys of a wrong length are no pair, and less than a tag opens as nothing', async (t) => {
  const { publicKey, secretKey } = signingKeyPair()
  t.equal(isKeyPair(publicKey, secretKey), true)
  t.equal(isKeyPair(publicKey.subarray(1), secretKey), false)
  t.equal(isKeyPair(publicKey, secretKey.subarray(1)), false)
  const key = hash(publicKey)
  const nonce = new Uint8Array(12)
  const sealed = seal(fromUtf8('x'), publicKey, nonce, key)
  t.same(unseal(sealed, publicKey, nonce, key), fromUtf8('x'))
  t.equal(unseal(sealed.subarray(0, 15), publicKey, nonce, key), null)
  t.equal(unseal(sealed, secretKey, nonce, key), null)
})

test('names out of order in the list of a remote are not found, and none is found twice', async (t) => {
  t.same(matchNames(['a', 'b', 'd'], ['b', 'c', 'a', 'd', 'e']), ['b', null, null, 'd', null])
  t.same(matchNames([], ['a']), [null])
})
