import { Button } from '@mantine/core'
import { useEffect } from 'react'
import { useTranslation } from 'react-i18next'
import { useReachable } from '../api/context.tsx'
import styles from './frame.module.css'

/** While the hub is out of reach: says so, says what is kept, and tries again by itself and on request. */
export function LostBanner({ onRetry }: { onRetry: () => void }) {
  const { t } = useTranslation()
  const reachable = useReachable()
  useEffect(() => {
    if (reachable) return
    const timer = setInterval(onRetry, 4_000)
    return () => clearInterval(timer)
  }, [reachable, onRetry])
  return (
    <div role="status">
      {reachable ? null : (
        <div className={styles.lost}>
          <p>
            <strong>{t('hub.lost')}</strong> {t('hub.lostKept')}
          </p>
          <Button size="xs" variant="default" onClick={onRetry}>
            {t('hub.again')}
          </Button>
        </div>
      )}
    </div>
  )
}
