import type { NodeInfo } from '@fernlab/shared/contracts/api'
import { useQuery } from '@tanstack/react-query'
import { useParams } from '@tanstack/react-router'
import { useApi } from '../api/context.tsx'
import { meQuery, nodesQuery } from '../api/queries.ts'
import { Page } from '../frame/page.tsx'
import { useTitle } from '../frame/place.tsx'
import { EmptyState } from '../notices/empty-state.tsx'
import { Loading } from '../notices/loading.tsx'
import { ProblemNotice } from '../notices/problem-notice.tsx'
import { useWords } from '../words/use-words.ts'
import { Hardware } from './hardware.tsx'
import { NodeFacts } from './node-facts.tsx'
import { NodeHead } from './node-head.tsx'

/** One node: how it is, and what it finds on its machine. */
export default function NodePage() {
  const { nodeId } = useParams({ from: '/framed/nodes/$nodeId' })
  const { t } = useWords()
  const nodes = useQuery(nodesQuery(useApi()))
  const node = nodes.data?.items.find(({ id }) => id === nodeId)
  useTitle(nodeId, nodeId)
  return (
    <Page title={nodeId}>
      {node !== undefined ? (
        <NodeView key={node.id} node={node} />
      ) : nodes.error !== null ? (
        <ProblemNotice error={nodes.error} onRetry={() => void nodes.refetch()} />
      ) : nodes.data === undefined ? (
        <Loading />
      ) : (
        <EmptyState title={t('nodes.notFound')} />
      )}
    </Page>
  )
}

function NodeView({ node }: { node: NodeInfo }) {
  const role = useQuery(meQuery(useApi())).data?.role
  return (
    <>
      <NodeHead node={node} manages={role === 'admin'} />
      <NodeFacts node={node} />
      {role === 'admin' || role === 'builder' ? <Hardware node={node} /> : null}
    </>
  )
}
