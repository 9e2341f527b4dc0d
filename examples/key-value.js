/** A trie: names and values on a log, each version readable, listed by prefix. */
import { Log } from 'varve/log'
import { Trie } from 'varve/trie'

const log = new Log('./trie')
const trie = new Trie(log, { valueEncoding: 'utf-8' })
await trie.put('rocks/shale', 'grey')
await trie.put('rocks/marl', 'white')
await trie.put('rocks/shale', 'black')

console.log((await trie.get('rocks/shale')).value)
// prints black
console.log(
  (await trie.list('rocks'))
    .map(({ key }) => key)
    .toSorted()
    .join(' '),
)
// prints rocks/marl rocks/shale
const before = trie.checkout(trie.version - 1)
console.log((await before.get('rocks/shale')).value)
// prints grey
await log.close()
