/** Fifty people on one session, each on a connection of its own; some stop reading. */
import { liveNotifications } from '@fernlab/shared/contracts/sessions'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { readRpc, rpcRequest } from '@fernlab/shared/rpc/envelope'
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

/** Close code of a viewer who takes too little. */
const TOO_SLOW = 4408
/** Refused with its own key in the answer: by it, much comes back to whoever does not read. */
const longParams = { ['x'.repeat(60_000)]: 1 }
const MOST_CALLS = 2000

async function watch({ url, token, viewers, stalled, seconds }: Watch): Promise<{ lateMs: number[]; least: number }> {
  const connect = async (): Promise<WebSocket> => {
    const socket = new WebSocket(url, { headers: { authorization: `Bearer ${token}` } })
    await new Promise<void>((resolve, reject) => {
      socket.once('open', () => resolve())
      socket.once('error', reject)
    })
    return socket
  }
  const stuck = await Promise.all(Array.from({ length: stalled }, () => stall(connect)))
  const readers = await Promise.all(Array.from({ length: viewers - stalled }, connect))
  const lateMs: number[] = []
  const counts = new Map(readers.map((socket) => [socket, 0]))
  for (const socket of readers) {
    socket.on('message', (data) => {
      const arrivedS = Date.now() / 1000
      for (const time of timesIn(String(data))) {
        for (const at of time) lateMs.push((arrivedS - at) * 1000)
        counts.set(socket, (counts.get(socket) ?? 0) + time.length)
      }
    })
  }
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000))
  const least = Math.min(...counts.values())
  for (const socket of readers) socket.terminate()
  const got = await Promise.all(stuck.map((viewer) => viewer.resume()))
  for (const samples of got) {
    if (samples < least / 2) continue
    const message = `a viewer who takes nothing was sent ${samples} samples, the others ${least}: nothing was held up`
    throw new LabError({ code: 'bench-not-stalled', kind: 'bug', message })
  }
  return { lateMs, least }
}

function timesIn(text: string): number[][] {
  const { kind, message } = readRpc(text)
  if (kind !== 'notification' || message.method !== 'samples') return []
  return Object.values(liveNotifications.samples.parse(message.params).samples).map(({ time }) => time)
}

/**
 * A viewer who takes nothing, with all that the system keeps of a connection filled: how much that is, a first one finds
 * out, whom the hub gives up; this one stays below that.
 */
async function stall(connect: () => Promise<WebSocket>): Promise<{ resume(): Promise<number> }> {
  const full = await fill(await connect(), MOST_CALLS)
  if (full.code !== TOO_SLOW && full.code !== 1006) {
    const message = `a viewer who took nothing of ${full.calls} answers was not given up (${full.code ?? 'still there'})`
    throw new LabError({ code: 'bench-not-stalled', kind: 'bug', message })
  }
  const socket = await connect()
  await fill(socket, full.calls - 10)
  const fromS = Date.now() / 1000
  return {
    resume: async () => {
      const untilS = Date.now() / 1000
      let samples = 0
      const closed = new Promise<void>((resolve) => {
        if (socket.readyState === WebSocket.CLOSED) resolve()
        socket.once('close', () => resolve())
      })
      const caughtUp = new Promise<void>((resolve) => {
        socket.on('message', (data) => {
          for (const at of timesIn(String(data)).flat()) {
            if (at > untilS) resolve()
            else if (at >= fromS) samples++
          }
        })
      })
      socket.resume()
      await Promise.race([closed, caughtUp])
      socket.terminate()
      return samples
    },
  }
}

/** Asks without reading until the hub gives the connection up, or so often. */
async function fill(socket: WebSocket, most: number): Promise<{ calls: number; code: number | undefined }> {
  socket.pause()
  let code: number | undefined
  socket.once('close', (closedWith) => {
    code = closedWith
  })
  socket.on('error', () => {
    // The hub has ended the connection while more was on its way: `close` says so too.
  })
  let calls = 0
  while (calls < most && code === undefined) {
    calls++
    const sent = new Promise<void>((resolve) => {
      socket.send(rpcRequest(calls, 'chat', longParams), () => resolve())
    })
    await Promise.all([sent, new Promise((resolve) => setTimeout(resolve, 5))])
  }
  return { calls, code }
}
