import type { ReactNode } from 'react'
import styles from './notices.module.css'

/** Says what this place will show and offers the first step. */
export function EmptyState({ title, children, action }: { title: string; children?: ReactNode; action?: ReactNode }) {
  return (
    <div className={styles.empty}>
      <h2>{title}</h2>
      {children === undefined ? null : <p className={styles.emptyText}>{children}</p>}
      {action}
    </div>
  )
}
