/** Workload 15: what it costs a program to have it. */
import { spawnSync } from 'node:child_process'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { installPeers } from '../install.ts'
import { installOriginal } from '../../test/interop/install.ts'
import { H13, type Program, V10, VARVE, type Workload, scaled, share } from '../workload.ts'

/** A program that loads it and ends. */
function script(program: Program): string {
  const original = (folder: string): string =>
    `require(require.resolve('hyperdrive', { paths: [${JSON.stringify(folder)}] }))`
  switch (program) {
    case 'v10':
      return original(installOriginal())
    case 'h13':
      return original(installPeers())
    case 'varve':
    case 'fs':
    case 'minimal':
      return `import(${JSON.stringify(pathToFileURL(resolve('build/src/index.js')).href)})`
  }
}

function timeOf(code: string): number {
  const start = performance.now()
  const { status } = spawnSync(process.execPath, ['-e', code], { stdio: 'inherit' })
  if (status !== 0) throw new Error(`it ended with ${status}`)
  return performance.now() - start
}

/** In a fresh process, over bare node. */
export const importing: Workload = {
  number: 15,
  name: 'import',
  title: 'import in a fresh process, over bare node',
  contenders: [VARVE, V10, H13],
  sizes: (scale, quick) => {
    const count = scaled(15, scale, quick, 2)
    return [{ label: `${count} times`, parameters: { count } }]
  },
  steps: [
    {
      name: 'import',
      async drive(context) {
        const code = script(context.contender.program)
        const times = { bare: [] as number[], loaded: [] as number[] }
        for (let i = 0; i < context.size('count'); i++) {
          times.bare.push(timeOf(''))
          times.loaded.push(timeOf(code))
        }
        const median = (all: number[]): number =>
          all.toSorted((a, b) => a - b)[all.length >> 1] ?? Number.NaN
        context.note('import', Math.max(median(times.loaded) - median(times.bare), 0.1))
        context.note('bare node', median(times.bare))
      },
    },
  ],
  rows: [
    { figure: 'import', title: 'import', unit: 'ms', targets: [share('v10', 0.35)] },
    { figure: 'bare node', title: 'bare node', unit: 'ms' },
  ],
}
