/** All workloads, in the order of their numbers. */
import type { Workload } from '../workload.ts'
import { appends } from './appends.ts'
import { crowd } from './crowd.ts'
import { largeFile } from './drive-file.ts'
import { smallFiles } from './drive-files.ts'
import { folderDownload } from './folder-download.ts'
import { importing } from './importing.ts'
import { latency } from './latency.ts'
import { live } from './live.ts'
import { appendBatches, appendSingly } from './log-append.ts'
import { randomGets } from './log-get.ts'
import { largeBlocks } from './log-large.ts'
import { manyDrives } from './many-drives.ts'
import { sources } from './sources.ts'
import { mixedTransfer, transfer } from './transfer.ts'

export const workloads: readonly Workload[] = [
  appendSingly,
  appendBatches,
  largeBlocks,
  randomGets,
  largeFile,
  smallFiles,
  transfer,
  folderDownload,
  latency,
  manyDrives,
  crowd,
  live,
  sources,
  importing,
  appends,
  mixedTransfer,
]
