/**
 * Keys, their components, and the path of symbols that a key takes through the trie.
 *
 *     key "a/b":   symbol  0       hidden (1) or visible (0)
 *                  1..32   hash of "a", two bits each, least significant pair first
 *                  33..64  hash of "b"
 *                  65      4, the end; every index beyond reads as 4 too
 *
 * A symbol whose index is a multiple of 32 is the last one of a component: the *terminator row*.
 * There, and only there, the component itself is compared, so that equal hashes of different names
 * are told apart. Pure.
 *
 * @see spec/30-trie.md 2.5 and 2.6
 * @module
 */
import { byteAt, fromUtf8 } from '../bytes.ts'
import { shortHash } from '../crypto.ts'
import { TrieError } from './errors.ts'

/** The symbol behind the last one of every key. */
export const END = 4
/** Symbols of one component. */
export const COMPONENT_SYMBOLS = 32
const COMPONENT_BYTES = 8
/**
 * Characters of a key, written or read. Far more than any path has, and few enough that a key made of
 * slashes costs a reader milliseconds.
 */
export const MAX_KEY_LENGTH = 65536

/** A custom hash: bytes of any length for a stored key. It is recorded nowhere; both sides must agree. */
export type KeyHash = (key: string) => Uint8Array

/** The key as it is stored: without one leading slash. Nothing else changes. */
export function storedKey(key: string): string {
  return key.startsWith('/') ? key.slice(1) : key
}

/**
 * The key as a put stores it. A second leading slash is kept (the original does, and it harms
 * nothing); more of them would change the key's path when it is read back, so all of them go.
 *
 * @throws {@link TrieError} `TRIE_BAD_KEY` for the empty key and for slashes alone, which would wipe the trie,
 *   and for more than {@link MAX_KEY_LENGTH} characters
 * @see spec/30-trie.md 6, Q4 and Q5
 */
export function writableKey(key: string): string {
  const stored = key.startsWith('///') ? key.replace(/^\/+/, '') : storedKey(key)
  if (stored.length > MAX_KEY_LENGTH) {
    throw new TrieError('TRIE_BAD_KEY', `a key of ${stored.length} characters`)
  }
  if (stored === '' || stored === '/') {
    throw new TrieError('TRIE_BAD_KEY', `want a key with a name in it, got ${JSON.stringify(key)}`)
  }
  return stored
}

/** The components of a stored key: split at `/`, without one empty one at each end. */
export function splitKey(key: string): string[] {
  const components = key.split('/')
  if (components[0] === '') components.shift()
  if (components.length > 0 && components.at(-1) === '') components.pop()
  return components
}

/** Whether row `index` ends a component. */
export function isTerminator(index: number): boolean {
  return index > 0 && index % COMPONENT_SYMBOLS === 0
}

/**
 * The place of a key in the trie. Immutable; names and hash are computed when first asked for.
 *
 * The hash is kept as 32-bit words, least significant byte first: sixteen symbols are compared at a time, and an
 * array of numbers takes a third of the memory of a byte array of its own, of which a cache of nodes has thousands.
 */
export class HashPath {
  /** The stored key. */
  readonly key: string
  /** Hidden and visible keys are two spaces in one trie. */
  readonly hidden: boolean
  /** The hash that is used instead of the standard one, or null. */
  readonly customHash: KeyHash | null
  #components: readonly string[] | null = null
  #words: readonly number[] | null = null
  /** Bytes of the hash; -1 while it is not known. */
  #hashBytes: number

  /** `key` is a stored key. */
  constructor(key: string, hidden: boolean, customHash: KeyHash | null = null) {
    this.key = key
    this.hidden = hidden
    this.customHash = customHash
    // Without the hash where its length is known: a table is checked against it at every load.
    this.#hashBytes = customHash ? -1 : countComponents(key) * COMPONENT_BYTES
  }

