/** Fifty people on one session, each on a connection of its own; some stop reading. */
import { liveNotifications } from '@fernlab/shared/contracts/sessions'
import { readRpc } from '@fernlab/shared/rpc/envelope'
import { WebSocket } from 'ws'
import type { PartMethods } from '../framework/part.ts'

interface Watch {
  readonly url: string
  readonly token: string
  readonly viewers: number
  readonly stalled: number
  readonly seconds: number
}

/** Answers `watch` with how late each sample was at each viewer who reads, in ms. */
export function open(): PartMethods {
  return { watch }
}

async function watch({ url, token, viewers, stalled, seconds }: Watch): Promise<{ lateMs: number[]; least: number }> {
  const lateMs: number[] = []
  const counts = new Map<WebSocket, number>()
  const sockets = await Promise.all(
    Array.from({ length: viewers }, async (_, at) => {
      const socket = new WebSocket(url, { headers: { authorization: `Bearer ${token}` } })
      await new Promise<void>((resolve, reject) => {
        socket.once('open', () => resolve())
        socket.once('error', reject)
      })
      if (at < stalled) socket.pause()
      else counts.set(socket, 0)
      return socket
    }),
  )
  for (const socket of counts.keys()) {
    socket.on('message', (data) => {
      const arrivedS = Date.now() / 1000
      const { kind, message } = readRpc(String(data))
      if (kind !== 'notification' || message.method !== 'samples') return
      const { samples } = liveNotifications.samples.parse(message.params)
      for (const { time } of Object.values(samples)) {
        for (const at of time) lateMs.push((arrivedS - at) * 1000)
        counts.set(socket, (counts.get(socket) ?? 0) + time.length)
      }
    })
  }
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000))
  for (const socket of sockets) socket.terminate()
  return { lateMs, least: Math.min(...counts.values()) }
}
