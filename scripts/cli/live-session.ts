import {
  type LiveMethod,
  type LiveNotification,
  type LiveParams,
  liveNotifications,
} from '@fernlab/shared/contracts/sessions'
import { systemClock } from '@fernlab/shared/primitives/clock'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { createRpcClient } from '@fernlab/shared/rpc/client'
import { WebSocket } from 'ws'
import type { HubClient } from './hub-client.ts'

/** Name and parameters of what a hub tells, as one pair. */
export type LiveNews = { [Name in LiveNotification]: [name: Name, params: LiveParams<Name>] }[LiveNotification]

export interface LiveSession {
  call(method: LiveMethod, params: unknown): Promise<unknown>
  /** Resolves when the session is over or `close` was called; rejects when the connection was lost. */
  readonly closed: Promise<void>
  close(): void
}

const OPEN_MS = 15_000
/** Close codes of the hub: the session is over. */
const OVER = 4410

/** Opens the WebSocket of a session; rejects with the hub's refusal. */
export async function openLive(
  client: HubClient,
  id: string,
  onNews: (...news: LiveNews) => void = () => {},
): Promise<LiveSession> {
  const path = `/api/v1/sessions/${encodeURIComponent(id)}`
  // A refusal of the session comes with its words here; that of a WebSocket does not.
  await client.fetch(path)
  const { url, headers } = client.webSocket(`${path}/live`)
  const socket = new WebSocket(url, { headers, handshakeTimeout: OPEN_MS })
  const rpc = createRpcClient({
    send: (text) => socket.send(text),
    onNotification: (method, params) => {
      if (!Object.hasOwn(liveNotifications, method)) return
      const name = method as LiveNotification
      onNews(...([name, liveNotifications[name].parse(params)] as LiveNews))
    },
    clock: systemClock,
  })
  socket.on('message', (data) => rpc.receive(String(data)))
  let closing = false
  const closed = new Promise<void>((resolve, reject) => {
    socket.once('close', (code, reason) => {
      rpc.end('the connection was closed')
      if (closing || code === OVER) resolve()
      else reject(lost(`the hub closed the connection (${code} ${String(reason)})`))
    })
  })
  closed.catch(() => {})
  await new Promise<void>((resolve, reject) => {
    socket.once('open', () => resolve())
    socket.once('error', (error) => reject(lost(error.message)))
  })
  return {
    call: (method, params) => rpc.call(method, params),
    closed,
    close: () => {
      closing = true
      socket.close()
    },
  }
}

function lost(why: string): LabError {
  return new LabError({ code: 'connection-lost', kind: 'link', retry: 'later', message: why })
}
