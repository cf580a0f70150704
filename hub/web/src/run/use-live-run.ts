import type { Run } from '@fernlab/shared/contracts/api'
import type { RunState } from '@fernlab/shared/contracts/run-state'
import { useQueryClient } from '@tanstack/react-query'
import { useEffect, useRef, useState } from 'react'
import { useApi } from '../api/context.tsx'
import { runQuery } from '../api/queries.ts'
import { followRun, type RunEvent } from '../api/run-events.ts'
import { append, type DataEvent, type StreamData, type StreamsEvent } from './run-data.ts'
import type { RunHistory } from './run-history.ts'

export interface LiveRun extends RunHistory {
  readonly streams: Readonly<Record<string, StreamData>>
  readonly connected: boolean
}

interface StateEvent {
  readonly state: RunState
  readonly attempt: number
  readonly at: string
  readonly reason?: string
  readonly bench?: string
}

/** Follows a run while it is not final: keeps the cached run up to date and gathers its rows as they come. */
export function useLiveRun(id: string, active: boolean): LiveRun {
  const api = useApi()
  const client = useQueryClient()
  const [live, setLive] = useState<LiveRun>({ streams: {}, log: [], recorded: [], connected: true })
  const gathered = useRef<LiveRun>(live)

  useEffect(() => {
    if (!active) return
    const key = runQuery(api, id).queryKey
    let attempt = 0
    let frame = 0
    const change = (next: Partial<LiveRun>) => {
      gathered.current = { ...gathered.current, ...next }
      // Many events a second become one drawing a frame.
      frame ||= requestAnimationFrame(() => {
        frame = 0
        setLive(gathered.current)
      })
    }
    const patch = (next: Partial<Run>) =>
      client.setQueryData(key, (run) => (run === undefined ? run : { ...run, ...next }))
    const begin = (now: number) => {
      if (now === attempt) return
      attempt = now
      change({ streams: {} })
    }
    const take = ({ name, data }: RunEvent) => {
      switch (name) {
        case 'state': {
          const event = data as StateEvent
          begin(event.attempt)
          const entry = { attempt: event.attempt, at: event.at, state: event.state, reason: event.reason }
          change({ log: [...gathered.current.log, entry] })
          patch({
            state: event.state,
            attempt: event.attempt,
            ...(event.bench === undefined ? {} : { bench: event.bench }),
            ...(event.state === 'running' ? { startedAt: event.at } : {}),
          })
          if (event.state !== 'queued') void client.invalidateQueries({ queryKey: ['runs', 'active'] })
          return
        }
        case 'streams': {
          const event = data as StreamsEvent
          begin(event.attempt)
          const { streams, recorded } = gathered.current
          const empty = { stream: event.stream, time: [], columns: {}, rows: 0, reduced: false }
          change({
            streams: { ...streams, [event.stream]: { ...(streams[event.stream] ?? empty), keys: event.keys } },
            recorded: [...recorded, { attempt: event.attempt, stream: event.stream }],
          })
          return
        }
        case 'data': {
          const event = data as DataEvent
          begin(event.attempt)
          const { streams } = gathered.current
          change({ streams: { ...streams, [event.stream]: append(streams[event.stream], event) } })
          return
        }
        case 'progress':
          patch({ progress: data as NonNullable<Run['progress']> })
          return
        case 'wait': {
          const event = data as { position: number; estimatedStart?: string; reason: string }
          patch({
            position: event.position,
            waitReason: event.reason,
            ...(event.estimatedStart === undefined ? {} : { estimatedStart: event.estimatedStart }),
          })
          return
        }
        case 'outputs':
          patch(data as Pick<Run, 'outputs' | 'missingOutputs'>)
          return
        case 'end':
          client.setQueryData(key, data as Run)
          void client.invalidateQueries({ queryKey: ['runs', 'active'] })
          void client.invalidateQueries({ queryKey: ['runs', 'list'] })
      }
    }
    const following = followRun({
      api,
      path: `/api/v1/runs/${id}/events`,
      online: window,
      onEvents: (events) => events.forEach(take),
      onConnected: (connected) => change({ connected }),
    })
    return () => {
      following.stop()
      cancelAnimationFrame(frame)
    }
  }, [active, api, client, id])
  return live
}
