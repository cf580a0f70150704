/** Answers each line on a TCP port at once, with the signal's name and a number. */
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'

/** Methods of the part `line-instrument`; it listens when this resolves. */
export async function open() {
  const server = createServer({ noDelay: true }, (socket) => {
    let text = ''
    socket.on('error', () => socket.destroy()) // the node's end was ended
    socket.on('data', (bytes) => {
      text += bytes.toString('latin1')
      const lines = text.split('\n')
      text = lines.pop() ?? ''
      for (const line of lines) socket.write(`${line.slice(0, -1)}=25.3\n`)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { port: () => (server.address() as AddressInfo).port }
}
