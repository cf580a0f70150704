import type { NodeInfo } from '@fernlab/shared/contracts/api'
import { Link } from '@tanstack/react-router'
import { NodeFacts } from './node-facts.tsx'
import { NodeHead } from './node-head.tsx'
import styles from './nodes.module.css'

/** One node: what is wrong first, then its health. */
export function NodeCard({ node, manages }: { node: NodeInfo; manages: boolean }) {
  return (
    <li className={styles.node}>
      <NodeHead node={node} manages={manages}>
        <h2>
          <Link to="/nodes/$nodeId" params={{ nodeId: node.id }}>
            {node.id}
          </Link>
        </h2>
      </NodeHead>
      <NodeFacts node={node} />
    </li>
  )
}
