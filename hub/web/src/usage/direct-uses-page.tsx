import type { DirectUse } from '@fernlab/shared/contracts/direct-use'
import { Button } from '@mantine/core'
import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { Link, useNavigate, useSearch } from '@tanstack/react-router'
import { useApi } from '../api/context.tsx'
import { meQuery } from '../api/queries.ts'
import { Page } from '../frame/page.tsx'
import { useTitle } from '../frame/place.tsx'
import records from '../frame/records.module.css'
import { DownloadButton } from '../notices/download-button.tsx'
import { EmptyState } from '../notices/empty-state.tsx'
import { PagedList } from '../notices/paged-list.tsx'
import { type DirectSearch, directUsesCsv, directUsesQuery } from './direct-queries.ts'
import { UsageNav } from './usage-nav.tsx'
import { useUsageWords } from './use-usage-words.ts'
import styles from './uses.module.css'
import { UsesFilters } from './uses-filters.tsx'

/** Benches that staff drove by hand, newest first: one's own, of the people whom one teaches, for admins of all. */
export default function DirectUsesPage() {
  const { t } = useUsageWords()
  useTitle(t('direct.title'), t('direct.title'))
  const api = useApi()
  const search: DirectSearch = useSearch({ from: '/framed/usage/direct' })
  const navigate = useNavigate({ from: '/usage/direct' })
  const role = useQuery(meQuery(api)).data?.role
  const uses = useInfiniteQuery(directUsesQuery(api, search))
  const clear = (
    <Button variant="default" onClick={() => void navigate({ search: {} })}>
      {t('uses.clear')}
    </Button>
  )
  return (
    <Page
      title={t('direct.title')}
      aside={<DownloadButton href={directUsesCsv(search)}>{t('usage.csv')}</DownloadButton>}
    >
      {role === 'admin' || role === 'instructor' ? <UsageNav search={search} /> : null}
      <p className="soft">{role === 'admin' ? t('direct.text') : t('direct.ownText')}</p>
      <UsesFilters
        key={JSON.stringify(search)}
        kind="direct"
        search={search}
        onFind={(next) => void navigate({ search: next })}
        everybody={role === 'admin' ? t('uses.everybody') : t('uses.allTaught')}
        clear={Object.keys(search).length > 0 ? clear : null}
      />
      <PagedList
        list={uses}
        className={records.list}
        more={t('uses.more')}
        empty={<EmptyState title={t('uses.empty')}>{t('direct.emptyText')}</EmptyState>}
      >
        {(use) => <Row key={use.id} use={use} search={search} />}
      </PagedList>
    </Page>
  )
}

/** One: when leads to all of it, who and where to all of the same. */
function Row({ use, search }: { use: DirectUse; search: DirectSearch }) {
  const { t, absolute, personName, duration, from } = useUsageWords()
  const { id, person, bench, startedAt, lastsS, ended, exchanges } = use
  const time = duration(Math.round(lastsS))
  return (
    <li className={`${records.record} ${styles.direct}`}>
      <Link to="/usage/direct/$useId" params={{ useId: id }}>
        <time dateTime={startedAt}>{absolute(startedAt)}</time>
      </Link>
      <Link to="/usage/direct" search={{ ...search, person: person.id }}>
        {personName(person)}
      </Link>
      <Link to="/usage/direct" search={{ ...search, bench }}>
        {bench}
      </Link>
      <span>
        {time} <span className="soft">{ended === undefined ? t('direct.lasts') : t(`direct.end.${ended}`)}</span>
      </span>
      <span>{t('direct.exchanges', { count: exchanges })}</span>
      <span className="soft">{from(use)}</span>
    </li>
  )
}
