import t from 'tap'
import { type Progress, Transfer } from '../../src/drive/transfer.ts'

const NONE: Progress = { blocks: 0, totalBlocks: 0, bytes: 0, totalBytes: 0 }

/** Work that ends when it is stopped, as if it were done. */
function untilStopped(stop: AbortSignal): Promise<string> {
  return new Promise((resolve) => {
    if (stop.aborted) resolve('stopped')
    stop.addEventListener('abort', () => resolve('stopped'))
  })
}

t.test('a transfer can be awaited, by itself or by done', async (t) => {
  const transfer = new Transfer(
    () => Promise.resolve(7),
    () => ({ ...NONE, blocks: 1 }),
  )
  t.equal(await transfer, 7)
  t.equal(await transfer.done, 7)
  t.equal(transfer.progress.blocks, 1)
})

t.test('a transfer that fails rejects', async (t) => {
  const failure = new Error('no')
  const transfer = new Transfer(
    () => Promise.reject(failure),
    () => NONE,
  )
  await t.rejects(transfer.done, failure)
  await t.rejects(Promise.resolve(transfer), failure)
})

t.test('destroy makes it resolve with nothing, and stops the work', async (t) => {
  const transfer = new Transfer(untilStopped, () => NONE)
  transfer.destroy()
  transfer.destroy()
  t.equal(await transfer.done, undefined)
})

t.test('destroy hides the failure that it causes', async (t) => {
  const transfer = new Transfer(
    async (stop) => {
      await untilStopped(stop)
      throw new Error('cut short')
    },
    () => NONE,
  )
  transfer.destroy()
  t.equal(await transfer, undefined)
})

t.test('the signal makes it reject with the reason of the signal', async (t) => {
  const reason = new Error('enough')
  const controller = new AbortController()
  const transfer = new Transfer(untilStopped, () => NONE, { signal: controller.signal })
  controller.abort(reason)
  await t.rejects(transfer.done, reason)

  const late = new Transfer(untilStopped, () => NONE, { signal: controller.signal })
  await t.rejects(late.done, reason)
})

t.test('a timeout makes it reject with the error given for it', async (t) => {
  const reason = new Error('late')
  const limits = { timeout: 1, timedOut: () => reason }
  await t.rejects(new Transfer(untilStopped, () => NONE, limits).done, reason)
})
