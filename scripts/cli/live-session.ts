import {
  type LiveMethod,
  type LiveNotification,
  type LiveParams,
  liveNotifications,
  type Session,
  sessionSchema,
} from '@fernlab/shared/contracts/sessions'
import { type Clock, systemClock } from '@fernlab/shared/primitives/clock'
import { asLabError, LabError } from '@fernlab/shared/primitives/lab-error'
import { createRpcClient } from '@fernlab/shared/rpc/client'
import { WebSocket } from 'ws'
import type { HubClient } from './hub-client.ts'

/** Name and parameters of what a hub tells, as one pair. */
export type LiveNews = { [Name in LiveNotification]: [name: Name, params: LiveParams<Name>] }[LiveNotification]

export interface LiveSession {
  /** As it was when this connection was opened. */
  readonly session: Session
  call(method: LiveMethod, params: unknown): Promise<unknown>
  /** Resolves when the session is over or `close` was called; rejects when the connection was lost. */
  readonly closed: Promise<void>
  close(): void
}

const OPEN_MS = 15_000
/** Close codes of the hub. */
const SIGN_IN_ENDED = 4401
const OVER = 4410

/** Opens the WebSocket of a session; rejects with the hub's refusal. */
export async function openLive(
  client: HubClient,
  id: string,
  onNews: (...news: LiveNews) => void = () => {},
): Promise<LiveSession> {
  const path = `/api/v1/sessions/${encodeURIComponent(id)}`
  const session = await client.call(sessionSchema, path)
  const { url, ...how } = client.webSocket(`${path}/live`)
  const socket = new WebSocket(url, { ...how, handshakeTimeout: OPEN_MS })
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
      rpc.end(code === OVER ? 'the session is over' : 'the connection was closed')
      if (closing || code === OVER) resolve()
      else if (code === SIGN_IN_ENDED) reject(signInEnded())
      else reject(lost(`the hub closed the connection (${code} ${String(reason)})`))
    })
  })
  closed.catch(() => {})
  await new Promise<void>((resolve, reject) => {
    socket.once('open', () => resolve())
    socket.once('unexpected-response', (_request, response) => {
      let body = ''
      response.on('data', (chunk) => {
        body += chunk
      })
      response.once('close', () => {
        const refused = client.refusalOf(new Response(body, { status: response.statusCode ?? 500 }))
        refused.then(reject, reject).finally(() => socket.terminate())
      })
    })
    socket.on('error', (error) => reject(lost(error.message)))
  })
  return {
    session,
    call: (method, params) => rpc.call(method, params),
    closed,
    close: () => {
      closing = true
      socket.close()
    },
  }
}

export interface FollowLiveOptions {
  readonly client: HubClient
  readonly id: string
  readonly signal: AbortSignal
  /** Returns true when it has heard enough. Lines of the chat come once, however often the connection was lost. */
  readonly onNews: (...news: LiveNews) => boolean | undefined
  /** The connection is there, at first and again. */
  readonly onOpen?: (live: LiveSession) => void
  readonly onLost?: (error: LabError) => void
  readonly clock?: Clock
  /** How long the hub may be away before following gives up; 2 min. */
  readonly patienceMs?: number
}

const RETRY_MS = 1000

/** Follows a session until it is over, `onNews` has heard enough, or the signal aborts; a lost connection is opened again. */
export async function followLive(options: FollowLiveOptions): Promise<void> {
  const { client, id, signal, onOpen, onLost, clock = systemClock, patienceMs = 120_000 } = options
  const lines = new Set<string>()
  let awaySince: number | undefined
  for (;;) {
    signal.throwIfAborted()
    let live: LiveSession | undefined
    let enough = false
    const stop = () => live?.close()
    try {
      live = await openLive(client, id, (...news) => {
        const fresh = withoutKnown(news, lines)
        if (fresh === undefined || enough || options.onNews(...fresh) !== true) return
        enough = true
        stop()
      })
      signal.addEventListener('abort', stop, { once: true })
      if (enough || signal.aborted) stop()
      awaySince = undefined
      onOpen?.(live)
      await live.closed
      signal.throwIfAborted()
      return
    } catch (error) {
      signal.throwIfAborted()
      const problem = asLabError(error)
      if (problem.kind !== 'link' && problem.retry === 'never') throw problem
      if (awaySince === undefined) onLost?.(problem)
      awaySince ??= clock.monotonic()
      if (clock.monotonic() - awaySince > patienceMs) throw problem
    } finally {
      signal.removeEventListener('abort', stop)
    }
    await clock.sleep(RETRY_MS, signal)
  }
}

/** The news without lines that were told before; undefined when nothing is left of it. */
function withoutKnown(news: LiveNews, known: Set<string>): LiveNews | undefined {
  const [name, params] = news
  if (name !== 'chat' && name !== 'said') return news
  const lines = (name === 'chat' ? [params] : params.lines).filter((line) => !known.has(line.id))
  for (const { id } of lines) known.add(id)
  const [line] = lines
  if (line === undefined) return undefined
  return name === 'chat' ? ['chat', line] : ['said', { lines }]
}

function lost(why: string): LabError {
  return new LabError({ code: 'connection-lost', kind: 'link', retry: 'later', message: why })
}

function signInEnded(): LabError {
  return new LabError({
    code: 'sign-in-ended',
    kind: 'caller',
    message: 'the token has ended, or its person may not be here any more\n  "fernlab login" gets another token.',
  })
}
