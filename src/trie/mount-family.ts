/**
 * The mounted tries of one root, each opened once: a mount of a mount, or of the root itself, comes
 * back to the same object.
 *
 * @see spec/30-trie.md 3.14
 * @module
 */
import { toHex } from '../bytes.ts'
import { TrieError } from './errors.ts'
import type { TrieLog } from './trie-log.ts'

/** Mounts inside mounts that a path may go through: more is a circle. */
export const MAX_MOUNT_DEPTH = 64
const KEY_BYTES = 32

/** Opens logs by key, and keeps what was made of them. */
export class MountFamily<L extends TrieLog, Member> {
  readonly #openLog: (key: Uint8Array) => Promise<L>
  readonly #make: (log: L) => Promise<Member>
  readonly #members = new Map<string, Promise<Member>>()
  readonly #opened = new Map<string, Member>()

  /** @param make - a ready member on a log */
  constructor(openLog: (key: Uint8Array) => Promise<L>, make: (log: L) => Promise<Member>) {
    this.#openLog = openLog
    this.#make = make
  }

  /** The root is a member too. */
  add(key: Uint8Array, member: Member): void {
    this.#members.set(toHex(key), Promise.resolve(member))
    this.#opened.set(toHex(key), member)
  }

  /** The member of a log that is open already, or null. */
  opened(key: Uint8Array): Member | null {
    return this.#opened.get(toHex(key)) ?? null
  }

  /**
   * The member for a log, opened when it is not yet.
   *
   * @throws {@link TrieError} `TRIE_BAD_MOUNT` for a key that is none; what opening the log throws
   */
  async open(key: Uint8Array): Promise<Member> {
    if (key.length !== KEY_BYTES) {
      throw new TrieError('TRIE_BAD_MOUNT', `a mount of a key of ${key.length} bytes`)
    }
    const name = toHex(key)
    const known = this.#members.get(name)
    if (known) return known
    const opening = this.#begin(key)
    this.#members.set(name, opening)
    try {
      const member = await opening
      this.#opened.set(name, member)
      return member
    } catch (error) {
      this.#members.delete(name) // the next one who comes by tries again
      throw error
    }
  }

  async #begin(key: Uint8Array): Promise<Member> {
    return this.#make(await this.#openLog(key))
  }
}
