import { Button } from '@mantine/core'
import { regionOf } from '../language/language.ts'
import { useWords } from '../words/use-words.ts'
import { type FreeSpan, hoursText } from './booking-times.ts'
import styles from './bookings.module.css'

interface Props {
  readonly spans: readonly FreeSpan[]
  readonly timeZone: string
  /** Sets the beginning. */
  readonly onChoose: (at: number) => void
}

/** When a bench is free on the chosen day; each stretch begins there when it is pressed. */
export function FreeOfDay({ spans, timeZone, onChoose }: Props) {
  const { t, language } = useWords()
  if (spans.length === 0) return <p className="soft">{t('booking.noneFree')}</p>
  return (
    <fieldset className={styles.free}>
      <legend>{t('booking.freeOn')}</legend>
      {spans.map(({ from, until }) => (
        <Button key={from} size="xs" variant="default" onClick={() => onChoose(from)}>
          {hoursText(from, until, regionOf(language), timeZone)}
        </Button>
      ))}
    </fieldset>
  )
}
