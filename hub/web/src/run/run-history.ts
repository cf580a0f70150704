import type { RunState } from '@fernlab/shared/contracts/run-state'
import { queryOptions } from '@tanstack/react-query'
import type { Api } from '../api/client.ts'
import { followRun } from '../api/run-events.ts'

/** One line of the run's log. */
export interface LogEntry {
  readonly attempt: number
  readonly at: string
  readonly state: RunState
  readonly reason?: string | undefined
}

/** What a run's events tell of all its attempts. */
export interface RunHistory {
  readonly log: readonly LogEntry[]
  /** The streams that began, oldest first. */
  readonly recorded: readonly { readonly attempt: number; readonly stream: string }[]
}

/** The streams of one attempt. */
export interface AttemptStreams {
  readonly attempt: number
  readonly streams: readonly string[]
}

/** The history of a run that has ended; the run itself knows only its last attempt. */
export const historyQuery = (api: Api, id: string) =>
  queryOptions({
    queryKey: ['runs', 'history', id],
    queryFn: ({ signal }) => readHistory(api, id, signal),
    staleTime: Number.POSITIVE_INFINITY,
  })

function readHistory(api: Api, id: string, signal: AbortSignal): Promise<RunHistory> {
  return new Promise((resolve, reject) => {
    const log: LogEntry[] = []
    const recorded: { attempt: number; stream: string }[] = []
    const following = followRun({
      api,
      path: `/api/v1/runs/${id}/events`,
      online: window,
      onConnected: () => {},
      onEvents: (events) => {
        for (const { name, data } of events) {
          if (name === 'state') log.push(data as LogEntry)
          if (name === 'streams') recorded.push(data as { attempt: number; stream: string })
          if (name === 'end') resolve({ log, recorded })
        }
      },
    })
    signal.addEventListener('abort', () => {
      following.stop()
      reject(signal.reason)
    })
  })
}

/** The attempts that have streams, newest first. */
export function attemptsOf(latest: AttemptStreams, { recorded }: Pick<RunHistory, 'recorded'>): AttemptStreams[] {
  const earlier = [...new Set(recorded.map(({ attempt }) => attempt))].filter((attempt) => attempt < latest.attempt)
  const all = earlier.map((attempt) => ({
    attempt,
    streams: [...new Set(recorded.filter((one) => one.attempt === attempt).map(({ stream }) => stream))],
  }))
  return [...all, latest].filter(({ streams }) => streams.length > 0).sort((a, b) => b.attempt - a.attempt)
}
