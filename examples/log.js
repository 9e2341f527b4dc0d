/** A bare log: append, copy it over a connection, read by byte offset. */
import { Log } from 'varve/log'
import { replicate } from 'varve/wire'

const log = new Log('./log', null, { valueEncoding: 'utf-8' })
await log.append(['sand', 'silt', 'clay'])
console.log(log.length, log.byteLength)
// prints 3 12

const copy = new Log('./copy', log.key, { valueEncoding: 'utf-8', sparse: true })
await copy.ready()
const near = replicate(log, true, { live: true })
const far = replicate(copy, false, { live: true })
near.pipe(far).pipe(near)

// The copy fetches the block that is asked for, with the proof that the key signed it.
console.log(await copy.get(1))
// prints silt
const { index, offset } = await copy.seek(9)
console.log(index, offset)
// prints 2 1
console.log(copy.has(0), copy.has(1))
// prints false true

near.destroy()
await copy.close()
await log.close()
