/** The parts of the differential run that judge: shrinking, comparing, and sequences that follow from their seed. */
import t from 'tap'
import { compare } from './compare.ts'
import { Generator } from './generator.ts'
import { shrink } from './shrink.ts'
import type { Result, Step } from './step.ts'

const line = (outcome: Result['outcome'], seen: Result['seen'] = {}): string =>
  JSON.stringify({ outcome, seen })

t.test('a list is shrunk to the elements that matter', async (t) => {
  const list = Array.from({ length: 50 }, (_, i) => i)
  const needed = await shrink(list, (part) =>
    Promise.resolve([7, 31].every((n) => part.includes(n))),
  )
  t.same(needed, [7, 31])
})

t.test('a seed always gives the same steps, and another one others', (t) => {
  t.same(new Generator(5).steps(60), new Generator(5).steps(60))
  t.notSame(new Generator(5).steps(60), new Generator(6).steps(60))
  t.end()
})

t.test('what differs and falls under no rule is found', (t) => {
  const steps: Step[] = [{ op: 'stat', args: ['a'] }]
  const { different } = compare(steps, [line({ ok: 1 })], [line({ ok: 2 })])
  t.match(different, { index: 0, what: 'outcome', original: { ok: 1 }, ours: { ok: 2 } })
  const blocks = compare(
    steps,
    [line({ ok: 1 }, { blocks: ['00'] })],
    [line({ ok: 1 }, { blocks: [] })],
  )
  t.equal(blocks.different?.what, 'blocks')
  const ended = compare([...steps, ...steps], [line({ ok: 1 }), line({ ok: 1 })], [line({ ok: 1 })])
  t.equal(ended.different?.what, 'end')
  t.end()
})

t.test('another code is a difference, unless v10 gives none', (t) => {
  const steps: Step[] = [{ op: 'stat', args: ['a'] }]
  const error = (code: string | null): string => line({ error: { code, errno: null } })
  t.ok(compare(steps, [error('ENOENT')], [error('EEXIST')]).different)
  t.match(compare(steps, [error(null)], [error('EEXIST')]), { excused: [/without a code/u] })
  t.end()
})

t.test('a sequence ends where a rule takes the drives apart', (t) => {
  const steps: Step[] = [
    { op: 'truncate', args: ['a', 0] },
    { op: 'stat', args: ['a'] },
  ]
  const { compared, different } = compare(
    steps,
    [line({ ok: null }, { blocks: [] }), line({ ok: 1 })],
    [line({ ok: null }, { blocks: ['00'] }), line({ ok: 2 })],
  )
  t.equal(compared, 1)
  t.equal(different, undefined)
  t.end()
})
