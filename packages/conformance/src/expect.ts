/**
 * Statements about values; what does not hold is a {@link Refuted}.
 *
 * @module
 */
import { isDeepStrictEqual } from 'node:util'
import { Refuted } from './case.ts'

const SHOWN = 300

/** They are deeply equal. */
export function same(actual: unknown, expected: unknown, what: string): void {
  if (isDeepStrictEqual(plain(actual), plain(expected))) return
  throw new Refuted(`${what}: want ${shown(expected)}, got ${shown(actual)}`)
}

/** It is true. */
export function holds(condition: boolean, what: string): asserts condition {
  if (!condition) throw new Refuted(what)
}

/** It is there. */
export function present<T>(value: T | null | undefined, what: string): T {
  if (value === null || value === undefined) throw new Refuted(what)
  return value
}

/** A value as text, not longer than a line. */
export function shown(value: unknown): string {
  const text = value === undefined ? 'undefined' : JSON.stringify(plain(value))
  return text.length > SHOWN ? `${text.slice(0, SHOWN)}… (${text.length} characters)` : text
}

/** Bytes as hexadecimal text, at any depth; objects without prototype; what is undefined left out. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return hex(value)
  if (Array.isArray(value)) return value.map(plain)
  if (value instanceof Set) return [...(value as Set<unknown>)].map(plain)
  if (typeof value !== 'object' || value === null) return value
  const kept = Object.entries(value).filter(([, each]) => each !== undefined)
  return Object.fromEntries(kept.map(([key, each]) => [key, plain(each)]))
}

/** Bytes as hexadecimal text. */
export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex')
}

/** The bytes that hexadecimal text stands for. */
export function bytesOf(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, 'hex'))
}
