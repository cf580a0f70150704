import { Button } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import { useTranslation } from 'react-i18next'
import { ApiProblem } from '../api/client.ts'
import { useApi, useReachable } from '../api/context.tsx'
import { siteQuery } from '../api/queries.ts'
import { isPartMissing } from './part-missing.ts'
import { ProblemNotice } from './problem-notice.tsx'

/** Instead of a page that could not be drawn. */
export function PageFailed({ error }: { error: unknown }) {
  const reachable = useReachable()
  const isFinal = error instanceof ApiProblem && error.status === 403
  return (
    <div style={{ display: 'grid', gap: 16, justifyItems: 'start', padding: 16 }}>
      <ProblemNotice error={error} />
      {isPartMissing(error) ? <WhenItAnswers /> : isFinal || !reachable ? null : <LoadAgain />}
    </div>
  )
}

function LoadAgain() {
  const { t } = useTranslation()
  return (
    <Button variant="default" onClick={() => location.reload()}>
      {t('error.reload')}
    </Button>
  )
}

const reloadedKey = 'fernlab-loaded-again'
const onceInMs = 60_000

/** Loads the page again as soon as the hub answers: only then are its parts there, and those of a newer one too. */
function WhenItAnswers() {
  const [sinceMs] = useState(() => Date.now())
  const site = useQuery({
    ...siteQuery(useApi()),
    staleTime: 0,
    refetchInterval: 4_000,
    refetchIntervalInBackground: true,
  })
  const answers = site.error === null && site.dataUpdatedAt >= sinceMs
  // A part that is missing after that is missing at the hub.
  const [isSecond] = useState(() => sinceMs - Number(sessionStorage.getItem(reloadedKey) ?? 0) < onceInMs)
  useEffect(() => {
    if (!answers || isSecond) return
    sessionStorage.setItem(reloadedKey, String(Date.now()))
    location.reload()
  }, [answers, isSecond])
  return answers && isSecond ? <LoadAgain /> : null
}
