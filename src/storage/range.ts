/**
 * Ranges of bytes, as callers give them.
 *
 * @module
 */

/**
 * From here on a read looks whether the file is that long before it takes the memory: a length may come
 * from damaged bytes.
 */
export const LARGE_READ: number = 1024 * 1024

/** @throws RangeError unless `[offset, offset + length)` is a range of safe, non-negative integers */
export function assertRange(offset: number, length: number): void {
  if (
    Number.isSafeInteger(offset) &&
    Number.isSafeInteger(length) &&
    offset >= 0 &&
    length >= 0 &&
    Number.isSafeInteger(offset + length)
  ) {
    return
  }
  throw new RangeError(`want a range of bytes, got offset ${offset}, length ${length}`)
}
