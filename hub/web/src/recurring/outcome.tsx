import type { DueTime } from '@fernlab/shared/contracts/recurring'
import { IconBan, IconClockX, IconPlayerSkipForward, IconTrash } from '@tabler/icons-react'
import { Link } from '@tanstack/react-router'
import { Mark, RunMark } from '../states/state-mark.tsx'
import { useWords } from '../words/use-words.ts'
import styles from './recurring.module.css'

/** What came of a due time: how its run stands, or why there is none. */
export function Outcome({ time }: { time: DueTime }) {
  const { t } = useWords()
  const { outcome, run } = time
  if (run !== undefined) return <RunMark state={run.state} />
  switch (outcome) {
    case 'run':
      return <Mark tone="offline" Icon={IconTrash} word={t('recurring.outcomes.removed')} />
    case 'skipped':
      return <Mark tone="waiting" Icon={IconPlayerSkipForward} word={t('recurring.outcomes.skipped')} />
    case 'missed':
      return <Mark tone="maintenance" Icon={IconClockX} word={t('recurring.outcomes.missed')} />
    case 'refused':
      return <Mark tone="fault" Icon={IconBan} word={t('recurring.outcomes.refused')} />
  }
}

/** The last due times one a line, each with the way to its run. */
export function LastTimes({ last }: { last: readonly DueTime[] }) {
  const { t, absolute, trouble } = useWords()
  return (
    <ol className={styles.times}>
      {last.map((time) => (
        <li key={time.due}>
          <span className={styles.outcome}>
            <Outcome time={time} />
          </span>
          {time.run === undefined ? (
            <time dateTime={time.due}>{absolute(time.due)}</time>
          ) : (
            <Link to="/runs/$runId" params={{ runId: time.run.id }}>
              <time dateTime={time.due}>{absolute(time.due)}</time>
            </Link>
          )}
          <span className="soft">
            {[
              time.byHand === true ? t('recurring.byHand') : '',
              time.missedBefore === undefined ? '' : t('recurring.missedBefore', { count: time.missedBefore }),
              time.error === undefined ? '' : trouble({ error: time.error }),
            ]
              .filter(Boolean)
              .join(' · ')}
          </span>
        </li>
      ))}
    </ol>
  )
}
