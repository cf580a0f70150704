import { Button } from '@mantine/core'
import { ApiProblem } from '../api/client.ts'
import type { enBookings } from '../language/en-bookings.ts'
import { regionOf } from '../language/language.ts'
import { ProblemNotice } from '../notices/problem-notice.tsx'
import { useWords } from '../words/use-words.ts'
import { spanText } from './booking-times.ts'
import styles from './bookings.module.css'

interface Props {
  readonly error: unknown
  readonly lengthMs: number
  readonly timeZone: string
  readonly pending: boolean
  /** Takes a time that is free instead. */
  readonly onTake: (at: number) => void
}

/** Why a time could not be booked; where it is taken, the nearest free times stand there to be taken. */
export function Refused({ error, lengthMs, timeZone, pending, onTake }: Props) {
  const { t, language } = useWords()
  if (!(error instanceof ApiProblem)) return <ProblemNotice error={error} />
  if (error.code !== 'booking-conflict') {
    const known = knownRefusal(error.code)
    if (known === undefined) return <ProblemNotice error={error} />
    return (
      <p role="alert" className={styles.refused}>
        {t(`booking.refused.${known}`)}
      </p>
    )
  }
  const times = nearestTimes(error)
  return (
    <div role="alert" className={styles.refused}>
      <p>{times.length === 0 ? t('booking.takenNothing') : t('booking.taken')}</p>
      {times.length === 0 ? null : (
        <fieldset className={styles.free}>
          <legend>{t('booking.takeInstead')}</legend>
          {times.map((at) => (
            <Button key={at} size="xs" variant="default" disabled={pending} onClick={() => onTake(at)}>
              {spanText(at, at + lengthMs, regionOf(language), timeZone)}
            </Button>
          ))}
        </fieldset>
      )}
    </div>
  )
}

type Known = keyof typeof enBookings.booking.refused
const refusals: Readonly<Record<Known, true>> = {
  'booking-in-past': true,
  'booking-too-far': true,
  'booking-too-long': true,
  'quota-used': true,
  'bookings-too-many': true,
  'booking-overlaps-own': true,
  'booking-over': true,
  'booking-begun': true,
  'no-bench': true,
  'not-permitted': true,
}

const knownRefusal = (code: string): Known | undefined => (Object.hasOwn(refusals, code) ? (code as Known) : undefined)

/** The hub's nearest free times, epoch ms. */
const nearestTimes = ({ details }: ApiProblem): number[] =>
  [details.before, details.after].flatMap((at) => (typeof at === 'string' ? [Date.parse(at)] : []))
