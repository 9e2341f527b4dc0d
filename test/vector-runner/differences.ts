/** Print `docs/differences.md` from the table of rules: `npm run differences`. */
import { writeFileSync } from 'node:fs'
import { differencesPage } from './rules.ts'

writeFileSync('docs/differences.md', differencesPage())
