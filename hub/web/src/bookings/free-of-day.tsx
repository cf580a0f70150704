import { SHORTEST_BOOKING_S } from '@fernlab/shared/contracts/bookable-times'
import { Button } from '@mantine/core'
import { regionOf } from '../language/language.ts'
import { useWords } from '../words/use-words.ts'
import { hoursText, quarterFrom } from './booking-times.ts'
import styles from './bookings.module.css'
import type { FreeDay } from './use-free.ts'

interface Props {
  readonly free: FreeDay
  readonly timeZone: string
  /** Sets the beginning, and how long there is at most. */
  readonly onChoose: (at: number, roomMs: number) => void
}

/** When a bench is free on the chosen day; each stretch begins there when it is pressed. */
export function FreeOfDay({ free: { spans, from, until }, timeZone, onChoose }: Props) {
  const { t, language } = useWords()
  const begin = Math.max(from, quarterFrom(Date.now()))
  const shown = spans
    .map((span) => ({ at: Math.max(span.from, begin), end: span.until }))
    .filter(({ at, end }) => at < until && end - at >= SHORTEST_BOOKING_S * 1000)
  if (shown.length === 0) return <p className="soft">{t('booking.noneFree')}</p>
  return (
    <fieldset className={styles.free}>
      <legend>{t('booking.freeOn')}</legend>
      {shown.map(({ at, end }) => (
        <Button key={at} size="xs" variant="default" onClick={() => onChoose(at, end - at)}>
          {hoursText(at, Math.min(end, until), regionOf(language), timeZone)}
        </Button>
      ))}
    </fieldset>
  )
}
