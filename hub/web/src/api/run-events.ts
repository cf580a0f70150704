/**
 * INVARIANTS:
 * - An event with an id is delivered once and in order: a new connection asks for what follows the last id seen.
 * - After `end`, or after stop(), no connection is opened and nothing is delivered.
 */
import type { RunEventName } from '@fernlab/shared/contracts/api'
import { createParser } from 'eventsource-parser'
import { type Api, ApiProblem } from './client.ts'

export interface RunEvent {
  readonly name: RunEventName
  readonly data: unknown
}

export interface RunEventsOptions {
  readonly api: Pick<Api, 'open'>
  readonly path: string
  readonly onEvents: (events: readonly RunEvent[]) => void
  /** True while connected. */
  readonly onConnected: (connected: boolean) => void
  /** Says `online` when the network is back, so that the next try need not wait; in a browser the window. */
  readonly online?: EventTarget
  readonly firstRetryMs?: number
  readonly longestRetryMs?: number
  /** No byte for this long means that the connection is dead; the hub sends something every 15 s. */
  readonly silenceMs?: number
}

/** Follows a run's events and reconnects with `Last-Event-ID` until the run ends or stop() is called. */
export function followRun(options: RunEventsOptions): { stop(): void } {
  const { firstRetryMs = 500, longestRetryMs = 10_000, silenceMs = 45_000 } = options
  const stopped = new AbortController()
  let lastId: string | undefined
  let retryMs = firstRetryMs
  let ended = false

  async function connect(): Promise<void> {
    const attempt = new AbortController()
    const abort = () => attempt.abort()
    stopped.signal.addEventListener('abort', abort, { once: true })
    let watchdog = setTimeout(abort, silenceMs)
    try {
      const response = await options.api.open(
        options.path,
        { accept: 'text/event-stream', ...(lastId === undefined ? {} : { 'last-event-id': lastId }) },
        attempt.signal,
      )
      let batch: RunEvent[] = []
      const parser = createParser({
        onEvent: (event) => {
          if (event.id !== undefined) lastId = event.id
          batch.push({ name: event.event as RunEventName, data: JSON.parse(event.data) as unknown })
        },
        onRetry: (ms) => {
          retryMs = ms
        },
      })
      options.onConnected(true)
      retryMs = firstRetryMs
      const decoder = new TextDecoder()
      const reader = response.body?.getReader()
      while (reader !== undefined && !stopped.signal.aborted) {
        const { done, value } = await reader.read()
        if (done) break
        clearTimeout(watchdog)
        watchdog = setTimeout(abort, silenceMs)
        parser.feed(decoder.decode(value, { stream: true }))
        if (batch.length === 0) continue
        const events = batch
        batch = []
        if (events.some((event) => event.name === 'end')) ended = true
        options.onEvents(events)
        if (ended) attempt.abort()
      }
    } finally {
      clearTimeout(watchdog)
      stopped.signal.removeEventListener('abort', abort)
    }
  }

  async function follow(): Promise<void> {
    while (!ended && !stopped.signal.aborted) {
      try {
        await connect()
      } catch (error) {
        // A refusal will not change by asking again; anything else is the network's.
        if (error instanceof ApiProblem && error.status >= 400 && error.status < 500 && error.status !== 429) return
      }
      if (ended || stopped.signal.aborted) return
      options.onConnected(false)
      await waitOr(retryMs, stopped.signal, options.online)
      retryMs = Math.min(retryMs * 2, longestRetryMs)
    }
  }

  void follow()
  return { stop: () => stopped.abort() }
}

/** Resolves after the time, when stopped, or when the network is back, whichever comes first. */
function waitOr(ms: number, stopped: AbortSignal, online: EventTarget | undefined): Promise<void> {
  return new Promise((resolve) => {
    const now = () => {
      clearTimeout(timer)
      stopped.removeEventListener('abort', now)
      online?.removeEventListener('online', now)
      resolve()
    }
    const timer = setTimeout(now, ms)
    stopped.addEventListener('abort', now)
    online?.addEventListener('online', now)
  })
}
