import type { Run } from '@fernlab/shared/contracts/api'
import { IconClock, IconHandMove, IconPlayerPlay, IconProgress } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { Link, useRouterState } from '@tanstack/react-router'
import { lazy, Suspense } from 'react'
import { useApi } from '../api/context.tsx'
import { activeRunsQuery, sessionQuery } from '../api/queries.ts'
import { isSession } from '../session/session-run.ts'
import { useNow, useWords } from '../words/use-words.ts'
import styles from './frame.module.css'

const NextBooking = lazy(() => import('../bookings/next-booking.tsx'))

/** On every page: my place and time while I wait, and one tap to the bench when it is my turn. */
export function TurnLine({ person }: { person: string }) {
  const words = useWords()
  const api = useApi()
  const active = useQuery(activeRunsQuery(api, person))
  const nowMs = useNow(1000)
  useStayInLine(active.data?.items ?? [])
  const path = useRouterState({ select: (state) => state.location.pathname })
  const run = nearest(active.data?.items ?? [])
  if (run === undefined && path !== '/calendar/bookings') {
    return (
      <span aria-live="polite" className={styles.turn}>
        <Suspense>
          <NextBooking person={person} />
        </Suspense>
      </span>
    )
  }
  if (run === undefined || path === `/runs/${run.id}` || path === `/sessions/${run.id}`)
    return <span aria-live="polite" className={styles.turn} />
  const [tone, Icon, what] = describe(run, words, nowMs)
  return (
    <span aria-live="polite" className={styles.turn}>
      <Link
        {...(isSession(run)
          ? ({ to: '/sessions/$sessionId', params: { sessionId: run.id } } as const)
          : ({ to: '/runs/$runId', params: { runId: run.id } } as const))}
        className={styles.turnLink}
        data-tone={tone}
      >
        <Icon size={16} aria-hidden="true" />
        <span>{what}</span>
      </Link>
    </span>
  )
}

/** Somebody who waits for a live session, or for its bench to be ready, has to be heard of: also from other pages. */
function useStayInLine(runs: readonly Run[]): void {
  const api = useApi()
  const session = runs.find((run) => isSession(run) && run.state !== 'running')
  useQuery({
    ...sessionQuery(api, session?.id ?? ''),
    enabled: session !== undefined,
    refetchInterval: 15_000,
    refetchIntervalInBackground: true,
  })
}

/** The run that needs its person first: running, then starting, then the nearest in the queue. */
function nearest(runs: readonly Run[]): Run | undefined {
  const order = { running: 0, assigned: 1, queued: 2 } as Readonly<Record<string, number>>
  return [...runs]
    .filter((run) => run.state in order)
    .sort(
      (a, b) => (order[a.state] ?? 3) - (order[b.state] ?? 3) || (a.position ?? Infinity) - (b.position ?? Infinity),
    )[0]
}

function describe(run: Run, words: ReturnType<typeof useWords>, nowMs: number) {
  const { t } = words
  if (run.state === 'running' && isSession(run)) return ['free', IconHandMove, t('turn.session')] as const
  if (run.state === 'running') return ['busy', IconProgress, t('turn.now')] as const
  if (run.state === 'assigned') return ['free', IconPlayerPlay, t('turn.starting')] as const
  const inS = run.estimatedStart === undefined ? undefined : (Date.parse(run.estimatedStart) - nowMs) / 1000
  if (inS !== undefined) {
    return ['waiting', IconClock, t('turn.in', { time: inS < 5 ? t('time.soon') : words.about(inS) })] as const
  }
  return ['waiting', IconClock, run.position === 1 ? t('turn.next') : t('turn.place', { place: run.position })] as const
}
