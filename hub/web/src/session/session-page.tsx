import type { Session } from '@fernlab/shared/contracts/sessions'
import { useQuery } from '@tanstack/react-query'
import { useParams } from '@tanstack/react-router'
import { lazy, Suspense, useState } from 'react'
import { isAbsent } from '../api/client.ts'
import { useApi } from '../api/context.tsx'
import { sessionQuery } from '../api/queries.ts'
import { Page } from '../frame/page.tsx'
import { useTitle } from '../frame/place.tsx'
import { Loading } from '../notices/loading.tsx'
import { NotFound } from '../notices/not-found.tsx'
import { ProblemNotice } from '../notices/problem-notice.tsx'
import { useWords } from '../words/use-words.ts'
import { ActiveSession } from './active-session.tsx'
import styles from './session.module.css'
import { FinishingSession, PreparingSession, WaitingSession } from './session-states.tsx'
import { useSession } from './use-session.ts'

const ClosedSession = lazy(() => import('./closed-session.tsx'))

/** One live session, from its place in the queue to what was recorded. */
export default function SessionPage() {
  const { sessionId } = useParams({ from: '/framed/sessions/$sessionId' })
  const words = useWords()
  const api = useApi()
  const session = useQuery({
    ...sessionQuery(api, sessionId),
    refetchInterval: (query) => (query.state.data?.state === 'closed' ? false : 10_000),
  })
  const place = session.data === undefined ? sessionId : words.text(session.data.labTitle) || session.data.lab
  useTitle(place, place)
  if (session.data !== undefined) return <SessionView key={sessionId} session={session.data} title={place} />
  if (isAbsent(session.error)) return <NotFound />
  return (
    <Page title="">
      {session.error === null ? (
        <Loading />
      ) : (
        <ProblemNotice error={session.error} onRetry={() => void session.refetch()} />
      )}
    </Page>
  )
}

function SessionView({ session, title }: { session: Session; title: string }) {
  const live = useSession(session)
  const [wasAwaited] = useState(session.state === 'waiting' || session.state === 'preparing')
  switch (session.state) {
    case 'waiting':
      return <WaitingSession session={session} title={title} />
    case 'preparing':
      return <PreparingSession session={session} title={title} live={live} />
    case 'active':
      return <ActiveSession session={session} title={title} live={live} wasAwaited={wasAwaited} />
    case 'finishing':
      return <FinishingSession session={session} title={title} live={live} />
    case 'closed':
      return (
        <div className={styles.quiet}>
          <Suspense fallback={<Loading />}>
            <ClosedSession session={session} title={title} />
          </Suspense>
        </div>
      )
  }
}
