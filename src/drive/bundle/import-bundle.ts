/**
 * Taking in a bundle: every block verified by its log before it is stored, the whole checked at the end.
 *
 * Nothing of a bundle is believed but what its proofs tie to the key. What verified before a fault stays, since it is
 * right; what the bundle claims to show is then looked for in what was stored, without asking anybody.
 *
 * @see spec/60-bundle.md
 * @module
 */
import { copy, equals, toHex } from '../../bytes.ts'
import type { Log, ReceivedBlock } from '../../log/index.ts'
import {
  type BundleHeader,
  type BundledLog,
  Chain,
  badBundle,
  decodeFrame,
  decodeHeader,
} from './bundle-format.ts'
import { type BundleSource, bodiesOf } from './bundle-reader.ts'
import { Drive } from '../drive.ts'
import { DriveError, asDriveError } from '../errors.ts'
import { type DriveOptions, type DriveStorage, argumentsOf } from '../options.ts'
import type { Tally } from '../transfer/progress.ts'
import { ProofCompleter } from './proof-completer.ts'
import { Transfer } from '../transfer/transfer.ts'

/** Options of `importBundle`. */
export interface ImportBundleOptions extends DriveOptions {
  /** Ends it with the signal's reason. */
  readonly signal?: AbortSignal | undefined
}

/** What was imported. */
export interface ImportedBundle {
  /** Public key of the drive. */
  readonly key: Buffer
  /** The version shown; where the log is longer by now, what `checkout` needs to show it. */
  readonly version: number
  /** The path shown. */
  readonly path: string
  /** Blocks taken in, of both logs; those that were here already too. */
  readonly blocks: number
  /** Bytes of them. */
  readonly bytes: number
}

/** Blocks verified and stored together, and their bytes. */
const BATCH_BLOCKS = 256
const BATCH_BYTES = 1024 * 1024

/**
 * Store a bundle of the drive of `key`.
 *
 * @param source - the bytes, in chunks of any size: a file stream, a request body, an array
 * @param target - a folder, a function, a store, or a drive that is open; what is opened here is closed again
 * @param key - 32 bytes or 64 hexadecimal digits
 * @returns a handle; its `done` rejects with {@link DriveError} `DRIVE_BAD_BUNDLE` for a bundle that is cut off,
 *   damaged, of another key, or does not hold all that it says; `DRIVE_BAD_KEY`
 */
export function importBundle(
  source: BundleSource,
  target: DriveStorage<Drive> | Drive,
  key: Uint8Array | string,
  options: ImportBundleOptions = {},
): Transfer<ImportedBundle> {
  const { signal, ...rest } = options
  return new Transfer((stop, tally) => run(source, target, key, rest, tally, stop), { signal })
}

async function run(
  source: BundleSource,
  target: DriveStorage<Drive> | Drive,
  given: Uint8Array | string,
  options: DriveOptions,
  tally: Tally,
  stop: AbortSignal,
): Promise<ImportedBundle> {
  const { key } = argumentsOf(given, undefined)
  if (!key) throw new DriveError('DRIVE_BAD_KEY', { syscall: 'importBundle' })
  const bodies = bodiesOf(source)
  let drive: Drive | null = null
  try {
    const chain = new Chain()
    const header = await headerOf(bodies, chain, key)
    tally.expect({ blocks: header.metadataBlocks + header.contentBlocks })
    tally.expectNoMore()
    drive = target instanceof Drive ? target : new Drive(target, key, options)
    await drive.ready()
    if (!drive.key || !equals(drive.key, key)) throw badBundle('the drive has another key')
    const intake = new Intake(drive, header, tally)
    let isEnded = false
    for await (const body of bodies) {
      stop.throwIfAborted()
      if (isEnded) throw badBundle('there is more after the end')
      const frame = decodeFrame(body)
      if (frame.type === 'end') {
        if (!equals(frame.digest, chain.digest)) throw badBundle('the digest is another')
        isEnded = true
        continue
      }
      chain.take(body)
      await intake.take(frame.log, frame.block)
    }
    await intake.store()
    if (!isEnded) throw badBundle('cut off before the end')
    await assertWhole(drive, header, intake)
    await intake.flush()
    const { version, path } = header
    return { key: drive.key, version, path, blocks: intake.blocks, bytes: intake.bytes }
  } catch (error) {
    throw asDriveError(error, 'importBundle')
  } finally {
    // A source that is a stream is not left open behind us.
    await bodies.return()
    if (!(target instanceof Drive)) await drive?.close()
  }
}

