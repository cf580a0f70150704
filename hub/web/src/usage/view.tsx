import { IconDownload } from '@tabler/icons-react'
import type { ReactNode } from 'react'
import { useWords } from '../words/use-words.ts'
import styles from './usage.module.css'

interface Props {
  readonly title: string
  /** Where the same is as a table. */
  readonly csv: string
  readonly text?: string | undefined
  readonly children: ReactNode
}

/** One view of usage, with the way to its table. */
export function View({ title, csv, text, children }: Props) {
  const { t } = useWords()
  return (
    <section className={styles.view}>
      <div className={styles.viewHead}>
        <h2>{title}</h2>
        <a href={csv} download aria-label={t('usage.csvOf', { view: title })}>
          <IconDownload size={16} aria-hidden="true" /> {t('usage.csv')}
        </a>
      </div>
      {text === undefined ? null : <p className="soft">{text}</p>}
      {children}
    </section>
  )
}