  /** The names between the slashes. */
  get components(): readonly string[] {
    return (this.#components ??= splitKey(this.key))
  }

  /** Hashes of the components, one behind the other. */
  get hash(): Uint8Array {
    const words = this.#words ?? this.#hash()
    return Uint8Array.from(
      { length: this.#hashBytes },
      (_, i) => wordAt(words, i >>> 2) >>> (8 * (i & 3)),
    )
  }

  /** Number of symbols, the end included. */
  get length(): number {
    if (this.#hashBytes < 0) this.#hash()
    return this.#hashBytes * 4 + 2
  }

  /** The symbol at `index`, from 0 to 4. */
  symbol(index: number): number {
    if (index === 0) return this.hidden ? 1 : 0
    const pair = index - 1
    const words = this.#words ?? this.#hash()
    if (pair >= this.#hashBytes * 4) return END
    return (wordAt(words, pair >>> 4) >>> (2 * (pair & 15))) & 3
  }

  /** The component that ends in terminator row `index`. */
  componentAt(index: number): string | undefined {
    return this.components[index / COMPONENT_SYMBOLS - 1]
  }

  /**
   * The first index at which the two paths part: the symbols differ, or it is a terminator row and
   * the components that end there differ. `Infinity` when they are the same place.
   */
  divergence(other: HashPath): number {
    if (this.hidden !== other.hidden) return 0
    const [a, b] = [this.#words ?? this.#hash(), other.#words ?? other.#hash()]
    const common = Math.min(this.#hashBytes, other.#hashBytes) * 4
    for (let i = 0; i * WORD_SYMBOLS < common; i++) {
      const difference = wordAt(a, i) ^ wordAt(b, i)
      if (difference !== 0) {
        // The lowest bit that differs, and the pair it is in.
        const pair = i * WORD_SYMBOLS + ((31 - Math.clz32(difference & -difference)) >>> 1)
        if (pair < common) return pair + 1
        break
      }
      const end = (i + 1) * WORD_SYMBOLS
      if (end % COMPONENT_SYMBOLS !== 0 || end > common) continue
      if (this.componentAt(end) !== other.componentAt(end)) return end
    }
    return this.#hashBytes === other.#hashBytes ? Infinity : common + 1
  }

  #hash(): readonly number[] {
    const { customHash } = this
    if (customHash) {
      const bytes = customHash(this.key)
      this.#hashBytes = bytes.length
      this.#words = wordsOf(bytes)
    } else this.#words = hashComponents(this.components)
    return this.#words
  }
}

/** Symbols in a word of the hash. */
const WORD_SYMBOLS = 16

/** As `splitKey(key).length`, without the names. */
function countComponents(key: string): number {
  if (key === '') return 0
  let count = key.startsWith('/') ? 0 : 1
  for (let at = key.indexOf('/'); at >= 0; at = key.indexOf('/', at + 1)) count++
  return key.endsWith('/') && count > 0 ? count - 1 : count
}

function wordAt(words: readonly number[], i: number): number {
  return words[i] ?? 0
}

function wordsOf(bytes: Uint8Array): number[] {
  const words: number[] = []
  for (let at = 0; at < bytes.length; at += 4) words.push(wordOf(bytes, at))
  return words
}

function wordOf(bytes: Uint8Array, at: number): number {
  return (
    byteAt(bytes, at) |
    (byteAt(bytes, at + 1) << 8) |
    (byteAt(bytes, at + 2) << 16) |
    (byteAt(bytes, at + 3) << 24)
  )
}

const scratch = new Uint8Array(COMPONENT_BYTES)
/** What was hashed last: neighbours in a folder share all names but one. */
let last: { readonly components: readonly string[]; readonly words: readonly number[] } = {
  components: [],
  words: [],
}

function hashComponents(components: readonly string[]): readonly number[] {
  const words: number[] = []
  for (const [i, component] of components.entries()) {
    if (last.components[i] === component) {
      words.push(wordAt(last.words, 2 * i), wordAt(last.words, 2 * i + 1))
      continue
    }
    shortHash(utf8Of(component), scratch)
    words.push(wordOf(scratch, 0), wordOf(scratch, 4))
  }
  last = { components, words }
  return words
}

/** Longest name for whose bytes memory is kept. */
const KEPT_NAME = 64
/** Memory for the bytes of a name, by their number. */
const names: Uint8Array[] = []

/**
 * The bytes of a name, good until the next call. Most names are short and ASCII: with memory of their own for each
 * hash they made a quarter of the garbage of a listing.
 */
function utf8Of(name: string): Uint8Array {
  if (name.length > KEPT_NAME) return fromUtf8(name)
  const bytes = (names[name.length] ??= new Uint8Array(name.length))
  for (let i = 0; i < bytes.length; i++) {
    const code = name.charCodeAt(i)
    if (code > 127) return fromUtf8(name)
    bytes[i] = code
  }
  return bytes
}
