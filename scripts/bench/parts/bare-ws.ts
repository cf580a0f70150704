/** The library `ws` alone, at both ends: whatever comes goes back in one message. */
import { once } from 'node:events'
import { WebSocket, WebSocketServer } from 'ws'
import { quantile } from '../framework/statistics.ts'

const settings = { perMessageDeflate: false, maxPayload: 64 * 1024 * 1024 }

/** Methods of the part `bare-ws`; one process serves, another calls. */
export function open() {
  return {
    serve: async () => {
      const server = new WebSocketServer({ host: '127.0.0.1', port: 0, ...settings })
      server.on('connection', (socket) => socket.on('message', (data, binary) => socket.send(data, { binary })))
      await once(server, 'listening')
      return `ws://127.0.0.1:${(server.address() as { port: number }).port}`
    },
    /** MB per second, both directions added. */
    echo: async ({ url, bytes, times }: { url: string; bytes: number; times: number }) => {
      const socket = new WebSocket(url, settings)
      await once(socket, 'open')
      const rates: number[] = []
      for (let n = 0; n < times; n++) {
        // As for a program: what it sends is its own, and stays as it is.
        const wave = new Float64Array(bytes / 8).map((_, i) => i)
        const began = performance.now()
        socket.send(new Uint8Array(wave.buffer), { binary: true })
        await once(socket, 'message')
        rates.push((2 * bytes) / (performance.now() - began) / 1000)
      }
      socket.close()
      return quantile(rates, 0.5)
    },
    small: async ({ url, calls }: { url: string; calls: number }) => {
      const socket = new WebSocket(url, settings)
      await once(socket, 'open')
      const message = new Uint8Array(50)
      const times = new Float64Array(calls)
      const began = performance.now()
      await new Promise<void>((resolve) => {
        let done = 0
        let sentMs = 0
        const send = () => {
          sentMs = performance.now()
          socket.send(message, { binary: true })
        }
        socket.on('message', () => {
          times[done++] = performance.now() - sentMs
          if (done === calls) resolve()
          else send()
        })
        send()
      })
      const elapsedMs = performance.now() - began
      socket.close()
      times.sort()
      return { p50us: (times[calls >> 1] ?? 0) * 1000, callsPerS: (calls / elapsedMs) * 1000 }
    },
  }
}
