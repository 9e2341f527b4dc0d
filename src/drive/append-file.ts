/**
 * Adding to the end of a file.
 *
 * @module
 */
import { fromUtf8 } from '../bytes.ts'
import type { DescriptorTable } from './descriptor-table.ts'

/**
 * Write `data` after what is at `name`, which begins empty when it is missing. When the file's blocks are the last
 * of the content log only `data` is stored; otherwise the file is written anew, as v10 always does.
 *
 * @param data - bytes, or text that is stored as UTF-8
 */
export async function appendFile(
  descriptors: DescriptorTable,
  name: string,
  data: Uint8Array | string,
): Promise<void> {
  const bytes = typeof data === 'string' ? fromUtf8(data) : data
  const fd = await descriptors.open(name, 'a')
  try {
    await descriptors.write(fd, bytes)
  } finally {
    await descriptors.close(fd)
  }
}
