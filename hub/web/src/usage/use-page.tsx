import type { UseDetail } from '@fernlab/shared/contracts/usage'
import { useQuery } from '@tanstack/react-query'
import { Link, useParams } from '@tanstack/react-router'
import type { ReactNode } from 'react'
import { isAbsent } from '../api/client.ts'
import { useApi } from '../api/context.tsx'
import { LinkButton } from '../frame/link-button.tsx'
import { Page } from '../frame/page.tsx'
import { useTitle } from '../frame/place.tsx'
import { Loading } from '../notices/loading.tsx'
import { NotFound } from '../notices/not-found.tsx'
import { ProblemNotice } from '../notices/problem-notice.tsx'
import { RunMark } from '../states/state-mark.tsx'
import { quantityIn } from '../words/quantity.ts'
import { Facts } from './facts.tsx'
import { UseRecord } from './use-record.tsx'
import { useUsageWords } from './use-usage-words.ts'
import styles from './uses.module.css'
import { oneUseQuery } from './uses-queries.ts'

/** All of one use: who, what, where, when, from where and for how long, what was commanded and what it gave. */
export default function UsePage() {
  const { t } = useUsageWords()
  const { useId } = useParams({ from: '/framed/usage/uses/$useId' })
  const use = useQuery(oneUseQuery(useApi(), useId))
  useTitle(t('uses.one'), t('uses.one'))
  if (use.data !== undefined) return <Shown use={use.data} />
  if (isAbsent(use.error)) return <NotFound />
  return (
    <Page title={t('uses.one')}>
      {use.error === null ? <Loading /> : <ProblemNotice error={use.error} onRetry={() => void use.refetch()} />}
    </Page>
  )
}

function Shown({ use }: { use: UseDetail }) {
  const words = useUsageWords()
  const { t, labTitle, personName } = words
  return (
    <Page
      title={`${personName(use.person)}: ${labTitle(use.lab)}`}
      aside={
        <LinkButton to="/runs/$runId" params={{ runId: use.id }} variant="default">
          {t('uses.openRun')}
        </LinkButton>
      }
    >
      <Facts facts={factsOf(use, words)} />
      <Values
        title={t('uses.parameters')}
        values={Object.entries(use.parameters).map(([name, value]) => [name, String(value)] as const)}
      />
      <Values
        title={t('uses.gave')}
        values={[
          ...Object.entries(use.outputs).map(
            ([name, { value, unit, uncertainty }]) =>
              [name, quantityIn(t, value, unit, uncertainty === undefined ? {} : { uncertainty })] as const,
          ),
          ...Object.entries(use.rows).map(([stream, count]) => [stream, t('uses.rows', { count })] as const),
        ]}
      />
      <UseRecord use={use} />
    </Page>
  )
}

function factsOf(
  { id, person, lab, protocol, session, bench, ...use }: UseDetail,
  { t, absolute, duration, reason, personName, labTitle, from }: ReturnType<typeof useUsageWords>,
): (readonly [string, ReactNode])[] {
  const time = (at: string) => <time dateTime={at}>{absolute(at)}</time>
  const origin = from(use)
  return [
    [
      t('usage.person'),
      <Link key="person" to="/usage/uses" search={{ person: person.id }}>
        {personName(person)}
      </Link>,
    ],
    [t('usage.lab'), `${labTitle(lab)}, ${session ? t('uses.session') : protocol}`],
    [
      t('uses.bench'),
      bench === null ? (
        t('uses.noBench')
      ) : (
        <Link key="bench" to="/usage/uses" search={{ bench }}>
          {bench}
        </Link>
      ),
    ],
    [t('uses.asked'), time(use.askedAt)],
    [t('uses.from'), origin === '' ? t('usage.unknown') : origin],
    [t('uses.started'), use.startedAt === undefined ? t('uses.notYet') : time(use.startedAt)],
    [t('uses.ended'), use.endedAt === undefined ? t('uses.notYet') : time(use.endedAt)],
    [t('uses.waitedFor'), duration(Math.round(use.waitS))],
    ...(use.lastsS === undefined ? [] : [[t('uses.lastedFor'), duration(Math.round(use.lastsS))] as const]),
    [
      t('uses.state'),
      <span key="state">
        <RunMark state={use.state} />
        {use.reason === undefined ? '' : ` ${reason(use.reason)}`}
      </span>,
    ],
    [t('uses.id'), <code key="id">{id}</code>],
  ]
}

function Values({ title, values }: { title: string; values: readonly (readonly [string, string])[] }) {
  if (values.length === 0) return null
  return (
    <section className={styles.values}>
      <h2>{title}</h2>
      <dl>
        {values.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
    </section>
  )
}
