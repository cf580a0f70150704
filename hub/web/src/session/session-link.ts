/**
 * The page's WebSocket to a session.
 *
 * INVARIANTS: a call goes out once, on the connection that is there, or not at all; one that has no answer when its
 * connection ends is refused as `network` and never sent again; after close() nothing goes out and nothing is told.
 */
import type { LabErrorJson } from '@fernlab/shared/primitives/lab-error'
import { ApiProblem } from '../api/client.ts'
import type { SessionCalls, SessionNotice } from './wire.ts'

export interface SessionLinkOptions {
  /** Makes a connection that is being opened. */
  readonly connect: () => WebSocket
  readonly onNotice: (notice: SessionNotice) => void
  readonly onConnected: (connected: boolean) => void
  /** Says `online` and `offline`; in a browser the window. */
  readonly network?: EventTarget
  readonly firstRetryMs?: number
  readonly longestRetryMs?: number
  /** Where readings come, none for this long means that the connection is dead. */
  readonly silenceMs?: number
}

export interface SessionLink {
  call<Name extends keyof SessionCalls>(method: Name, params: SessionCalls[Name]): Promise<unknown>
  close(): void
}

interface Waiting {
  readonly resolve: (result: unknown) => void
  readonly reject: (error: ApiProblem) => void
}

const lost = () => new ApiProblem(0, { code: 'network' })

/** Opens the link and keeps it open. */
export function openSessionLink(options: SessionLinkOptions): SessionLink {
  const { network, firstRetryMs = 500, longestRetryMs = 5_000, silenceMs = 10_000 } = options
  const calls = new Map<number, Waiting>()
  let socket: WebSocket | undefined
  let isOpen = false
  let isClosed = false
  let nextId = 1
  let retryMs = firstRetryMs
  let retry: ReturnType<typeof setTimeout> | undefined
  let watchdog: ReturnType<typeof setTimeout> | undefined

  /** Who waits hears nothing for long; from a bench that is driven something comes all the time. */
  const listen = (from: WebSocket, { name, params }: SessionNotice) => {
    if (name !== 'samples' && name !== 'session') return
    clearTimeout(watchdog)
    if (name === 'samples' || params.state === 'active') watchdog = setTimeout(() => drop(from), silenceMs)
  }

  function open(): void {
    clearTimeout(retry)
    if (isClosed || socket !== undefined) return
    const own = options.connect()
    socket = own
    own.addEventListener('open', () => {
      if (socket !== own) return
      isOpen = true
      retryMs = firstRetryMs
      options.onConnected(true)
    })
    own.addEventListener('message', ({ data }) => {
      if (socket === own) take(own, JSON.parse(String(data)) as Message)
    })
    own.addEventListener('close', () => drop(own))
  }

  /** The connection is of no use any more: whoever waits for it is told, and another is opened. */
  function drop(own: WebSocket): void {
    if (socket !== own) return
    socket = undefined
    clearTimeout(watchdog)
    own.close()
    const wasOpen = isOpen
    isOpen = false
    for (const { reject } of calls.values()) reject(lost())
    calls.clear()
    if (isClosed) return
    if (wasOpen) options.onConnected(false)
    retry = setTimeout(open, retryMs)
    retryMs = Math.min(retryMs * 2, longestRetryMs)
  }

  const onOffline = () => {
    if (socket !== undefined) drop(socket)
  }
  network?.addEventListener('online', open)
  network?.addEventListener('offline', onOffline)

  function take(own: WebSocket, message: Message): void {
    if (message.method !== undefined) {
      const notice = { name: message.method, params: message.params } as SessionNotice
      listen(own, notice)
      options.onNotice(notice)
      return
    }
    const waiting = calls.get(Number(message.id))
    calls.delete(Number(message.id))
    if (message.error === undefined) waiting?.resolve(message.result)
    else waiting?.reject(refusal(message.error.data))
  }

  open()
  return {
    call: (method, params) =>
      new Promise((resolve, reject) => {
        if (socket === undefined || !isOpen) return reject(lost())
        const id = nextId++
        calls.set(id, { resolve, reject })
        socket.send(JSON.stringify({ jsonrpc: '2.0', id, method, params }))
      }),
    close: () => {
      isClosed = true
      clearTimeout(retry)
      network?.removeEventListener('online', open)
      network?.removeEventListener('offline', onOffline)
      if (socket !== undefined) drop(socket)
    },
  }
}

/** A message of shared/rpc/envelope, whose schemas the page does not load: it trusts the hub that served it. */
interface Message {
  readonly method?: string
  readonly params?: unknown
  readonly id?: number | string | null
  readonly result?: unknown
  readonly error?: { readonly message: string; readonly data: LabErrorJson }
}

const refusal = ({ code, message, studentMessage, issues }: LabErrorJson): ApiProblem =>
  new ApiProblem(409, {
    code,
    detail: message,
    hint: studentMessage,
    ...(issues === undefined ? {} : { issues: [...issues] }),
  })
