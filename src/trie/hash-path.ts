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
import { EMPTY, byteAt, fromUtf8 } from '../bytes.ts'
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

/** The place of a key in the trie. Immutable; the hash is computed when first asked for. */
export class HashPath {
  /** The stored key. */
  readonly key: string
  /** Hidden and visible keys are two spaces in one trie. */
  readonly hidden: boolean
  /** The names between the slashes. */
  readonly components: readonly string[]
  /** The hash that is used instead of the standard one, or null. */
  readonly customHash: KeyHash | null
  #hash: Uint8Array | null = null

  /** `key` is a stored key. */
  constructor(key: string, hidden: boolean, customHash: KeyHash | null = null) {
    this.key = key
    this.hidden = hidden
    this.components = splitKey(key)
    this.customHash = customHash
  }

  /** Hashes of the components, one behind the other. */
  get hash(): Uint8Array {
    return (this.#hash ??= this.customHash
      ? this.customHash(this.key)
      : hashComponents(this.components))
  }

  /** Number of symbols, the end included. */
  get length(): number {
    // Without the hash where its length is known: a table is checked against it at every load.
    const bytes = this.customHash ? this.hash.length : this.components.length * COMPONENT_BYTES
    return bytes * 4 + 2
  }

  /** The symbol at `index`, from 0 to 4. */
  symbol(index: number): number {
    if (index === 0) return this.hidden ? 1 : 0
    const pair = index - 1
    const byte = this.hash[pair >> 2]
    return byte === undefined ? END : (byte >> (2 * (pair & 3))) & 3
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
    const [a, b] = [this.hash, other.hash]
    const common = Math.min(a.length, b.length)
    for (let i = 0; i < common; i++) {
      const difference = byteAt(a, i) ^ byteAt(b, i)
      if (difference !== 0) {
        const pair = difference & 3 ? 0 : difference & 12 ? 1 : difference & 48 ? 2 : 3
        return i * 4 + pair + 1
      }
      if (i % COMPONENT_BYTES === COMPONENT_BYTES - 1) {
        const component = (i - COMPONENT_BYTES + 1) / COMPONENT_BYTES
        if (this.components[component] !== other.components[component]) return i * 4 + 4
      }
    }
    return a.length === b.length ? Infinity : common * 4 + 1
  }
}

const scratch = new Uint8Array(COMPONENT_BYTES)

function hashComponents(components: readonly string[]): Uint8Array {
  if (components.length === 0) return EMPTY
  const out = new Uint8Array(components.length * COMPONENT_BYTES)
  let at = 0
  for (const component of components) {
    shortHash(fromUtf8(component), scratch)
    out.set(scratch, at)
    at += COMPONENT_BYTES
  }
  return out
}
