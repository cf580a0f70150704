import type { LiveParams, Session } from '@fernlab/shared/contracts/sessions'
import { type QueryClient, useQueryClient } from '@tanstack/react-query'
import { useCallback, useEffect, useMemo, useRef, useState } from 'react'
import { ApiProblem } from '../api/client.ts'
import { useApi } from '../api/context.tsx'
import { sessionQuery } from '../api/queries.ts'
import type { Command } from '../panel/panel-context.tsx'
import { restfulFrames } from '../panel/restful-frames.ts'
import { createSignalStore, type SignalStore } from '../panel/signal-store.ts'
import { openSessionLink, type SessionLink } from './session-link.ts'
import {
  type ChatLine,
  commandsOf,
  type Person,
  type Present,
  type SessionCalls,
  socketPath,
  webSocketUrl,
} from './wire.ts'

interface Heard {
  readonly connected: boolean
  readonly present: readonly Present[]
  /** Who has the controls; undefined until it was told. */
  readonly control: Person | undefined
  readonly chat: readonly ChatLine[]
  readonly commands: readonly Command[]
  /** When the session ends by this machine's clock, in epoch milliseconds. */
  readonly endsAtMs: number | undefined
}

type SamplesListener = (samples: LiveParams<'samples'>['samples']) => void

export interface LiveSession extends Heard {
  readonly store: SignalStore
  /** Calls back with everything that is read; returns how to stop. */
  readonly onSamples: (listener: SamplesListener) => () => void
  call<Name extends keyof SessionCalls>(method: Name, params: SessionCalls[Name]): Promise<unknown>
}

const mostLines = 500
/** The time left is shown in seconds. */
const sameEndMs = 500
const nothing: Heard = {
  connected: false,
  present: [],
  control: undefined,
  chat: [],
  commands: [],
  endsAtMs: undefined,
}

/** Follows a session until it is closed: keeps the cached session up to date, and gathers what is read, done and said. */
export function useSession(session: Session): LiveSession {
  const { id } = session
  const api = useApi()
  const client = useQueryClient()
  const [heard, setHeard] = useState(nothing)
  const link = useRef<SessionLink>(undefined)
  const samplesListeners = useRef(new Set<SamplesListener>())
  const keepS = longestPast(session)
  const store = useMemo(() => createSignalStore({ keepS, schedule: restfulFrames() }), [keepS])
  const isClosed = session.state === 'closed'

  useEffect(() => {
    if (isClosed) return
    const change = (next: (before: Heard) => Partial<Heard>) => setHeard((before) => ({ ...before, ...next(before) }))
    const own = openSessionLink({
      connect: () => new WebSocket(webSocketUrl(socketPath(id))),
      network: window,
      onConnected: (connected) => {
        change(() => ({ connected }))
        // Why it was lost, the session itself says: it may be over.
        if (!connected) void client.invalidateQueries(sessionQuery(api, id))
      },
      onNotice: ({ name, params }) => {
        switch (name) {
          case 'session':
            takeSession(client, sessionQuery(api, id).queryKey, params)
            void client.invalidateQueries({ queryKey: ['runs', 'active'] })
            change(() => ({ control: params.control, endsAtMs: endOf(params) }))
            return
          case 'wait': {
            const { position, reason, estimatedStart } = params
            const { queryKey } = sessionQuery(api, id)
            const before = client.getQueryData(queryKey)
            if (before?.state === 'waiting')
              takeSession(client, queryKey, { ...before, position, waitReason: reason, estimatedStart })
            return
          }
          case 'samples': {
            const { samples, secondsLeft } = params
            store.take(samples)
            for (const listener of samplesListeners.current) listener(samples)
            // By this machine's clock, which may be off.
            if (secondsLeft !== undefined) setHeard((before) => ending(before, Date.now() + secondsLeft * 1000))
            return
          }
          case 'people':
            change(() => ({ present: params.people, control: params.control }))
            return
          case 'chat':
            change(({ chat }) => ({ chat: withLines(chat, [params]) }))
            return
          case 'said':
            change(({ chat }) => ({ chat: withLines(chat, params.lines) }))
            return
          case 'command': {
            const { command, outcome } = params
            if (command.what === 'set' && outcome === 'done') store.askedFor(command.values)
            change(({ commands }) => ({
              commands: following(commands, commandsOf(params), ({ at, what, target }) => `${at} ${what} ${target}`),
            }))
          }
        }
      },
    })
    link.current = own
    return () => {
      link.current = undefined
      own.close()
      setHeard((before) => ({ ...before, connected: false }))
    }
  }, [api, client, id, isClosed, store])

  return {
    ...heard,
    endsAtMs: heard.endsAtMs ?? endOf(session),
    store,
    onSamples: useCallback((listener) => {
      samplesListeners.current.add(listener)
      return () => void samplesListeners.current.delete(listener)
    }, []),
    call: useCallback(
      (method, params) => link.current?.call(method, params) ?? Promise.reject(new ApiProblem(0, { code: 'network' })),
      [],
    ),
  }
}

/** What the hub tells is newer than the answer to any question that is under way. */
function takeSession(client: QueryClient, queryKey: ReturnType<typeof sessionQuery>['queryKey'], session: Session) {
  void client.cancelQueries({ queryKey, exact: true }, { revert: false, silent: true })
  client.setQueryData(queryKey, session)
}

/** The end moves when it is another one: that every reading takes its while to come moves nothing. */
function ending(before: Heard, endsAtMs: number): Heard {
  const isThere = before.endsAtMs !== undefined && Math.abs(before.endsAtMs - endsAtMs) < sameEndMs
  return isThere ? before : { ...before, endsAtMs }
}

/** The lines with those that came after them; after a new connection some may come again. */
function following<Line>(before: readonly Line[], more: readonly Line[], keyOf: (line: Line) => string): Line[] {
  const known = new Set(before.map(keyOf))
  return [...before, ...more.filter((line) => !known.has(keyOf(line)))].slice(-mostLines)
}

/** All lines once, in the order of being said: what was said before may come after what is said now. */
function withLines(before: readonly ChatLine[], more: readonly ChatLine[]): ChatLine[] {
  const byId = new Map([...before, ...more].map((line) => [line.id, line]))
  return [...byId.values()].sort((one, other) => (one.id < other.id ? -1 : 1)).slice(-mostLines)
}

const endOf = ({ endsAt }: Session): number | undefined => (endsAt === undefined ? undefined : Date.parse(endsAt))

/** So much of the past the widgets show. */
function longestPast({ panel }: Session): number {
  const shown = (panel?.widgets ?? []).map((widget) =>
    widget.kind === 'chart' ? (widget.seconds ?? 60) : widget.kind === 'waveform' ? 3 * widget.seconds : 0,
  )
  return Math.max(10, ...shown) + 2
}
