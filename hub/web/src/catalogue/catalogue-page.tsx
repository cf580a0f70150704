import type { LabSummary } from '@fernlab/shared/contracts/api'
import { Button, NativeSelect, TextInput } from '@mantine/core'
import { IconSearch } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { useApi } from '../api/context.tsx'
import { labsQuery, meQuery } from '../api/queries.ts'
import { Page } from '../frame/page.tsx'
import { useTitle } from '../frame/place.tsx'
import { CopyLine } from '../notices/copy-line.tsx'
import { EmptyState } from '../notices/empty-state.tsx'
import { Loading } from '../notices/loading.tsx'
import { ProblemNotice } from '../notices/problem-notice.tsx'
import { useWords } from '../words/use-words.ts'
import styles from './catalogue.module.css'
import { LabCard } from './lab-card.tsx'

export interface CatalogueSearch {
  readonly q?: string
  readonly subject?: string
  readonly level?: string
}

/** Every lab with its drawing, its benches and how long one waits now. */
export default function CataloguePage() {
  const words = useWords()
  const { t } = words
  useTitle(t('catalogue.title'))
  const api = useApi()
  const labs = useQuery(labsQuery(api))
  const role = useQuery(meQuery(api)).data?.role
  const builds = role === 'admin' || role === 'builder'
  const search = useSearch({ from: '/framed/labs' })
  const navigate = useNavigate({ from: '/labs' })
  const change = (next: CatalogueSearch) =>
    void navigate({ search: (before) => clean({ ...before, ...next }), replace: true })

  if (labs.data === undefined) {
    return (
      <Page title={t('catalogue.title')}>
        {labs.error === null ? <Loading /> : <ProblemNotice error={labs.error} onRetry={() => void labs.refetch()} />}
      </Page>
    )
  }
  const all = labs.data.items
  const shown = all.filter((lab) => matches(lab, search, words))
  return (
    <Page title={t('catalogue.title')}>
      {all.length === 0 ? (
        <EmptyState
          title={t('catalogue.empty')}
          action={builds ? <CopyLine value="npx fernlab lab push DIR" label={t('common.command')} /> : undefined}
        >
          {builds ? t('catalogue.emptyText') : t('catalogue.emptyForAll')}
        </EmptyState>
      ) : (
        <>
          <search className={styles.filters}>
            <TextInput
              className={styles.search}
              aria-label={t('catalogue.search')}
              placeholder={t('catalogue.search')}
              type="search"
              leftSection={<IconSearch size={16} />}
              value={search.q ?? ''}
              onChange={(event) => change({ q: event.currentTarget.value })}
            />
            <Choice
              label={t('catalogue.subject')}
              all={t('catalogue.all')}
              values={all.map((lab) => words.text(lab.subject))}
              value={search.subject}
              onChange={(subject) => change({ subject })}
            />
            <Choice
              label={t('catalogue.level')}
              all={t('catalogue.all')}
              values={all.map((lab) => words.text(lab.level))}
              value={search.level}
              onChange={(level) => change({ level })}
            />
            <span className={styles.shown} aria-live="polite">
              {t('catalogue.shown', { count: shown.length })}
            </span>
          </search>
          {shown.length === 0 ? (
            <EmptyState
              title={t('catalogue.nothing')}
              action={
                <Button variant="default" onClick={() => void navigate({ search: {}, replace: true })}>
                  {t('catalogue.clear')}
                </Button>
              }
            >
              {t('catalogue.nothingText')}
            </EmptyState>
          ) : (
            <ul className={styles.grid}>
              {shown.map((lab) => (
                <LabCard key={lab.id} lab={lab} />
              ))}
            </ul>
          )}
        </>
      )}
    </Page>
  )
}

interface ChoiceProps {
  readonly label: string
  readonly all: string
  readonly values: readonly string[]
  readonly value: string | undefined
  readonly onChange: (value: string) => void
}

function Choice({ label, all, values, value, onChange }: ChoiceProps) {
  const known = [...new Set(values.filter((name) => name !== ''))].sort()
  if (known.length < 2) return null
  return (
    <NativeSelect
      aria-label={label}
      value={value ?? ''}
      data={[{ value: '', label: `${label}: ${all}` }, ...known]}
      onChange={(event) => onChange(event.currentTarget.value)}
    />
  )
}

const clean = (search: CatalogueSearch): CatalogueSearch =>
  Object.fromEntries(Object.entries(search).filter(([, value]) => value !== undefined && value !== ''))

function matches(lab: LabSummary, search: CatalogueSearch, words: ReturnType<typeof useWords>): boolean {
  const subject = words.text(lab.subject)
  const level = words.text(lab.level)
  if (search.subject !== undefined && subject !== search.subject) return false
  if (search.level !== undefined && level !== search.level) return false
  const text = [words.text(lab.title), words.text(lab.summary), lab.id, subject, level].join(' ').toLowerCase()
  return (search.q ?? '')
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word))
}
