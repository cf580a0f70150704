import type { NodeInfo } from '@fernlab/shared/contracts/api'
import { Button } from '@mantine/core'
import { IconPlus } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { useState } from 'react'
import { useApi } from '../api/context.tsx'
import { meQuery, nodesQuery } from '../api/queries.ts'
import { withChoice } from '../frame/choices.ts'
import { Page } from '../frame/page.tsx'
import { useTitle } from '../frame/place.tsx'
import { SearchField } from '../frame/search-field.tsx'
import { EmptyState } from '../notices/empty-state.tsx'
import { Loading } from '../notices/loading.tsx'
import { ProblemNotice } from '../notices/problem-notice.tsx'
import { useWords } from '../words/use-words.ts'
import { EnrolDialog } from './enrol-dialog.tsx'
import { NodeCard } from './node-card.tsx'
import styles from './nodes.module.css'

/** Every node, those in trouble first, and the way to enrol another. */
export default function NodesPage() {
  const { t } = useWords()
  useTitle(t('nodes.title'))
  const api = useApi()
  const nodes = useQuery(nodesQuery(api))
  const { q = '' } = useSearch({ from: '/framed/nodes' })
  const navigate = useNavigate({ from: '/nodes' })
  const [enrolling, setEnrolling] = useState(false)
  const items = nodes.data === undefined ? undefined : [...nodes.data.items].sort((a, b) => rank(a) - rank(b))
  const found = (items ?? []).filter((node) => hasText(node, q.trim().toLowerCase()))
  const manages = useQuery(meQuery(api)).data?.role === 'admin'
  const enrol = manages ? (
    <Button leftSection={<IconPlus size={16} aria-hidden="true" />} onClick={() => setEnrolling(true)}>
      {t('nodes.enrol')}
    </Button>
  ) : undefined
  return (
    <Page title={t('nodes.title')} aside={items?.length === 0 ? undefined : enrol}>
      {items === undefined ? (
        nodes.error === null ? (
          <Loading />
        ) : (
          <ProblemNotice error={nodes.error} onRetry={() => void nodes.refetch()} />
        )
      ) : items.length === 0 ? (
        <EmptyState title={t('nodes.empty')} action={enrol}>
          {t('nodes.emptyText')}
        </EmptyState>
      ) : (
        <>
          <div className={styles.find}>
            <SearchField
              label={t('nodes.find')}
              value={q}
              onChange={(text) => void navigate({ search: withChoice({ q }, { q: text }), replace: true })}
            />
          </div>
          {found.length === 0 ? <p className="soft">{t('nodes.noneFound')}</p> : null}
          <ul className={styles.list}>
            {found.map((node) => (
              <NodeCard key={node.id} node={node} manages={manages} />
            ))}
          </ul>
        </>
      )}
      <EnrolDialog opened={enrolling} onClose={() => setEnrolling(false)} />
    </Page>
  )
}

/** In its id, in that of one of its benches, or in what is wrong with it. */
const hasText = ({ id, benches, health }: NodeInfo, part: string): boolean =>
  [
    id,
    ...benches.map((bench) => (bench.includes('.') ? bench : `${id}.${bench}`)),
    ...(health?.problems ?? []).flatMap(({ code, message }) => [code, message]),
  ].some((text) => text.toLowerCase().includes(part))

const rank = (node: NodeInfo): number =>
  ({ offline: 0, 'never-seen': 2, online: 3, revoked: 4 })[node.state] - (node.health?.problems.length ? 2 : 0)
