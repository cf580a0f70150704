import type { Bench } from '@fernlab/shared/contracts/api'
import type { Outage } from '@fernlab/shared/contracts/bench-care'
import { isStaff } from '@fernlab/shared/contracts/people'
import { Button } from '@mantine/core'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { lazy, Suspense, useState } from 'react'
import { useApi } from '../api/context.tsx'
import { benchesQuery, meQuery } from '../api/queries.ts'
import { LinkButton } from '../frame/link-button.tsx'
import rows from '../frame/link-rows.module.css'
import { Page } from '../frame/page.tsx'
import { useTitle } from '../frame/place.tsx'
import { withTexts } from '../language/late-texts.ts'
import { EmptyState } from '../notices/empty-state.tsx'
import { Loading } from '../notices/loading.tsx'
import { ProblemNotice } from '../notices/problem-notice.tsx'
import { useWords } from '../words/use-words.ts'
import { type BenchChoice, chosenBenches } from './bench-choice.ts'
import { BenchFilters } from './bench-filters.tsx'
import { BenchLetters } from './bench-letters.tsx'
import { BenchRow } from './bench-row.tsx'
import styles from './benches.module.css'
import { OutageDialog } from './outage-dialog.tsx'
import { OutagesMade } from './outages-made.tsx'

const OpenSessions = lazy(() => withTexts(['session'], () => import('../session/open-sessions.tsx')))

/** Every bench, those in trouble first, with the reason in front. */
export default function BenchesPage() {
  const { t } = useWords()
  useTitle(t('benches.title'))
  const api = useApi()
  const benches = useQuery(benchesQuery(api))
  const role = useQuery(meQuery(api)).data?.role
  const maintains = isStaff(role) || role === 'builder'
  if (benches.data === undefined) {
    return (
      <Page title={t('benches.title')}>
        {benches.error === null ? (
          <Loading />
        ) : (
          <ProblemNotice error={benches.error} onRetry={() => void benches.refetch()} />
        )}
      </Page>
    )
  }
  const { items } = benches.data
  return (
    <Page title={t('benches.title')}>
      {items.length === 0 ? (
        <EmptyState
          title={t('benches.empty')}
          action={role === 'admin' ? <LinkButton to="/nodes">{t('benches.toNodes')}</LinkButton> : undefined}
        >
          {t('benches.emptyText')}
        </EmptyState>
      ) : (
        <Benches items={items} maintains={maintains} />
      )}
      {maintains ? <BenchLetters /> : null}
      {isStaff(role) ? (
        <Suspense fallback={null}>
          <OpenSessions />
        </Suspense>
      ) : null}
    </Page>
  )
}

/** The benches that fit what is looked for, and what is done to several of them at once. */
function Benches({ items, maintains }: { items: readonly Bench[]; maintains: boolean }) {
  const { t } = useWords()
  const client = useQueryClient()
  const choice: BenchChoice = useSearch({ from: '/framed/benches' })
  const navigate = useNavigate({ from: '/benches' })
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set())
  // As they were when they were asked about: others may come and go in the list meanwhile.
  const [toClose, setToClose] = useState<readonly Bench[]>([])
  const [closing, setClosing] = useState(false)
  const [made, setMade] = useState<readonly Outage[]>([])
  const shown = chosenBenches(items, choice)
  const selected = shown.filter(({ id }) => chosen.has(id))
  const choose = (next: BenchChoice) => void navigate({ search: next, replace: true })
  const select = (id: string, isChosen: boolean) => {
    const next = new Set(chosen)
    if (isChosen) next.add(id)
    else next.delete(id)
    setChosen(next)
  }
  return (
    <>
      <BenchFilters items={items} choice={choice} onChoose={choose} />
      <div className={styles.several}>
        <span role="status" className="soft">
          {t('benches.shown', { shown: shown.length, count: items.length })}
        </span>
        {shown.length === 0 ? (
          <Button size="compact-sm" variant="subtle" onClick={() => choose({})}>
            {t('benches.all')}
          </Button>
        ) : maintains ? (
          <>
            <Button
              size="compact-sm"
              variant="subtle"
              onClick={() => setChosen(new Set(selected.length > 0 ? [] : shown.map(({ id }) => id)))}
            >
              {t(selected.length > 0 ? 'benches.selectNone' : 'benches.selectAll')}
            </Button>
            {selected.length === 0 ? null : (
              <Button
                size="xs"
                variant="default"
                onClick={() => {
                  setToClose(selected)
                  setClosing(true)
                }}
              >
                {t('benches.outMany', { count: selected.length })}
              </Button>
            )}
          </>
        ) : null}
        {made.length === 0 ? null : <OutagesMade key={made.map(({ id }) => id).join()} made={made} />}
      </div>
      <ul className={rows.list}>
        {shown.map((bench) => (
          <BenchRow
            key={bench.id}
            bench={bench}
            chosen={chosen.has(bench.id)}
            onChoose={maintains ? (isChosen) => select(bench.id, isChosen) : undefined}
          />
        ))}
      </ul>
      <OutageDialog
        benches={toClose}
        opened={closing}
        onClose={() => setClosing(false)}
        onPlanned={(outages) => {
          setMade(outages)
          setChosen(new Set())
          void client.invalidateQueries({ queryKey: ['benches'] })
        }}
      />
    </>
  )
}
