import type { NodeInfo } from '@fernlab/shared/contracts/api'
import { Button } from '@mantine/core'
import { IconPlus } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useApi } from '../api/context.tsx'
import { meQuery, nodesQuery } from '../api/queries.ts'
import { Page } from '../frame/page.tsx'
import { useTitle } from '../frame/place.tsx'
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
  const [enrolling, setEnrolling] = useState(false)
  const items = nodes.data === undefined ? undefined : [...nodes.data.items].sort((a, b) => rank(a) - rank(b))
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
        <ul className={styles.list}>
          {items.map((node) => (
            <NodeCard key={node.id} node={node} manages={manages} />
          ))}
        </ul>
      )}
      <EnrolDialog opened={enrolling} onClose={() => setEnrolling(false)} />
    </Page>
  )
}

const rank = (node: NodeInfo): number =>
  ({ offline: 0, 'never-seen': 2, online: 3, revoked: 4 })[node.state] - (node.health?.problems.length ? 2 : 0)
