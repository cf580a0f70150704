/** A TCP connection with a delay and a width, as of a household to its provider; what a client sends is held up. */
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

export interface SlowLine {
  readonly url: string
  bitsPerS: number
  /** One way. */
  delayMs: number
  /** Breaks all connections. */
  cut(): void
  close(): Promise<void>
}

/** Small, so that nothing is taken from who sends before there is room for it. */
const PIECE_BYTES = 1500

/** To a port of this machine. */
export async function startSlowLine(port: number): Promise<SlowLine> {
  const sockets = new Set<Socket>()
  /** When the line has sent all that was given to it, by performance.now(). */
  let freeAt = 0
  const server = createServer({ highWaterMark: PIECE_BYTES }, (client) => {
    const hub = connect({ port, host: '127.0.0.1', noDelay: true })
    for (const socket of [client, hub]) {
      sockets.add(socket)
      socket.on('error', () => socket.destroy())
      socket.once('close', () => {
        sockets.delete(socket)
        client.destroy()
        hub.destroy()
      })
    }
    hub.on('data', (piece) => setTimeout(() => client.write(piece), line.delayMs))
    client.on('data', (piece) => {
      const now = performance.now()
      freeAt = Math.max(now, freeAt) + (piece.length * 8000) / line.bitsPerS
      setTimeout(() => hub.write(piece), freeAt - now + line.delayMs)
      // A modem's own buffer holds a few pieces.
      if (freeAt - now < 20) return
      client.pause()
      setTimeout(() => client.resume(), freeAt - now - 10)
    })
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const line: SlowLine = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    bitsPerS: Number.POSITIVE_INFINITY,
    delayMs: 0,
    cut: () => {
      for (const socket of sockets) socket.destroy()
    },
    close: () => {
      line.cut()
      return new Promise((done) => server.close(() => done()))
    },
  }
  return line
}
