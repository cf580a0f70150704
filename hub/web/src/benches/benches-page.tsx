import type { Bench } from '@fernlab/shared/contracts/api'
import { isStaff } from '@fernlab/shared/contracts/people'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { lazy, Suspense } from 'react'
import { useApi } from '../api/context.tsx'
import { benchesQuery, meQuery } from '../api/queries.ts'
import { LinkButton } from '../frame/link-button.tsx'
import { Page } from '../frame/page.tsx'
import { useTitle } from '../frame/place.tsx'
import { withTexts } from '../language/late-texts.ts'
import { EmptyState } from '../notices/empty-state.tsx'
import { Loading } from '../notices/loading.tsx'
import { ProblemNotice } from '../notices/problem-notice.tsx'
import { BenchMark } from '../states/state-mark.tsx'
import { useWords } from '../words/use-words.ts'
import { BenchLetters } from './bench-letters.tsx'
import styles from './benches.module.css'

const OpenSessions = lazy(() => withTexts(['session'], () => import('../session/open-sessions.tsx')))

const order: readonly Bench['state'][] = ['fault', 'offline', 'maintenance', 'busy', 'free']

/** Every bench, those in trouble first, with the reason in front. */
export default function BenchesPage() {
  const words = useWords()
  const { t } = words
  useTitle(t('benches.title'))
  const api = useApi()
  const benches = useQuery(benchesQuery(api))
  const role = useQuery(meQuery(api)).data?.role
  const manages = role === 'admin'
  if (benches.data === undefined) {
    return (
      <Page title={t('benches.title')}>
        {benches.error === null ? (
          <Loading />
        ) : (
          <ProblemNotice error={benches.error} onRetry={() => void benches.refetch()} />
        )}
      </Page>
    )
  }
  const items = [...benches.data.items].sort((a, b) => order.indexOf(a.state) - order.indexOf(b.state))
  return (
    <Page title={t('benches.title')}>
      {items.length === 0 ? (
        <EmptyState
          title={t('benches.empty')}
          action={manages ? <LinkButton to="/nodes">{t('benches.toNodes')}</LinkButton> : undefined}
        >
          {t('benches.emptyText')}
        </EmptyState>
      ) : (
        <ul className={styles.list}>
          {items.map((bench) => (
            <li key={bench.id} className={styles.row}>
              <BenchMark state={bench.state} />
              <span className={styles.name}>
                <Link to="/benches/$benchId" params={{ benchId: bench.id }} className={styles.link}>
                  {bench.title ?? bench.name}
                </Link>
                <code className={styles.id}>{bench.id}</code>
                {bench.reason === undefined ? null : (
                  <span className={styles.reason}>{words.reason(bench.reason)}</span>
                )}
              </span>
              <span className={styles.labs}>
                {bench.labs.length === 0 ? t('benches.noLab') : `${t('benches.serves')} ${bench.labs.join(', ')}`}
              </span>
              <span className={styles.doing}>{doing(bench, words)}</span>
            </li>
          ))}
        </ul>
      )}
      {isStaff(role) || role === 'builder' ? <BenchLetters /> : null}
      {isStaff(role) ? (
        <Suspense fallback={null}>
          <OpenSessions />
        </Suspense>
      ) : null}
    </Page>
  )
}

function doing(bench: Bench, { t, duration }: ReturnType<typeof useWords>): string {
  const what =
    bench.run !== undefined
      ? t('benches.onRun')
      : bench.leased
        ? t('benches.leased')
        : bench.state === 'free'
          ? t('benches.idle')
          : ''
  const since =
    bench.since === undefined
      ? ''
      : t('benches.since', { time: duration((Date.now() - Date.parse(bench.since)) / 1000) })
  return [what, since].filter((part) => part !== '').join(', ')
}
