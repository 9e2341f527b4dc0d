import t from 'tap'
import { Drive } from '../../src/drive/index.ts'
import { Store } from '../../src/store/index.ts'

t.test('a folder is open in one store at a time, and the error says where', async (t) => {
  const folder = t.testdir()
  const first = new Store(folder)
  await first.ready()
  const second = new Store(folder)
  await t.rejects(second.ready(), { code: 'ELOCKED', holder: { pid: process.pid, isV10: false } })
  const drive = new Drive(folder)
  await t.rejects(drive.ready(), { code: 'ELOCKED' })
  await drive.close()
  const careless = new Store(folder, { lock: false })
  await careless.ready()
  await careless.close()
  await first.close()
  await second.ready()
  await second.close()
})
