import { progressSchema, type Run, runSchema } from '@fernlab/shared/contracts/api'
import { runStateSchema } from '@fernlab/shared/contracts/run-state'
import { type Clock, systemClock } from '@fernlab/shared/primitives/clock'
import { asLabError, LabError } from '@fernlab/shared/primitives/lab-error'
import * as z from 'zod'
import type { HubClient } from './hub-client.ts'

const stateEventSchema = z.object({ state: runStateSchema, bench: z.string().nullish(), reason: z.string().nullish() })
const waitEventSchema = z.object({
  position: z.number(),
  estimatedStart: z.string().nullish(),
  reason: z.string().nullish(),
})

export type RunNews =
  | ({ readonly kind: 'state' } & z.infer<typeof stateEventSchema>)
  | ({ readonly kind: 'progress' } & z.infer<typeof progressSchema>)
  | ({ readonly kind: 'wait' } & z.infer<typeof waitEventSchema>)

export interface FollowOptions {
  readonly client: HubClient
  readonly runId: string
  readonly signal: AbortSignal
  readonly onNews: (news: RunNews) => void
  readonly clock?: Clock
  /** How long the hub may be away before following gives up; 2 min. */
  readonly patienceMs?: number
}

const retryMs = 1_000

/**
 * Follows a run by its events until it has ended, resuming where a lost connection broke off; resolves with the run as
 * the hub states it at the end.
 */
export async function followRun(options: FollowOptions): Promise<Run> {
  const { client, runId, signal, onNews, clock = systemClock, patienceMs = 120_000 } = options
  let lastEventId: string | undefined
  let lastHeard = clock.monotonic()
  for (;;) {
    try {
      const from = lastEventId === undefined ? {} : { lastEventId }
      for await (const event of client.events(`/api/v1/runs/${encodeURIComponent(runId)}/events`, {
        signal,
        ...from,
      })) {
        lastHeard = clock.monotonic()
        if (event.id !== undefined) lastEventId = event.id
        if (event.event === 'end') return runSchema.parse(parseData(event.data))
        const news = readNews(event.event, event.data)
        if (news !== undefined) onNews(news)
      }
    } catch (error) {
      signal.throwIfAborted()
      const problem = asLabError(error)
      const mayComeBack = problem.kind === 'link' || problem.retry !== 'never' || problem.code === 'internal-error'
      if (!mayComeBack || clock.monotonic() - lastHeard > patienceMs) throw problem
    }
    await clock.sleep(retryMs, signal)
  }
}

function readNews(name: string | undefined, data: string): RunNews | undefined {
  switch (name) {
    case 'state':
      return { kind: 'state', ...stateEventSchema.parse(parseData(data)) }
    case 'progress':
      return { kind: 'progress', ...progressSchema.parse(parseData(data)) }
    case 'wait':
      return { kind: 'wait', ...waitEventSchema.parse(parseData(data)) }
    default:
      return undefined
  }
}

function parseData(data: string): unknown {
  try {
    return JSON.parse(data)
  } catch (cause) {
    throw new LabError({
      code: 'unexpected-answer',
      kind: 'bug',
      message: 'the hub sent an event that is not JSON',
      cause,
    })
  }
}
