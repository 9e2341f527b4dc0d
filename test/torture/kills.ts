/**
 * Real processes, killed with SIGKILL at random moments while they append to a real folder.
 *
 * The same folder is opened, extended and killed several times over. After each kill the log opens with
 * everything that was acknowledged, every block is right, and it can be appended to. Which moment a seed
 * hits is up to the machine.
 *
 * @module
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { toHex } from '../../src/bytes.ts'
import { signingKeyPair } from '../../src/crypto.ts'
import type { KeyPair } from '../../src/crypto.ts'
import { Log } from '../../src/log/index.ts'
import { Blocks } from './blocks.ts'
import { Chance } from './chance.ts'
import type { Part, Row, Setting } from './parts.ts'
import { sameBytes } from './workload.ts'

const FULL_KILLS = 1000
const QUICK_KILLS = 30
/** Side by side. */
const LANES = 2
const KILLS_OF_A_FOLDER = 8
const MODES = ['sync', 'batch', 'none'] as const

const blocks = new Blocks(1)

/** What the process said of one folder, over all its lives. */
interface Said {
  /** The log was opened once: its keys are stored. */
  isMade: boolean
  acknowledged: number
  readonly cleared: Set<number>
}

class Killing {
  readonly #setting: Setting
  readonly #total: number
  #begun = 0
  passed = 0
  failed = 0
  acknowledged = 0

  constructor(setting: Setting) {
    this.#setting = setting
    this.#total = setting.quick ? QUICK_KILLS : FULL_KILLS
  }

  /** Folder after folder, until there were enough kills. */
  async lane(): Promise<void> {
    while (this.#begun < this.#total) {
      const number = this.#begun
      const folder = mkdtempSync(join(tmpdir(), 'varve-kills-'))
      const said: Said = { isMade: false, acknowledged: 0, cleared: new Set() }
      try {
        for (let i = 0; i < KILLS_OF_A_FOLDER && this.#begun < this.#total; i++) {
          this.#begun++
          // oxlint-disable-next-line no-await-in-loop
          if (!(await this.#kill(folder, said, number, i))) break
        }
      } finally {
        rmSync(folder, { recursive: true, force: true })
      }
    }
  }

  async #kill(folder: string, said: Said, number: number, i: number): Promise<boolean> {
    const { seed, note, at } = this.#setting
    const chance = new Chance(seed, number, i)
    const mode = MODES[number % MODES.length] ?? 'sync'
    const name = `kill ${i} of folder ${number} (${mode})`
    at(name)
    const keys = signingKeyPair(new Uint8Array(32).fill(number % 251))
    try {
      await liveAndDie(folder, mode, chance, toHex(keys.secretKey), said)
      await check(folder, said, keys)
      this.passed++
      this.acknowledged += said.acknowledged
      return true
    } catch (error) {
      this.failed++
      note(`FAIL --seed ${seed}, ${name}: ${String(error)}`)
      return false
    }
  }
}

/** Start the process, and kill it: sometimes while it starts, mostly while it appends. */
async function liveAndDie(
  folder: string,
  mode: string,
  chance: Chance,
  secretKey: string,
  said: Said,
): Promise<void> {
  const script = join(import.meta.dirname, 'killed-writer.js')
  const child = spawn(
    process.execPath,
    [script, folder, mode, String(chance.below(2 ** 31)), secretKey],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  )
  const isEarly = chance.coin(0.15)
  const delay = chance.below(isEarly ? 400 : 80)
  const kill = (): void => void setTimeout(() => child.kill('SIGKILL'), delay)
  if (isEarly) kill()
  let rest = ''
  let complaint = ''
  let isKilling = isEarly
  child.stderr.on('data', (text: Buffer) => (complaint += text.toString()))
  child.stdout.on('data', (text: Buffer) => {
    if (!isKilling) kill()
    isKilling = true
    const lines = (rest + text.toString()).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) {
      const [word, figure] = line.split(' ')
      if (word === 'ack') said.isMade = true
      if (word === 'ack') said.acknowledged = Math.max(said.acknowledged, Number(figure))
      else said.cleared.add(Number(figure))
    }
  })
  const signal = await new Promise((resolve) => {
    child.on('close', (_code, by) => resolve(by))
  })
  if (signal !== 'SIGKILL') throw new Error(`the process ended by itself: ${complaint}`)
}

async function check(folder: string, said: Said, { secretKey }: KeyPair): Promise<void> {
  const log = new Log(folder, null, said.isMade ? {} : { secretKey })
  await log.ready()
  try {
    if (log.length < said.acknowledged) {
      throw new Error(`${log.length} blocks, of ${said.acknowledged} acknowledged`)
    }
    if (!log.writable && said.acknowledged > 0) throw new Error('is not writable any more')
    for (let index = 0; index < log.length; index++) {
      if (said.cleared.has(index)) continue
      // oxlint-disable-next-line no-await-in-loop
      const bytes = await log.get(index, { wait: false })
      if (!sameBytes(bytes, blocks.at(index))) throw new Error(`block ${index} is wrong`)
    }
    if (!log.writable) return
    const { length } = log
    if ((await log.append(blocks.at(length))) !== length) throw new Error('a wrong index')
    const head = await log.signature()
    await log.verify(length, head.signature)
    said.acknowledged = log.length
    said.isMade = true
  } finally {
    await log.close()
  }
}

async function run(setting: Setting): Promise<Row[]> {
  if (setting.only !== null) return []
  const killing = new Killing(setting)
  await Promise.all(Array.from({ length: LANES }, () => killing.lane()))
  const { passed, failed } = killing
  return [{ what: 'SIGKILL of a real process on a real folder', passed, failed }]
}

export const part: Part = { name: 'kills', run }
