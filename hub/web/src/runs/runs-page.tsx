import { isStaff } from '@fernlab/shared/contracts/people'
import { Button, NativeSelect } from '@mantine/core'
import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { lazy, Suspense } from 'react'
import { useApi } from '../api/context.tsx'
import { labsQuery, meQuery, runsQuery } from '../api/queries.ts'
import { withChoice } from '../frame/choices.ts'
import { LinkButton } from '../frame/link-button.tsx'
import { Page } from '../frame/page.tsx'
import { useTitle } from '../frame/place.tsx'
import { withTexts } from '../language/late-texts.ts'
import { EmptyState } from '../notices/empty-state.tsx'
import { Loading } from '../notices/loading.tsx'
import { MoreButton } from '../notices/more-button.tsx'
import { ProblemNotice } from '../notices/problem-notice.tsx'
import { runStates } from '../states/run-states.ts'
import { useWords } from '../words/use-words.ts'
import { RunList } from './run-list.tsx'
import styles from './runs.module.css'

/** Only staff have the list. */
const OpenSessions = lazy(() => withTexts(['session'], () => import('../session/open-sessions.tsx')))

export interface RunsSearch {
  readonly lab?: string
  readonly state?: string
  /** `all` for everybody's, which staff may see. */
  readonly whose?: string
}

/** Every run of mine, newest first; for staff also everybody's. */
export default function RunsPage() {
  const words = useWords()
  const { t } = words
  const api = useApi()
  const search = useSearch({ from: '/framed/runs' })
  const navigate = useNavigate({ from: '/runs' })
  const me = useQuery(meQuery(api))
  const staff = isStaff(me.data?.role)
  const everybody = staff && search.whose === 'all'
  const title = everybody ? t('runs.everybodyTitle') : t('runs.title')
  useTitle(title)
  const runs = useInfiniteQuery({
    ...runsQuery(api, { lab: search.lab, state: search.state, person: everybody ? undefined : me.data?.id }),
    enabled: me.data != null,
  })
  const labs = useQuery(labsQuery(api))
  const items = runs.data?.pages.flatMap((page) => page.items)
  const filtered = search.lab !== undefined || search.state !== undefined || everybody
  const change = (next: RunsSearch) => void navigate({ search: (before) => withChoice(before, next), replace: true })
  const list =
    items === undefined ? (
      runs.error === null ? (
        <Loading />
      ) : (
        <ProblemNotice error={runs.error} onRetry={() => void runs.refetch()} />
      )
    ) : items.length === 0 ? (
      <EmptyState
        title={filtered ? t('runs.nothing') : t('runs.empty')}
        action={
          filtered ? (
            <Button variant="default" onClick={() => void navigate({ search: {}, replace: true })}>
              {t('catalogue.clear')}
            </Button>
          ) : (
            <LinkButton to="/labs">{t('runs.toLabs')}</LinkButton>
          )
        }
      >
        {filtered ? undefined : t('runs.emptyText')}
      </EmptyState>
    ) : (
      <div className={styles.runs}>
        <RunList runs={items} withPerson={everybody} />
        <MoreButton list={runs}>{t('runs.more')}</MoreButton>
      </div>
    )
  return (
    <Page
      title={title}
      aside={
        items?.length === 0 && !filtered && !staff ? undefined : (
          <>
            <LinkButton to="/recurring" variant="default">
              {t('runs.recurring')}
            </LinkButton>
            {staff ? (
              <NativeSelect
                aria-label={t('runs.whose')}
                value={everybody ? 'all' : ''}
                data={[
                  { value: '', label: t('runs.mine') },
                  { value: 'all', label: t('runs.everybody') },
                ]}
                onChange={(event) => change({ whose: event.currentTarget.value })}
              />
            ) : null}
            <NativeSelect
              aria-label={t('runs.lab')}
              value={search.lab ?? ''}
              data={[
                { value: '', label: `${t('runs.lab')}: ${t('runs.all')}` },
                ...(labs.data?.items ?? []).map((lab) => ({ value: lab.id, label: words.text(lab.title) })),
              ]}
              onChange={(event) => change({ lab: event.currentTarget.value })}
            />
            <NativeSelect
              aria-label={t('runs.state')}
              value={search.state ?? ''}
              data={[
                { value: '', label: `${t('runs.state')}: ${t('runs.all')}` },
                ...runStates.map((state) => ({ value: state, label: t(`run.${state}`) })),
              ]}
              onChange={(event) => change({ state: event.currentTarget.value })}
            />
          </>
        )
      }
    >
      {everybody ? (
        <Suspense fallback={<Loading />}>
          <OpenSessions>{list}</OpenSessions>
        </Suspense>
      ) : (
        list
      )}
    </Page>
  )
}
