import type { BookedSeries } from '@fernlab/shared/contracts/bookings'
import { Button } from '@mantine/core'
import { regionOf } from '../language/language.ts'
import dialog from '../notices/dialog.module.css'
import { ProblemNotice } from '../notices/problem-notice.tsx'
import { useWords } from '../words/use-words.ts'
import { spanText } from './booking-times.ts'
import styles from './bookings.module.css'

interface Props {
  readonly found: BookedSeries
  readonly timeZone: string
  readonly pending: boolean
  readonly error: unknown
  readonly onBack: () => void
  readonly onBook: () => void
}

/** The times of a series before they are booked: what is free, what is taken, and what is free near that. */
export function SeriesPreview({ found: { times, conflicts }, timeZone, pending, error, onBack, onBook }: Props) {
  const { t, language } = useWords()
  const shown = [
    ...times.map((time) => ({ ...time, near: undefined })),
    ...conflicts.map(({ start, end, before, after }) => ({
      start,
      end,
      near: [before, after].flatMap((at) => (at === undefined ? [] : [Date.parse(at)])),
    })),
  ].sort((a, b) => Date.parse(a.start) - Date.parse(b.start))
  const span = (from: number, until: number) => spanText(from, until, regionOf(language), timeZone)
  return (
    <div className={dialog.content}>
      <p role="status">
        {conflicts.length === 0
          ? t('booking.series.allFree', { count: times.length })
          : t('booking.series.someTaken', { count: conflicts.length, all: shown.length })}
      </p>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keys. */}
      <ul className={styles.seriesTimes} aria-label={t('booking.series.times')} tabIndex={0}>
        {shown.map(({ start, end, near }) => {
          const [from, until] = [Date.parse(start), Date.parse(end)]
          const free = near?.map((at) => span(at, at + until - from)).join('; ')
          return (
            <li key={start} data-taken={near === undefined ? undefined : true}>
              <span>{t(near === undefined ? 'booking.isFree' : 'booking.isTaken', { when: span(from, until) })}</span>
              {free === undefined || free === '' ? null : (
                <span className={styles.more}>{t('booking.series.near', { times: free })}</span>
              )}
            </li>
          )
        })}
      </ul>
      {error === null ? null : <ProblemNotice error={error} />}
      <div className={dialog.buttons}>
        <Button variant="default" data-autofocus onClick={onBack}>
          {t('booking.series.back')}
        </Button>
        {times.length === 0 ? null : (
          <Button loading={pending} onClick={onBook}>
            {conflicts.length === 0
              ? t('booking.series.bookAll', { count: times.length })
              : t('booking.series.bookFree', { count: times.length })}
          </Button>
        )}
      </div>
    </div>
  )
}
