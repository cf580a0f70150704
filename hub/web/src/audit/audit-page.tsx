import { Button } from '@mantine/core'
import { IconDownload } from '@tabler/icons-react'
import { useInfiniteQuery } from '@tanstack/react-query'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { useApi } from '../api/context.tsx'
import { Page } from '../frame/page.tsx'
import { useTitle } from '../frame/place.tsx'
import { EmptyState } from '../notices/empty-state.tsx'
import { Loading } from '../notices/loading.tsx'
import { ProblemNotice } from '../notices/problem-notice.tsx'
import { useWords } from '../words/use-words.ts'
import styles from './audit.module.css'
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
  const items = entries.data?.pages.flatMap((page) => page.items)
  const filtered = Object.keys(search).length > 0
  const clear = (
    <Button variant="default" onClick={() => void navigate({ search: {} })}>
      {t('catalogue.clear')}
    </Button>
  )
  return (
    <Page
      title={t('audit.title')}
      aside={
        <Button
          component="a"
          href={auditCsv(search)}
          download
          variant="default"
          leftSection={<IconDownload size={16} aria-hidden="true" />}
        >
          {t('audit.download')}
        </Button>
      }
    >
      <p className="soft">{t('audit.text')}</p>
      <AuditFilters
        key={JSON.stringify(search)}
        search={search}
        onFind={(next) => void navigate({ search: next })}
        clear={filtered ? clear : null}
      />
      {entries.error !== null ? (
        <ProblemNotice error={entries.error} onRetry={() => void entries.refetch()} />
      ) : items === undefined ? (
        <Loading />
      ) : items.length === 0 ? (
        <EmptyState title={t('audit.none')}>{t('audit.noneText')}</EmptyState>
      ) : (
        <ul className={styles.list}>
          {items.map((entry) => (
            <EntryRow key={entry.id} entry={entry} />
          ))}
        </ul>
      )}
      {entries.hasNextPage ? (
        <Button variant="default" loading={entries.isFetchingNextPage} onClick={() => void entries.fetchNextPage()}>
          {t('audit.more')}
        </Button>
      ) : null}
    </Page>
  )
}
