import type { NodeInfo } from '@fernlab/shared/contracts/api'
import type { ReactNode } from 'react'
import { NodeMark } from '../states/state-mark.tsx'
import { useWords } from '../words/use-words.ts'
import styles from './nodes.module.css'
import { RemoveButton } from './remove-button.tsx'
import { RevokeButton } from './revoke-button.tsx'

/** A node's state, when it was last heard, and what an admin can do to it. */
export function NodeHead({ node, manages, children }: { node: NodeInfo; manages: boolean; children?: ReactNode }) {
  const { t, moment } = useWords()
  return (
    <div className={styles.head}>
      {children}
      <NodeMark state={node.state} />
      <span className={styles.seen}>
        {node.lastSeen === undefined ? '' : `${t('nodes.lastSeen')} ${moment(node.lastSeen)}`}
      </span>
      {manages ? <RevokeButton node={node} /> : null}
      {manages && node.state !== 'online' ? <RemoveButton kind="nodes" id={node.id} /> : null}
    </div>
  )
}
