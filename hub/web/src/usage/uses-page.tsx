import { Button } from '@mantine/core'
import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { useApi } from '../api/context.tsx'
import { meQuery } from '../api/queries.ts'
import { Page } from '../frame/page.tsx'
import { useTitle } from '../frame/place.tsx'
import records from '../frame/records.module.css'
import { DownloadButton } from '../notices/download-button.tsx'
import { EmptyState } from '../notices/empty-state.tsx'
import { PagedList } from '../notices/paged-list.tsx'
import { UsageNav } from './usage-nav.tsx'
import { UseRow } from './use-row.tsx'
import { useUsageWords } from './use-usage-words.ts'
import { UsesFilters } from './uses-filters.tsx'
import { type UsesSearch, usesCsv, usesQuery } from './uses-queries.ts'

/** Every use, newest first: of the people whom one teaches, for admins of all. */
export default function UsesPage() {
  const { t, personName } = useUsageWords()
  useTitle(t('uses.title'), t('uses.title'))
  const api = useApi()
  const search: UsesSearch = useSearch({ from: '/framed/usage/uses' })
  const navigate = useNavigate({ from: '/usage/uses' })
  const admin = useQuery(meQuery(api)).data?.role === 'admin'
  const uses = useInfiniteQuery(usesQuery(api, search))
  const items = uses.data?.pages.flatMap((page) => page.items)
  const one = search.person === undefined ? undefined : items?.[0]?.person
  const clear = (
    <Button variant="default" onClick={() => void navigate({ search: {} })}>
      {t('uses.clear')}
    </Button>
  )
  return (
    <Page title={t('uses.title')} aside={<DownloadButton href={usesCsv(search)}>{t('usage.csv')}</DownloadButton>}>
      <UsageNav search={search} />
      <UsesFilters
        key={JSON.stringify(search)}
        search={search}
        onFind={(next) => void navigate({ search: next })}
        everybody={admin ? t('uses.everybody') : t('uses.allTaught')}
        clear={Object.keys(search).length > 0 ? clear : null}
      />
      {one === undefined ? null : <p className="soft">{t('uses.ofPerson', { name: personName(one) })}</p>}
      <PagedList
        list={uses}
        className={records.list}
        more={t('uses.more')}
        empty={<EmptyState title={t('uses.empty')}>{t('uses.emptyText')}</EmptyState>}
      >
        {(use) => <UseRow key={use.id} use={use} search={search} />}
      </PagedList>
    </Page>
  )
}
