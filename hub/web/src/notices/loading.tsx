import { Skeleton } from '@mantine/core'
import { useTranslation } from 'react-i18next'
import styles from './notices.module.css'

/** The shape of a page that is on its way. */
export function Loading({ lines = 4 }: { lines?: number }) {
  const { t } = useTranslation()
  return (
    <div className={styles.loading} role="status">
      <span className="visually-hidden">{t('error.loading')}</span>
      {Array.from({ length: lines }, (_, line) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the lines are all alike
        <Skeleton key={line} height={line === 0 ? 28 : 16} width={`${line === 0 ? 32 : 88 - line * 12}%`} />
      ))}
    </div>
  )
}
