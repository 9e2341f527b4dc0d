/**
 * What a workload needs of a program, in one shape: the same steps run on Varve, v10 and Hyperdrive 13.
 * Each side does a thing the best way its documentation has.
 */
import type { Duplex, Readable, Writable } from 'node:stream'
import type { Contender } from '../workload.ts'

/** A file that does not exist yet. */
export interface NewFile {
  readonly path: string
  readonly bytes: Uint8Array
}

/** One log in a folder. */
export interface LogSide {
  readonly key: Uint8Array
  readonly length: number
  append(blocks: Uint8Array[]): Promise<void>
  get(index: number): Promise<Uint8Array>
  /** The first `length` blocks from others; resolves when all are here. */
  download(length: number): Promise<void>
  replicate(isInitiator: boolean): Duplex
  close(): Promise<void>
}

/** One drive. */
export interface DriveSide {
  readonly key: Uint8Array
  /** Length of the metadata. */
  readonly version: number
  writeFile(path: string, bytes: Uint8Array): Promise<void>
  appendFile(path: string, bytes: Uint8Array): Promise<void>
  /** Many new files, as fast as there is a documented way. */
  writeFiles(files: Iterable<NewFile>): Promise<void>
  readFile(path: string): Promise<Uint8Array>
  /** Size of a file by its entry. */
  stat(path: string): Promise<number>
  /** Names below a folder. */
  list(folder: string, recursive: boolean): Promise<string[]>
  readStream(path: string): Readable
  writeStream(path: string): Writable
  /** A reader of ranges of one file. */
  openRanges(path: string): Promise<(position: number, length: number) => Promise<Uint8Array>>
  /** A file or folder from others; resolves when it is here. */
  download(path: string): Promise<void>
  /** Every block of both logs from others. */
  downloadBlocks(): Promise<void>
  replicate(isInitiator: boolean): Duplex
  /** Call `listener` whenever the drive has grown. */
  onUpdate(listener: () => void): void
  /** Resolves once the drive's first entries are known from a peer. */
  known(): Promise<void>
  /** Bytes of content that are stored. */
  contentBytes(): Promise<number>
  close(): Promise<void>
}

/** How a drive is opened. */
export interface OpenDrive {
  readonly key?: Uint8Array
  /** Fetch metadata as it comes: otherwise news are heard of only when something is asked for. */
  readonly follow?: boolean
}

/** Many drives in one folder. */
export interface DrivesSide {
  /** The drive with number `i`, created when it is not there. */
  open(i: number): Promise<DriveSide>
  close(): Promise<void>
}

/** One program. */
export interface Side {
  openLog(folder: string, key?: Uint8Array): Promise<LogSide>
  openDrive(folder: string, options?: OpenDrive): Promise<DriveSide>
  openDrives(folder: string): Promise<DrivesSide>
}

/** Load the side of a contender. Only its own modules are loaded. */
export async function sideOf({ program, durability }: Contender): Promise<Side | null> {
  switch (program) {
    case 'varve':
      return (await import('./varve.ts')).varveSide(durability ?? 'none')
    case 'v10':
      return (await import('./v10.ts')).v10Side()
    case 'h13':
      return (await import('./h13.ts')).h13Side()
    case 'fs':
    case 'minimal':
      return null
  }
}
