import type { SessionVisit } from '@fernlab/shared/contracts/sessions'
import { useQuery } from '@tanstack/react-query'
import { useParams } from '@tanstack/react-router'
import { useEffect } from 'react'
import { useApi } from '../api/context.tsx'
import { LinkButton } from '../frame/link-button.tsx'
import { Page } from '../frame/page.tsx'
import { useTitle } from '../frame/place.tsx'
import { Loading } from '../notices/loading.tsx'
import { ProblemNotice } from '../notices/problem-notice.tsx'
import { useWords } from '../words/use-words.ts'

/** The tab in which the page of a lab's own server is about to open. */
export default function VisitLabPage() {
  const { t } = useWords()
  useTitle(t('session.visit.title'), t('session.title'))
  const api = useApi()
  const { sessionId } = useParams({ strict: false })
  const visit = useQuery({
    queryKey: ['session', sessionId, 'visit'],
    queryFn: () => api.send<SessionVisit>('POST', `/api/v1/sessions/${sessionId}/visit`),
    retry: false,
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
  })
  const url = visit.data?.url
  useEffect(() => {
    // In place of this page, whose address is used up.
    if (url !== undefined) window.location.replace(url)
  }, [url])
  return (
    <Page title={t('session.visit.title')}>
      {visit.error === null ? (
        <>
          <p role="status">
            {visit.data?.through === 'direct'
              ? t('session.visit.direct', { host: new URL(visit.data.url).host })
              : t('session.visit.hub')}
          </p>
          <Loading lines={1} />
        </>
      ) : (
        <ProblemNotice error={visit.error} onRetry={() => void visit.refetch()} />
      )}
      <p>
        <LinkButton to="/sessions/$sessionId" params={{ sessionId: sessionId ?? '' }} variant="default">
          {t('session.visit.back')}
        </LinkButton>
      </p>
    </Page>
  )
}
