import type { LabDetail, Run } from '@fernlab/shared/contracts/api'
import { isPictureStream } from '@fernlab/shared/contracts/pictures'
import type { PlotSpec } from '@fernlab/shared/protocol/protocol'
import { Skeleton } from '@mantine/core'
import { useQueries, useQuery } from '@tanstack/react-query'
import { useParams } from '@tanstack/react-router'
import { lazy, Suspense, useMemo, useRef, useState } from 'react'
import { isAbsent } from '../api/client.ts'
import { useApi } from '../api/context.tsx'
import { dataQuery, labQuery, runQuery } from '../api/queries.ts'
import { Page } from '../frame/page.tsx'
import { useTitle } from '../frame/place.tsx'
import { withTexts } from '../language/late-texts.ts'
import { Loading } from '../notices/loading.tsx'
import { NotFound } from '../notices/not-found.tsx'
import { ProblemNotice } from '../notices/problem-notice.tsx'
import { isFinal } from '../states/run-states.ts'
import { useWords } from '../words/use-words.ts'
import { DataTable } from './data-table.tsx'
import { Outputs } from './outputs.tsx'
import { coloursFor, plotsFor } from './plots.ts'
import styles from './run.module.css'
import type { StreamData } from './run-data.ts'
import { Configuration, Log, Provenance } from './run-details.tsx'
import { RunHead } from './run-head.tsx'
import { attemptsOf, historyQuery } from './run-history.ts'
import { RunPlot } from './run-plot.tsx'
import { RunStatus } from './run-status.tsx'
import { useLiveRun } from './use-live-run.ts'

/** One run: its state, its charts as they grow, its results, and all that was recorded with it. */
export default function RunPage() {
  const words = useWords()
  const { runId } = useParams({ from: '/framed/runs/$runId' })
  const api = useApi()
  const run = useQuery({
    ...runQuery(api, runId),
    refetchInterval: (query) => (query.state.data === undefined || isFinal(query.state.data.state) ? false : 15_000),
  })
  const lab = useQuery({
    ...labQuery(api, run.data?.lab ?? ''),
    enabled: run.data !== undefined,
    refetchInterval: false,
  })
  const place =
    run.data === undefined
      ? runId
      : `${words.text(run.data.labTitle) || run.data.lab}: ${words.text(run.data.protocolTitle) || run.data.protocol}`
  useTitle(place, place)
  if (run.data !== undefined) return <RunView key={runId} run={run.data} lab={lab.data} />
  if (isAbsent(run.error)) return <NotFound />
  return (
    <Page title="">
      {run.error === null ? <Loading /> : <ProblemNotice error={run.error} onRetry={() => void run.refetch()} />}
    </Page>
  )
}

const chartPoints = 2400
/** Few runs were filmed. */
const RecordingOfRun = lazy(() => withTexts(['film'], () => import('./recording.tsx')))
const Pictures = lazy(() => withTexts(['film'], () => import('./pictures.tsx')))

function RunView({ run, lab }: { run: Run; lab: LabDetail | undefined }) {
  const { t } = useWords()
  const api = useApi()
  const final = isFinal(run.state)
  const onMoment = useRef<(time: number) => void>(() => {})
  // Followed to its `end`, which comes after the final state, so what it was at first decides.
  const [followed] = useState(!final)
  const live = useLiveRun(run.id, followed)
  const names = [
    ...new Set([...Object.keys(run.rows).filter((name) => (run.rows[name] ?? 0) > 0), ...Object.keys(live.streams)]),
  ]
  const history = useQuery({ ...historyQuery(api, run.id), enabled: final && run.attempt > 1 })
  const told = history.data ?? live
  const fetched = useQueries({
    queries: names.map((stream) => ({
      ...dataQuery(api, run.id, { stream, attempt: run.attempt, points: chartPoints }),
      enabled: final && run.dataRemovedAt === undefined,
    })),
  })
  const streams = useMemo(() => {
    const complete = fetched.flatMap(({ data }) => data ?? [])
    const byName: Record<string, StreamData> = { ...live.streams }
    for (const data of complete) byName[data.stream] = data
    return Object.values(byName)
  }, [live.streams, fetched])
  const protocol = lab?.protocols.find((one) => one.name === run.protocol)
  const declared = (protocol?.plots ?? []) as readonly PlotSpec[]
  const plots = useMemo(() => plotsFor(declared, streams, final), [declared, streams, final])
  const colours = useMemo(() => coloursFor(plots, streams), [plots, streams])
  const hasPictures = streams.some(({ stream }) => isPictureStream(stream))
  const failedToFetch = fetched.find(({ error }) => error !== null)
  const loading = fetched.some(({ isLoading }) => isLoading)
  // Points that cannot be drawn, because they were removed or cannot be had just now, are not "none".
  const kept = final && names.length > 0
  const withRows = streams.filter((one) => one.time.length > 0)
  const hasRows = withRows.length > 0
  const drawn = plots.filter((plot) => withRows.some((one) => one.stream === plot.stream))
  return (
    <div className={styles.run}>
      <RunHead run={run} attempts={attemptsOf({ attempt: run.attempt, streams: names }, told)} />
      <RunStatus
        run={run}
        connected={live.connected}
        final={final}
        exact={protocol?.estimate === undefined || protocol.estimate.exact}
      />
      {failedToFetch === undefined ? null : (
        <ProblemNotice error={failedToFetch.error} onRetry={() => void failedToFetch.refetch()} />
      )}
      {run.session === true && run.dataRemovedAt === undefined ? (
        <Suspense>
          <RecordingOfRun run={run} final={final} onMoment={onMoment} />
        </Suspense>
      ) : null}
      <section className={styles.plots} aria-label={t('chart.region', { title: '' })}>
        {drawn.length > 0 ? (
          drawn.map((plot, index) => (
            <RunPlot
              key={`${plot.stream} ${plot.x} ${plot.y.join()}`}
              run={run}
              plot={plot}
              data={streams.find((one) => one.stream === plot.stream)}
              colours={colours}
              protocol={protocol}
              parts={lab?.parts}
              final={final}
              large={index === 0}
              onMoment={onMoment}
            />
          ))
        ) : (
          <NoChart
            loading={loading}
            text={loading || kept ? '' : final ? t('runPage.noData') : t('runPage.noPoints')}
          />
        )}
      </section>
      <Outputs run={run} protocol={protocol} final={final} />
      {hasPictures ? (
        <Suspense>
          <Pictures run={run} streams={streams} />
        </Suspense>
      ) : null}
      <div className={styles.below}>
        {hasRows ? <DataTable run={run} streams={streams} first={plots[0]?.stream} final={final} /> : null}
        <div className={styles.facts}>
          <Configuration run={run} protocol={protocol} />
          <Log run={run} told={told.log} />
          <Provenance run={run} />
        </div>
      </div>
    </div>
  )
}

/** The chart's place before there is one; as large, so that nothing moves when it comes. */
function NoChart({ loading, text }: { loading: boolean; text: string }) {
  if (loading) return <Skeleton className={styles.noPoints} />
  return text === '' ? null : <p className={styles.noPoints}>{text}</p>
}
