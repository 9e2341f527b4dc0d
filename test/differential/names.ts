/**
 * Names for the differential run: ordinary ones, long ones, ones beyond ASCII, and other spellings of them.
 *
 * @module
 */
import type { Chance } from '../torture/chance.ts'

/** No name here begins like a link of the generator. */
const COMPONENTS = [
  'a', 'b', 'c', 'd1', 'file.txt', 'ünï', 'u\u0308', ' sp ace', 'ZZ', '日本', 'x.tar.gz', '.hidden', '..dots',
  'a:b', '%41', "q'", 'tab\t', 'e', 'f', 'g', 'h', 'n'.repeat(200), '\u{1f600}', '__proto__', 'constructor',
] // prettier-ignore
const ODD = [
  '',
  '/',
  '.',
  '..',
  './',
  '../x',
  'a/./b',
  'a/../b',
  '//',
  '\\',
  'C:\\x',
  'abc:def',
  '/abc:def',
  'x/',
  '/a//b/',
  '\0',
  './dot',
]

/** Makes paths. */
export class Names {
  readonly #chance: Chance
  /** A sequence uses few of them, so that its paths meet. */
  readonly #components: readonly string[]

  constructor(chance: Chance) {
    this.#chance = chance
    this.#components = chance.shuffle(COMPONENTS).slice(0, 4 + chance.below(8))
  }

  /** A path of one to five names, perhaps in `folder`. */
  path(folder?: string): string {
    if (this.#chance.coin(0.003)) return this.odd()
    if (folder !== undefined && this.#chance.coin(0.4)) return this.below(folder)
    const depth = this.#chance.coin(0.6) ? 1 + this.#chance.below(2) : 1 + this.#chance.below(5)
    return Array.from({ length: depth }, () => this.#chance.pick(this.#components)).join('/')
  }

  /** A path right below another. */
  below(folder: string): string {
    return `${folder}/${this.#chance.pick(this.#components)}`
  }

  /** The same path, perhaps written in another way. */
  spell(path: string): string {
    if (this.#chance.coin(0.8)) return path
    const spelt = [
      `/${path}`,
      `//${path}`,
      `${path}/`,
      path.replaceAll('/', '//'),
      path.replaceAll('/', '\\'),
      `./${path}`,
    ]
    return this.#chance.pick(spelt)
  }

  /** A path at the edge of what is one. */
  odd(): string {
    return this.#chance.pick(ODD)
  }
}
