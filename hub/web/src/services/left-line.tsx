import type { DirectoryService } from '@fernlab/shared/contracts/directory'
import { CopyLine } from '../notices/copy-line.tsx'
import { useWords } from '../words/use-words.ts'
import styles from './service.module.css'

/** Of a service that has left the directory while its page was open: why that may be, and what brings it back. */
export function LeftLine({ service: { daemon, node } }: { service: Pick<DirectoryService, 'daemon' | 'node'> }) {
  const { t } = useWords()
  return (
    <section className={styles.left} aria-label={t('service.holding')}>
      <p role="status">
        {daemon === undefined ? t('service.gonePart', { node }) : t('service.gone', { daemon, node })}
      </p>
      {daemon === undefined ? null : <CopyLine value={`fernlab daemon up ${daemon}`} label={t('service.command')} />}
    </section>
  )
}

/** Of one that is in no directory when its page is opened. */
export function UnknownService({ node }: { node: string }) {
  const { t } = useWords()
  return (
    <section className={styles.left}>
      <p>{t('service.unknown', { node })}</p>
      <CopyLine value="fernlab daemon ps" label={t('service.command')} />
      <p>{t('service.unknownThen')}</p>
    </section>
  )
}
