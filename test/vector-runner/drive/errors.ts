/** Handler of `drive/errors.json`: what fails, how, and that it changes nothing. @module */
import assert from 'node:assert/strict'
import { Drive } from '../../../src/drive/index.ts'
import { MemoryFolder } from '../../../src/storage/index.ts'
import { differenceFor } from '../rules.ts'
import type { VectorFile, VectorKind } from '../vector.ts'
import { connect } from './connect.ts'
import { type Outcome, argument } from './forms.ts'
import { operate } from './operations.ts'

type ErrorCase = Outcome & {
  readonly op: string
  readonly args: readonly unknown[]
  readonly readOnly?: boolean
  readonly closed?: boolean
  readonly quirk?: string
  readonly blocksAppended?: number
}

/** Each case on a drive of its own after `setup`: writable, a synced clone, or closed. */
export const kind: VectorKind = {
  name: 'drive/errors',
  *cases(file) {
    for (const each of file.json.cases as readonly ErrorCase[]) {
      const state = each.readOnly ? 'read-only: ' : each.closed ? 'closed: ' : ''
      yield {
        name: `${state}${each.op} ${JSON.stringify(each.args)}`,
        run: () => runCase(file, each),
      }
    }
  },
}

async function runCase(file: VectorFile, each: ErrorCase): Promise<void> {
  const writer = new Drive(new MemoryFolder().open, { exact: true })
  for (const call of file.json['setup'] as readonly string[]) await setUp(writer, call)
  const drive = each.readOnly ? await cloneOf(writer) : writer
  if (each.closed) await drive.close()
  try {
    await check(drive, each)
  } finally {
    if (drive !== writer) await drive.close()
    await writer.close()
  }
}

async function check(drive: Drive, each: ErrorCase): Promise<void> {
  const before = drive.version
  const outcome = await attempt(drive, each)
  if (each.quirk !== undefined) return
  if (each.blocksAppended !== undefined) assert.equal(drive.version - before, each.blocksAppended)
  const difference = differenceFor({ ...each, err: each.err })
  if (difference) {
    if (difference.answer.type === 'ok') assert.ok('ok' in outcome)
    else if (difference.answer.type === 'error')
      assert.equal(codeOf(outcome), difference.answer.code)
    else assert.ok('error' in outcome)
  } else if (each.err) {
    assert.ok('error' in outcome, `v10 fails: ${each.err.message}`)
    const { code, errno } = outcome.error as { readonly code?: unknown; readonly errno?: unknown }
    if (each.err.code !== null) assert.equal(code, each.err.code)
    if (each.err.errno !== null) assert.equal(errno, each.err.errno)
  } else {
    if ('error' in outcome) throw outcome.error
    assert.deepEqual(outcome.ok, each.ok)
  }
}

type Attempt = { readonly ok: unknown } | { readonly error: unknown }

async function attempt(drive: Drive, each: ErrorCase): Promise<Attempt> {
  try {
    return { ok: await perform(drive, each) }
  } catch (error) {
    return { error }
  }
}

async function perform(drive: Drive, { op, args }: ErrorCase): Promise<unknown> {
  if (op === 'ready') return drive.ready()
  if (op === 'replicate') {
    const stream = drive.replicate(...(args as Parameters<Drive['replicate']>))
    const { initiator, live } = stream
    stream.destroy()
    return { initiator, live }
  }
  // `createTag(7, 1)` is among the cases: what is no name is passed on as it is.
  const step = { drive: 'd', time: 0, op, args: args.map(argument) }
  const descriptors = new Map<string, number>()
  return operate(drive, step, { drives: new Map(), descriptors, writing: new Set() })
}

function codeOf(outcome: Attempt): unknown {
  return 'error' in outcome ? (outcome.error as { readonly code?: unknown }).code : undefined
}

/** `writeFile('full/x','x')` */
async function setUp(drive: Drive, call: string): Promise<void> {
  const [, op = '', list = ''] = /^(\w+)\((.*)\)$/u.exec(call) ?? []
  const args = [...list.matchAll(/'([^']*)'/gu)].map(([, text]) => text)
  const step = { drive: 'd', time: 0, op, args }
  await operate(drive, step, { drives: new Map(), descriptors: new Map(), writing: new Set() })
}

async function cloneOf(writer: Drive): Promise<Drive> {
  const clone = new Drive(new MemoryFolder().open, writer.key, {
    exact: true,
    sparse: false,
    sparseMetadata: false,
  })
  await clone.ready()
  const end = connect(writer, clone, true)
  const [length, content] = [writer.version, await clone.getContent()]
  await Promise.all([
    clone.metadata?.update({ minLength: length }),
    content.update({ minLength: (await writer.getContent()).length }),
  ])
  for (const log of [clone.metadata, content]) await log?.getBatch(0, log.length)
  end()
  return clone
}
