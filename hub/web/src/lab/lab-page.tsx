import type { LabDetail } from '@fernlab/shared/contracts/api'
import { Button } from '@mantine/core'
import { IconPlayerPlay } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { useNavigate, useParams, useSearch } from '@tanstack/react-router'
import { lazy, Suspense } from 'react'
import { isAbsent } from '../api/client.ts'
import { useApi } from '../api/context.tsx'
import { labQuery, meQuery, readmeQuery, runQuery } from '../api/queries.ts'
import { Drawing } from '../catalogue/drawing.tsx'
import { Page } from '../frame/page.tsx'
import { useTitle } from '../frame/place.tsx'
import { withTexts } from '../language/late-texts.ts'
import { Loading } from '../notices/loading.tsx'
import { NotFound } from '../notices/not-found.tsx'
import { ProblemNotice } from '../notices/problem-notice.tsx'
import { BenchMark } from '../states/state-mark.tsx'
import { useWords } from '../words/use-words.ts'
import { BookTime } from './book-time.tsx'
import styles from './lab.module.css'
import { MyRuns } from './my-runs.tsx'
import { RunForm } from './run-form.tsx'

/** Apart for its styles: formulas bring many. */
const Readme = lazy(() => import('./readme.tsx'))

/** Most labs have no live sessions. */
const DriveLive = lazy(() => withTexts(['session'], () => import('../session/drive-live.tsx')))

export interface LabSearch {
  readonly protocol?: string
  /** A run whose parameters fill the form. */
  readonly from?: string
  /** So many seconds are asked for by hand. */
  readonly drive?: string
  /** On this bench, as before. */
  readonly bench?: string
}

/** What the lab is, and the form that runs it. */
export default function LabPage() {
  const words = useWords()
  const { labId } = useParams({ from: '/framed/labs/$labId' })
  const lab = useQuery(labQuery(useApi(), labId))
  const title = lab.data === undefined ? '' : words.text(lab.data.title)
  useTitle(title, title || undefined)
  if (lab.data !== undefined) return <Lab key={labId} lab={lab.data} />
  if (isAbsent(lab.error)) return <NotFound />
  return (
    <Page title={labId}>
      {lab.error === null ? <Loading /> : <ProblemNotice error={lab.error} onRetry={() => void lab.refetch()} />}
    </Page>
  )
}

function Lab({ lab }: { lab: LabDetail }) {
  const words = useWords()
  const { t } = words
  const api = useApi()
  const me = useQuery(meQuery(api))
  const search = useSearch({ from: '/framed/labs/$labId' })
  const navigate = useNavigate({ from: '/labs/$labId' })
  const from = useQuery({ ...runQuery(api, search.from ?? ''), enabled: search.from !== undefined })
  const protocol = lab.protocols.find((one) => one.name === search.protocol) ?? lab.protocols[0]
  const waitsForRun = search.from !== undefined && from.isPending
  return (
    <div className={styles.lab} data-again={search.from !== undefined || search.drive !== undefined || undefined}>
      <header className={styles.head}>
        <h1>{words.text(lab.title)}</h1>
        <p className={styles.lead}>{words.text(lab.summary)}</p>
        <ul className={styles.benches} aria-label={t('lab.benches')}>
          {lab.benches.map((bench) => (
            <li key={bench.id}>
              <span>{bench.title ?? bench.id}</span> <BenchMark state={bench.state} />
              {bench.reason === undefined ? null : <span className="soft"> {words.reason(bench.reason)}</span>}
            </li>
          ))}
        </ul>
        {lab.protocols.length === 0 ? null : (
          <Button component="a" href="#run-form" className={styles.toForm} leftSection={<IconPlayerPlay size={16} />}>
            {t('lab.toForm')}
          </Button>
        )}
      </header>
      <aside className={styles.side} id="run-form">
        <div className={styles.ways}>
          {lab.protocols.length === 0 ? null : protocol === undefined || waitsForRun ? (
            <Loading />
          ) : (
            <RunForm
              key={`${protocol.name} ${protocol.digest} ${from.data?.id ?? ''}`}
              lab={lab}
              protocol={protocol}
              from={from.data?.protocol === protocol.name ? from.data : undefined}
              onProtocol={(name) => void navigate({ search: { protocol: name }, replace: true })}
            />
          )}
          {lab.session === undefined || lab.benches.length === 0 ? null : (
            <Suspense fallback={<div className={`${styles.live} ${styles.liveToCome}`} />}>
              <DriveLive lab={lab} again={search.drive} bench={search.bench} />
            </Suspense>
          )}
          {me.data && me.data.role !== 'guest' && lab.benches.length > 0 ? (
            <BookTime lab={lab} person={me.data.id} />
          ) : null}
        </div>
      </aside>
      <article className={styles.text}>
        <Drawing picture={lab.picture} className={styles.picture} />
        <LabText lab={lab} />
      </article>
      {me.data ? (
        <section className={styles.mine}>
          <h2>{t('lab.mine')}</h2>
          <MyRuns lab={lab} person={me.data.id} />
        </section>
      ) : null}
    </div>
  )
}

/** As high as most texts, so that the form below does not jump down. */
const TextToCome = () => (
  <div className={styles.textToCome}>
    <Loading lines={6} />
  </div>
)

/** What the lab says of itself, in the person's language where it speaks it. */
function LabText({ lab }: { lab: LabDetail }) {
  const { t, text, language } = useWords()
  const readme = useQuery({
    ...readmeQuery(useApi(), lab, language),
    enabled: Object.keys(lab.readme).length > 0,
  })
  if (Object.keys(lab.readme).length === 0) return <p className="soft">{t('lab.noText')}</p>
  if (readme.error !== null) return <ProblemNotice error={readme.error} onRetry={() => void readme.refetch()} />
  if (readme.data === undefined) return <TextToCome />
  return (
    <>
      {readme.data.language === language ? null : <p className={styles.fallback}>{t('lab.onlyLanguage')}</p>}
      <Suspense fallback={<TextToCome />}>
        <Readme nodes={readme.data.nodes} title={text(lab.title)} />
      </Suspense>
    </>
  )
}
