import type { Session } from '@fernlab/shared/contracts/sessions'
import { useNow, useWords } from '../words/use-words.ts'
import styles from './session.module.css'

/** So long before the end the line is amber. */
const soonS = 60

/** How long the person has the bench: a thin line that shortens, and turns amber at the end. */
export function TimeLeft({ session, endsAtMs }: { session: Session; endsAtMs: number | undefined }) {
  const { t } = useWords()
  const nowMs = useNow(1000)
  if (endsAtMs === undefined) return null
  const leftS = Math.max(0, (endsAtMs - nowMs) / 1000)
  const soon = leftS <= soonS
  const text = clock(leftS)
  return (
    <div className={styles.time} data-soon={soon || undefined}>
      <span
        role="progressbar"
        className={styles.timeLine}
        aria-label={t('session.timeLeft')}
        aria-valuemin={0}
        aria-valuemax={Math.round(session.seconds)}
        aria-valuenow={Math.round(Math.min(leftS, session.seconds))}
        aria-valuetext={t('time.left', { time: text })}
      >
        <span style={{ width: `${(100 * Math.min(leftS, session.seconds)) / session.seconds}%` }} />
      </span>
      <span className={styles.timeText}>{t('time.left', { time: text })}</span>
      <span role="status" className="visually-hidden">
        {soon ? t('session.soonOver') : ''}
      </span>
    </div>
  )
}

/** Minutes and seconds, always as wide. */
function clock(seconds: number): string {
  const whole = Math.ceil(seconds)
  return `${String(Math.floor(whole / 60)).padStart(2, '0')}:${String(whole % 60).padStart(2, '0')}`
}
