/**
 * Adding to the end of a file.
 *
 * @module
 */
/// <reference types="node" preserve="true" />
import type { DescriptorTable } from '../open/descriptor-table.ts'
import { asBytes } from './file.ts'

/** Options of `appendFile`; an encoding may stand alone. */
export interface AppendOptions {
  /** Of `data` when it is text; default UTF-8. */
  readonly encoding?: BufferEncoding | null | undefined
  /** Permissions of a file that is made; default 0o644. */
  readonly mode?: number | undefined
  /** How the file is opened; default `a`. */
  readonly flag?: string | number | undefined
}

/**
 * Write `data` after what is at `name`, which begins empty when it is missing. When the file's blocks are the last
 * of the content log only `data` is stored; otherwise the file is written anew, as v10 always does.
 *
 * @param data - bytes, or text
 * @throws TypeError for other data
 */
export async function appendFile(
  descriptors: DescriptorTable,
  name: string,
  data: string | ArrayBufferView,
  options: AppendOptions | BufferEncoding | null = {},
): Promise<void> {
  const given = (typeof options === 'string' ? { encoding: options } : options) ?? {}
  const bytes = asBytes(data, given.encoding ?? 'utf8')
  const fd = await descriptors.open(name, given.flag ?? 'a', given.mode)
  try {
    if (bytes) await descriptors.write(fd, bytes)
  } finally {
    await descriptors.close(fd)
  }
}
