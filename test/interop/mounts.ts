/**
 * A drive that shows fifty others, cloned over one connection: a file of each is read through its mount.
 *
 * @module
 */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { Side, type Implementation } from './side.ts'

const COUNT = 50

/** The source has all of the drives in one store; the clone begins with nothing but the key of the outer one. */
export async function mounts(
  [writer, reader]: readonly [Implementation, Implementation],
  folder: string,
): Promise<void> {
  const source = await Side.start(writer)
  const copy = await Side.start(reader)
  try {
    const { key } = await source.ask('open', { folder: join(folder, 'source') })
    await source.ask('mountMany', { count: COUNT })
    const { port } = await source.ask('serve', { initiator: false, live: true })
    await copy.ask('open', { folder: join(folder, 'clone'), key })
    await copy.ask('connect', { port, initiator: true, live: true })
    for (let i = 0; i < COUNT; i++) {
      const file = { path: `mounts/${i}/name` }
      // oxlint-disable-next-line no-await-in-loop -- as a program would ask
      const [there, here] = [await source.ask('readFile', file), await copy.ask('readFile', file)]
      assert.deepEqual(here, there)
    }
    assert.deepEqual([...(await copy.end()), ...(await source.end())], [])
  } finally {
    await Promise.all([source.kill(), copy.kill()])
  }
}
