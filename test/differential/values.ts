/**
 * Random arguments for the operations of the differential run: contents, fields of stats, options.
 *
 * @module
 */
import type { Chance } from '../torture/chance.ts'

/** One of a list that is not empty. */
export function oneOf<T>(chance: Chance, list: readonly T[]): T {
  return list[chance.below(list.length)] as T
}

/** One of a list; undefined when it is empty. */
export function maybeOneOf<T>(chance: Chance, list: readonly T[]): T | undefined {
  return list[chance.below(list.length)]
}

/** Makes arguments. */
export class Values {
  readonly #chance: Chance

  constructor(chance: Chance) {
    this.#chance = chance
  }

  bytes(): unknown {
    const length = oneOf(this.#chance, [
      0,
      1,
      5,
      5,
      20,
      100,
      1000,
      4096,
      9000,
      this.#chance.coin(0.05) ? 524_290 : 70_000,
    ])
    return { pattern: this.#chance.below(256), length }
  }

  metadataKey(): string {
    return oneOf(this.#chance, ['m', 'type', '7', '10', 'a b', 'é', ''])
  }

  statOptions(): Record<string, unknown> | undefined {
    if (this.#chance.coin(0.6)) return undefined
    const options: Record<string, unknown> = {}
    if (this.#chance.coin()) options['mode'] = oneOf(this.#chance, [0, 0o600, 0o777, 0o1777])
    if (this.#chance.coin(0.4)) options['uid'] = oneOf(this.#chance, [0, 1000, 70_000])
    if (this.#chance.coin(0.3)) options['gid'] = oneOf(this.#chance, [0, 7])
    if (this.#chance.coin(0.3))
      options['mtime'] = oneOf(this.#chance, [0, 1, 1234.5, { date: 86_400_000 }, 2 ** 40])
    if (this.#chance.coin(0.2)) options['ctime'] = oneOf(this.#chance, [5, { date: 99 }])
    if (this.#chance.coin(0.4)) {
      const keys = Array.from({ length: 1 + this.#chance.below(3) }, () => this.metadataKey())
      options['metadata'] = Object.fromEntries(keys.map((key) => [key, this.metadataValue()]))
    }
    return options
  }

  metadataValue(): unknown {
    return oneOf(this.#chance, [
      { hex: '' },
      { hex: '00ff' },
      { pattern: 3, length: 300 },
      'text',
      'ü',
    ])
  }

  encoding(): unknown {
    return oneOf(this.#chance, [
      undefined,
      undefined,
      undefined,
      'utf8',
      'hex',
      { encoding: 'base64' },
      'binary',
    ])
  }

  /** Mostly inside the file: v10 never answers behind its end. */
  range(size: number): unknown {
    const past = this.#chance.coin(0.02)
    const end = past ? size + 5000 : size
    const start = this.#chance.below(end + 1)
    const rest = this.#chance.below(end - start + 1)
    if (end === 0 && !past) return {}
    return oneOf(this.#chance, [
      {},
      { start: Math.min(start, end - 1) },
      { start, length: rest },
      ...(rest > 0 ? [{ start, end: start + rest - 1 }, { end: rest - 1 }] : []),
      { length: rest },
    ])
  }

  listOptions(): unknown {
    if (this.#chance.coin(0.4)) return undefined
    return Object.fromEntries(
      ['recursive', 'noMounts', 'includeStats', 'reverse']
        .filter(() => this.#chance.coin(0.35))
        .map((name) => [name, true]),
    )
  }

  historyOptions(): unknown {
    return oneOf(this.#chance, [
      undefined,
      {},
      { reverse: true },
      { gte: 3 },
      { lte: 6 },
      { gte: 2, lte: 9 },
    ])
  }
}
