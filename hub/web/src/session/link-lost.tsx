import type { Session } from '@fernlab/shared/contracts/sessions'
import { IconPlugConnectedX } from '@tabler/icons-react'
import { useEffect, useState } from 'react'
import { useWords } from '../words/use-words.ts'
import styles from './session.module.css'
import type { LiveSession } from './use-session.ts'

/** While the link is down: says so, what the bench does meanwhile, and that nothing is sent twice. */
export function LinkLost({ live, session }: { live: LiveSession; session: Session }) {
  const { t, duration, clockTime } = useWords()
  const { connected, endsAtMs } = live
  const isLost = useIsLost(connected)
  return (
    <div role="status" className={styles.news}>
      {!isLost ? null : (
        <div className={styles.lost}>
          <IconPlugConnectedX size={20} aria-hidden="true" />
          <p>
            <strong>{t('session.lost')}</strong> {session.state === 'active' ? t('session.lostControls') : ''}{' '}
            {session.state === 'active' && endsAtMs !== undefined
              ? t('session.lostBench', {
                  idle: duration(session.idleSeconds),
                  time: clockTime(new Date(endsAtMs).toISOString()),
                })
              : ''}
          </p>
        </div>
      )}
    </div>
  )
}

const firstMs = 2_000

/** Lost is what was there; a page that was just opened has a moment for its first connection. */
function useIsLost(connected: boolean): boolean {
  const [isDue, setDue] = useState(connected)
  if (connected && !isDue) setDue(true)
  useEffect(() => {
    const timer = setTimeout(() => setDue(true), firstMs)
    return () => clearTimeout(timer)
  }, [])
  return isDue && !connected
}
