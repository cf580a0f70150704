import type { ReactNode } from 'react'
import styles from './usage.module.css'

interface Props {
  readonly items: readonly {
    readonly key: string
    readonly label: ReactNode
    /** 0 to 1. */
    readonly share: number
    readonly text: string
  }[]
}

/** Names with a bar each, and what the bar stands for in words. */
export function Bars({ items }: Props) {
  return (
    <ul className={styles.bars}>
      {items.map(({ key, label, share, text }) => (
        <li key={key}>
          <span className={styles.barName}>{label}</span>
          <span className={styles.track} aria-hidden="true">
            <span className={styles.bar} style={{ width: `${Math.min(1, share) * 100}%` }} />
          </span>
          <span className={styles.barText}>{text}</span>
        </li>
      ))}
    </ul>
  )
}
