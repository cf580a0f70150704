import { isWithin } from '@fernlab/shared/contracts/bookable-times'
import { regionOf } from '../language/language.ts'
import { useWords } from '../words/use-words.ts'
import { spanText } from './booking-times.ts'
import styles from './bookings.module.css'
import type { FreeDay } from './use-free.ts'

interface Props {
  /** Undefined while it is not known. */
  readonly free: FreeDay | undefined
  readonly startMs: number | undefined
  readonly lengthMs: number
  readonly timeZone: string
}

/** Shorter is not worth a line. */
const worthS = 60

/** Whether the chosen time can be booked, and what of it and after it the bench itself needs. */
export function FreeSays({ free, startMs, lengthMs, timeZone }: Props) {
  const { t, language, duration } = useWords()
  const needs =
    free === undefined
      ? []
      : [
          free.prepareS < worthS ? '' : t('booking.prepares', { time: duration(free.prepareS) }),
          free.cleanUpS < worthS ? '' : t('booking.cleansUp', { time: duration(free.cleanUpS) }),
        ].filter((need) => need !== '')
  return (
    <>
      <p aria-live="polite" className={styles.says}>
        {free === undefined || startMs === undefined || lengthMs === 0
          ? ''
          : t(saying(free, startMs, lengthMs), {
              when: spanText(startMs, startMs + lengthMs, regionOf(language), timeZone),
            })}
      </p>
      {needs.length === 0 ? null : <p className="soft">{needs.join(' ')}</p>}
    </>
  )
}

function saying({ spans, own }: FreeDay, startMs: number, lengthMs: number) {
  const [now, end] = [Date.now(), startMs + lengthMs]
  if (end <= now) return 'booking.isOver'
  if (own.some(({ from, until }) => from < end && startMs < until)) return 'booking.isYours'
  return isWithin(spans, Math.max(startMs, now), end) ? 'booking.isFree' : 'booking.isTaken'
}
