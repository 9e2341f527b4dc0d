/** One contract, held by every adapter. */
import assert from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { type RandomAccess, StorageError } from '../../src/storage/index.ts'
import { Model, adapters } from './adapters.ts'

fc.configureGlobal({ numRuns: process.env['SLOW'] ? 2000 : 100 })

type Operation =
  | { readonly op: 'read'; readonly offset: number; readonly length: number }
  | { readonly op: 'write'; readonly offset: number; readonly bytes: Uint8Array }
  | { readonly op: 'truncate'; readonly length: number }
  | { readonly op: 'size' }

const place = fc.nat(40)
const operation: fc.Arbitrary<Operation> = fc.oneof(
  fc.record({ op: fc.constant('read' as const), offset: place, length: fc.nat(12) }),
  fc.record({
    op: fc.constant('write' as const),
    offset: place,
    bytes: fc.uint8Array({ maxLength: 12 }),
  }),
  fc.record({ op: fc.constant('truncate' as const), length: place }),
  fc.record({ op: fc.constant('size' as const) }),
)

/** What an operation answers: bytes, a number, nothing, or the code of its failure. */
type Answer = number[] | number | string | null

async function answerOf(file: RandomAccess, each: Operation): Promise<Answer> {
  try {
    if (each.op === 'read') return [...(await file.read(each.offset, each.length))]
    if (each.op === 'size') return await file.size()
    if (each.op === 'write') await file.write(each.offset, each.bytes)
    else await file.truncate(each.length)
    return null
  } catch (error) {
    assert.ok(error instanceof StorageError, String(error))
    return error.code
  }
}

function expected(model: Model, each: Operation): Answer {
  if (each.op === 'read') return model.read(each.offset, each.length) ?? 'STORAGE_SHORT'
  if (each.op === 'size') return model.bytes?.length ?? 0
  if (each.op === 'write') model.write(each.offset, each.bytes)
  else model.truncate(each.length)
  return null
}

for (const { name, knowsAbsence, create } of adapters) {
  t.test(name, async (t) => {
    const folder = t.testdir()
    let files = 0
    const newFile = (): (() => RandomAccess) => create(folder, `file-${files++}`)

    await t.test('does all operations in the order they are called', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(operation, { maxLength: 12 }), async (operations) => {
          const file = newFile()()
          const model = new Model()
          if (!knowsAbsence) model.bytes = []
          const answers = await Promise.all(operations.map((each) => answerOf(file, each)))
          assert.deepEqual(
            answers,
            operations.map((each) => expected(model, each)),
          )
          await file.destroy()
        }),
      )
    })

    await t.test('holds what was written when it is opened again', async (t) => {
      const open = newFile()
      const first = open()
      await first.write(3, new Uint8Array([1, 2, 3]))
      await first.sync()
      await first.close()
      const second = open()
      t.equal(await second.size(), 6)
      t.strictSame([...(await second.read(0, 6))], [0, 0, 0, 1, 2, 3])
      await second.close()
    })

    await t.test('gives bytes that belong to the caller', async (t) => {
      const file = newFile()()
      const bytes = new Uint8Array([1, 2, 3])
      await file.write(0, bytes)
      bytes.fill(9)
      const got = await file.read(0, 3)
      t.strictSame([...got], [1, 2, 3])
      got.fill(9)
      t.strictSame([...(await file.read(0, 3))], [1, 2, 3])
      await file.close()
    })

    await t.test(
      'a range that is punched is cut off at the end, and else reads as zeros or as before',
      async (t) => {
        const file = newFile()()
        const size = 3 * 65536
        await file.write(0, new Uint8Array(size).fill(1))
        const freed = await file.punch(65536, 65536)
        t.equal(await file.size(), size)
        const punched = await file.read(65536, 65536)
        const [first = 2] = punched
        t.ok(first <= 1 && punched.every((byte) => byte === first))
        t.ok(freed <= 65536 && (freed === 0 || first === 0))
        t.ok((await file.read(0, 65536)).every((byte) => byte === 1))
        t.ok((await file.read(131072, 65536)).every((byte) => byte === 1))
        t.equal(await file.punch(131072, 65536), 65536)
        t.equal(await file.size(), 131072)
        await file.close()
      },
    )

    await t.test('a read past the end is short, however long', async (t) => {
      const file = newFile()()
      await t.rejects(file.read(0, 1), { code: 'STORAGE_SHORT' }, 'of no file')
      t.equal(await file.size(), 0)
      if (knowsAbsence) await t.rejects(file.read(0, 0), { code: 'STORAGE_SHORT' })
      await file.write(0, new Uint8Array(10))
      await t.rejects(file.read(9, 2), { code: 'STORAGE_SHORT' })
      await t.rejects(file.read(0, 2 ** 50), { code: 'STORAGE_SHORT' })
      await t.rejects(file.read(2 ** 50, 1), { code: 'STORAGE_SHORT' })
      t.equal((await file.read(100, 0)).length, 0)
      await file.close()
    })

    await t.test('what is no range of bytes is the caller’s mistake', async (t) => {
      const file = newFile()()
      await t.rejects(file.read(-1, 1), RangeError)
      await t.rejects(file.read(0, -1), RangeError)
      await t.rejects(file.read(0, 0.5), RangeError)
      await t.rejects(file.read(Number.MAX_SAFE_INTEGER, 1), RangeError)
      await t.rejects(file.write(Number.NaN, new Uint8Array(1)), RangeError)
      await t.rejects(file.truncate(-1), RangeError)
      await t.rejects(file.punch(0, Infinity), RangeError)
      await file.close()
    })

    await t.test('after close every call fails, and close itself does not', async (t) => {
      const file = newFile()()
      const written = file.write(0, new Uint8Array([1]))
      await Promise.all([file.close(), file.close()])
      await written
      const closed = { code: 'STORAGE_CLOSED' }
      await t.rejects(file.read(0, 1), closed)
      await t.rejects(file.write(0, new Uint8Array(1)), closed)
      await t.rejects(file.truncate(0), closed)
      await t.rejects(file.punch(0, 1), closed)
      await t.rejects(file.size(), closed)
      await t.rejects(file.sync(), closed)
      await file.close()
    })

    await t.test('destroy deletes, also what is not there', async (t) => {
      const open = newFile()
      await open().destroy()
      const file = open()
      await file.write(0, new Uint8Array(100))
      await file.destroy()
      await file.destroy()
      const again = open()
      t.equal(await again.size(), 0)
      await t.rejects(again.read(0, 1), { code: 'STORAGE_SHORT' })
      await again.close()
    })
  })
}
