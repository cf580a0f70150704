import type { Session } from '@fernlab/shared/contracts/sessions'
import { IconChartLine, IconDownload } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { useApi } from '../api/context.tsx'
import { queryString, runQuery } from '../api/queries.ts'
import { LinkButton } from '../frame/link-button.tsx'
import { Loading } from '../notices/loading.tsx'
import { ProblemNotice } from '../notices/problem-notice.tsx'
import { count } from '../words/quantity.ts'
import { asSentence } from '../words/reasons.ts'
import { useWords } from '../words/use-words.ts'
import { NextSession } from './next-session.tsx'
import styles from './session.module.css'
import { SessionHead } from './session-head.tsx'
import { SessionMark } from './session-mark.tsx'

/** A session that is over: how it ended and what was recorded, which is a run with the same id. */
export default function ClosedSession({ session, title }: { session: Session; title: string }) {
  const { t, duration, moment, language, trouble } = useWords()
  const run = useQuery(runQuery(useApi(), session.id))
  const rows = Object.entries(run.data?.rows ?? {}).filter(([, many]) => many > 0)
  const { activeAt, endedAt } = session
  const ended = endedAt === undefined ? '' : moment(endedAt)
  const took =
    activeAt === undefined || endedAt === undefined
      ? undefined
      : duration((Date.parse(endedAt) - Date.parse(activeAt)) / 1000)
  return (
    <>
      <SessionHead session={session} title={title}>
        <LinkButton
          to="/labs/$labId"
          params={{ labId: session.lab }}
          search={{
            drive: String(run.data?.parameters.seconds ?? session.seconds),
            ...(session.wantedBench === undefined ? {} : { bench: session.wantedBench }),
          }}
          variant="default"
        >
          {t('session.again')}
        </LinkButton>
      </SessionHead>
      <div className={styles.state} data-trouble={session.error === undefined ? undefined : true}>
        <SessionMark state="closed" large />
        <p className={styles.turn}>
          {took === undefined
            ? [t('session.neverActive'), ended].filter((part) => part !== '').join(', ')
            : t('session.lasted', { time: took, when: ended })}
        </p>
        <p>
          {asSentence(
            trouble({
              ...(session.reason === undefined ? {} : { reason: session.reason }),
              ...(session.error === undefined ? {} : { error: session.error }),
            }),
          )}
        </p>
        {session.next === undefined ? null : <NextSession id={session.next} />}
      </div>
      <section className={styles.recorded} aria-labelledby="recorded">
        <h2 id="recorded">{t('session.recorded')}</h2>
        {run.error !== null ? (
          <ProblemNotice error={run.error} onRetry={() => void run.refetch()} />
        ) : run.data === undefined ? (
          <Loading lines={3} />
        ) : rows.length === 0 ? (
          <p className="soft">{t('session.recordedNothing')}</p>
        ) : (
          <>
            <ul className={styles.streams}>
              {rows.map(([stream, many]) => (
                <li key={stream}>
                  <b>{stream}</b>
                  <span className="soft">
                    {t('session.rows', { count: many }).replace(String(many), count(many, language))}
                  </span>
                  <a href={`/api/v1/runs/${session.id}/data.csv${queryString({ stream })}`} download>
                    <IconDownload size={16} aria-hidden="true" /> {t('runPage.downloads.csv')}
                    <span className="visually-hidden"> {stream}</span>
                  </a>
                </li>
              ))}
            </ul>
            <p>
              <LinkButton
                to="/runs/$runId"
                params={{ runId: session.id }}
                leftSection={<IconChartLine size={18} aria-hidden="true" />}
              >
                {t('session.toRun')}
              </LinkButton>
            </p>
          </>
        )}
      </section>
    </>
  )
}
