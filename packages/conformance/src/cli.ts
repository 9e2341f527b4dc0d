#!/usr/bin/env node
/**
 * The command.
 *
 * @module
 */
import { runCommand } from './command.ts'

// Who reads a report with `head` has read enough.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
  process.exit()
})
process.exitCode = await runCommand(process.argv.slice(2), (text) => {
  process.stdout.write(`${text}\n`)
})
