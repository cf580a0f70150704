import type { BookedSeries, SeriesConflict, SeriesMove } from '@fernlab/shared/contracts/bookings'
import { nearestMoves } from '@fernlab/shared/contracts/series-moves'
import { Button } from '@mantine/core'
import { useEffect, useRef } from 'react'
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
  /** Has times that are taken at others, and looks again. */
  readonly onMove: (moves: readonly SeriesMove[]) => void
  /** Has the time where the series has it. */
  readonly onPutBack: (from: string) => void
  readonly onBack: () => void
  readonly onBook: () => void
}

/** The times of a series before they are booked: what is free, what is taken, and what near that it may have instead. */
export function SeriesPreview({ found, timeZone, pending, error, onMove, onPutBack, onBack, onBook }: Props) {
  const { t, language } = useWords()
  const { times, conflicts } = found
  const status = useRef<HTMLParagraphElement>(null)
  const seen = useRef(found)
  useEffect(() => {
    // The button went with what it did.
    if (seen.current !== found) status.current?.focus()
    seen.current = found
  }, [found])
  const shown = [
    ...times.map((time) => ({ time, taken: undefined })),
    ...conflicts.map((taken) => ({ time: taken, taken })),
  ].sort((a, b) => Date.parse(a.time.start) - Date.parse(b.time.start))
  const nearest = nearestMoves(conflicts)
  const span = (from: number, until: number) => spanText(from, until, regionOf(language), timeZone)
  return (
    <div className={dialog.content}>
      <p role="status" ref={status} tabIndex={-1}>
        {conflicts.length === 0
          ? t('booking.series.allFree', { count: times.length })
          : t('booking.series.someTaken', { count: conflicts.length, all: shown.length })}
      </p>
      {nearest.length < 2 ? null : (
        <Button className={styles.all} size="xs" variant="default" disabled={pending} onClick={() => onMove(nearest)}>
          {t('booking.series.takeAll', { count: nearest.length })}
        </Button>
      )}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keys. */}
      <ul className={styles.seriesTimes} aria-label={t('booking.series.times')} tabIndex={0}>
        {shown.map(({ time, taken }) => {
          const [from, until] = [Date.parse(time.start), Date.parse(time.end)]
          const when = span(from, until)
          const { movedFrom } = time
          return (
            <li key={movedFrom ?? time.start} data-taken={taken === undefined ? undefined : true}>
              <span>{t(taken === undefined ? 'booking.isFree' : 'booking.isTaken', { when })}</span>
              {movedFrom === undefined ? null : (
                <span className={styles.near}>
                  <span className={styles.more}>
                    {t('booking.series.instead', {
                      when: span(Date.parse(movedFrom), Date.parse(movedFrom) + until - from),
                    })}
                  </span>
                  <Button
                    size="compact-xs"
                    variant="subtle"
                    disabled={pending}
                    aria-label={`${t('booking.series.putBack')}: ${when}`}
                    onClick={() => onPutBack(movedFrom)}
                  >
                    {t('booking.series.putBack')}
                  </Button>
                </span>
              )}
              {taken === undefined ? null : <Near {...{ taken, pending, onMove, span }} />}
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

interface NearProps extends Pick<Props, 'pending' | 'onMove'> {
  readonly taken: SeriesConflict
  readonly span: (from: number, until: number) => string
}

/** The free times next to one that is taken, one press each. */
function Near({ taken: { start, end, movedFrom = start, before, after }, pending, onMove, span }: NearProps) {
  const { t } = useWords()
  const lengthMs = Date.parse(end) - Date.parse(start)
  const free = [before, after].flatMap((at) => at ?? [])
  if (free.length === 0) return <span className={styles.more}>{t('booking.series.noneNear')}</span>
  return (
    <span className={styles.near}>
      <span className={styles.more}>{t('booking.series.near')}</span>
      {free.map((to) => (
        <Button
          key={to}
          size="compact-xs"
          variant="default"
          disabled={pending}
          onClick={() => onMove([{ from: movedFrom, to }])}
        >
          {span(Date.parse(to), Date.parse(to) + lengthMs)}
        </Button>
      ))}
    </span>
  )
}
