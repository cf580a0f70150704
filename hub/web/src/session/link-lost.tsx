import type { Session } from '@fernlab/shared/contracts/sessions'
import { IconPlugConnectedX } from '@tabler/icons-react'
import { useWords } from '../words/use-words.ts'
import styles from './session.module.css'
import type { LiveSession } from './use-session.ts'

/** While the link is down: says so, what the bench does meanwhile, and that nothing is sent twice. */
export function LinkLost({ live, session }: { live: LiveSession; session: Session }) {
  const { t, duration, clockTime } = useWords()
  const { connected, endsAtMs } = live
  return (
    <div role="status" className={styles.news}>
      {connected ? null : (
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
