import type { LabDetail } from '@fernlab/shared/contracts/api'
import { useInfiniteQuery } from '@tanstack/react-query'
import { useApi } from '../api/context.tsx'
import { runsQuery } from '../api/queries.ts'
import { Loading } from '../notices/loading.tsx'
import { ProblemNotice } from '../notices/problem-notice.tsx'
import { RunList } from '../runs/run-list.tsx'
import { useWords } from '../words/use-words.ts'

/** My latest runs of one lab. */
export function MyRuns({ lab, person }: { lab: LabDetail; person: string }) {
  const { t } = useWords()
  const runs = useInfiniteQuery(runsQuery(useApi(), { lab: lab.id, person, limit: 5 }))
  if (runs.error !== null && runs.data === undefined) return <ProblemNotice error={runs.error} />
  const items = runs.data?.pages.flatMap((page) => page.items)
  if (items === undefined) return <Loading lines={3} />
  if (items.length === 0) return <p className="soft">{t('lab.mineEmpty')}</p>
  return <RunList runs={items} withLab={false} />
}
