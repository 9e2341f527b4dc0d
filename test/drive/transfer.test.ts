import t from 'tap'
import { Tally } from '../../src/drive/transfer/progress.ts'
import { Transfer } from '../../src/drive/transfer/transfer.ts'

/** Work that ends when it is stopped, as if it were done. */
function untilStopped(stop: AbortSignal): Promise<string> {
  return new Promise((resolve) => {
    if (stop.aborted) resolve('stopped')
    stop.addEventListener('abort', () => resolve('stopped'))
  })
}

t.test('a transfer can be awaited, by itself or by done', async (t) => {
  const transfer = new Transfer((_, tally) => {
    tally.add({ blocks: 1 })
    return Promise.resolve(7)
  })
  t.equal(await transfer, 7)
  t.equal(await transfer.done, 7)
  t.equal(transfer.progress.blocks, 1)
})

t.test('a transfer that fails rejects', async (t) => {
  const failure = new Error('no')
  const transfer = new Transfer(() => Promise.reject(failure))
  await t.rejects(transfer.done, failure)
  await t.rejects(Promise.resolve(transfer), failure)
})

t.test('destroy makes it resolve with nothing, and stops the work', async (t) => {
  const transfer = new Transfer(untilStopped)
  transfer.destroy()
  transfer.destroy()
  t.equal(await transfer.done, undefined)
})

t.test('destroy hides the failure that it causes', async (t) => {
  const transfer = new Transfer(async (stop) => {
    await untilStopped(stop)
    throw new Error('cut short')
  })
  transfer.destroy()
  t.equal(await transfer, undefined)
})

t.test('the signal makes it reject with the reason of the signal', async (t) => {
  const reason = new Error('enough')
  const controller = new AbortController()
  const transfer = new Transfer(untilStopped, { signal: controller.signal })
  controller.abort(reason)
  await t.rejects(transfer.done, reason)

  const late = new Transfer(untilStopped, { signal: controller.signal })
  await t.rejects(late.done, reason)
})

t.test('a timeout makes it reject with the error given for it', async (t) => {
  const reason = new Error('late')
  const limits = { timeout: 1, timedOut: () => reason }
  await t.rejects(new Transfer(untilStopped, limits).done, reason)
})

t.test('the rate is that of the last seconds, and tells what is left', (t) => {
  let now = 0
  const tally = new Tally(() => now)
  tally.expect({ files: 1, bytes: 10_000 })
  t.match(tally.progress, { bytesPerSecond: 0, msLeft: null, isTotalKnown: false })
  tally.skip({ bytes: 1000 })
  now = 1000
  tally.add({ bytes: 1000 })
  t.match(tally.progress, { bytes: 2000, bytesPerSecond: 1000, msLeft: null })
  tally.expectNoMore()
  t.match(tally.progress, { msLeft: 8000 })
  for (; now < 9000; now += 100) tally.add({ bytes: 50 })
  const { bytes, bytesPerSecond } = tally.progress
  t.equal(bytes, 6000)
  t.ok(bytesPerSecond > 480 && bytesPerSecond < 520, `${bytesPerSecond} bytes a second`)
  now = 60_000
  t.match(tally.progress, { bytesPerSecond: 0, msLeft: null }, 'a pause shows')
  tally.add({ bytes: 4000, files: 1 })
  t.match(tally.progress, { msLeft: 0 })
  t.end()
})
