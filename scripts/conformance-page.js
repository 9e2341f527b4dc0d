/**
 * The parts of `docs/conformance.md` that are made by the runs: between `<!-- name -->` and `<!-- /name -->`.
 */
import { readFileSync, writeFileSync } from 'node:fs'

const page = 'docs/conformance.md'

/** The text with one part replaced. */
export function withPart(text, name, part) {
  const [begin, end] = [`<!-- ${name} -->`, `<!-- /${name} -->`]
  const [from, to] = [text.indexOf(begin), text.indexOf(end)]
  if (from < 0 || to < from) throw new Error(`${page} has no part ${name}`)
  return `${text.slice(0, from + begin.length)}\n\n${part}\n\n${text.slice(to)}`
}

/** The table of what v10 fails, from the committed list. */
export function explainedTable(list) {
  const lines = list.map(({ reason, section, cases, sometimes }) => {
    const ids = cases.map((id) => `\`${id}\``).join('<br>')
    return `| ${reason}${sometimes ? ' (not on every machine)' : ''} | ${section} | ${ids} |`
  })
  return ['| What v10 does | Chapter | Cases |', '| --- | --- | --- |', ...lines].join('\n')
}

/** How many cases of each way in passed, for one subject. */
export function figures(outcomes, explained) {
  const ways = { vectors: 0, folders: 0, peer: 0 }
  const of = (id) => {
    if (id.startsWith('peer.')) return 'peer'
    return /^(written|read)\./.test(id) ? 'folders' : 'vectors'
  }
  const rows = Object.keys(ways).map((way) => {
    const some = outcomes.filter(({ id }) => of(id) === way)
    const count = (result) => some.filter((each) => each.result === result).length
    return `| ${way} | ${count('passed')} | ${count('failed')} | ${count('skipped')} |`
  })
  const note = explained > 0 ? `\n\nAll ${explained} failures are explained below.` : ''
  const head = ['| Way in | Passed | Failed | Skipped |', '| --- | ---: | ---: | ---: |']
  return [...head, ...rows].join('\n') + note
}

/** Write the figures of one subject into the page. */
export function writeFigures(subject, outcomes, explained) {
  write(`figures ${subject}`, figures(outcomes, explained))
}

/** The table of mutants, with the case that noticed each. */
export function mutantTable(results) {
  const lines = results.map(({ name, file, by, noticed }) => {
    const seen = by ?? noticed[0]
    const how = by ? `\`${by.id}\`` : seen ? `only by \`${seen.id}\`` : '**by nothing**'
    return `| ${name} | \`${file}\` | ${how} | ${by ? by.section : ''} |`
  })
  const caught = results.filter(({ by }) => by).length
  return [
    `${caught} of ${results.length} mutants are caught by a case that names the section of the broken rule.`,
    '',
    '| Broken | In | Noticed by | Section |',
    '| --- | --- | --- | --- |',
    ...lines,
  ].join('\n')
}

/** Write the mutants into the page. */
export function writeMutants(results) {
  write('mutants', mutantTable(results))
}

/** Write what v10 fails into the page. */
export function writeExplained(list) {
  write('v10', explainedTable(list))
}

function write(name, part) {
  writeFileSync(page, withPart(readFileSync(page, 'utf8'), name, part))
}
