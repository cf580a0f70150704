/** A TCP proxy that loses answers: what was asked arrives, and the connection breaks before a word of the answer is through. */
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

export interface AnswerCutter {
  readonly port: number
  /** How many answers were lost. */
  readonly lost: number
  /** Loses the answers of the next so many messages that match, then none. */
  loseNext(message: RegExp, count?: number): void
  /** Loses the answer of the next message that matches, and lets nobody through from that moment on. */
  loseLast(message: RegExp): void
  /** Loses the answer of the nth message from now on, whatever it says: those of a WebSocket are masked. */
  loseNth(n: number): void
  /** With false nobody is let through, and what is open breaks. */
  open(isOpen: boolean): void
  close(): Promise<void>
}

export async function startAnswerCutter(port: number): Promise<AnswerCutter> {
  const sockets = new Set<Socket>()
  let wanted: RegExp | undefined
  let left = 0
  let toPass = 0
  let lost = 0
  let isOpen = true
  let isLast = false
  const breakAll = () => {
    for (const socket of sockets) socket.destroy()
  }
  const server = createServer({ noDelay: true }, (client) => {
    if (!isOpen) {
      client.destroy()
      return
    }
    const far = connect({ port, host: '127.0.0.1', noDelay: true })
    let isLosing = false
    for (const socket of [client, far]) {
      sockets.add(socket)
      socket.on('error', () => socket.destroy())
      socket.once('close', () => {
        sockets.delete(socket)
        client.destroy()
        far.destroy()
      })
    }
    client.on('data', (piece) => {
      if (left > 0 && wanted?.test(piece.toString('latin1')) === true) {
        if (toPass > 0) toPass--
        else {
          left--
          isLosing = true
        }
      }
      far.write(piece)
    })
    far.on('data', (piece) => {
      if (!isLosing) {
        client.write(piece)
        return
      }
      lost++
      client.destroy()
      if (!isLast) return
      isLast = false
      isOpen = false
      breakAll()
    })
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  return {
    port: (server.address() as AddressInfo).port,
    get lost() {
      return lost
    },
    loseNext: (message, count = 1) => {
      wanted = message
      left = count
    },
    loseLast: (message) => {
      wanted = message
      left = 1
      isLast = true
    },
    loseNth: (n) => {
      wanted = /./s
      left = 1
      toPass = n - 1
    },
    open: (next) => {
      isOpen = next
      if (!isOpen) breakAll()
    },
    close: () => {
      breakAll()
      return new Promise((done) => server.close(() => done()))
    },
  }
}