async function headerOf(
  bodies: AsyncGenerator<Uint8Array, void, undefined>,
  chain: Chain,
  key: Uint8Array,
): Promise<BundleHeader> {
  const { value: body } = await bodies.next()
  if (!body) throw badBundle('cut off before the header')
  chain.take(body)
  const header = decodeHeader(body)
  if (!equals(header.key, key)) throw badBundle(`it is of the drive ${toHex(header.key)}`)
  return header
}

/** Blocks on their way into the two logs of a drive. */
class Intake {
  readonly #drive: Drive
  readonly #header: BundleHeader
  readonly #tally: Tally
  /** Null for a log that knows nothing but what comes from here; undefined while that is not known. */
  #proofs: ProofCompleter | null | undefined
  #blocks: ReceivedBlock[] = []
  #byteLength = 0
  #log: BundledLog = 'metadata'
  #last = -1
  /** Blocks and bytes stored. */
  blocks = 0
  bytes = 0

  constructor(drive: Drive, header: BundleHeader, tally: Tally) {
    this.#drive = drive
    this.#header = header
    this.#tally = tally
  }

  /** Take the next block; they come in order, those of the metadata first. */
  async take(log: BundledLog, block: ReceivedBlock): Promise<void> {
    if (log !== this.#log) {
      if (log === 'metadata') throw badBundle('the blocks are not in order')
      await this.store()
      this.#log = log
      this.#last = -1
      this.#proofs = undefined
    }
    if (block.index <= this.#last) throw badBundle('the blocks are not in order')
    this.#last = block.index
    const complete = await this.#completer()
    // What is kept until the batch is full must not pin the chunks it came in.
    const own = { ...block, value: block.value && copy(block.value) }
    this.#blocks.push(complete ? complete.complete(own) : own)
    this.#byteLength += block.value?.length ?? 0
    if (this.#blocks.length >= BATCH_BLOCKS || this.#byteLength >= BATCH_BYTES) await this.store()
  }

  /** Verify and store what was taken. */
  async store(): Promise<void> {
    if (this.#blocks.length === 0) return
    const blocks = this.#blocks
    const bytes = this.#byteLength
    this.#blocks = []
    this.#byteLength = 0
    const log = await this.#into()
    const [first] = (await log.receive(blocks, null)).filter((result) => result !== null)
    if (first) throw badBundle('a block is not what the key signed', first)
    this.blocks += blocks.length
    this.bytes += bytes
    this.#tally.add({ blocks: blocks.length, bytes })
  }

  /** Make what was stored survive a power cut. */
  async flush(): Promise<void> {
    await this.#drive.metadata?.flush()
    await this.#drive.content?.flush()
  }

  async #completer(): Promise<ProofCompleter | null> {
    if (this.#proofs !== undefined) return this.#proofs
    const { metadataLength, contentLength } = this.#header
    const length = this.#log === 'metadata' ? metadataLength : contentLength
    this.#proofs = (await this.#into()).length > 0 ? new ProofCompleter(length) : null
    return this.#proofs
  }

  async #into(): Promise<Log> {
    const { metadata } = this.#drive
    if (this.#log === 'metadata' && metadata) return metadata
    // Its key is in the first block of the metadata.
    if (!metadata?.has(0)) throw badBundle('the first block of the metadata is missing')
    return this.#drive.getContent()
  }
}

/** Whether what the header says is there, and can be read without anybody's help. */
async function assertWhole(
  drive: Drive,
  { version, path, metadataBlocks, contentBlocks }: BundleHeader,
  { blocks }: Intake,
): Promise<void> {
  if (blocks !== metadataBlocks + contentBlocks) throw badBundle('blocks are missing')
  const shown = drive.checkout(version)
  try {
    const { metadata, isComplete } = await shown.availability(path, { noMounts: true })
    if (metadata !== 'all' || !isComplete) throw badBundle('it does not hold all of what it says')
  } catch (error) {
    if (error instanceof DriveError && error.code === 'DRIVE_BAD_BUNDLE') throw error
    throw badBundle('it does not show what it says', error)
  } finally {
    await shown.close()
  }
}
