/**
 * Whole files in memory.
 *
 * @see spec/40-drive.md 3.3, 3.6
 * @module
 */
/// <reference types="node" preserve="true" />
import { EMPTY, asBuffer, concat, decodeText, encodeText } from '../../bytes.ts'
import { parseFlags } from '../open/constants.ts'
import { writeContent } from './content.ts'
import type { DriveContext, ReadOptions } from '../context.ts'
import { inWords } from '../errors.ts'
import { openDescriptor } from '../open/opening-files.ts'
import { absolute } from '../paths.ts'
import { type ReadRange, openRange } from './read-stream.ts'
import { readBlocks } from './run.ts'
import type { StatInput } from '../entries/stat.ts'

/** Options of `readFile`. */
export interface ReadFileOptions extends ReadRange, ReadOptions {
  /** Give text. `binary`, as v10 has it, and none give bytes. */
  readonly encoding?: BufferEncoding | null | undefined
}

/** Options of `writeFile`: fields of the entry. */
export interface WriteFileOptions extends StatInput {
  /** Of `data` when it is text; default UTF-8. */
  readonly encoding?: BufferEncoding | null | undefined
  /** How the file is opened, as in `fs`: `w` (the default), `a`, `wx`, `r+` … Only `w` takes fields but `mode`. */
  readonly flag?: string | number | undefined
}

/**
 * The content of the file at `name`, links followed.
 *
 * @throws {@link DriveError} `ENOENT`; `EISDIR` (`exact`: a directory is empty)
 */
export async function readFile(
  context: DriveContext,
  name: string,
  options: ReadFileOptions | BufferEncoding | null = {},
): Promise<Buffer | string> {
  const given = (typeof options === 'string' ? { encoding: options } : options) ?? {}
  const bytes = await readBytes(context, absolute(name, context.exact), given)
  const { encoding } = given
  return encoding && encoding !== 'binary' ? decodeText(bytes, encoding) : bytes
}

/**
 * Make the file at `name` hold exactly `data`; null makes one without content.
 *
 * @throws {@link DriveError} `EROFS`, `EPERM`, `EISDIR`; TypeError for other data
 */
export async function writeFile(
  context: DriveContext,
  name: string,
  data: string | ArrayBufferView | null | undefined,
  options: WriteFileOptions | BufferEncoding | null = {},
): Promise<void> {
  const { encoding, flag, ...fields } =
    (typeof options === 'string' ? { encoding: options } : options) ?? {}
  const path = absolute(name, context.exact)
  const bytes = asBytes(data, encoding ?? 'utf8')
  await context.ready()
  if (flag === undefined || flag === 'w' || context.exact) {
    await writeContent(context, path, bytes, fields)
    return
  }
  const { mode } = fields
  const descriptor = await openDescriptor(context, path, parseFlags(flag, path), { mode })
  try {
    if (bytes) await descriptor.write(bytes, null)
  } finally {
    await descriptor.close()
  }
}

async function readBytes(
  context: DriveContext,
  path: string,
  options: ReadFileOptions,
): Promise<Buffer> {
  options.signal?.throwIfAborted()
  const reads = context.reads(options)
  const { run, start, length } = await openRange(context, path, options, 'open')
  if (!run) return asBuffer(EMPTY)
  const blocks: Uint8Array[] = []
  await inWords('read', path, async () => {
    for await (const block of readBlocks(run, start, length, reads)) blocks.push(block)
  })
  const [first = EMPTY] = blocks
  return asBuffer(blocks.length > 1 ? concat(blocks) : first)
}

/** Text and bytes as they are written: a view, not a copy, of bytes. */
export function asBytes(data: unknown, encoding: BufferEncoding): Buffer | null {
  if (data === null || data === undefined) return null
  if (typeof data === 'string') return encodeText(data, encoding)
  if (data instanceof Uint8Array) return asBuffer(data)
  if (ArrayBuffer.isView(data)) {
    return asBuffer(new Uint8Array(data.buffer, data.byteOffset, data.byteLength))
  }
  throw new TypeError('want bytes or text to write')
}
