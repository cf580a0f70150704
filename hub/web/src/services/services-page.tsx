import type { DirectoryEntry } from '@fernlab/shared/contracts/directory'
import { Button, NativeSelect } from '@mantine/core'
import { useQuery } from '@tanstack/react-query'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { useApi } from '../api/context.tsx'
import { servicesQuery } from '../api/queries.ts'
import { withChoice } from '../frame/choices.ts'
import { Page } from '../frame/page.tsx'
import { useTitle } from '../frame/place.tsx'
import { SearchField } from '../frame/search-field.tsx'
import { EmptyState } from '../notices/empty-state.tsx'
import { Loading } from '../notices/loading.tsx'
import { ProblemNotice } from '../notices/problem-notice.tsx'
import { useWords } from '../words/use-words.ts'
import { chosenServices, type ServiceChoice, serviceStates } from './service-choice.ts'
import { ServiceRow } from './service-row.tsx'
import styles from './services.module.css'

/** Every service of every node, those in trouble first, with the address to copy. */
export default function ServicesPage() {
  const { t } = useWords()
  useTitle(t('services.title'))
  const services = useQuery(servicesQuery(useApi()))
  const items = services.data?.items
  return (
    <Page title={t('services.title')}>
      {items === undefined ? (
        services.error === null ? (
          <Loading />
        ) : (
          <ProblemNotice error={services.error} onRetry={() => void services.refetch()} />
        )
      ) : items.length === 0 ? (
        <EmptyState title={t('services.empty')}>{t('services.emptyText')}</EmptyState>
      ) : (
        <Services items={items} />
      )}
    </Page>
  )
}

function Services({ items }: { items: readonly DirectoryEntry[] }) {
  const { t } = useWords()
  const choice: ServiceChoice = useSearch({ from: '/framed/services' })
  const navigate = useNavigate({ from: '/services' })
  const choose = (change: Partial<Record<keyof ServiceChoice, string>>) =>
    void navigate({ search: withChoice(choice, change), replace: true })
  const tags = [...new Set(items.flatMap((one) => one.tags))].sort()
  const count = (state: DirectoryEntry['state']) => items.filter((one) => one.state === state).length
  const shown = chosenServices(items, choice)
  return (
    <>
      <div className={styles.filters}>
        <SearchField label={t('services.find')} value={choice.q ?? ''} onChange={(q) => choose({ q })} />
        <NativeSelect
          aria-label={t('services.withState')}
          value={choice.state ?? ''}
          data={[
            { value: '', label: t('services.anyState') },
            ...serviceStates.map((value) => ({
              value,
              label: t('services.inState', { state: t(`services.state.${value}`), count: count(value) }),
            })),
          ]}
          onChange={({ currentTarget: { value } }) => choose({ state: value })}
        />
        <NativeSelect
          aria-label={t('services.withTag')}
          value={choice.tag ?? ''}
          data={[{ value: '', label: t('services.anyTag') }, ...tags]}
          onChange={({ currentTarget: { value } }) => choose({ tag: value })}
        />
      </div>
      <div className={styles.shown}>
        <span role="status" className="soft">
          {t('services.shown', { shown: shown.length, count: items.length })}
        </span>
        {shown.length > 0 ? null : (
          <Button size="compact-sm" variant="subtle" onClick={() => choose({ q: '', state: '', tag: '' })}>
            {t('services.all')}
          </Button>
        )}
      </div>
      <ul className={styles.list}>
        {shown.map((service) => (
          <ServiceRow key={service.id} service={service} onTag={(tag) => choose({ tag })} />
        ))}
      </ul>
    </>
  )
}
