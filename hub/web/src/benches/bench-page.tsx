import type { Bench } from '@fernlab/shared/contracts/api'
import { isStaff } from '@fernlab/shared/contracts/people'
import { useQuery } from '@tanstack/react-query'
import { Link, useParams } from '@tanstack/react-router'
import { useApi } from '../api/context.tsx'
import { benchesQuery, benchHistoryQuery, meQuery, outagesQuery } from '../api/queries.ts'
import { Page } from '../frame/page.tsx'
import { useTitle } from '../frame/place.tsx'
import { RemoveButton } from '../nodes/remove-button.tsx'
import { EmptyState } from '../notices/empty-state.tsx'
import { Loading } from '../notices/loading.tsx'
import { ProblemNotice } from '../notices/problem-notice.tsx'
import { BenchMark } from '../states/state-mark.tsx'
import { useWords } from '../words/use-words.ts'
import styles from './benches.module.css'
import { Calibrations } from './calibrations.tsx'
import { DirectPanel } from './direct-panel.tsx'
import { Health } from './health.tsx'
import { Interlocks } from './interlocks.tsx'
import { Outages } from './outages.tsx'
import { PutBack } from './put-back.tsx'

/** One bench: how it is, why, what it is doing, its instruments with live values, and driving it by hand. */
export default function BenchPage() {
  const { benchId } = useParams({ from: '/framed/benches/$benchId' })
  const { t } = useWords()
  const benches = useQuery(benchesQuery(useApi()))
  const bench = benches.data?.items.find((one) => one.id === benchId)
  const title = bench?.title ?? bench?.name ?? benchId
  useTitle(title, title)
  if (bench !== undefined) return <BenchView key={bench.id} bench={bench} title={title} />
  return (
    <Page title={title}>
      {benches.error !== null ? (
        <ProblemNotice error={benches.error} onRetry={() => void benches.refetch()} />
      ) : benches.data === undefined ? (
        <Loading />
      ) : (
        <EmptyState title={t('benches.notFound')} />
      )}
    </Page>
  )
}

function BenchView({ bench, title }: { bench: Bench; title: string }) {
  const { t, duration, reason } = useWords()
  const api = useApi()
  const role = useQuery(meQuery(api)).data?.role
  const manages = role === 'admin'
  // Each would push away what is below it: what takes the bench, and ends a hold, stands above them and waits for neither.
  const outages = useQuery(outagesQuery(api, bench.id))
  const history = useQuery(benchHistoryQuery(api, bench.id))
  const isComing = outages.isLoading || history.isLoading
  return (
    <Page title={title} aside={<code className={styles.id}>{bench.id}</code>}>
      <div
        className={styles.now}
        data-trouble={
          bench.state === 'fault' || (bench.state === 'offline' && bench.outage === undefined) ? true : undefined
        }
      >
        <BenchMark state={bench.state} large />
        <span>
          {bench.reason === undefined
            ? bench.run === undefined
              ? bench.leased
                ? t('benches.leased')
                : ''
              : t('benches.onRun')
            : reason(bench.reason)}
        </span>
        {bench.run === undefined ? null : (
          <Link to="/runs/$runId" params={{ runId: bench.run }}>
            {bench.run}
          </Link>
        )}
        {bench.leaseReason === undefined ? null : <q>{bench.leaseReason}</q>}
        {bench.since === undefined ? null : (
          <span className="soft">
            {t('benches.since', { time: duration((Date.now() - Date.parse(bench.since)) / 1000) })}
          </span>
        )}
        <PutBack bench={bench} />
      </div>
      <div>
        <p className="soft">
          {bench.labs.length === 0 ? t('benches.noLab') : `${t('benches.serves')} `}
          {bench.labs.map((lab, index) => (
            <span key={lab}>
              {index === 0 ? '' : ', '}
              <Link to="/labs/$labId" params={{ labId: lab }}>
                {lab}
              </Link>
            </span>
          ))}
        </p>
        {isStaff(role) || role === 'builder' ? (
          <p>
            {isStaff(role) ? (
              <>
                <Link to="/usage/uses" search={{ bench: bench.id }}>
                  {t('benches.uses')}
                </Link>
                {' · '}
              </>
            ) : null}
            <Link to="/usage/direct" search={{ bench: bench.id }}>
              {t('benches.directUses')}
            </Link>
          </p>
        ) : null}
      </div>
      <Interlocks bench={bench} />
      <DirectPanel bench={bench} />
      {isComing ? (
        <Loading lines={6} />
      ) : (
        <>
          <Outages bench={bench} />
          <Health bench={bench} />
          <Calibrations bench={bench} />
        </>
      )}
      {bench.gone && manages ? <RemoveButton kind="benches" id={bench.id} /> : null}
    </Page>
  )
}
