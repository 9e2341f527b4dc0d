/** Share a drive with another machine: here both ends are in one process, with a socket between. */
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import varve from 'varve'

const drive = varve('./shared')
await drive.writeFile('/notes/today.txt', 'fresh layer')

const server = createServer((socket) => {
  socket.pipe(drive.replicate({ live: true })).pipe(socket)
})
server.listen(0)
await once(server, 'listening')

// All that the other side needs is the key, and a way to connect.
const clone = varve('./clone', drive.key)
const socket = connect(server.address().port)
socket.pipe(clone.replicate({ live: true })).pipe(socket)

console.log(await clone.readFile('/notes/today.txt', 'utf-8'))
// prints fresh layer

// What is written from now on arrives by itself.
const version = clone.version
const arrived = new Promise((resolve) => {
  clone.watch('/notes', () => {
    if (clone.version > version) resolve()
  })
})
await drive.writeFile('/notes/tomorrow.txt', 'fresher layer')
await arrived
console.log((await clone.readdir('/notes')).toSorted().join(' '))
// prints today.txt tomorrow.txt

server.close()
await clone.close()
await drive.close()
