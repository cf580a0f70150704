import { Button } from '@mantine/core'
import { useInfiniteQuery } from '@tanstack/react-query'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { useApi } from '../api/context.tsx'
import { Page } from '../frame/page.tsx'
import { useTitle } from '../frame/place.tsx'
import records from '../frame/records.module.css'
import { DownloadButton } from '../notices/download-button.tsx'
import { EmptyState } from '../notices/empty-state.tsx'
import { PagedList } from '../notices/paged-list.tsx'
import { useWords } from '../words/use-words.ts'
import { AuditFilters } from './audit-filters.tsx'
import { auditCsv, auditQuery } from './audit-query.ts'
import { EntryRow } from './entry-row.tsx'

/** Who changed what, newest first, for admins. */
export default function AuditPage() {
  const { t } = useWords()
  useTitle(t('audit.title'), t('audit.title'))
  const search = useSearch({ from: '/framed/audit' })
  const navigate = useNavigate({ from: '/audit' })
  const entries = useInfiniteQuery(auditQuery(useApi(), search))
  const filtered = Object.keys(search).length > 0
  const clear = (
    <Button variant="default" onClick={() => void navigate({ search: {} })}>
      {t('catalogue.clear')}
    </Button>
  )
  return (
    <Page
      title={t('audit.title')}
      aside={<DownloadButton href={auditCsv(search)}>{t('audit.download')}</DownloadButton>}
    >
      <p className="soft">{t('audit.text')}</p>
      <AuditFilters
        key={JSON.stringify(search)}
        search={search}
        onFind={(next) => void navigate({ search: next })}
        clear={filtered ? clear : null}
      />
      <PagedList
        list={entries}
        className={records.list}
        more={t('audit.more')}
        empty={<EmptyState title={t('audit.none')}>{t('audit.noneText')}</EmptyState>}
      >
        {(entry) => <EntryRow key={entry.id} entry={entry} />}
      </PagedList>
    </Page>
  )
}
