import type { Session } from '@fernlab/shared/contracts/sessions'
import { IconCalendarClock } from '@tabler/icons-react'
import { useWords } from '../words/use-words.ts'
import styles from './session.module.css'

/** A booking needs the bench: until when one has it, and what comes after. */
export function BumpedNotice({ session: { bumpedAt } }: { session: Session }) {
  const { t, clockTime } = useWords()
  return (
    <div role="alert" className={styles.news}>
      {bumpedAt === undefined ? null : (
        <div className={styles.bumped}>
          <IconCalendarClock size={20} aria-hidden="true" />
          <p>
            <strong>{t('session.bumped', { time: clockTime(bumpedAt) })}</strong> {t('session.bumpedNext')}
          </p>
        </div>
      )}
    </div>
  )
}
