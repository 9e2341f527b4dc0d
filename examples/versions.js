/** Every version of a drive stays: read an old one, name it, see what changed since. */
import varve from 'varve'

const drive = varve('./versions')
await drive.writeFile('/letter.txt', 'first draft')
await drive.createTag('draft')
await drive.writeFile('/letter.txt', 'final')
await drive.writeFile('/stamp.txt', 'paid')

const draft = drive.checkout(await drive.getTaggedVersion('draft'))
console.log(await draft.readFile('/letter.txt', 'utf-8'))
// prints first draft

const changes = []
for await (const { type, name } of drive.createDiffStream(draft)) changes.push(`${type} ${name}`)
console.log(changes.toSorted().join(', '))
// prints put letter.txt, put stamp.txt
await drive.close()
