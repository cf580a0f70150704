/** A bench supply on TCP that notes when each message came in, for timing a safe stop from outside the node. */
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'

export interface ScpiSupply {
  readonly port: number
  /** When the last message that matches came in (`performance.now()`); undefined before any. */
  lastAtMs(pattern: RegExp): number | undefined
  forget(): void
  /** The next measurement is answered with this, with noise unless told; resolves with the moment at which it was sent. */
  spoilNext(answer?: string): Promise<number>
  close(): Promise<void>
}

/** Speaks what the description `fern-psu` asks for. */
export async function serveScpiSupply(): Promise<ScpiSupply> {
  const received: { atMs: number; line: string }[] = []
  const sockets = new Set<Socket>()
  let volts = '0'
  let on = '0'
  let eventStatusEnable = '0'
  let spoil: { readonly answer: string; readonly sent: (atMs: number) => void } | undefined
  const answerTo = (line: string): string | undefined => {
    const [, header = '', value] = /^:?(\S+)\s*(.*)$/.exec(line) ?? []
    switch (header.toUpperCase()) {
      case '*IDN?':
        return 'Fernlab,FPS-3003,bench,1.0'
      case '*ESE':
        eventStatusEnable = value ?? '0'
        return undefined
      case '*ESE?':
        return eventStatusEnable
      case 'SYST:ERR?':
        return '0,"No error"'
      case 'VOLT':
        volts = value ?? '0'
        return undefined
      case 'OUTP':
        on = value ?? '0'
        return undefined
      case 'VOLT?':
        return volts
      case 'OUTP?':
        return /ON|1/i.test(on) ? '1' : '0'
      case 'CURR?':
        return '0.1'
      case '*OPC?':
        return '1'
      case 'MEAS:VOLT?':
      case 'MEAS:CURR?': {
        const spoiled = spoil
        spoil = undefined
        spoiled?.sent(performance.now())
        return spoiled?.answer ?? volts
      }
      default:
        return header.endsWith('?') ? '0' : undefined
    }
  }
  const server = createServer({ noDelay: true }, (socket) => {
    let text = ''
    sockets.add(socket)
    socket.on('error', () => socket.destroy()) // the node's end was killed
    socket.on('close', () => sockets.delete(socket))
    socket.on('data', (bytes) => {
      text += bytes.toString('latin1')
      const lines = text.split('\n')
      text = lines.pop() ?? ''
      for (const line of lines) {
        received.push({ atMs: performance.now(), line })
        const answers = line.split(';').flatMap((unit) => answerTo(unit.trim()) ?? [])
        if (answers.length > 0) socket.write(`${answers.join(';')}\n`)
      }
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    lastAtMs: (pattern) => received.findLast(({ line }) => pattern.test(line))?.atMs,
    forget: () => {
      received.length = 0
    },
    spoilNext: (answer = '\u0007~?#!') =>
      new Promise((sent) => {
        spoil = { answer, sent }
      }),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      }),
  }
}
