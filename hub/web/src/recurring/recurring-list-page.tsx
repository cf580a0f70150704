import { isStaff } from '@fernlab/shared/contracts/people'
import type { Recurring } from '@fernlab/shared/contracts/recurring'
import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useApi } from '../api/context.tsx'
import { meQuery } from '../api/queries.ts'
import { LinkButton } from '../frame/link-button.tsx'
import rows from '../frame/link-rows.module.css'
import { Page } from '../frame/page.tsx'
import { useTitle } from '../frame/place.tsx'
import { EmptyState } from '../notices/empty-state.tsx'
import { Loading } from '../notices/loading.tsx'
import { MoreButton } from '../notices/more-button.tsx'
import { ProblemNotice } from '../notices/problem-notice.tsx'
import { useWords } from '../words/use-words.ts'
import { Outcome } from './outcome.tsx'
import styles from './recurring.module.css'
import { recurringListQuery } from './recurring-queries.ts'
import { whenWords } from './when-words.ts'

/** Every run that recurs, with its next time and what came of the last. */
export default function RecurringListPage() {
  const { t } = useWords()
  useTitle(t('recurring.title'))
  const api = useApi()
  const staff = isStaff(useQuery(meQuery(api)).data?.role)
  const found = useInfiniteQuery(recurringListQuery(api, undefined))
  const items = found.data?.pages.flatMap((page) => page.items)
  return (
    <Page
      title={t('recurring.title')}
      aside={
        <LinkButton to="/runs" variant="default">
          {t('recurring.toRuns')}
        </LinkButton>
      }
    >
      {items === undefined ? (
        found.error === null ? (
          <Loading />
        ) : (
          <ProblemNotice error={found.error} onRetry={() => void found.refetch()} />
        )
      ) : items.length === 0 ? (
        <EmptyState title={t('recurring.empty')} action={<LinkButton to="/labs">{t('runs.toLabs')}</LinkButton>}>
          {t('recurring.emptyText')}
        </EmptyState>
      ) : (
        <>
          <ul className={`${rows.list} ${styles.list}`}>
            {items.map((item) => (
              <Row key={item.id} item={item} withPerson={staff} />
            ))}
          </ul>
          <MoreButton list={found}>{t('recurring.more')}</MoreButton>
        </>
      )}
    </Page>
  )
}

function Row({ item, withPerson }: { item: Recurring; withPerson: boolean }) {
  const words = useWords()
  const { t } = words
  const [last] = item.last
  return (
    <li className={`${rows.row} ${styles.row}`}>
      <span className={`${rows.stack} ${styles.name}`}>
        <Link to="/recurring/$recurringId" params={{ recurringId: item.id }} className={rows.link}>
          {item.name}
        </Link>
        <span className={rows.note}>
          {[words.text(item.labTitle) || item.lab, words.text(item.protocolTitle) || item.protocol].join(': ')}
          {withPerson ? `, ${item.person.name}` : ''}
        </span>
      </span>
      <span className={rows.stack}>
        {whenWords(item, words)}
        <span className={rows.note}>
          {item.next[0] === undefined
            ? t(`recurring.states.${item.state}`)
            : t('recurring.nextAt', { time: words.soonTime(item.next[0]) })}
        </span>
      </span>
      <span className={styles.outcome}>{last === undefined ? null : <Outcome time={last} />}</span>
    </li>
  )
}
